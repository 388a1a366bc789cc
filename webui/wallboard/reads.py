"""What the hall screen's figures are counted from: ranges of indexes only, so that a million rows elsewhere cost nothing.

Closed days are asked for once and kept by the caller; what goes on today is asked every second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, Integer, and_, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from callback.models import Callback, CallbackAttempt
from core.clock import LOCAL_ZONE
from core.heartbeat import Sign, signs
from survey.models import Answer, Survey
from survey.schema import COUNTED
from telephony.models import Agent, Call, CallNote
from webui.statistics.kpi import Tally
from webui.wallboard.opinions import AnswerCount

_ZONE = str(LOCAL_ZONE)
_AWAY = ("offline", "faulty")


@dataclass(frozen=True)
class LiveCounts:
    """This moment; `is_known` says whether anybody still follows the telephone system."""

    waiting: int
    longest_since: datetime | None
    on_duty: int
    is_known: bool


@dataclass(frozen=True)
class HourCalls:
    """The calls that came in within one hour of the hall's clock."""

    hour_at: datetime
    answered: int
    abandoned: int
    unserved: int
    in_time: int
    waiting_seconds: float


@dataclass(frozen=True)
class CallbackCounts:
    """The calls that we owe, today."""

    done_by_reason: Sequence[tuple[str, int]]
    due: int
    attempts: int
    missed: int
    missed_settled: int


def live_counts(session: Session) -> LiveCounts:
    """Return who waits, who is there, and whether the bridge is heard."""
    waiting, since = session.execute(
        select(func.count(), func.min(func.coalesce(Call.queued_at, Call.started_at))).where(
            # Named first: the partial index of running calls is small.
            Call.ended_at.is_(None),
            Call.answered_at.is_(None),
            Call.direction == "in",
            Call.state.in_(["queued", "ringing"]),
        )
    ).one()
    on_duty = session.scalar(select(func.count()).select_from(Agent).where(Agent.is_active, Agent.state.not_in(_AWAY))) or 0
    return LiveCounts(waiting, since, on_duty, _is_followed(session))


def _is_followed(session: Session) -> bool:
    """Say whether the calls of every node are followed: its latest bridge lives and hears the exchange."""
    newest: dict[str, Sign] = {}
    for sign in signs(session):
        if sign.name == "bridge":
            newest.setdefault(sign.node, sign)
    return bool(newest) and all(sign.is_alive and sign.detail.get("hears_exchange", False) for sign in newest.values())


def calls_by_hour(session: Session, since: datetime, until: datetime, target: int, short: int) -> list[HourCalls]:
    """Return by hour the inbound calls of queues: answered, given up after `short` seconds, ended by us, answered in time."""
    hour_at = func.date_trunc("hour", Call.started_at, "UTC")
    answered = Call.answered_at.is_not(None)
    abandoned = and_(Call.outcome == "abandoned", func.coalesce(Call.waiting_seconds, 0) >= short)
    unserved = and_(Call.outcome == "failed", Call.answered_at.is_(None))
    rows = session.execute(
        select(
            hour_at,
            _count(answered),
            _count(abandoned),
            _count(unserved),
            _count(and_(answered, Call.waiting_seconds <= target)),
            func.coalesce(func.sum(Call.waiting_seconds).filter(answered), 0.0),
        )
        .where(Call.started_at >= since, Call.started_at < until, Call.direction == "in", Call.queued_at.is_not(None))
        .group_by(hour_at)
    )
    return [HourCalls(at, done, gone, lost, quick, float(waited)) for at, done, gone, lost, quick, waited in rows]


def answer_counts(session: Session, since: datetime, until: datetime) -> list[AnswerCount]:
    """Return ratings and solved-or-not of a stretch of time, with the sums of their weights; late and withdrawn ones left out."""
    day = cast(func.timezone(_ZONE, Answer.answered_at), Date)
    weight = Survey.weight
    rows = session.execute(
        select(
            day, Survey.kind, Survey.way, Answer.question_key, Answer.score,
            func.count(), func.sum(weight), func.sum(weight * weight),
        )
        .join(Survey, Survey.id == Answer.survey_id)
        .where(
            tuple_(Answer.question_key, Answer.kind).in_(COUNTED.items()),
            Answer.answered_at >= since,
            Answer.answered_at < until,
            Answer.score.is_not(None),
            Answer.is_late.is_(False),
            Survey.withdrawn_at.is_(None),
        )
        .group_by(day, Survey.kind, Survey.way, Answer.question_key, Answer.score)
    )  # fmt: skip
    return [
        AnswerCount(on, kind, way, question, Tally(float(score or 0), count, float(total), float(squared)))
        for on, kind, way, question, score, count, total, squared in rows
    ]


def topic_counts(session: Session, since: datetime, until: datetime) -> list[tuple[date, str, int]]:
    """Return how many inbound calls of each day were about each category, as the agents wrote."""
    day = cast(func.timezone(_ZONE, Call.started_at), Date)
    rows = session.execute(
        select(day, CallNote.category, func.count())
        .join(CallNote, CallNote.call_id == Call.id)
        .where(Call.started_at >= since, Call.started_at < until, Call.direction == "in", CallNote.category != "")
        .group_by(day, CallNote.category)
    )
    return [(on, category, count) for on, category, count in rows]


def callback_counts(session: Session, start: datetime, now: datetime) -> CallbackCounts:
    """Return what was done since midnight, what is due, and how the missed calls of today stand."""
    done = session.execute(
        select(Callback.reason, func.count())
        .where(Callback.finished_at >= start, Callback.finished_at <= now, Callback.state == "done")
        .group_by(Callback.reason)
    )
    by_reason = [(reason, count) for reason, count in done]
    due = session.scalar(select(func.count()).select_from(Callback).where(Callback.state == "owed", Callback.next_at <= now))
    attempts = session.scalar(
        select(func.count())
        .select_from(CallbackAttempt)
        .where(CallbackAttempt.planned_at >= start, CallbackAttempt.planned_at <= now)
    )
    settled = or_(Callback.state == "done", Callback.state == "cancelled")
    missed, back = session.execute(
        select(func.count(), _count(settled)).where(
            Callback.created_at >= start, Callback.created_at <= now, Callback.reason == "missed_call"
        )
    ).one()
    return CallbackCounts(by_reason, due or 0, attempts or 0, missed, back)


def contact_counts(session: Session, since: datetime, until: datetime) -> tuple[int, int]:
    """Return (citizens reached, callbacks owed) of those that came about in a stretch of time."""
    reached, owed = session.execute(
        select(_count(Callback.contacted_at.is_not(None)), func.count()).where(
            Callback.created_at >= since, Callback.created_at < until, Callback.state.not_in(["cancelled", "not_sampled"])
        )
    ).one()
    return reached, owed


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.count().filter(condition), Integer)
