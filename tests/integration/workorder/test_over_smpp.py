"""From the queue to the telephone over a real SMPP 3.4 server: the worker, the adapter and the database together."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from core.jobs import Worker
from tests.fakes.http_carrier import wait_until
from tests.fakes.smpp_carrier import SmppCarrier
from tests.integration.workorder.conftest import Desk
from workorder.adapters.smpp_session import SmppLogin
from workorder.adapters.smpp_sms_gateway import SmppSmsGateway
from workorder.handlers import WorkorderHandlers
from workorder.service import SMS_QUEUE

LONG = "您于 3 月 17 日办理的“居住证首次申领”已办结，请评价：" + "好" * 80


@dataclass
class Line:
    desk: Desk
    carrier: SmppCarrier
    worker: Worker

    def send(self, reference: str, body: str = "您好") -> str:
        """Ask for a message, do its job, and return its id as text."""
        message_id = self.desk.service.send_sms(reference, "13800138000", body, "survey")
        assert self.worker.run_once()
        return str(message_id)

    def states(self) -> dict[str, str]:
        return {view.reference: view.state for view in self.desk.service.list_sms().messages}


@pytest.fixture
def line(desk: Desk) -> Iterator[Line]:
    carrier = SmppCarrier()
    login = SmppLogin("127.0.0.1", carrier.port, "tingjian", "secret")
    gateway = SmppSmsGateway(login, desk.service.record_sms_receipt, source="12345", timeout_seconds=1.0)
    gateway.start()
    assert gateway.wait_until_bound(10)
    tasks = WorkorderHandlers(desk.service, desk.database).tasks(gateway)
    yield Line(desk, carrier, Worker(desk.database, tasks, [SMS_QUEUE]))
    gateway.close()
    carrier.close()


def test_delivered_part_by_part(line: Line) -> None:
    line.send("r1", LONG)
    assert line.states() == {"r1": "submitted"}
    assert "".join(line.carrier.texts()) == f"【云川12345】{LONG}"
    line.carrier.receipt("m2")
    assert line.states() == {"r1": "submitted"}
    line.carrier.receipt("m1")
    wait_until(lambda: line.states() == {"r1": "delivered"})
    assert len(line.desk.events("SmsFinished")) == 1


def test_a_receipt_that_overtakes_the_answer(line: Line) -> None:
    line.carrier.deliver_early = lambda gateway_id: f"id:{gateway_id} stat:DELIVRD err:000".encode()
    line.send("r1")
    assert line.states() == {"r1": "delivered"}


def test_taken_and_never_answered_is_parked_and_goes_out_once(line: Line) -> None:
    line.carrier.mood = "silent"
    line.send("r1")
    assert line.states() == {"r1": "unknown"}
    line.carrier.mood = "take"
    for _ in range(3):
        line.desk.clock.advance(3600)
        line.desk.service.tidy_sms()
        assert not line.worker.run_once()
    assert len(line.carrier.heard) == 1
    [message] = line.desk.service.list_sms().messages
    line.desk.service.resolve_unknown_sms(message.message_id, "resend", "monitor")
    assert line.worker.run_once()
    line.carrier.receipt("m1")
    assert line.states() == {"r1": "delivered"}
    assert len(line.carrier.heard) == 2


def test_refused_and_throttled(line: Line) -> None:
    line.carrier.mood = "refuse"
    line.send("r1")
    line.carrier.mood = "throttle"
    line.send("r2")
    assert line.states() == {"r1": "failed", "r2": "queued"}
    failed = next(view for view in line.desk.service.list_sms().messages if view.reference == "r1")
    assert failed.error == "Invalid Destination Address"
