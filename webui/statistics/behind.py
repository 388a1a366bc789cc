"""The calls, callbacks and surveys behind a number, the latest first: found by the same words as they were counted by.

Lists end after so many rows, and how many there are comes from the counts: nobody waits for a million rows to be counted anew.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from core.database import Database
from survey.schema import COUNTED
from webui.statistics import counting_sql as sql
from webui.statistics.counting import Rules
from webui.statistics.reads import Filter, rows_where

MOST_LISTED = 10_000
CALLS, CALLBACKS, SURVEYS, RATINGS, ANSWERS = "calls", "callbacks", "surveys", "ratings", "answers"


@dataclass(frozen=True)
class Behind:
    """Which rows a measure is made of: of which kind, and the columns that count its numerator and its denominator."""

    kind: str
    part: str
    whole: str


BEHIND = {
    "service_level": Behind(CALLS, "in_time", "offered"),
    "connect_rate_24h": Behind(CALLS, "answered", "offered"),
    "abandonment": Behind(CALLS, "abandoned", "offered"),
    "direct_answer_rate": Behind(CALLS, "direct", "answered"),
    "adoption_rate": Behind(CALLS, "adopted", "suggested"),
    "first_contact_resolution": Behind(CALLS, "resolved", "followed"),
    "response_rate": Behind(CALLBACKS, "in_time", "due"),
    "contact_rate": Behind(CALLBACKS, "contacted", "owed"),
    "refusal_rate": Behind(CALLBACKS, "refused", "contacted"),
    "survey_response_rate": Behind(SURVEYS, "answered", "offered"),
    "after_call_rate": Behind(RATINGS, "rated", "rating_offered"),
    "solved_rate": Behind(ANSWERS, "", ""),
    "satisfaction": Behind(ANSWERS, "", ""),
    "after_call_satisfaction": Behind(ANSWERS, "", ""),
}

_RATING_OFFERED = f"{sql.SURVEY_CONDITIONS['offered']} AND s.agent_id IS NOT NULL"
# Ratings after calls as the agents' counts know them.
_RATING_CONDITIONS = {
    "rating_offered": _RATING_OFFERED,
    "rated": f"{_RATING_OFFERED} AND EXISTS "
    "(SELECT FROM answer w WHERE w.survey_id = s.id AND w.kind = 'rating' AND NOT w.is_late)",
    "rating_skipped": f"{_RATING_OFFERED} AND s.state = 'skipped'",
}


@dataclass(frozen=True)
class CallRow:
    """A call behind a number."""

    call_id: uuid.UUID
    number: str
    started_at: datetime
    queue: str
    category: str
    waiting_seconds: float | None
    talking_seconds: float | None
    outcome: str
    disposition: str


@dataclass(frozen=True)
class CallbackRow:
    """A callback behind a number."""

    callback_id: uuid.UUID
    created_at: datetime
    promised_by: datetime | None
    contacted_at: datetime | None
    reason: str
    state: str
    disposition: str
    unit: str
    region: str
    matter: str


@dataclass(frozen=True)
class SurveyRow:
    """A survey behind a number, with all that it was answered."""

    survey_id: uuid.UUID
    version_id: str
    call_id: uuid.UUID | None
    offered_at: datetime
    way: str
    state: str
    unit: str
    region: str
    matter: str
    window: str
    answers: dict[str, Any]


class BehindReads:
    """Lists what was counted. Reads the stages' tables, and only reads."""

    def __init__(self, database: Database, rules: Rules, now: datetime) -> None:
        self._database = database
        self._values = {
            "now": now,
            "target": rules.answer_target_seconds,
            "short": rules.short_abandon_seconds,
            "repeat": rules.repeat_call_days,
        }

    def calls(
        self, wanted: Filter, column: str, offset: int, limit: int, bounds: tuple[datetime, datetime] | None = None
    ) -> list[CallRow]:
        """Return the calls that a column counts, of other moments than the days wanted where `bounds` says so."""
        start, end = bounds or wanted.span.bounds
        condition = sql.CALL_CONDITIONS[column]
        values: dict[str, Any] = {"start": start, "end": end, "offset": offset, "limit": limit}
        for name in ("queue_name", "category"):
            if value := getattr(wanted, name):
                condition += f" AND {name} = :{name}"
                values[name] = value
        statement = (
            "SELECT c.id, c.number, c.started_at, coalesce(q.title, c.queue_name), coalesce(n.category, ''), c.waiting_seconds, "
            "c.talking_seconds, coalesce(c.outcome, ''), coalesce(n.disposition, '') "
            f"FROM (SELECT one.id FROM ({sql.CALL_ROWS}) one WHERE {condition} "
            "ORDER BY one.started_at DESC OFFSET :offset LIMIT :limit) x JOIN call c ON c.id = x.id "
            "LEFT JOIN call_note n ON n.call_id = c.id LEFT JOIN queue q ON q.name = c.queue_name ORDER BY c.started_at DESC"
        )
        return [CallRow(*row) for row in self._rows(statement, values)]

    def callbacks(self, wanted: Filter, column: str, offset: int, limit: int) -> list[CallbackRow]:
        """Return the callbacks that a column counts."""
        clock, condition = sql.CALLBACK_CONDITIONS[column]
        parts, values = rows_where(wanted, "b", clock)
        statement = (
            "SELECT b.id, b.created_at, b.promised_by, b.contacted_at, b.reason, b.state, coalesce(b.disposition, ''), b.unit, "
            f"b.region, b.matter FROM callback b WHERE {condition} AND {' AND '.join(parts)} "
            f"ORDER BY b.{clock} DESC OFFSET :offset LIMIT :limit"
        )
        return [CallbackRow(*row) for row in self._rows(statement, {**values, "offset": offset, "limit": limit})]

    def surveys(self, wanted: Filter, column: str, offset: int, limit: int, *, agent: uuid.UUID | None = None) -> list[SurveyRow]:
        """Return the surveys that a column counts, or the ratings after calls where it is one of an agent's."""
        parts, values = rows_where(wanted, "s", "offered_at")
        parts += ["s.kind = :kind", _RATING_CONDITIONS.get(column) or sql.SURVEY_CONDITIONS[column]]
        values["kind"] = wanted.kind
        if agent:
            parts.append("s.agent_id = :agent")
            values["agent"] = agent
        return self._surveys(f"FROM survey s WHERE {' AND '.join(parts)} ORDER BY s.offered_at DESC", values, offset, limit)

    def answers(
        self,
        wanted: Filter,
        question_key: str,
        offset: int,
        limit: int,
        *,
        scores: Sequence[float] = (),
        option: str = "",
        matter: str = "",
        window: str = "",
        known_total: int | None = None,
    ) -> tuple[list[SurveyRow], int]:
        """Return the surveys that answered a question, perhaps with one of some scores or an option, and how many there are."""
        parts, values = rows_where(wanted, "s", "answered_at", clock_of="a")
        parts += ["s.kind = :kind", "a.question_key = :question_key", "NOT a.is_late", "s.withdrawn_at IS NULL"]
        values |= {"kind": wanted.kind, "question_key": question_key}
        if question_key in COUNTED:
            parts.append("a.kind = :question_kind")
            values["question_kind"] = COUNTED[question_key].value
        if scores:
            parts.append("a.score = ANY(:scores)")
            values["scores"] = list(scores)
        if option:
            parts.append("(a.value #>> '{}' = :option OR jsonb_exists(a.value, :option))")
            values["option"] = option
        for name, value in (("matter", matter), ("window", window)):
            if value:
                parts.append(f's."{name}" = :{name}')
                values[name] = value
        source = f"FROM answer a JOIN survey s ON s.id = a.survey_id WHERE {' AND '.join(parts)}"
        if known_total is None:
            known_total = self._rows(f"SELECT count(*) FROM (SELECT 1 {source} LIMIT {MOST_LISTED}) x", values)[0][0]
        return self._surveys(f"{source} ORDER BY a.answered_at DESC", values, offset, limit), known_total

    def _surveys(self, source: str, values: dict[str, Any], offset: int, limit: int) -> list[SurveyRow]:
        statement = (
            "SELECT s.id, CAST(s.questionnaire_version_id AS text), s.call_id, s.offered_at, s.way, s.state, s.unit, s.region, "
            's.matter, s."window", coalesce('
            f"(SELECT jsonb_object_agg(w.question_key, w.value) FROM answer w WHERE w.survey_id = s.id), '{{}}') {source} "
            "OFFSET :offset LIMIT :limit"
        )
        return [SurveyRow(*row) for row in self._rows(statement, {**values, "offset": offset, "limit": limit})]

    def _rows(self, statement: str, values: dict[str, Any]) -> Sequence[Any]:
        known = {name: value for name, value in self._values.items() if f":{name}" in statement}
        with self._database.transaction() as session:
            return session.execute(text(statement), {**known, **values}).all()
