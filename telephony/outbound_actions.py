"""Placing calls: for the dialer and for agents, each attempt once; what became of them; and how busy the lines are."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import ConflictError, InvalidInputError
from core.heartbeat import signs
from telephony.agent_state import AgentState, LineState
from telephony.ami_facts import is_citizen_channel
from telephony.call_actions import AgentNotReadyError, CallActions
from telephony.call_state import CallState
from telephony.models import Agent, AgentQueue, Call, OutboundDial
from telephony.outbound import attempt_of
from telephony.outbound_recorder import OutboundRecorder
from telephony.ports import Dial, LineUse, LiveChannel, NotSeatedError, OutboundResult, OutboundTrace
from telephony.seats import lock_agent, set_line, state_of

log = structlog.get_logger()
DIALLING_OUT = "外呼"
"""The reason of the pause at the exchange while an agent places a call."""
NEVER_DIALLED = "never_dialled"
LOST = "lost"
_MAY_DIAL = (AgentState.READY, AgentState.PAUSED, AgentState.WRAPUP)
_VALID = timedelta(seconds=30)
"""A request that reaches the exchange later is refused there."""
_UNDER_WAY = timedelta(seconds=60)
"""After so long, clocks' differences included, what the exchange has not dialled it never will."""
_APART = timedelta(seconds=5)
"""How far the exchange's clock may be from ours."""
_TOLD = timedelta(days=1)
_LONGEST_PHONE = 20


class AlreadyDialledError(ConflictError):
    """This attempt was dialled, or may have been: it is never dialled again."""

    def __init__(self, attempt_id: uuid.UUID) -> None:
        super().__init__(str(attempt_id))
        self.attempt_id = attempt_id


class BadPhoneError(InvalidInputError):
    """What is to be dialled is not a number."""


class OutboundActions(CallActions):
    """The part of the front door for calls that we place."""

    def dial_out(self, dial: Dial) -> None:
        """Place a call by itself; what becomes of it comes as OutboundAnswered and OutboundEnded.

        Raises:
            BadPhoneError: not a number; nothing was dialled.
            AlreadyDialledError: this attempt was asked for before.
            UnavailableError: it may or may not have been dialled; `reconcile_outbound` knows within a minute.
        """
        self._keep(dial.attempt_id, dial.phone, dial.then)
        self._switch.dial(replace(dial, valid_until=self._clock.now() + _VALID))

    def dial_for_agent(self, agent_id: uuid.UUID, phone: str, attempt_id: uuid.UUID, ring_seconds: int = 45) -> None:
        """Ring the agent's telephone and then the citizen's; raises as `dial_out`, and AgentNotReadyError.

        The agent may be ready, paused or at after-call work; no call from a queue comes meanwhile.
        """
        with self._database.transaction() as session:
            agent = lock_agent(session, agent_id)
            state, number = state_of(agent), agent.number
            if state not in _MAY_DIAL:
                raise AgentNotReadyError(number, state)
            with suppress(NotSeatedError):
                self._switch.pause(number, DIALLING_OUT)
        self._keep(attempt_id, phone, "agent", agent_id)
        self._switch.dial_for_agent(attempt_id, phone, number, ring_seconds, self._clock.now() + _VALID)

    def release_agent(self, attempt_id: uuid.UUID) -> None:
        """Have calls sent again to an agent whose own call came to nothing."""
        with self._database.transaction() as session:
            row = session.get(OutboundDial, attempt_id)
            agent = session.get(Agent, row.agent_id) if row is not None and row.agent_id else None
            number = agent.number if agent is not None and state_of(agent) is AgentState.READY else None
        if number is not None:
            with suppress(NotSeatedError):
                self._switch.unpause(number)

    def _keep(self, attempt_id: uuid.UUID, phone: str, then: str, agent_id: uuid.UUID | None = None) -> None:
        """Write that the attempt is asked for, before it is: whatever dies afterwards, it is not asked for again."""
        if not (phone.isascii() and phone.isdigit() and len(phone) <= _LONGEST_PHONE):
            raise BadPhoneError("not a number that can be dialled")
        now = self._clock.now()
        values = {"attempt_id": attempt_id, "node": self._rules.node, "phone": phone, "then": then, "agent_id": agent_id}
        with self._database.transaction() as session:
            query = insert(OutboundDial).values(**values, asked_at=now, unique_id="", cause="").on_conflict_do_nothing()
            if session.execute(query.returning(OutboundDial.attempt_id)).first() is None:
                raise AlreadyDialledError(attempt_id)
            if agent_id is not None:
                set_line(session, lock_agent(session, agent_id), LineState.RINGING, None, now)

    def outbound(self, attempt_ids: Iterable[uuid.UUID] | None = None) -> list[OutboundTrace]:
        """Return what is known of calls that we placed: of these attempts, or of all that run or were asked for within a day."""
        query = select(OutboundDial).order_by(OutboundDial.asked_at)
        if attempt_ids is None:
            running = OutboundDial.ended_at.is_(None)
            query = query.where(or_(running, OutboundDial.asked_at >= self._clock.now() - _TOLD))
        else:
            query = query.where(OutboundDial.attempt_id.in_(list(attempt_ids)))
        with self._database.transaction() as session:
            return [_trace(row) for row in session.scalars(query)]

    def attempt_of_call(self, call_id: uuid.UUID) -> uuid.UUID | None:
        """Return the attempt for which we placed a call; None when a citizen rang."""
        # By the channel, which has an index, to the row that names the call.
        query = select(OutboundDial.attempt_id).join(Call, Call.unique_id == OutboundDial.unique_id)
        with self._database.transaction() as session:
            return session.scalar(query.where(Call.id == call_id, OutboundDial.call_id == call_id))

    def reconcile_outbound(self, attempt_ids: Iterable[uuid.UUID] | None = None) -> list[OutboundTrace]:
        """Put what we know of calls that we placed right by what the exchange noted, and return it as `outbound` does.

        An attempt of which the exchange knows nothing a minute after it was asked for was never dialled; one that it dialled and
        of which no channel is left is over.

        Raises:
            UnavailableError: the exchange does not answer.
        """
        # In this order: a call that ends in between has left its note, and one that was dialled before `began` and goes on is live.
        began = self._clock.now()
        live = {attempt_id for channel in self._switch.state().channels for attempt_id in _attempts_of(channel)}
        traces = {trace.attempt_id: trace for trace in self._switch.outbound_traces()}
        with self._database.transaction() as session:
            recorder = OutboundRecorder(session, self._rules.node)
            mine = select(OutboundDial).where(OutboundDial.node == self._rules.node, OutboundDial.ended_at.is_(None))
            for row in session.scalars(mine.order_by(OutboundDial.attempt_id).with_for_update()).all():
                trace = traces.get(row.attempt_id)
                if trace is not None:
                    recorder.follow(row, trace)
                is_old = row.dialled_at <= began - _APART if row.dialled_at else row.asked_at <= began - _UNDER_WAY
                if row.ended_at is None and row.attempt_id not in live and is_old:
                    self._close(recorder, row)
            told = select(OutboundDial.attempt_id, OutboundDial.ended_at).where(OutboundDial.attempt_id.in_(list(traces)))
            is_over = {attempt_id: ended_at is not None for attempt_id, ended_at in session.execute(told)}
        for attempt_id, trace in traces.items():
            # What another database asked for is dropped once it is over.
            if is_over.get(attempt_id, trace.ended_at is not None):
                self._switch.forget_outbound(attempt_id)
        return self.outbound(attempt_ids)

    def forget_outbound(self, attempt_id: uuid.UUID) -> None:
        """Let the exchange drop its note of an attempt; what is known of it stays here. The bridge does so by itself."""
        self._switch.forget_outbound(attempt_id)

    def _close(self, recorder: OutboundRecorder, row: OutboundDial) -> None:
        now = self._clock.now()
        if row.answered_at is not None:
            recorder.end(row, now, OutboundResult.ANSWERED, LOST)
        else:
            recorder.end(row, now, OutboundResult.FAILED, LOST if row.dialled_at else NEVER_DIALLED)
        log.warning("outbound_closed", attempt_id=str(row.attempt_id), cause=row.cause)

    def line_use(self) -> LineUse:
        """Return how busy the lines are; raises UnavailableError when the exchange does not answer."""
        channels = [channel for channel in self._switch.state().channels if is_citizen_channel(channel.channel)]
        with self._database.transaction() as session:
            mine = select(OutboundDial.attempt_id).where(OutboundDial.ended_at.is_(None), OutboundDial.node == self._rules.node)
            ours = set(session.scalars(mine))
            waits = self._waits(session)
            # An agent has it, or their telephone rings for it.
            came_on = select(OutboundDial.attempt_id).join(Call, Call.id == OutboundDial.call_id)
            came_on = came_on.where(OutboundDial.ended_at.is_(None), OutboundDial.then == "queue", Call.state != CallState.QUEUED)
            return LineUse(
                total=self._rules.trunk_lines,
                others=sum(not _attempts_of(channel) & ours for channel in channels),
                outbound=len(ours),
                waiting_citizens=sum(count for count, _ in waits.values()),
                longest_waits={queue: seconds for queue, (_, seconds) in waits.items()},
                ready_agents=_ready_agents(session),
                served=frozenset(session.scalars(came_on)),
                has_ivr=any(
                    sign.name == "ivr" and sign.node == self._rules.node and sign.is_alive and not sign.problem
                    for sign in signs(session)
                ),
            )

    def _waits(self, session: Session) -> dict[str, tuple[int, float]]:
        """Return how many citizens wait in each queue, and the seconds of the longest wait."""
        since = func.coalesce(Call.queued_at, Call.started_at)
        waits = and_(
            Call.ended_at.is_(None),
            Call.answered_at.is_(None),
            Call.state.in_([CallState.QUEUED, CallState.RINGING]),
            or_(Call.direction == "in", Call.queued_at.is_not(None)),
        )
        queue, now = func.coalesce(Call.queue_name, ""), self._clock.now()
        rows = session.execute(select(queue, func.count(), func.min(since)).where(waits).group_by(queue))
        return {name: (count, max(0.0, (now - longest).total_seconds())) for name, count, longest in rows}


def _ready_agents(session: Session) -> list[frozenset[str]]:
    """Return the queues of each agent who is ready."""
    query = select(AgentQueue.agent_id, AgentQueue.queue_name).join(Agent, Agent.id == AgentQueue.agent_id)
    queues: defaultdict[uuid.UUID, set[str]] = defaultdict(set)
    for agent_id, queue in session.execute(query.where(Agent.state == AgentState.READY, Agent.is_active)):
        queues[agent_id].add(queue)
    return [frozenset(served) for served in queues.values()]


def _attempts_of(channel: LiveChannel) -> set[uuid.UUID]:
    # A citizen's channel is tied to the one that dialled it, also after that one is gone.
    names = (channel.unique_id, channel.linked_id)
    return {attempt for name in names if (attempt := attempt_of(name)) is not None}


def _trace(row: OutboundDial) -> OutboundTrace:
    result = OutboundResult(row.result) if row.result else None
    return OutboundTrace(
        row.attempt_id, row.dialled_at, row.answered_at, row.ended_at, result, row.cause, row.call_id, row.unique_id
    )
