"""Surveys on a real database, and their pages; callback is a fake that only remembers."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select, text

from core.database import Database
from core.outbox import Event, OutboxEvent
from core.settings import Settings
from survey.schema import QuestionnaireDefinition
from survey.service import SurveyService
from survey.views import SurveyContext
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from webui import passwords
from webui.accounts import AccountService
from webui.app import create_app
from webui.permissions import Role
from webui.tokens import TokenService

KEY = "k" * 40
PASSWORD = "Hotline-2026"
PHONE = "13800138000"


@dataclass
class FakeCallbacks:
    """What survey's pages ask of callback."""

    opted_out: list[tuple[str, str]] = field(default_factory=list)

    def get(self, callback_id: uuid.UUID) -> SimpleNamespace:
        return SimpleNamespace(callback_id=callback_id, phone=PHONE)

    def opt_out(self, phone: str, source: str, note: str = "") -> None:
        self.opted_out.append((phone, source))


@dataclass
class Base:
    """A service and what stands around it."""

    service: SurveyService
    database: Database
    clock: FakeClock
    callbacks: FakeCallbacks

    def launched(self, definition: QuestionnaireDefinition, key: str = "test") -> uuid.UUID:
        """Write and launch a questionnaire."""
        version = self.service.create_questionnaire("author", key, definition)
        return self.service.launch("author", version.version_id).version_id

    def offered(self, version_id: uuid.UUID, natural_key: str = "", **context: object) -> uuid.UUID:
        """Offer a web survey."""
        about = SurveyContext(**context)  # type: ignore[arg-type]
        return self.service.offer(natural_key or uuid.uuid4().hex, version_id, "callback", "web", about)

    def events(self, kind: type[Event]) -> list[Event]:
        """Return what was published of a kind."""
        with self.database.transaction() as session:
            rows = session.scalars(select(OutboxEvent).where(OutboxEvent.name == kind.__name__).order_by(OutboxEvent.id)).all()
        return [row.event() for row in rows]


@pytest.fixture
def base(database: Database) -> Iterator[Base]:
    """An empty survey stage on the module's database."""
    clock = FakeClock(datetime(2026, 3, 18, 2, 30, tzinfo=UTC))
    yield Base(SurveyService(database, clock, KEY, "https://hall.example/"), database, clock, FakeCallbacks())
    with database.transaction() as session:
        # The audit refuses to lose rows; a test's own are switched off with their guard.
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        session.execute(text('TRUNCATE questionnaire, "user", login_session, api_token, audit_entry, outbox_event CASCADE'))
        session.execute(text("TRUNCATE statistics_day, statistics_month, statistics_slice CASCADE"))
        session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def app(base: Base, tmp_path: Path) -> Flask:
    settings = Settings(_env_file=None, state_dir=tmp_path, secret_key=KEY)  # type: ignore[call-arg]
    house = SimpleNamespace(
        settings=settings,
        clock=base.clock,
        database=base.database,
        telephony=None,
        kb=None,
        survey=base.service,
        callback=base.callbacks,
        accounts=AccountService(base.database, base.clock),
        tokens=TokenService(base.database, base.clock),
    )
    made = create_app(house)  # type: ignore[arg-type]
    made.config.update(TESTING=True, RATELIMIT_ENABLED=False)
    made.test_client_class = Browser
    for role in Role:
        house.accounts.create_user(
            "setup",
            username=role.value,
            display_name=f"{role.value} 同志",
            password=PASSWORD,
            roles=[role.value],
            must_change_password=False,
        )
    return made


@pytest.fixture
def client(app: Flask) -> Browser:
    made = app.test_client()
    assert isinstance(made, Browser)
    return made


@pytest.fixture
def phone(app: Flask) -> Browser:
    """A citizen's telephone: no log-in, and no cookie kept."""
    made = app.test_client(use_cookies=False)
    assert isinstance(made, Browser)
    made.token = "none"
    return made
