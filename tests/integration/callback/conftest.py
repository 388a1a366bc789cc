"""Callbacks on a real database, with a simulated exchange and a clock that stands still."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from callback.dialer import Dialer
from callback.door import CallbackSettings
from callback.hindrance import Hindrance
from callback.models import Callback, CallbackAttempt
from callback.rule import Reason, RuleDefinition, Way
from callback.service import CallbackService
from callback.views import CallbackView
from core.clock import LOCAL_ZONE
from core.database import Database
from core.outbox import OutboxEvent
from core.settings import Settings
from core.working_days import WorkingDays
from telephony.door import TelephonyRules
from telephony.models import Call
from telephony.service import TelephonyService
from tests.fakes.clock import FakeClock
from tests.fakes.outbound_lines import FakeOutboundLines
from tests.fakes.switch import FakeSwitch
from tests.servers import PostgresServer
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules

QUESTIONNAIRE = uuid.UUID(int=7)


class FakeQuestionnaires:
    """One questionnaire is launched: `q`. Put in what hinders it by a way."""

    def __init__(self) -> None:
        self.hindered: dict[Way, Hindrance] = {}

    def launched_version(self, key: str) -> uuid.UUID | None:
        return QUESTIONNAIRE if key == "q" else None

    def hindrance(self, version_id: uuid.UUID, way: Way, about: CallbackView) -> Hindrance | None:
        return self.hindered.get(way)


@dataclass
class Base:
    """A service and what stands around it."""

    service: CallbackService
    database: Database
    clock: FakeClock
    lines: FakeOutboundLines
    calls: TelephonyService
    cases: WorkorderService
    days: WorkingDays
    questionnaires: FakeQuestionnaires
    ids: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    def at(self, text: str) -> datetime:
        """Return a moment of the hall's clock in 2026, `month-day hh:mm`."""
        return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=LOCAL_ZONE)

    def go_to(self, text: str) -> datetime:
        """Let the clock stand at a moment."""
        moment = self.at(text)
        self.clock.advance((moment - self.clock.now()).total_seconds())
        return moment

    def owe(self, phone: str = "13800138000", reason: Reason = Reason.CASE_CLOSED, **words: object) -> CallbackView:
        """Owe a call by a definition of its own: an automatic one for surveys."""
        known: dict[str, object] = {"title": "回访", "reason": reason}
        if RuleDefinition.model_validate(known).is_survey:
            known |= {"ways": ["ivr"], "questionnaire": "q"}
        definition = RuleDefinition.model_validate(known | words)
        return self.service.owe(reason, f"test:{next(self.ids)}", phone, definition=definition)

    def dialer(self) -> Dialer:
        """Return a dialer as a process would have it."""
        return Dialer(self.service, self.lines, monotonic=lambda: self.clock.now().timestamp())

    def get(self, view: CallbackView) -> CallbackView:
        """Return a callback as it is now."""
        return self.service.get(view.callback_id)

    def tell(self, attempt_id: uuid.UUID, result: str) -> None:
        """Let an attempt's line end, and the bridge tell of it."""
        self.lines.end(attempt_id, result)
        self.service.record_ended(attempt_id, result, "")

    def run_out(self) -> None:
        """Let every lease run out: leases go by the database's clock, so the rows are moved."""
        past = func.clock_timestamp() - timedelta(seconds=1)
        with self.database.transaction() as session:
            session.execute(update(CallbackAttempt).where(CallbackAttempt.lease_until.is_not(None)).values(lease_until=past))

    def call(self, phone: str, outcome: str, *, direction: str = "in", minutes: float = 5) -> uuid.UUID:
        """Write a call that has ended now."""
        now = self.clock.now()
        number = next(self.ids)
        row = Call(
            number=f"20260318-{number:06d}",
            node="test",
            linkedid=str(number),
            caller_number=phone,
            state="ended",
            outcome=outcome,
            direction=direction,
            started_at=now - timedelta(minutes=minutes),
            answered_at=now - timedelta(minutes=minutes - 1) if outcome == "answered" else None,
            ended_at=now,
        )
        with self.database.transaction() as session:
            session.add(row)
        return row.id

    def events(self, name: str) -> list[OutboxEvent]:
        """Return what was published under a name."""
        with self.database.transaction() as session:
            return list(session.scalars(select(OutboxEvent).where(OutboxEvent.name == name).order_by(OutboxEvent.id)))

    def open_callbacks(self) -> int:
        """Count what is owed."""
        with self.database.transaction() as session:
            return session.scalar(select(func.count()).select_from(Callback).where(Callback.state == "owed")) or 0


def base_on(url: str, clock: FakeClock, settings: CallbackSettings | None = None) -> Base:
    """Return callbacks on a database."""
    database = Database(url)
    lines = FakeOutboundLines(url, clock)
    site = Settings(_env_file=None)
    calls = TelephonyService(database, clock, FakeSwitch(), TelephonyRules.of(site))
    cases = WorkorderService(database, clock, SmsRules.of(site))
    days = WorkingDays(database)
    asked = FakeQuestionnaires()
    service = CallbackService(database, clock, days, lines, calls, cases, asked, settings or CallbackSettings())
    return Base(service, database, clock, lines, calls, cases, days, asked)


@pytest.fixture
def base(postgres: PostgresServer, template_url: str) -> Iterator[Base]:
    """Callbacks on a database of their own, on a Wednesday at 10:30."""
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    made = base_on(postgres.new_database(template), FakeClock())
    yield made
    made.lines.close()
    made.database.close()
