"""The page of text messages: states, the missing gateway, and the unknown ones that a person settles."""

import uuid
from typing import Any

import pytest
from flask import Flask

from core.database import Database
from core.settings import Settings
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.integration.webui.conftest import PASSWORD
from workorder.ports import Outcome, OutgoingSms, SubmitResult, TakenPart
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules

pytestmark = pytest.mark.usefixtures("people")


class Gateway:
    """Answers as told."""

    name = "told"
    problem = ""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def submit(self, message: OutgoingSms) -> SubmitResult:
        if self.outcome is Outcome.TAKEN:
            return SubmitResult(Outcome.TAKEN, (TakenPart(1, str(message.message_id)),))
        return SubmitResult(self.outcome, error="timeout")


@pytest.fixture
def workorder(app: Flask) -> WorkorderService:
    service: WorkorderService = app.extensions["house"].workorder
    return service


@pytest.fixture
def supervisor(client: Browser) -> Browser:
    client.log_in("supervisor", PASSWORD)
    return client


def text(answer: Any) -> str:
    page: str = answer.get_data(as_text=True)
    return page


def unknown(workorder: WorkorderService, reference: str = "r1") -> uuid.UUID:
    made = workorder.send_sms(reference, "13800138000", "请评价 https://hall.example/s/secret-token-abc", "survey")
    workorder.send_queued_sms(Gateway(Outcome.UNKNOWN), made)
    return made


def test_without_a_gateway_messages_wait_and_the_page_says_so(supervisor: Browser, workorder: WorkorderService) -> None:
    assert "还没有短信" in text(supervisor.get("/sms/"))
    workorder.send_sms("r1", "13800138000", "您好", "survey")
    page = text(supervisor.get("/sms/"))
    assert "没有配置短信网关" in page
    assert "现有 1 条在等" in page
    assert "待发" in page
    assert "138****8000" in page
    assert "13800138000" not in page


def test_with_a_gateway_there_is_no_banner(
    app: Flask, supervisor: Browser, database: Database, clock: FakeClock, settings: Settings
) -> None:
    configured = settings.model_copy(update={"sms_gateway": "smpp"})
    app.extensions["house"].workorder = WorkorderService(database, clock, SmsRules.of(configured))
    assert "没有配置短信网关" not in text(supervisor.get("/sms/"))


def test_an_unknown_one_is_settled_by_a_person(supervisor: Browser, workorder: WorkorderService) -> None:
    first, second = unknown(workorder, "a"), unknown(workorder, "b")
    page = text(supervisor.get("/sms/?state=unknown"))
    assert "2 条待核实" in page
    assert "网关没有答复" in page
    assert f"/sms/{first}/resolve" in page
    assert supervisor.post(f"/sms/{first}/resolve", data={"decision": "sent"}).status_code == 302
    assert supervisor.post(f"/sms/{second}/resolve", data={"decision": "resend"}).status_code == 302
    assert (workorder.get_sms(first).state, workorder.get_sms(second).state) == ("submitted", "queued")
    page = text(supervisor.get("/sms/"))
    assert "条待核实" not in page
    again = supervisor.post(f"/sms/{first}/resolve", data={"decision": "resend"})
    assert again.status_code == 409
    assert "可能他人已处理" in text(again)


@pytest.mark.parametrize("decision", ["", "eat", "SENT"])
def test_a_decision_that_is_none(supervisor: Browser, workorder: WorkorderService, decision: str) -> None:
    made = unknown(workorder)
    assert supervisor.post(f"/sms/{made}/resolve", data={"decision": decision}).status_code == 400
    assert workorder.get_sms(made).state == "unknown"


def test_nobody_reads_a_citizens_link(supervisor: Browser, workorder: WorkorderService) -> None:
    unknown(workorder)
    page = text(supervisor.get("/sms/"))
    assert "https://hall.example/…" in page
    assert "secret-token" not in page


def test_filters(supervisor: Browser, workorder: WorkorderService) -> None:
    unknown(workorder, "ref-one")
    workorder.send_sms("ref-two", "13900139000", "<b>通知</b>", "notice")
    assert "通知" not in text(supervisor.get("/sms/?q=8000")).split("<tbody>")[1]
    page = text(supervisor.get("/sms/?q=ref-two"))
    assert "&lt;b&gt;通知" in page
    assert "<b>通知" not in page
    assert "没有符合条件的短信" in text(supervisor.get("/sms/?state=delivered"))
    assert "没有符合条件的短信" in text(supervisor.get("/sms/?from=2026-03-19"))
    assert "共 2 条" in text(supervisor.get("/sms/?state=whatever&from=never&page=x"))


def test_who_may(client: Browser, workorder: WorkorderService) -> None:
    made = unknown(workorder)
    client.log_in("manager", PASSWORD)
    assert client.get("/sms/").status_code == 403
    assert client.post(f"/sms/{made}/resolve", data={"decision": "sent"}).status_code == 403
    assert workorder.get_sms(made).state == "unknown"
