"""A small hotline: two agents, a supervisor, an auditor; calls are made of the exchange's own facts."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import text

from callback.door import CallbackSettings
from callback.service import CallbackService
from core.database import Database
from core.settings import Settings
from core.working_days import WorkingDays
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.article_content import ArticleContent, read_content
from kb.service import KnowledgeService
from survey.catalogue import Catalogue
from survey.prompting import PromptLibrary
from survey.service import SurveyService
from telephony import ami_facts as facts
from telephony.door import TelephonyRules
from telephony.ports import LiveChannel
from telephony.service import TelephonyService
from telephony.speech.live_writer import LiveSegment
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.fakes.search_index import FakeSearchIndex
from tests.fakes.switch import FakeSwitch
from webui import passwords
from webui.accounts import AccountService
from webui.app import create_app
from webui.tokens import TokenService
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules

PASSWORD = "Hotline-2026"
EVIL_NAME = '<img src=x onerror="alert(1)">'
ARTICLE = {
    "title": "居住证满一年怎么签注",
    "alternatives": ["居住证到期了怎么办", "居住证续签要什么", "居住证过期能不能补"],
    "unit": "市公安局人口支队",
    "region": "云川市",
    "category": "居住证",
    "answer": "居住证到期前三十日内，带居住证和在住证明到任一派出所签注。逾期的可以补签，当场恢复。",
    "materials": ["居住证", "在住证明"],
    "valid_from": date(2026, 1, 1).isoformat(),
}


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class Hotline:
    """The house under test and what makes things happen in it."""

    app: Flask
    telephony: TelephonyService
    kb: KnowledgeService
    database: Database
    switch: FakeSwitch
    clock: FakeClock
    settings: Settings
    agents: dict[str, uuid.UUID]
    callback: CallbackService
    survey: SurveyService
    workorder: WorkorderService
    made: int = 0

    def browser(self, username: str) -> Browser:
        """Return a browser in which somebody has logged in."""
        client = self.app.test_client()
        assert isinstance(client, Browser)
        assert client.log_in(username, PASSWORD).status_code == 302
        return client

    def seat(self, *numbers: str) -> None:
        """Log agents in, with their telephones on the line, ready."""
        for number in numbers:
            self.telephony.record([facts.LineChanged(self.now, number, True)])
            self.telephony.log_in_agent(self.agents[number])
            self.telephony.ready_agent(self.agents[number])

    @property
    def now(self) -> datetime:
        """The time that stands still."""
        return self.clock.now()

    def queue(self, number: str = "13800138000", name: str = "", queue: str = "consult") -> str:
        """Let a citizen ring; returns the channel's unique id."""
        self.made += 1
        unique = f"call-{self.made}"
        path = f"2026/03/18/{unique}"
        arrived = facts.CallArrived(self.now, unique, unique, f"PJSIP/carrier-{unique}", number, name, "12345", queue, path)
        self.telephony.record([arrived, facts.CallerJoined(self.now, unique, unique, f"PJSIP/carrier-{unique}", queue, 1)])
        return unique

    def ring(self, unique: str, agent: str = "8001") -> None:
        """Let the call ring at an agent."""
        self.telephony.record([facts.AgentRinging(self.now, unique, agent, f"{unique}-{agent}", f"PJSIP/{agent}-{unique}")])

    def answer(self, unique: str, agent: str = "8001") -> uuid.UUID:
        """Let the agent pick up; returns the call's id."""
        self.ring(unique, agent)
        self.telephony.record([facts.AgentConnected(self.now, unique, agent, f"{unique}-{agent}", f"PJSIP/{agent}-{unique}")])
        for leg, channel, whose in (
            (unique, f"PJSIP/carrier-{unique}", None),
            (f"{unique}-{agent}", f"PJSIP/{agent}-{unique}", agent),
        ):
            self.switch.channels.append(LiveChannel(leg, unique, channel, whose, True, True, "hotline", ""))
        call = self.telephony.reads.running_call(self.agents[agent])
        assert call is not None
        return call.call_id

    def hang_up(self, unique: str, agent: str = "8001") -> None:
        """Let the citizen hang up."""
        gone = [
            facts.ChannelGone(self.now, f"{unique}-{agent}", f"PJSIP/{agent}-{unique}", 16, "Normal"),
            facts.ChannelGone(self.now, unique, f"PJSIP/carrier-{unique}", 16, "Normal"),
        ]
        self.telephony.record(gone)

    def say(self, call_id: uuid.UUID, words: str, party: str = "citizen") -> uuid.UUID:
        """Let a party be heard."""
        call = self.telephony.reads.get_call(call_id)
        start = (self.now - call.started_at).total_seconds()
        values: dict[str, Any] = {
            "segment_id": uuid.uuid4(),
            "call_id": call_id,
            "party": party,
            "start_seconds": start,
            "end_seconds": start + 2,
            "started_at": self.now,
            "text": words,
            "lag_seconds": 1.0,
            "hops": {},
        }
        known = LiveSegment.__dataclass_fields__
        segment = LiveSegment(**{name: value for name, value in values.items() if name in known})
        self.telephony.on_segment(segment)
        return segment.segment_id

    def publish_article(self, **changes: Any) -> uuid.UUID:
        """Write an article, publish it and let it be found."""
        content: ArticleContent = read_content({**ARTICLE, **changes})
        article = self.kb.create_article("setup", f"a-{uuid.uuid4().hex[:8]}", content)
        self.kb.publish_article("setup", article.id)
        self.kb.reindex()
        return article.id

    def audited(self, action: str) -> list[dict[str, Any]]:
        """Return the details of the audit's rows of one kind."""
        with self.database.transaction() as session:
            rows = session.execute(
                text("SELECT actor, subject, detail FROM audit_entry WHERE action = :a ORDER BY id"), {"a": action}
            )
            return [{"actor": row.actor, "subject": row.subject, **row.detail} for row in rows]


@pytest.fixture
def hotline(database: Database, tmp_path: Path) -> Iterator[Hotline]:
    settings = Settings(_env_file=None, state_dir=tmp_path)  # type: ignore[call-arg]
    clock, switch = FakeClock(), FakeSwitch()
    telephony = TelephonyService(database, clock, switch, TelephonyRules.of(settings))
    kb = KnowledgeService(
        database=database, clock=clock, index=FakeSearchIndex(), local_index=MemorySearchIndex(), conversation=telephony
    )
    accounts, working_days = AccountService(database, clock), WorkingDays(database)
    workorder = WorkorderService(database, clock, SmsRules.of(settings))
    survey = SurveyService(database, clock, "k" * 32, "http://hall.example")
    callback = CallbackService(
        database, clock, working_days, telephony, telephony, workorder, Catalogue(survey, PromptLibrary(settings.prompts)),
        CallbackSettings.of(settings),
    )  # fmt: skip
    house = SimpleNamespace(
        settings=settings, clock=clock, database=database, telephony=telephony, kb=kb, accounts=accounts,
        tokens=TokenService(database, clock), working_days=working_days, workorder=workorder, survey=survey, callback=callback,
    )  # fmt: skip
    telephony.ensure_queues({"consult": "办事咨询", "enterprise": "企业登记"})
    agents = {number: telephony.save_agent(number, name, ["consult"]) for number, name in (("8001", "陈敏"), ("8002", "李建国"))}
    people = [("chen", ["agent"], agents["8001"]), ("li", ["agent"], agents["8002"]), ("zhou", ["supervisor"], None),
              ("editor", ["kb_editor"], None), ("manager", ["manager"], None), ("newcomer", ["agent"], None)]  # fmt: skip
    for username, roles, agent_id in people:
        accounts.create_user(
            "setup", username=username, display_name=username, password=PASSWORD, roles=roles, agent_id=agent_id,
            must_change_password=False,
        )  # fmt: skip
    app = create_app(house)  # type: ignore[arg-type]
    app.config.update(TESTING=True, RATELIMIT_ENABLED=False)
    app.test_client_class = Browser
    yield Hotline(app, telephony, kb, database, switch, clock, settings, agents, callback, survey, workorder)
    app.extensions["hub"].stop()
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        session.execute(
            text(
                'TRUNCATE "user", login_session, api_token, audit_entry, queue, agent, agent_state_change, call, article,'
                " outbox_event, job, callback, callback_rule, opt_out, calendar_day, outbound_dial, approval_case, questionnaire,"
                " survey CASCADE"
            )
        )
        session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
