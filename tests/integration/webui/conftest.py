"""The application on a real database, with the people of a small hotline."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import text

from core.database import Database
from core.settings import Settings
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.service import KnowledgeService
from telephony.door import TelephonyRules
from telephony.models import Queue
from telephony.service import TelephonyService
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.fakes.conversation import FakeConversation
from tests.fakes.search_index import FakeSearchIndex
from tests.fakes.switch import FakeSwitch
from webui import passwords
from webui.accounts import AccountService
from webui.app import create_app
from webui.permissions import Role
from webui.tokens import TokenService
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules

PASSWORD = "Hotline-2026"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    # Slow on purpose in production; every test makes seven people.
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, state_dir=tmp_path, login_failures=3)  # type: ignore[call-arg]


@pytest.fixture
def index() -> FakeSearchIndex:
    return FakeSearchIndex()


@pytest.fixture
def switch() -> FakeSwitch:
    return FakeSwitch()


@pytest.fixture
def app(database: Database, clock: FakeClock, settings: Settings, index: FakeSearchIndex, switch: FakeSwitch) -> Iterator[Flask]:
    house = SimpleNamespace(
        settings=settings,
        clock=clock,
        database=database,
        telephony=TelephonyService(database, clock, switch, TelephonyRules.of(settings)),
        kb=KnowledgeService(
            database=database,
            clock=clock,
            index=index,
            local_index=MemorySearchIndex(),
            conversation=FakeConversation(),
        ),
        accounts=AccountService(database, clock),
        tokens=TokenService(database, clock),
        workorder=WorkorderService(database, clock, SmsRules.of(settings)),
    )
    with database.transaction() as session:
        session.add_all([Queue(name="consult", title="办事咨询"), Queue(name="enterprise", title="企业登记")])
    made = create_app(house)  # type: ignore[arg-type]
    made.config.update(TESTING=True, RATELIMIT_ENABLED=False)
    made.test_client_class = Browser
    yield made
    with database.transaction() as session:
        # The audit refuses to lose rows; a test's own are switched off with their guard.
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        ours = "approval_case, case_import, sms_message, sms_part, sms_day, job"
        session.execute(
            text(f'TRUNCATE "user", login_session, api_token, audit_entry, queue, agent, article, outbox_event, {ours} CASCADE')
        )
        session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))


@pytest.fixture
def accounts(app: Flask) -> AccountService:
    service: AccountService = app.extensions["house"].accounts
    return service


@pytest.fixture
def people(accounts: AccountService) -> dict[str, uuid.UUID]:
    """One person of each role, named as the role."""
    return {
        role.value: accounts.create_user(
            "setup",
            username=role.value,
            display_name=f"{role.value} 同志",
            password=PASSWORD,
            roles=[role.value],
            must_change_password=False,
        )
        for role in Role
    }


@pytest.fixture
def client(app: Flask) -> Browser:
    made = app.test_client()
    assert isinstance(made, Browser)
    return made
