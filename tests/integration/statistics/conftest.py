"""A hotline's database, counted."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import text

from core.database import Database
from core.settings import Settings
from survey.service import SurveyService
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.integration.statistics.world import World
from webui import passwords
from webui.accounts import AccountService
from webui.app import create_app
from webui.permissions import Role
from webui.statistics.counting import Counting
from webui.statistics.reads import StatisticsReads
from webui.tokens import TokenService

PASSWORD = "Hotline-2026"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None)  # type: ignore[call-arg]


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    made = World(database)
    made.clear()
    made.queue("consult", "办事咨询")
    made.queue("enterprise", "企业登记")
    made.agent("8001", "陈敏")
    made.agent("8002", "李强")
    yield made
    made.clear()


@pytest.fixture
def counting(database: Database, clock: FakeClock, settings: Settings) -> Counting:
    return Counting(database, clock, settings, fresh_seconds=0)


@pytest.fixture
def reads(database: Database) -> StatisticsReads:
    return StatisticsReads(database)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def app(world: World, database: Database, clock: FakeClock, tmp_path: Path) -> Iterator[Flask]:
    settings = Settings(_env_file=None, state_dir=tmp_path)  # type: ignore[call-arg]
    house = SimpleNamespace(
        settings=settings,
        clock=clock,
        database=database,
        telephony=None,
        kb=None,
        survey=SurveyService(database, clock, "k" * 40, "https://hall.example"),
        accounts=AccountService(database, clock),
        tokens=TokenService(database, clock),
    )
    for role in Role:
        house.accounts.create_user(
            "setup", username=role.value, display_name=f"{role.value} 同志", password=PASSWORD, roles=[role.value],
            must_change_password=False,
        )  # fmt: skip
    made = create_app(house)  # type: ignore[arg-type]
    made.config.update(TESTING=True, RATELIMIT_ENABLED=False)
    made.test_client_class = Browser
    made.extensions["statistics_counting"] = Counting(database, clock, settings, fresh_seconds=0)
    yield made
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        session.execute(text('TRUNCATE "user", login_session, audit_entry CASCADE'))
        session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))


@pytest.fixture
def manager(app: Flask) -> Browser:
    made = app.test_client()
    assert isinstance(made, Browser)
    made.log_in("manager", PASSWORD)
    return made
