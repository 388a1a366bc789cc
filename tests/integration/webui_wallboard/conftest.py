"""A hotline with a day behind it, a display with a token, and people who may and may not look after displays."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import text

from callback.models import Callback, CallbackAttempt
from core.database import Database, new_id
from core.heartbeat import ProcessHeartbeat
from core.settings import Settings
from survey.models import Answer, Questionnaire, QuestionnaireVersion, Survey
from survey.schema import COUNTED
from telephony.models import Agent, Call, CallNote, Queue
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from webui import passwords
from webui.accounts import AccountService
from webui.app import create_app
from webui.tokens import TokenService
from webui.wallboard.displays import DisplayService, DisplayView
from webui.wallboard.snapshot import Snapshots
from webui.wallboard.webhooks import WebhookService
from webui.wallboard.wiring import Wallboard

PASSWORD = "Hotline-2026"


@dataclass
class Hall:
    """The application with its hall screen, and what fills it."""

    app: Flask
    house: SimpleNamespace
    database: Database
    clock: FakeClock
    version_id: uuid.UUID | None = None
    made: int = field(default=0)

    @property
    def wallboard(self) -> Wallboard:
        wallboard: Wallboard = self.app.extensions["wallboard"]
        return wallboard

    @property
    def displays(self) -> DisplayService:
        return self.wallboard.displays

    @property
    def webhooks(self) -> WebhookService:
        return self.wallboard.webhooks

    @property
    def snapshots(self) -> Snapshots:
        return self.wallboard.snapshots

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def display(self, key: str = "hall") -> tuple[DisplayView, str]:
        """Make a display; return it with a token."""
        display_id = self.displays.create_display("setup", key, "大厅主屏")
        token = self.displays.make_token("setup", display_id)
        return self.displays.get_display(display_id), token

    def browser(self, username: str) -> Browser:
        client = self.app.test_client()
        assert isinstance(client, Browser)
        assert client.log_in(username, PASSWORD).status_code == 302
        return client

    def call(self, ago: timedelta, waited: float | None, outcome: str = "answered", topic: str = "", **facts: Any) -> uuid.UUID:
        """Let a call have come in some time ago; without `waited` it still waits."""
        self.made += 1
        started = self.now - ago
        is_over = waited is not None
        values = {
            "id": new_id(),
            "number": f"20260318-{self.made:06}",
            "node": "node1",
            "linkedid": str(self.made),
            "caller_number": "13800138000",
            "queue_name": "consult",
            "state": "ended" if is_over else "queued",
            "outcome": outcome if is_over else None,
            "started_at": started,
            "queued_at": started,
            "answered_at": started + timedelta(seconds=waited) if is_over and outcome == "answered" else None,
            "ended_at": started + timedelta(seconds=(waited or 0) + 1) if is_over else None,
            "waiting_seconds": waited,
        } | facts
        with self.database.transaction() as session:
            session.add(Call(**values))
            session.flush()
            if topic:
                session.add(CallNote(call_id=values["id"], category=topic, updated_at=started))
        return values["id"]

    def rating(self, score: int, days_ago: float = 0.0, kind: str = "callback", way: str = "agent", **facts: Any) -> uuid.UUID:
        """Let a citizen have rated."""
        at = self.now - timedelta(days=days_ago)
        self.made += 1
        survey = {"weight": 1.0, "withdrawn_at": None} | {
            name: facts.pop(name) for name in ("weight", "withdrawn_at") if name in facts
        }
        with self.database.transaction() as session:
            if self.version_id is None:
                questionnaire = Questionnaire(key="case_service", title="办件回访")
                session.add(questionnaire)
                session.flush()
                version = QuestionnaireVersion(questionnaire_id=questionnaire.id, version_no=1, definition={}, author="setup")
                session.add(version)
                session.flush()
                self.version_id = version.id
            row = Survey(
                natural_key=f"s{self.made}", questionnaire_version_id=self.version_id, kind=kind, way=way, state="completed",
                offered_at=at, finished_at=at, **survey,
            )  # fmt: skip
            session.add(row)
            session.flush()
            asked = COUNTED[facts.get("question_key", "satisfaction")].value
            values = {"question_key": "satisfaction", "kind": facts.pop("answer_kind", asked), "is_late": False} | facts
            session.add(Answer(survey_id=row.id, value=score, score=float(score), answered_at=at, **values))
            return row.id

    def callback(self, reason: str = "case_closed", state: str = "done", **facts: Any) -> uuid.UUID:
        """Let a callback have come about today, with one attempt."""
        self.made += 1
        earlier = self.now - timedelta(hours=1)
        values = {
            "id": new_id(),
            "natural_key": f"c{self.made}",
            "phone": f"139{self.made:08}",
            "ways": ["agent"],
            "next_at": earlier,
            "created_at": earlier,
            "contacted_at": earlier if state == "done" else None,
            "finished_at": earlier if state != "owed" else None,
        } | facts
        with self.database.transaction() as session:
            session.add(Callback(reason=reason, state=state, **values))
            session.flush()
            session.add(
                CallbackAttempt(
                    callback_id=values["id"],
                    attempt_no=1,
                    way="agent",
                    phone=values["phone"],
                    state="ended",
                    is_survey=True,
                    planned_at=earlier,
                )
            )
        return values["id"]

    def agent(self, number: str, state: str) -> None:
        with self.database.transaction() as session:
            session.add(Agent(number=number, name="陈敏", sip_password="x", state=state))

    def bridge_heard(self, seconds_ago: float = 2, node: str = "node1", **detail: Any) -> None:
        self.made += 1
        told = {"problem": "", "hears_exchange": True, "live_text": True} | detail
        with self.database.transaction() as session:
            session.add(ProcessHeartbeat(name="bridge", node=node, pid=self.made, at=datetime.now().astimezone(), detail=told))
            session.flush()
            session.execute(
                text("UPDATE process_heartbeat SET at = clock_timestamp() - make_interval(secs => :s) WHERE pid = :pid"),
                {"s": seconds_ago, "pid": self.made},
            )

    def audited(self, action: str) -> int:
        with self.database.transaction() as session:
            return session.execute(text("SELECT count(*) FROM audit_entry WHERE action = :a"), {"a": action}).scalar_one()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, state_dir=tmp_path, webhook_networks=["127.0.0.0/8"])  # type: ignore[call-arg]


@pytest.fixture
def hall(database: Database, settings: Settings) -> Iterator[Hall]:
    clock = FakeClock()
    accounts = AccountService(database, clock)
    house = SimpleNamespace(
        settings=settings, clock=clock, database=database, telephony=SimpleNamespace(), kb=SimpleNamespace(), accounts=accounts,
        tokens=TokenService(database, clock),
    )  # fmt: skip
    for role in ("agent", "supervisor", "manager", "admin", "auditor"):
        accounts.create_user(
            "setup", username=role, display_name=role, password=PASSWORD, roles=[role], must_change_password=False
        )  # fmt: skip
    with database.transaction() as session:
        session.add(Queue(name="consult", title="办事咨询"))
    app = create_app(house)  # type: ignore[arg-type]
    app.config.update(TESTING=True, RATELIMIT_ENABLED=False)
    app.test_client_class = Browser
    made = Hall(app, house, database, clock)
    yield made
    made.snapshots.stop()
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        session.execute(
            text(
                'TRUNCATE "user", login_session, api_token, audit_entry, queue, agent, call, outbox_event, job, display,'
                " wallboard_webhook, callback, survey, questionnaire, process_heartbeat CASCADE"
            )
        )
        session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
