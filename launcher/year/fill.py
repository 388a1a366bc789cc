"""Fills an empty database with a made-up year, all of it or nothing, and writes the truth beside it."""

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from callback.models import Callback, CallbackAttempt, OptOut
from callback.rule import RuleDefinition
from core.database import Base, libpq_url
from core.errors import ConflictError
from kb.models import Suggestion, SuggestionFeedback
from launcher.year import agent_rows, callback_rows, case_rows, knowledge_rows, roster, survey_rows, telephony_rows, wording
from launcher.year.arrays import Ids, new_ids
from launcher.year.copying import Cells, copy_rows
from launcher.year.plan import YearPlan
from launcher.year.truth import truth_of
from launcher.year.year import Year, make_year
from survey.models import Answer, Survey
from survey.schema import QuestionnaireDefinition
from telephony.models import AgentStateChange, Call, CallEvent, CallLeg, CallNote, Recording, Segment, Transcript
from workorder.models import ApprovalCase, CaseImport, SmsDay, SmsMessage, SmsPart

Tell = Callable[[str], None]
_QUEUE_TITLES = {"consult": "办事咨询", "enterprise": "企业登记"}
_AUTHOR = "admin"


class DatabaseNotEmptyError(ConflictError):
    """The database holds calls already; a made-up year is never mixed with anything."""


def is_filled(url: str) -> bool:
    """Say whether the database holds any call."""
    with psycopg.connect(libpq_url(url)) as connection:
        row = connection.execute("SELECT EXISTS (SELECT FROM call)").fetchone()
    return bool(row and row[0])


def fill(url: str, plan: YearPlan, truth_file: Path | None = None, tell: Tell = lambda line: None) -> Year:
    """Make the plan's year and copy it into the database, which must have the tables and the demonstration's articles.

    Raises:
        DatabaseNotEmptyError: there are calls in it.
    """
    if is_filled(url):
        raise DatabaseNotEmptyError("数据库里已经有通话，不能再填入演示数据")
    year = make_year(plan, tell)
    with psycopg.connect(libpq_url(url)) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET synchronous_commit = off")
        if connection.info.parameter_status("is_superuser") == "on":
            # The generator keeps to the foreign keys, and a test sees that it does: checking each row would double the time.
            connection.execute("SET session_replication_role = replica")
        _Filling(connection, year, tell).all()
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        since = time.monotonic()
        connection.execute("VACUUM (ANALYZE)")
        tell(f"整理统计信息（{time.monotonic() - since:.0f} 秒）")
    if truth_file is not None:
        truth_file.parent.mkdir(parents=True, exist_ok=True)
        truth_file.write_text(json.dumps(truth_of(year), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return year


class _Filling:
    """One transaction."""

    def __init__(self, connection: psycopg.Connection[Any], year: Year, tell: Tell) -> None:
        self._connection = connection
        self._year = year
        self._tell = tell

    def all(self) -> None:
        """Copy every table, what others refer to first."""
        year, plan = self._year, self._year.plan
        random = plan.random("rows")
        agents = self._agents(plan)
        out = telephony_rows.out_calls(random, plan.seats, year.owed, year.attempts)
        agent, call = telephony_rows.attempt_agents(random, plan.seats, year.attempts, out)
        drawn = callback_rows.Drawn(
            callback_ids=new_ids(random, year.owed.created_at),
            survey_of_attempt=_surveys_of_attempts(year),
            attempt_agent=agent,
            attempt_call=call,
            rule_version=self._rules(plan, random),
            questionnaire_version=self._questionnaires(plan, random),
        )
        self._telephony(random, out, agents)
        self._knowledge(random, agents)
        self._copy(ApprovalCase, case_rows.case_rows(random, year.matters, year.cases))
        self._copy(CaseImport, case_rows.import_rows(random, year))
        self._copy(Callback, callback_rows.callback_rows(year, drawn))
        self._copy(CallbackAttempt, callback_rows.attempt_rows(year, drawn, out, agents))
        self._copy(OptOut, callback_rows.opt_out_rows(random, year))
        self._copy(Survey, survey_rows.survey_rows(year, drawn, out, agents))
        self._copy(Answer, survey_rows.answer_rows(year, wording.questionnaires()))
        for model, rows in zip((SmsMessage, SmsPart, SmsDay), callback_rows.sms_rows(random, year), strict=True):
            self._copy(model, rows)

    def _telephony(self, random: np.random.Generator, out: telephony_rows.OutCalls, agents: Ids) -> None:
        calls, plan = self._year.calls, self._year.plan
        self._copy(Call, telephony_rows.call_rows(calls, out, agents))
        self._copy(CallLeg, telephony_rows.leg_rows(calls, out, agents))
        self._copy(CallEvent, telephony_rows.event_rows(calls, roster.agent_numbers(plan.seats)))
        self._copy(CallNote, telephony_rows.note_rows(random, self._year.matters, calls, agents))
        self._copy(Transcript, telephony_rows.transcript_rows(calls, random.uniform(20, 300, len(calls))))
        self._copy(Recording, telephony_rows.recording_rows(random, calls))
        self._copy(AgentStateChange, agent_rows.state_rows(plan, calls, agents))
        self._copy(Segment, knowledge_rows.segment_rows(random, self._year.matters, calls))

    def _knowledge(self, random: np.random.Generator, agents: Ids) -> None:
        year = self._year
        rows = self._connection.execute(
            "SELECT key, id, published_revision_id FROM article WHERE published_revision_id IS NOT NULL"
        )
        known = {key: (article, revision) for key, article, revision in rows}
        missing = [matter.article_key for matter in year.matters.all if matter.article_key not in known]
        if missing:
            raise ConflictError(f"知识库里没有演示条目：{missing[0]}")
        pairs = [known[matter.article_key] for matter in year.matters.all]
        articles, revisions = (np.array([list(pair[place].bytes) for pair in pairs], dtype=np.uint8) for place in (0, 1))
        cards = knowledge_rows.cards_of(year)
        self._copy(Suggestion, knowledge_rows.suggestion_rows(cards, year.matters, year.calls, articles, revisions))
        self._copy(SuggestionFeedback, knowledge_rows.feedback_rows(random, cards, year.calls, agents))

    def _copy(self, model: type[Base], rows: dict[str, Cells]) -> None:
        since = time.monotonic()
        count = copy_rows(self._connection, model, rows)
        self._tell(f"{model.__tablename__}：{count:,} 行（{time.monotonic() - since:.1f} 秒）")

    def _agents(self, plan: YearPlan) -> Ids:
        """Return the ids of the seats; who is missing is made, offline, and serves both queues."""
        for name, title in _QUEUE_TITLES.items():
            self._connection.execute("INSERT INTO queue (name, title) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, title))
        ids = new_ids(plan.random("agents"), np.full(plan.seats, plan.end_micros))
        names = zip(roster.agent_numbers(plan.seats), roster.agent_names(plan.seats), ids, strict=True)
        for number, name, made in names:
            key = made.tobytes().hex()
            self._connection.execute(
                "INSERT INTO agent (id, number, name, sip_password, is_active, is_registered, line_state, state, state_since)"
                " VALUES (%s, %s, %s, %s, true, false, 'idle', 'offline', now()) ON CONFLICT (number) DO NOTHING",
                (key, number, name, secrets.token_urlsafe(18)),
            )
            self._connection.execute(
                "INSERT INTO agent_queue (agent_id, queue_name) SELECT id, queue FROM agent, unnest(%s::text[]) AS queue"
                " WHERE agent.number = %s ON CONFLICT DO NOTHING",
                (list(_QUEUE_TITLES), number),
            )
        rows = dict(self._connection.execute("SELECT number, id FROM agent").fetchall())
        return np.array([list(rows[number].bytes) for number in roster.agent_numbers(plan.seats)], dtype=np.uint8)

    def _rules(self, plan: YearPlan, random: np.random.Generator) -> dict[str, Ids]:
        since = np.full(2, plan.second_version_from)
        versions: dict[str, Ids] = {}
        for key, definition in wording.rules(self._large_units()).items():
            rule, version = new_ids(random, since)
            self._insert_rule(key, definition, rule.tobytes().hex(), version.tobytes().hex())
            versions[key] = version.reshape(1, 16)
        return versions

    def _insert_rule(self, key: str, definition: RuleDefinition, rule: str, version: str) -> None:
        begun = self._year.plan.first_day
        self._connection.execute(
            "INSERT INTO callback_rule (id, key, is_active, version_no, created_at) VALUES (%s, %s, true, 1, %s)",
            (rule, key, begun),
        )
        self._connection.execute(
            "INSERT INTO callback_rule_version (id, rule_id, version_no, definition, author, created_at)"
            " VALUES (%s, %s, 1, %s, %s, %s)",
            (version, rule, Jsonb(definition.model_dump(mode="json")), _AUTHOR, begun),
        )

    def _large_units(self) -> list[str]:
        """Return the units of which only a share was asked."""
        owed, units = self._year.owed, self._year.matters.unit_of
        chosen = (owed.weight > 1) & (owed.case >= 0) & (owed.call < 0)
        return [self._year.matters.units[unit] for unit in np.unique(units[owed.matter[chosen]]).astype(int).tolist()]

    def _questionnaires(self, plan: YearPlan, random: np.random.Generator) -> dict[str, list[Ids]]:
        begun = np.datetime64(plan.first_day).item()
        found: dict[str, list[Ids]] = {}
        for key, definitions in wording.questionnaires().items():
            ids = new_ids(random, np.full(1 + len(definitions), plan.second_version_from))
            self._connection.execute(
                "INSERT INTO questionnaire (id, key, title, created_at) VALUES (%s, %s, %s, %s)",
                (ids[0].tobytes().hex(), key, definitions[-1].title.zh, begun),
            )
            for number, definition in enumerate(definitions, 1):
                self._insert_version(plan, ids[0], ids[number], number, definition, is_last=number == len(definitions))
            found[key] = [version.reshape(1, 16) for version in ids[1:]]
        return found

    def _insert_version(
        self, plan: YearPlan, questionnaire: Any, version: Any, number: int, definition: QuestionnaireDefinition, *, is_last: bool
    ) -> None:
        changed = np.datetime64(plan.second_version_from, "us").item()
        begun = np.datetime64(plan.first_day).item() if number == 1 else changed
        self._connection.execute(
            "INSERT INTO questionnaire_version (id, questionnaire_id, version_no, state, definition, author, created_at,"
            " updated_at, launched_at, retired_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                version.tobytes().hex(), questionnaire.tobytes().hex(), number, "launched" if is_last else "retired",
                Jsonb(definition.model_dump(mode="json")), _AUTHOR, begun, begun, begun, None if is_last else changed,
            ),
        )  # fmt: skip


def _surveys_of_attempts(year: Year) -> Any:
    found = np.full(len(year.attempts.id), -1)
    of_attempt = np.flatnonzero(year.surveys.attempt >= 0)
    found[year.surveys.attempt[of_attempt]] = of_attempt
    return found
