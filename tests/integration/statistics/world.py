"""A small hotline put into the database row by row, as its stages would leave it."""

import uuid
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import text

from callback.models import Callback
from core.clock import LOCAL_ZONE
from core.database import Database
from kb.models import Article, ArticleRevision, Suggestion, SuggestionFeedback
from survey.models import Answer, Questionnaire, QuestionnaireVersion, Survey
from telephony.models import Agent, AgentStateChange, Call, CallLeg, CallNote, Queue, Segment

TABLES = (
    "answer, survey, questionnaire_version, questionnaire, callback, suggestion_feedback, suggestion, article_revision, article, "
    "segment, call_note, call_leg, agent_state_change, call, agent, queue, statistics_day, statistics_month, statistics_slice, "
    "statistics_calls, statistics_hour, statistics_spread, statistics_agent, statistics_callbacks, statistics_surveys, "
    "statistics_answers, report_period, scheduled_report, improvement_item, outbox_event, job"
)


def at(words: str) -> datetime:
    """2026-03-17 10:00[:05] on the hall's clock."""
    return datetime.fromisoformat(words).replace(tzinfo=LOCAL_ZONE).astimezone(UTC)


class World:
    """Writes what happened."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._number = count(1)
        self.agents: dict[str, uuid.UUID] = {}
        self.versions: dict[str, uuid.UUID] = {}

    def add(self, *rows: Any) -> None:
        with self.database.transaction() as session:
            for row in rows:
                session.add(row)
                session.flush()

    def clear(self) -> None:
        with self.database.transaction() as session:
            session.execute(text(f"TRUNCATE {TABLES} CASCADE"))

    def queue(self, name: str, title: str) -> None:
        self.add(Queue(name=name, title=title))

    def agent(self, number: str, name: str) -> uuid.UUID:
        row = Agent(number=number, name=name, sip_password="x")
        self.add(row)
        self.agents[number] = row.id
        return row.id

    def state(self, number: str, state: str, start: str, end: str | None) -> None:
        self.add(
            AgentStateChange(agent_id=self.agents[number], state=state, started_at=at(start), ended_at=at(end) if end else None)
        )

    def call(
        self,
        start: str,
        *,
        wait: float,
        talk: float | None = None,
        outcome: str = "answered",
        queue: str | None = "consult",
        agent: str = "8001",
        caller: str = "",
        disposition: str = "",
        category: str = "",
        wrapup: float = 0,
        direction: str = "in",
    ) -> uuid.UUID:
        number = next(self._number)
        began = at(start)
        answered = began + timedelta(seconds=wait) if talk is not None else None
        ended = began + timedelta(seconds=wait + (talk or 0))
        row = Call(
            number=f"20260317-{number:06}",
            node="n",
            linkedid=str(number),
            caller_number=caller,
            direction=direction,
            queue_name=queue,
            state="ended",
            outcome=outcome,
            agent_id=self.agents[agent] if answered else None,
            started_at=began,
            queued_at=began if queue else None,
            answered_at=answered,
            ended_at=ended,
            waiting_seconds=wait,
            talking_seconds=talk,
        )
        self.add(row)
        if answered:
            self.add(
                CallLeg(
                    call_id=row.id,
                    agent_id=row.agent_id,
                    unique_id=f"{number}.1",
                    channel="x",
                    rang_at=began,
                    answered_at=answered,
                    ended_at=ended,
                    outcome="answered",
                )
            )
        if disposition or category:
            self.add(CallNote(call_id=row.id, agent_id=row.agent_id, category=category, disposition=disposition, updated_at=ended))
        if wrapup:
            self.add(
                AgentStateChange(
                    agent_id=row.agent_id, state="wrapup", started_at=ended, ended_at=ended + timedelta(seconds=wrapup)
                )
            )
        return row.id

    def leg(self, call_id: uuid.UUID, agent: str, answered: str, ended: str, outcome: str, *, wrapup: float = 0) -> None:
        """Let another agent have had a call before, and have written of it."""
        agent_id, end = self.agents[agent], at(ended)
        self.add(
            CallLeg(
                call_id=call_id,
                agent_id=agent_id,
                unique_id=f"{next(self._number)}.2",
                channel="x",
                rang_at=at(answered),
                answered_at=at(answered),
                ended_at=end,
                outcome=outcome,
            ),
            AgentStateChange(agent_id=agent_id, state="wrapup", started_at=end, ended_at=end + timedelta(seconds=wrapup)),
        )

    def suggestion(self, call_id: uuid.UUID, verdict: str = "", *, undone: bool = False) -> None:
        article = Article(key=f"a{next(self._number)}", status="published")
        self.add(article)
        revision = ArticleRevision(
            article_id=article.id, revision_no=1, title="t", alternatives=[], unit="u", region="r", category="c", answer="a",
            materials=[], author="x", valid_from=at("2026-01-01").date(),
        )  # fmt: skip
        self.add(revision)
        row = Suggestion(
            call_id=call_id,
            article_id=article.id,
            revision_id=revision.id,
            score=1.0,
            confidence=90,
            query="q",
            excerpt="e",
            marks=[],
        )
        self.add(row)
        if verdict:
            now = at("2026-03-17 12:00")
            self.add(SuggestionFeedback(suggestion_id=row.id, kind=verdict, at=now, undone_at=now if undone else None))

    def segment(self, call_id: uuid.UUID, lag: float | None, kind: str = "live") -> None:
        self.add(
            Segment(
                call_id=call_id, kind=kind, party="citizen", start_seconds=0, end_seconds=1, started_at=at("2026-03-17 10:00"),
                text="您好", lag_seconds=lag, hops={},
            )
        )  # fmt: skip

    def version(self, key: str, definition: dict[str, Any] | None = None, number: int = 1) -> uuid.UUID:
        with self.database.transaction() as session:
            found = session.query(Questionnaire).filter_by(key=key).first() or Questionnaire(key=key, title=f"{key} 问卷")
            session.add(found)
            session.flush()
            row = QuestionnaireVersion(
                questionnaire_id=found.id, version_no=number, state="launched", definition=definition or {}, author="x"
            )
            session.add(row)
            session.flush()
            self.versions[key] = row.id
            return row.id

    def callback(self, created: str, **values: Any) -> uuid.UUID:
        moments = {name: at(values.pop(name)) for name in ("promised_by", "contacted_at") if values.get(name)}
        row = Callback(
            natural_key=f"k{next(self._number)}", phone="13800138000", ways=["agent"], next_at=at(created), created_at=at(created),
            **{"reason": "answered_call", **values, **moments},
        )  # fmt: skip
        self.add(row)
        return row.id

    def survey(
        self,
        version: uuid.UUID,
        offered: str,
        answers: dict[str, Any] | None = None,
        *,
        late: bool = False,
        answered: str = "",
        **values: Any,
    ) -> uuid.UUID:
        """Offer a survey and answer it; answers are key → (kind, value, score)."""
        withdrawn = values.pop("withdrawn_at", None)
        row = Survey(
            natural_key=f"s{next(self._number)}", questionnaire_version_id=version, offered_at=at(offered),
            withdrawn_at=at(withdrawn) if withdrawn else None,
            **{"kind": "callback", "way": "ivr", "state": "completed" if answers else "offered", **values},
        )  # fmt: skip
        self.add(row)
        for key, (kind, value, score) in (answers or {}).items():
            self.add(
                Answer(
                    survey_id=row.id,
                    question_key=key,
                    kind=kind,
                    value=value,
                    score=score,
                    answered_at=at(answered or offered),
                    is_late=late,
                )
            )
        return row.id


def rated(grade: int) -> tuple[str, int, float]:
    return ("rating", grade, float(grade))


def solved(yes: bool) -> tuple[str, str, float]:
    return ("yes_no", "yes" if yes else "no", 1.0 if yes else 0.0)
