"""The API on a real database: services as they run, a switch that only listens, the search index in memory."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from core.database import Database, new_id
from core.settings import Settings
from survey.service import SurveyService
from telephony.models import Agent, AgentQueue, Call, CallEvent, CallNote, Queue, Recording, Segment, Transcript
from tests.fakes.clock import FakeClock
from tests.integration.webui_api.services import FailingIndex, QuietSwitch, knowledge_service, telephony_service
from webui.accounts import AccountService
from webui.app import create_app
from webui.tokens import TokenService
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules

STARTED = datetime(2026, 3, 18, 2, 0, tzinfo=UTC)
CALLER = "13800138000"


@dataclass
class Client:
    """A program with a token."""

    http: FlaskClient
    token: str

    def ask(self, method: str, path: str, **sent: Any) -> TestResponse:
        if "json" in sent:
            # Flask's own way of writing JSON can't write a lone surrogate, which others do send.
            sent = {"data": json.dumps(sent["json"]), "content_type": "application/json"}
        return self.http.open(f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {self.token}"}, **sent)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.ask("GET", path, query_string=query)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    gateway = {"sms_gateway": "http", "sms_http_secret": "shared-between-both"}
    return Settings(_env_file=None, state_dir=tmp_path_factory.mktemp("state"), secret_key="k" * 40, **gateway)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def switch() -> QuietSwitch:
    return QuietSwitch()


@pytest.fixture(scope="module")
def index() -> FailingIndex:
    return FailingIndex()


@pytest.fixture(scope="module")
def house(database: Database, settings: Settings, switch: QuietSwitch, index: FailingIndex) -> SimpleNamespace:
    clock = FakeClock()
    telephony = telephony_service(database, clock, settings, switch)
    return SimpleNamespace(
        settings=settings,
        clock=clock,
        database=database,
        accounts=AccountService(database, clock),
        tokens=TokenService(database, clock),
        telephony=telephony,
        kb=knowledge_service(database, clock, index, telephony),
        survey=SurveyService(database, clock, "k" * 40, settings.public_url),
        workorder=WorkorderService(database, clock, SmsRules.of(settings)),
    )


@pytest.fixture(scope="module")
def app(house: SimpleNamespace) -> Flask:
    made = create_app(house)  # type: ignore[arg-type]
    made.config.update(TESTING=True, RATELIMIT_ENABLED=False)
    return made


@pytest.fixture(scope="module")
def client_as(app: Flask, house: SimpleNamespace) -> Callable[[str], Client]:
    """Return a client for a role; the same token each time."""
    known: dict[str, Client] = {}

    def make(role: str) -> Client:
        if role not in known:
            known[role] = Client(app.test_client(), house.tokens.create_token("setup", f"program of a {role}", role))
        return known[role]

    return make


@pytest.fixture(scope="module")
def agent_id(database: Database) -> uuid.UUID:
    """Agent 8001, who serves 办事咨询."""
    with database.transaction() as session:
        session.add(Queue(name="consult", title="办事咨询"))
        session.flush()
        agent = Agent(number="8001", name="陈敏", sip_password="secret-of-8001", queues=[AgentQueue(queue_name="consult")])
        session.add(agent)
        session.flush()
        return agent.id


@pytest.fixture(scope="module")
def call_id(database: Database, agent_id: uuid.UUID) -> uuid.UUID:
    """An answered call with words of both parties, a note, events and two recordings, one of them lost."""
    return add_call(database, agent_id)


def add_call(database: Database, agent_id: uuid.UUID | None, **facts: Any) -> uuid.UUID:
    made = new_id()
    answered, ended = STARTED + timedelta(seconds=9), STARTED + timedelta(seconds=99)
    call = {
        "id": made,
        "number": f"20260318-{uuid.uuid4().hex[:6]}",
        "node": "node1",
        "linkedid": made.hex,
        "caller_number": CALLER,
        "caller_name": "<b>张三</b>",
        "queue_name": "consult",
        "state": "ended",
        "outcome": "answered",
        "cause": "normal",
        "agent_id": agent_id,
        "started_at": STARTED,
        "queued_at": STARTED,
        "answered_at": answered,
        "ended_at": ended,
        "waiting_seconds": 9.0,
        "talking_seconds": 90.0,
    }
    with database.transaction() as session:
        session.add(Call(**(call | facts)))
        session.flush()
        session.add(Transcript(call_id=made, kind="final", state="done", updated_at=ended))
        note = {"kind": "咨询", "note": "问新生儿落户", "disposition": "已答复"}
        session.add(CallNote(call_id=made, agent_id=agent_id, updated_at=ended, **note))
        for kind, party, second, words in (
            ("live", "citizen", 10.0, "孩子上户口要带什么"),
            ("final", "citizen", 10.0, "孩子上户口要带什么材料"),
            ("final", "agent", 14.5, "您好，请带出生医学证明"),
        ):
            session.add(
                Segment(
                    call_id=made,
                    kind=kind,
                    party=party,
                    start_seconds=second,
                    end_seconds=second + 3,
                    started_at=STARTED + timedelta(seconds=second),
                    text=words,
                    hops={},
                )
            )
        session.add(
            CallEvent(call_id=made, natural_key="answered", at=answered, kind="answered", detail={"channel": f"PJSIP/{CALLER}-01"})
        )
        for party, state, reason in (("citizen", "kept", None), ("agent", "lost", "disk full")):
            session.add(
                Recording(
                    call_id=made,
                    party=party,
                    node="node1",
                    path=f"2026/03/18/x-{party}.wav",
                    started_at=STARTED,
                    seconds=99.0,
                    state=state,
                    loss_reason=reason,
                )
            )
    return made


@pytest.fixture
def audit_rows(database: Database) -> Callable[[str], list[dict[str, Any]]]:
    """Return the audit entries of an action, oldest first."""

    def read(action: str) -> list[dict[str, Any]]:
        with database.transaction() as session:
            query = text("SELECT actor, subject, detail FROM audit_entry WHERE action = :a ORDER BY id")
            rows = session.execute(query, {"a": action})
            return [dict(row._mapping) for row in rows]

    return read
