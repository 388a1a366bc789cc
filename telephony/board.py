"""Read-only questions about the present: who does what, who waits, how the day goes. Changes nothing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core.clock import Clock, day_bounds, local_date
from core.database import Database
from telephony.models import Agent, AgentStateChange, Call, CallLeg, CallNote, Queue, Recording, Segment

SHORT_ABANDON_SECONDS = 5
"""Who hangs up sooner than this was not waiting yet: left out of what was offered (as GB/T 33358 and COPC count)."""


@dataclass(frozen=True)
class AgentView:
    """An agent as the board shows them."""

    agent_id: uuid.UUID
    number: str
    name: str
    state: str
    since: datetime
    pause_reason: str
    wrapup_until: datetime | None
    is_logged_in: bool
    is_registered: bool
    call_id: uuid.UUID | None
    notice: str
    queues: tuple[str, ...] = ()


@dataclass(frozen=True)
class LiveCall:
    """A call that goes on: waiting, ringing, talking or held. `latest_text` is what the citizen said last."""

    call_id: uuid.UUID
    number: str
    caller_number: str
    is_confidential: bool
    queue_name: str
    queue_title: str
    state: str
    agent_id: uuid.UUID | None
    started_at: datetime
    queued_at: datetime | None
    answered_at: datetime | None
    held_at: datetime | None
    earlier_today: int = 0
    latest_text: str = ""
    lag_seconds: float | None = None


@dataclass(frozen=True)
class ServiceCount:
    """Calls of a stretch of time. offered = answered + abandoned after 5 s + sent away; in time = answered within the target."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    in_time: int = 0


@dataclass(frozen=True)
class QueueDay:
    """A queue now and today."""

    name: str
    title: str
    waiting: int
    longest_since: datetime | None
    ready: int
    count: ServiceCount


@dataclass(frozen=True)
class Figures:
    """What every desk shows in its top bar."""

    waiting: int
    longest_since: datetime | None
    ready: int


@dataclass(frozen=True)
class LostRecording:
    """A recording of today that is missing or cut short."""

    call_id: uuid.UUID
    call_number: str
    party: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Board:
    """The whole present, read in one transaction."""

    at: datetime
    agents: list[AgentView]
    calls: list[LiveCall]
    queues: list[QueueDay]
    today: ServiceCount
    last_day: ServiceCount
    lost_recordings: list[LostRecording]


@dataclass(frozen=True)
class AgentDay:
    """One agent's day beside everybody's. Seconds are averages over the calls; None without a call."""

    since: datetime | None
    answered: int
    in_time: int
    talking_seconds: float | None
    wrapup_seconds: float | None
    all_talking_seconds: float | None
    all_wrapup_seconds: float | None
    paused_seconds: float
    unwritten: int


class BoardReads:
    """Answers questions about the present."""

    def __init__(self, database: Database, clock: Clock, answer_target_seconds: int) -> None:
        self._database = database
        self._clock = clock
        self._target = answer_target_seconds

    def figures(self) -> Figures:
        """Return what every desk shows."""
        with self._database.transaction() as session:
            waiting, since = session.execute(
                select(func.count(), func.min(func.coalesce(Call.queued_at, Call.started_at))).where(_is_waiting())
            ).one()
            ready = session.scalar(select(func.count()).select_from(Agent).where(Agent.state == "ready", Agent.is_active)) or 0
        return Figures(waiting, since, ready)

    def agent(self, agent_id: uuid.UUID) -> AgentView | None:
        """Return one agent, or None."""
        with self._database.transaction() as session:
            row = session.get(Agent, agent_id)
            return _agent_view(row) if row else None

    def softphone(self, agent_id: uuid.UUID) -> tuple[str, str] | None:
        """Return (number, password) with which the agent's own browser registers; for nobody else's eyes."""
        with self._database.transaction() as session:
            row = session.execute(select(Agent.number, Agent.sip_password).where(Agent.id == agent_id)).first()
            return (row.number, row.sip_password) if row else None

    def agents(self) -> list[AgentView]:
        """Return the active agents by number."""
        with self._database.transaction() as session:
            return _agents(session)

    def board(self) -> Board:
        """Return everything that the supervisor's page shows."""
        now = self._clock.now()
        start, end = day_bounds(local_date(now))
        with self._database.transaction() as session:
            agents = _agents(session)
            calls = _live_calls(session, start)
            by_queue = self._counts_by_queue(session, start, end)
            last_day = self._count(session, now - timedelta(days=1), now)
            titles = list(session.execute(select(Queue.name, Queue.title).order_by(Queue.title)))
            lost = _lost_recordings(session, start)
        queues = [_queue_day(name, title, agents, calls, by_queue.get(name, ServiceCount())) for name, title in titles]
        return Board(now, agents, calls, queues, _sum(list(by_queue.values())), last_day, lost)

    def agent_day(self, agent_id: uuid.UUID) -> AgentDay:
        """Return how an agent's day has gone so far."""
        now = self._clock.now()
        start, end = day_bounds(local_date(now))
        today = and_(CallLeg.answered_at >= start, CallLeg.answered_at < end)
        mine = and_(today, CallLeg.agent_id == agent_id)
        # The target counts for who took the call from the queue, not for who got it passed on.
        in_time = func.count(case((and_(Call.waiting_seconds <= self._target, Call.answered_at == CallLeg.answered_at), 1)))
        talking = func.avg(func.extract("epoch", func.coalesce(CallLeg.ended_at, now) - CallLeg.answered_at))
        with self._database.transaction() as session:
            since = session.scalar(select(Agent.logged_in_at).where(Agent.id == agent_id))
            answered, punctual, own = session.execute(
                select(func.count(), in_time, talking).select_from(CallLeg).join(Call, Call.id == CallLeg.call_id).where(mine)
            ).one()
            everybody = session.scalar(select(talking).select_from(CallLeg).where(today))
            spent = self._spent(session, start, now)
            unwritten = session.scalar(
                select(func.count())
                .select_from(Call)
                .outerjoin(CallNote, CallNote.call_id == Call.id)
                .where(
                    Call.agent_id == agent_id,
                    Call.outcome == "answered",
                    Call.ended_at >= start,
                    func.coalesce(CallNote.disposition, "") == "",
                )
            )
        paused = sum(seconds for (agent, state), (_, seconds) in spent.items() if agent == agent_id and state == "paused")
        return AgentDay(
            since=since,
            answered=answered,
            in_time=punctual,
            talking_seconds=_number(own),
            wrapup_seconds=_average(spent, "wrapup", agent_id),
            all_talking_seconds=_number(everybody),
            all_wrapup_seconds=_average(spent, "wrapup", None),
            paused_seconds=paused,
            unwritten=unwritten or 0,
        )

    def answered_today(self, agent_id: uuid.UUID) -> int:
        """Return how many calls an agent has answered today."""
        start, end = day_bounds(local_date(self._clock.now()))
        query = (
            select(func.count())
            .select_from(CallLeg)
            .where(CallLeg.agent_id == agent_id, CallLeg.answered_at >= start, CallLeg.answered_at < end)
        )
        with self._database.transaction() as session:
            return session.scalar(query) or 0

    @staticmethod
    def _spent(session: Session, start: datetime, now: datetime) -> dict[tuple[uuid.UUID, str], tuple[int, float]]:
        """Return stretches and seconds of today by agent and state."""
        end = func.coalesce(AgentStateChange.ended_at, now)
        seconds = func.sum(func.extract("epoch", end - func.greatest(AgentStateChange.started_at, start)))
        rows = session.execute(
            select(AgentStateChange.agent_id, AgentStateChange.state, func.count(), seconds)
            .where(end > start, AgentStateChange.state.in_(["paused", "wrapup"]))
            .group_by(AgentStateChange.agent_id, AgentStateChange.state)
        )
        return {(agent_id, state): (count, float(total)) for agent_id, state, count, total in rows}

    def _count(self, session: Session, start: datetime, end: datetime) -> ServiceCount:
        query = select(*self._count_columns()).where(Call.queued_at >= start, Call.queued_at < end, Call.direction == "in")
        return _service_count(*session.execute(query).one())

    def _counts_by_queue(self, session: Session, start: datetime, end: datetime) -> dict[str, ServiceCount]:
        query = (
            select(func.coalesce(Call.queue_name, ""), *self._count_columns())
            .where(Call.queued_at >= start, Call.queued_at < end, Call.direction == "in")
            .group_by(Call.queue_name)
        )
        return {str(name): _service_count(*counts) for name, *counts in session.execute(query)}

    def _count_columns(self) -> list[ColumnElement[Any]]:
        answered = Call.answered_at.is_not(None)
        abandoned = and_(Call.outcome == "abandoned", func.coalesce(Call.waiting_seconds, 0) >= SHORT_ABANDON_SECONDS)
        unserved = and_(Call.outcome == "failed", Call.answered_at.is_(None))
        return [
            func.count(case((answered, 1))),
            func.count(case((abandoned, 1))),
            func.count(case((unserved, 1))),
            func.count(case((and_(answered, Call.waiting_seconds <= self._target), 1))),
        ]


def _is_waiting() -> ColumnElement[bool]:
    # Who was rung back at their turn waits like anybody; who is being rung by an agent does not.
    stands_in_queue = or_(Call.direction == "in", Call.queued_at.is_not(None))
    return and_(Call.ended_at.is_(None), Call.answered_at.is_(None), Call.state.in_(["queued", "ringing"]), stands_in_queue)


def _agents(session: Session) -> list[AgentView]:
    return [_agent_view(row) for row in session.scalars(select(Agent).where(Agent.is_active).order_by(Agent.number))]


def _agent_view(row: Agent) -> AgentView:
    return AgentView(
        agent_id=row.id,
        number=row.number,
        name=row.name,
        state=row.state,
        since=row.state_since,
        pause_reason=row.pause_reason or "",
        wrapup_until=row.wrapup_until,
        is_logged_in=row.logged_in_at is not None,
        is_registered=row.is_registered,
        call_id=row.call_id,
        notice=row.notice or "",
        queues=tuple(sorted(link.queue_name for link in row.queues)),
    )


def _live_calls(session: Session, day_start: datetime) -> list[LiveCall]:
    rows = session.execute(
        select(Call, Queue.title)
        .outerjoin(Queue, Queue.name == Call.queue_name)
        .where(Call.ended_at.is_(None))
        .order_by(func.coalesce(Call.answered_at, Call.queued_at, Call.started_at))
    ).all()
    ids = [call.id for call, _ in rows]
    latest = _latest_words(session, ids)
    again = _earlier_today(session, [call for call, _ in rows if call.caller_number], day_start)
    return [
        LiveCall(
            call_id=call.id,
            number=call.number,
            caller_number=call.caller_number,
            is_confidential=call.is_confidential,
            queue_name=call.queue_name or "",
            queue_title=title or call.queue_name or "",
            state=call.state,
            agent_id=call.agent_id,
            started_at=call.started_at,
            queued_at=call.queued_at,
            answered_at=call.answered_at,
            held_at=call.held_at,
            earlier_today=again.get(call.caller_number, 0),
            latest_text=latest.get(call.id, ("", None))[0],
            lag_seconds=latest.get(call.id, ("", None))[1],
        )
        for call, title in rows
    ]


def _latest_words(session: Session, call_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, float | None]]:
    if not call_ids:
        return {}
    rows = session.execute(
        select(Segment.call_id, Segment.text, Segment.lag_seconds)
        .where(Segment.call_id.in_(call_ids), Segment.kind == "live", Segment.party == "citizen")
        .ext(distinct_on(Segment.call_id))
        .order_by(Segment.call_id, Segment.start_seconds.desc())
    )
    return {call_id: (text, lag) for call_id, text, lag in rows}


def _earlier_today(session: Session, calls: Sequence[Call], day_start: datetime) -> dict[str, int]:
    if not calls:
        return {}
    rows = session.execute(
        select(Call.caller_number, func.count())
        .where(
            Call.caller_number.in_([call.caller_number for call in calls]), Call.started_at >= day_start, Call.ended_at.is_not(None)
        )
        .group_by(Call.caller_number)
    )
    return {number: count for number, count in rows}  # noqa: C416 - a result is no mapping, though it has keys()


def _lost_recordings(session: Session, day_start: datetime) -> list[LostRecording]:
    rows = session.execute(
        select(Recording, Call.number)
        .join(Call, Call.id == Recording.call_id)
        .where(Recording.state == "lost", Call.started_at >= day_start)
        .order_by(Recording.started_at.desc())
        .limit(20)
    )
    return [LostRecording(row.call_id, number, row.party, row.loss_reason or "", row.started_at) for row, number in rows]


def _queue_day(name: str, title: str, agents: list[AgentView], calls: list[LiveCall], count: ServiceCount) -> QueueDay:
    waiting = [call for call in calls if call.queue_name == name and call.answered_at is None]
    return QueueDay(
        name=name,
        title=title,
        waiting=len(waiting),
        longest_since=min((call.queued_at or call.started_at for call in waiting), default=None),
        ready=sum(agent.state == "ready" and name in agent.queues for agent in agents),
        count=count,
    )


def _service_count(answered: int, abandoned: int, unserved: int, in_time: int) -> ServiceCount:
    return ServiceCount(offered=answered + abandoned + unserved, answered=answered, abandoned=abandoned, in_time=in_time)


def _sum(counts: list[ServiceCount]) -> ServiceCount:
    return ServiceCount(
        offered=sum(count.offered for count in counts),
        answered=sum(count.answered for count in counts),
        abandoned=sum(count.abandoned for count in counts),
        in_time=sum(count.in_time for count in counts),
    )


def _average(spent: dict[tuple[uuid.UUID, str], tuple[int, float]], state: str, agent_id: uuid.UUID | None) -> float | None:
    chosen = [value for (agent, name), value in spent.items() if name == state and agent_id in (None, agent)]
    count = sum(number for number, _ in chosen)
    return sum(seconds for _, seconds in chosen) / count if count else None


def _number(value: Any) -> float | None:
    return float(value) if value is not None else None
