"""How the program is, read from its tables: what /health and /metrics tell. Reads only, and decides nothing about calls."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.orm import Session

from core.heartbeat import Sign, signs
from core.jobs import Job
from core.outbox import OutboxEvent
from kb.models import Suggestion
from telephony.models import Agent, Call, Recording, Segment

RECENT = text("interval '5 minutes'")


@dataclass(frozen=True)
class Backlog:
    """Work that waits: how many, for how long the oldest, and how many nobody tries any more."""

    waiting: int = 0
    oldest_seconds: float = 0.0
    given_up: int = 0


@dataclass(frozen=True)
class Vitals:
    """Everything in one reading."""

    events: Backlog
    jobs: Backlog
    signs: list[Sign]
    calls_by_state: dict[str, int] = field(default_factory=dict)
    agents_by_state: dict[str, int] = field(default_factory=dict)
    transcript_lag_seconds: float = 0.0
    degraded_suggestions: int = 0
    lost_recordings: int = 0


def read_backlogs(session: Session) -> tuple[Backlog, Backlog, list[Sign]]:
    """Return the waiting events, the due jobs and the signs of life: all that /health asks."""
    waiting = (OutboxEvent.processed_at.is_(None), OutboxEvent.parked_at.is_(None))
    events = _backlog(session, OutboxEvent.created_at, waiting, (OutboxEvent.parked_at.is_not(None),))
    due = (Job.state == "ready", Job.run_at <= func.clock_timestamp())
    jobs = _backlog(session, Job.run_at, due, (Job.state == "dead",))
    return events, jobs, signs(session)


def has_live_text(session: Session) -> bool:
    """Say whether what is spoken is written down at once: not where every living bridge says that it cannot, or is told not to."""
    told = [sign.detail["live_text"] for sign in signs(session) if sign.is_alive and "live_text" in sign.detail]
    return not told or any(told)


def read_vitals(session: Session) -> Vitals:
    """Return all figures of /metrics that the database knows."""
    events, jobs, alive = read_backlogs(session)
    recent = func.clock_timestamp() - RECENT
    lag = session.scalar(
        select(func.max(Segment.lag_seconds))
        .join(Call, Call.id == Segment.call_id)
        .where(Call.ended_at.is_(None), Segment.created_at > recent)
    )
    return Vitals(
        events=events,
        jobs=jobs,
        signs=alive,
        calls_by_state=_counts(session, select(Call.state, func.count()).where(Call.ended_at.is_(None)).group_by(Call.state)),
        agents_by_state=_counts(session, select(Agent.state, func.count()).where(Agent.is_active).group_by(Agent.state)),
        transcript_lag_seconds=float(lag or 0),
        degraded_suggestions=session.scalar(select(func.count()).select_from(Suggestion).where(Suggestion.is_degraded)) or 0,
        lost_recordings=session.scalar(select(func.count()).select_from(Recording).where(Recording.state == "lost")) or 0,
    )


def _backlog(
    session: Session, since: Any, waiting: tuple[ColumnElement[bool], ...], given_up: tuple[ColumnElement[bool], ...]
) -> Backlog:
    age = func.extract("epoch", func.clock_timestamp() - func.min(since))
    count, oldest = session.execute(select(func.count(), age).select_from(since.class_).where(*waiting)).one()
    lost = session.scalar(select(func.count()).select_from(since.class_).where(*given_up)) or 0
    return Backlog(count, max(0.0, float(oldest or 0)), lost)


def _counts(session: Session, query: Select[str, int]) -> dict[str, int]:
    return {str(state): count for state, count in session.execute(query)}
