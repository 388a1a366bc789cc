"""Cases and text messages on a real database, with a gateway that answers as it is told."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, text

from core.database import Database
from core.jobs import Job
from core.outbox import Event, OutboxEvent
from core.settings import Settings
from tests.fakes.clock import FakeClock
from workorder.models import SmsDay
from workorder.ports import Outcome, OutgoingSms, SubmitResult, TakenPart
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules


@dataclass
class ToldGateway:
    """Takes every part, unless `answers` holds what to say next. `during` runs while the gateway has the message."""

    name: str = "told"
    problem: str = ""
    heard: list[OutgoingSms] = field(default_factory=list)
    answers: list[SubmitResult] = field(default_factory=list)
    during: Callable[[OutgoingSms], None] | None = None

    def submit(self, message: OutgoingSms) -> SubmitResult:
        self.heard.append(message)
        if self.during is not None:
            self.during(message)
        if self.answers:
            return self.answers.pop(0)
        numbers = [number for number in range(1, len(message.text.parts) + 1) if number not in message.taken_parts]
        return SubmitResult(Outcome.TAKEN, tuple(TakenPart(number, f"{message.message_id}-{number}") for number in numbers))


@dataclass
class Desk:
    """A service and what stands around it."""

    database: Database
    clock: FakeClock
    gateway: ToldGateway
    service: WorkorderService

    def with_rules(self, **settings: Any) -> WorkorderService:
        """Return the service as it is with other settings."""
        return WorkorderService(self.database, self.clock, rules(**settings))

    def events(self, name: str) -> list[Event]:
        """Return the events of a name, in order."""
        with self.database.transaction() as session:
            rows = session.scalars(select(OutboxEvent).where(OutboxEvent.name == name).order_by(OutboxEvent.id))
            return [row.event() for row in rows]

    def jobs(self) -> list[Job]:
        """Return the waiting jobs."""
        with self.database.transaction() as session:
            return list(session.scalars(select(Job).where(Job.state == "ready").order_by(Job.run_at)))

    def send(self, message_id: uuid.UUID, service: WorkorderService | None = None) -> str:
        """Do the message's job once and return its state."""
        (service or self.service).send_queued_sms(self.gateway, message_id)
        return self.service.get_sms(message_id).state

    def parts_today(self) -> int:
        """Return how many parts count against the day's cap."""
        with self.database.transaction() as session:
            return sum(session.scalars(select(SmsDay.part_count)))


def rules(**settings: Any) -> SmsRules:
    known = {"sms_gateway": "smpp", "sms_signature": "云川12345", **settings}
    return SmsRules.of(Settings(_env_file=None, **known))  # type: ignore[arg-type]


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """An empty desk; its clock stands at 10:30 of a Wednesday."""
    clock = FakeClock()
    yield Desk(database, clock, ToldGateway(), WorkorderService(database, clock, rules()))
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        tables = "approval_case, case_import, sms_message, sms_part, sms_day, job, outbox_event, audit_entry"
        session.execute(text(f"TRUNCATE {tables} CASCADE"))
        session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
