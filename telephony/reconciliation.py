"""Puts what we know right by what the exchange says now: after it or the bridge was away, and from time to time in between.

A fresh look (the connection is new) is believed at once. A look in between races with facts that are under way, so what it finds
wrong is put right only when the next look finds the same.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.errors import ConflictError
from telephony import ami_facts as f
from telephony.agent_state import LineState
from telephony.call_actions import CallActions
from telephony.call_recorder import CallRecorder
from telephony.call_state import CallState
from telephony.call_traces import facts_of
from telephony.models import Agent, Call, CallLeg
from telephony.ports import CallTrace, SwitchState
from telephony.seats import set_line

log = structlog.get_logger()
RECONCILED = "reconciled"


@dataclass(frozen=True)
class Talk:
    """A conversation that goes on: which channels to listen to, unless the citizen is on hold or being passed on."""

    call_id: uuid.UUID
    started_at: datetime
    citizen_unique_id: str
    agent_unique_id: str
    is_held: bool


class Reconciliation(CallActions):
    """The part of the front door that compares."""

    def provision_agents(self) -> int:
        """Make the telephones of the seats in use known to the exchange, and the others unknown; return how many are in use."""
        with self._database.transaction() as session:
            query = select(Agent.number, Agent.sip_password, Agent.is_active).order_by(Agent.number)
            seats = [(row.number, row.sip_password, row.is_active) for row in session.execute(query)]
        for number, password, is_active in seats:
            if is_active:
                self._switch.provision(number, password)
            else:
                self._switch.withdraw(number)
        return sum(is_active for _, _, is_active in seats)

    def reconcile(self, suspects: frozenset[str] | None = None) -> frozenset[str]:
        """Compare and put right.

        Args:
            suspects: what the look before found wrong; None for a fresh look, which is believed at once.

        Returns:
            What this look found wrong and did not yet put right.
        """
        now = self._clock.now()
        state = self._switch.state()
        traces = self._switch.traces() if suspects is None else []
        doubts = _Doubts(suspects)
        with self._database.transaction() as session:
            recorder = self._recorder(session)
            mine = select(Call.unique_id).where(Call.node == self._rules.node)
            known = set(session.scalars(mine.where(Call.unique_id.in_([trace.unique_id for trace in traces]))))
            legs = select(CallLeg.unique_id).where(CallLeg.unique_id.in_([trace.agent_unique_id for trace in traces]))
            answered = set(session.scalars(legs.where(CallLeg.answered_at.is_not(None))))
            self._follow_traces(recorder, traces, state, known, answered)
            for call in session.scalars(_running(self._rules.node)).all():
                self._compare_call(session, recorder, call, state, doubts, now)
            self._compare_lines(session, recorder, state, doubts, now)
            wanted = _wanted_seats(session)
        self._compare_seats(state, wanted, doubts)
        live = {channel.unique_id for channel in state.channels}
        for trace in traces:
            if trace.unique_id not in live:
                self._switch.forget(trace.unique_id)
        return doubts.open()

    def talks(self) -> list[Talk]:
        """Return the conversations that go on."""
        query = (
            select(Call.id, Call.started_at, Call.unique_id, CallLeg.unique_id, Call.state != CallState.TALKING)
            .join(CallLeg, CallLeg.call_id == Call.id)
            .where(
                Call.node == self._rules.node,
                Call.ended_at.is_(None),
                CallLeg.answered_at.is_not(None),
                CallLeg.ended_at.is_(None),
            )
        )
        with self._database.transaction() as session:
            return [Talk(*row) for row in session.execute(query)]

    # --- calls

    def _follow_traces(
        self, recorder: CallRecorder, traces: list[CallTrace], state: SwitchState, known: set[str], answered: set[str]
    ) -> None:
        """Record what the exchange noted while nobody followed: unknown calls, and answers and ends that we missed."""
        live = {channel.unique_id: channel for channel in state.channels}
        for trace in traces:
            channel = live.get(trace.unique_id)
            facts = facts_of(trace)
            if trace.unique_id in known:
                # The rest of its story is ours; its answer and its end, with the times at which they came, may be news.
                may_be_new = (f.ChannelGone,) if trace.agent_unique_id in answered else (f.AgentConnected, f.ChannelGone)
                facts = [fact for fact in facts if isinstance(fact, may_be_new)]
            elif channel is not None:
                facts = [replace(fact, channel=channel.channel) if isinstance(fact, f.CallArrived) else fact for fact in facts]
            for fact in facts:
                recorder.record(fact)

    def _compare_call(
        self, session: Session, recorder: CallRecorder, call: Call, state: SwitchState, doubts: "_Doubts", now: datetime
    ) -> None:
        live = {channel.unique_id: channel for channel in state.channels}
        if call.unique_id not in live:
            if doubts.is_sure(f"call:{call.unique_id}"):
                recorder.end_call(call, now, RECONCILED)
            return
        legs = session.scalars(select(CallLeg).where(CallLeg.call_id == call.id, CallLeg.ended_at.is_(None))).all()
        for leg in legs:
            if leg.unique_id not in live and doubts.is_sure(f"leg:{leg.unique_id}"):
                recorder.record(f.ChannelGone(now, leg.unique_id, leg.channel, 0, RECONCILED))
        if call.state == CallState.HELD and doubts.is_fresh:
            # The exchange does not say who is on hold. To believe in one whose end we missed would keep the rest of the call out
            # of its transcript; to end one that goes on only lets a waiting citizen's words in.
            recorder.record(f.Unheld(now, call.unique_id))
        answered = {leg.unique_id for leg in legs if leg.answered_at is not None}
        for channel in state.channels:
            if channel.agent is None or channel.linked_id != call.linkedid or channel.unique_id in answered:
                continue
            if not doubts.is_sure(f"agent:{channel.unique_id}:{channel.is_up}"):
                continue
            fact = f.AgentConnected if channel.is_up and channel.is_bridged else f.AgentRinging
            recorder.record(fact(now, call.unique_id, channel.agent, channel.unique_id, channel.channel))
        has_agent = any(channel.agent is not None and channel.linked_id == call.linkedid for channel in state.channels)
        # An agent's own call never stood in a queue: without the agent it is over in a moment.
        may_queue = call.direction == "in" or call.queued_at is not None
        if may_queue and call.state != CallState.QUEUED and not has_agent and doubts.is_sure(f"alone:{call.unique_id}"):
            channel = live[call.unique_id]
            recorder.record(f.CallerJoined(now, call.unique_id, call.linkedid, channel.channel, call.queue_name or "", 0))

    # --- agents

    def _compare_lines(
        self, session: Session, recorder: CallRecorder, state: SwitchState, doubts: "_Doubts", now: datetime
    ) -> None:
        for agent in session.scalars(select(Agent).where(Agent.is_active)).all():
            is_registered = agent.number in state.registered
            if agent.is_registered != is_registered and doubts.is_sure(f"line:{agent.number}:{is_registered}"):
                recorder.record(f.LineChanged(now, agent.number, is_registered))
            if agent.line_state == LineState.IDLE:
                continue
            is_live = session.scalar(
                select(CallLeg.id)
                .join(Call, Call.id == CallLeg.call_id)
                .where(CallLeg.agent_id == agent.id, CallLeg.ended_at.is_(None), Call.ended_at.is_(None))
                .limit(1)
            )
            is_rung = any(channel.agent == agent.number for channel in state.channels)
            if is_live is None and not is_rung and doubts.is_sure(f"stuck:{agent.number}"):
                log.warning("agent_line_freed", agent=agent.number, line=agent.line_state)
                set_line(session, agent, LineState.IDLE, None, now)

    def _compare_seats(self, state: SwitchState, wanted: dict[str, "_WantedSeat"], doubts: "_Doubts") -> None:
        there = {(seat.agent, seat.queue): seat.is_paused for seat in state.seats}
        for agent, queue in there:
            if (agent not in wanted or queue not in wanted[agent].queues) and doubts.is_sure(f"seat:{agent}:{queue}"):
                with _refusal_noted(agent):
                    self._switch.log_out(agent, [queue])
        for agent, seat in wanted.items():
            missing = [queue for queue in seat.queues if (agent, queue) not in there]
            if missing and doubts.is_sure(f"unseated:{agent}"):
                with _refusal_noted(agent):
                    self._switch.log_in(agent, seat.name, missing)
                    if seat.is_paused is False:
                        self._switch.unpause(agent)
            paused = {there[agent, queue] for queue in seat.queues if (agent, queue) in there}
            if seat.is_paused is not None and paused - {seat.is_paused} and doubts.is_sure(f"pause:{agent}:{seat.is_paused}"):
                with _refusal_noted(agent):
                    if seat.is_paused:
                        self._switch.pause(agent, seat.reason)
                    else:
                        self._switch.unpause(agent)


@dataclass(frozen=True)
class _WantedSeat:
    """How an agent should sit at the exchange. `is_paused` is None while it does not matter: in a call."""

    name: str
    queues: tuple[str, ...]
    is_paused: bool | None
    reason: str


class _Doubts:
    def __init__(self, suspects: frozenset[str] | None) -> None:
        self._suspects = suspects
        self._open: set[str] = set()

    @property
    def is_fresh(self) -> bool:
        return self._suspects is None

    def is_sure(self, what: str) -> bool:
        if self._suspects is None or what in self._suspects:
            return True
        self._open.add(what)
        return False

    def open(self) -> frozenset[str]:
        return frozenset(self._open)


@contextmanager
def _refusal_noted(agent: str) -> Iterator[None]:
    """Note that the exchange refuses something of one seat: the others are put right all the same."""
    try:
        yield
    except ConflictError as error:
        log.warning("seat_not_put_right", agent=agent, error=str(error))


def _running(node: str) -> Select[Call]:
    return select(Call).where(Call.node == node, Call.ended_at.is_(None))


def _wanted_seats(session: Session) -> dict[str, _WantedSeat]:
    agents: Iterable[Agent] = session.scalars(select(Agent).where(Agent.is_active, Agent.logged_in_at.is_not(None)))
    return {agent.number: _wanted_seat(agent) for agent in agents}


def _wanted_seat(agent: Agent) -> _WantedSeat:
    # Without a telephone nobody is rung anyway: who is ready but for that is rung again as soon as it is back.
    is_paused = None if agent.line_state != LineState.IDLE else bool(agent.pause_reason or agent.wrapup_until)
    queues = tuple(sorted(link.queue_name for link in agent.queues))
    return _WantedSeat(agent.name, queues, is_paused, agent.pause_reason or "")
