"""Turns facts into rows and events: calls, their legs and story, recordings, and what agents' lines do. One transaction a fact.

Recording the same fact twice changes nothing; facts that come late or out of order change what they still can.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import local_date
from core.outbox import publish
from telephony import ami_facts as f
from telephony.agent_state import MISSED, LineState
from telephony.call_numbers import next_number
from telephony.call_state import TRANSITIONS, CallInput, CallState, outcome
from telephony.events import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMissed,
    CallQueued,
    CallResumed,
    CallRinging,
    CallTransferred,
)
from telephony.models import Agent, Call, CallEvent, CallLeg, Recording
from telephony.seats import begin_wrapup, lock_agent_number, set_line, settle

log = structlog.get_logger()
UNSERVED = "unserved"
LEG_ANSWERED, LEG_MISSED, LEG_CANCELLED, LEG_TRANSFERRED, LEG_LOST = "answered", "missed", "cancelled", "transferred", "lost"


@dataclass(frozen=True)
class RecorderRules:
    """What the site decided."""

    node: str
    wrapup: timedelta
    keep_days: int


class CallRecorder:
    """Applies facts within one session."""

    def __init__(self, session: Session, rules: RecorderRules) -> None:
        self._session = session
        self._rules = rules
        self._apply: dict[type[f.Fact], Callable[[Any], None]] = {
            f.CallArrived: self._arrived,
            f.CallerJoined: self._joined,
            f.CallUnserved: self._unserved,
            f.AgentRinging: self._ringing,
            f.AgentMissed: self._missed,
            f.AgentConnected: self._connected,
            f.AgentLost: self._lost,
            f.Held: self._held,
            f.Unheld: self._unheld,
            f.Transferred: self._transferred,
            f.ChannelGone: self._gone,
            f.LineChanged: self._line,
        }

    def record(self, fact: f.Fact) -> None:
        """Apply a fact; facts of which calls and agents know nothing are passed over."""
        apply = self._apply.get(type(fact))
        if apply is not None:
            apply(fact)

    # --- the citizen's side

    def _arrived(self, fact: f.CallArrived) -> None:
        call = self._call(fact.unique_id)
        if call is None:
            call = self._new_call(fact.unique_id, fact.linked_id, fact.channel, fact.queue, fact.at)
        call.caller_number, call.caller_name = fact.caller_number, fact.caller_name
        call.dialled = fact.dialled
        if self._tell(call, fact, "arrived", queue=fact.queue):
            self._expect_recordings(call, fact.recording, fact.at)
            publish(self._session, CallQueued(call_id=call.id, queue_name=fact.queue))

    def _new_call(self, unique_id: str, linked_id: str, channel: str, queue: str, at: datetime) -> Call:
        call = Call(
            number=next_number(self._session, at),
            node=self._rules.node,
            linkedid=linked_id or unique_id,
            unique_id=unique_id,
            channel=channel,
            caller_number="",
            queue_name=queue or None,
            state=CallState.QUEUED,
            started_at=at,
        )
        self._session.add(call)
        self._session.flush()
        return call

    def _expect_recordings(self, call: Call, path: str, at: datetime) -> None:
        delete_on = local_date(at) + timedelta(days=self._rules.keep_days)
        for party in ("citizen", "agent") if path else ():
            row = {"call_id": call.id, "party": party, "node": call.node, "path": f"{path}-{party}.wav"}
            values = insert(Recording).values(started_at=at, delete_on=delete_on, **row)
            self._session.execute(values.on_conflict_do_nothing())

    def _joined(self, fact: f.CallerJoined) -> None:
        call = self._call(fact.unique_id) or self._new_call(fact.unique_id, fact.linked_id, fact.channel, fact.queue, fact.at)
        if not self._tell(call, fact, "queued", queue=fact.queue, position=fact.position):
            return
        call.queue_name = fact.queue
        call.queued_at = call.queued_at or fact.at
        self._end_hold(call, fact.at)
        self._move(call, CallInput.JOINED)
        publish(self._session, CallQueued(call_id=call.id, queue_name=fact.queue))

    def _unserved(self, fact: f.CallUnserved) -> None:
        call = self._call(fact.unique_id)
        if call is not None and self._tell(call, fact, "unserved", reason=fact.reason):
            call.cause = UNSERVED

    # --- the agent's side

    def _ringing(self, fact: f.AgentRinging) -> None:
        call, agent = self._call(fact.unique_id), lock_agent_number(self._session, fact.agent)
        if call is None or agent is None or not self._tell(call, fact, "ringing", agent=agent.number):
            return
        self._leg_for(call, agent, fact.agent_unique_id, fact.agent_channel, fact.at)
        if self._move(call, CallInput.RANG):
            set_line(self._session, agent, LineState.RINGING, call.id, fact.at)
            publish(self._session, CallRinging(call_id=call.id, agent_id=agent.id))

    def _leg_for(self, call: Call, agent: Agent, unique_id: str, channel: str, at: datetime) -> CallLeg:
        leg = self._leg(unique_id)
        if leg is None:
            leg = CallLeg(call_id=call.id, agent_id=agent.id, unique_id=unique_id, channel=channel, rang_at=at)
            self._session.add(leg)
            self._session.flush()
        if call.ended_at is not None and leg.ended_at is None:
            leg.ended_at, leg.outcome = max(at, call.ended_at), leg.outcome or LEG_CANCELLED
        return leg

    def _missed(self, fact: f.AgentMissed) -> None:
        call, agent = self._call(fact.unique_id), lock_agent_number(self._session, fact.agent)
        if call is None or agent is None or not self._tell(call, fact, "missed", agent=agent.number):
            return
        leg = self._leg(fact.agent_unique_id)
        if leg is not None and leg.ended_at is None:
            leg.ended_at, leg.outcome = fact.at, LEG_MISSED
        self._move(call, CallInput.STOPPED_RINGING)
        if agent.logged_in_at is not None:
            agent.pause_reason, agent.notice = MISSED, call.number
        set_line(self._session, agent, LineState.IDLE, None, fact.at)
        publish(self._session, CallMissed(call_id=call.id, agent_id=agent.id))

    def _connected(self, fact: f.AgentConnected) -> None:
        call, agent = self._call(fact.unique_id), lock_agent_number(self._session, fact.agent)
        if call is None or agent is None or not self._tell(call, fact, "answered", agent=agent.number):
            return
        leg = self._leg_for(call, agent, fact.agent_unique_id, fact.agent_channel, fact.at)
        leg.answered_at = leg.answered_at or fact.at
        if not self._move(call, CallInput.CONNECTED):
            return
        if call.answered_at is None:
            call.answered_at = fact.at
            call.waiting_seconds = _seconds(call.queued_at or call.started_at, fact.at)
        call.agent_id, call.agent_channel = agent.id, fact.agent_channel
        agent.wrapup_until = None
        set_line(self._session, agent, LineState.TALKING, call.id, fact.at)
        publish(self._session, CallAnswered(call_id=call.id, agent_id=agent.id))

    def _lost(self, fact: f.AgentLost) -> None:
        call = self._call(fact.unique_id)
        if call is None or not self._tell(call, fact, "agent_lost", cause=fact.cause):
            return
        leg = self._session.scalar(select(CallLeg).where(CallLeg.call_id == call.id).order_by(CallLeg.id.desc()).limit(1))
        if leg is not None:
            leg.outcome = LEG_LOST

    def _held(self, fact: f.Held) -> None:
        call = self._call_of_channel(fact.unique_id)
        if call is None or call.state != CallState.TALKING or not self._tell(call, fact, "held"):
            return
        self._move(call, CallInput.HELD)
        call.held_at = fact.at
        self._agent_line(call, LineState.HELD, fact.at)
        publish(self._session, CallHeld(call_id=call.id))

    def _unheld(self, fact: f.Unheld) -> None:
        call = self._call_of_channel(fact.unique_id)
        # Asterisk tells of it before every blind transfer too, held or not.
        if call is None or call.state != CallState.HELD or not self._tell(call, fact, "resumed"):
            return
        self._end_hold(call, fact.at)
        self._move(call, CallInput.RESUMED)
        self._agent_line(call, LineState.TALKING, fact.at)
        publish(self._session, CallResumed(call_id=call.id))

    def _transferred(self, fact: f.Transferred) -> None:
        leg = self._leg(fact.unique_id)
        call = self._call_by_id(leg.call_id) if leg is not None else None
        if leg is None or call is None or not self._tell(call, fact, "transferred", to=fact.extension):
            return
        leg.outcome = LEG_TRANSFERRED
        publish(self._session, CallTransferred(call_id=call.id, extension=fact.extension))

    def _line(self, fact: f.LineChanged) -> None:
        agent = lock_agent_number(self._session, fact.agent)
        if agent is not None and agent.is_registered != fact.is_registered:
            agent.is_registered = fact.is_registered
            settle(self._session, agent, fact.at)

    # --- ends

    def _gone(self, fact: f.ChannelGone) -> None:
        leg = self._leg(fact.unique_id)
        if leg is not None:
            self._leg_ended(leg, fact.at)
        call = self._call(fact.unique_id)
        if call is not None:
            self.end_call(call, fact.at, cause=str(fact.cause) if fact.cause else "")

    def _leg_ended(self, leg: CallLeg, at: datetime) -> None:
        call = self._call_by_id(leg.call_id)
        is_last = leg.ended_at is None
        if is_last:
            leg.ended_at = at
            leg.outcome = leg.outcome or (LEG_ANSWERED if leg.answered_at else LEG_CANCELLED)
        agent = self._session.get(Agent, leg.agent_id, with_for_update=True)
        if call is not None and is_last and call.state == CallState.HELD and call.agent_id == leg.agent_id:
            self._end_hold(call, at)
            self._move(call, CallInput.RESUMED)
        if call is not None and call.state == CallState.RINGING and not leg.answered_at:
            self._move(call, CallInput.STOPPED_RINGING)
        if agent is None or agent.call_id != leg.call_id:
            return
        if leg.answered_at:
            begin_wrapup(self._session, agent, at, self._rules.wrapup)
        else:
            set_line(self._session, agent, LineState.IDLE, None, at)

    def end_call(self, call: Call, at: datetime, cause: str) -> None:
        """End a call and whatever of it still runs; nothing when it has ended already."""
        if call.state == CallState.ENDED:
            return
        self._end_hold(call, at)
        for leg in self._session.scalars(select(CallLeg).where(CallLeg.call_id == call.id, CallLeg.ended_at.is_(None))):
            self._leg_ended(leg, at)
        was_unserved = call.cause == UNSERVED
        self._move(call, CallInput.ENDED)
        call.ended_at = at
        call.outcome = outcome(call.answered_at is not None, was_unserved)
        call.cause = UNSERVED if was_unserved else cause
        if call.answered_at is None:
            call.waiting_seconds = _seconds(call.queued_at or call.started_at, at)
        call.talking_seconds = self._talking_seconds(call)
        self._story(call, f"ended:{call.unique_id}", at, "ended", {"outcome": call.outcome, "cause": call.cause})
        publish(self._session, CallEnded(call_id=call.id, agent_id=call.agent_id, outcome=call.outcome))

    def _talking_seconds(self, call: Call) -> float | None:
        """Seconds that agents and the citizen were connected, holds included; None when they never were."""
        legs = self._session.scalars(select(CallLeg).where(CallLeg.call_id == call.id, CallLeg.answered_at.is_not(None))).all()
        spans = [_seconds(leg.answered_at, leg.ended_at) for leg in legs if leg.answered_at and leg.ended_at]
        return sum(spans) if spans else None

    # --- shared

    def _call(self, unique_id: str) -> Call | None:
        query = select(Call).where(Call.node == self._rules.node, Call.unique_id == unique_id)
        return self._session.scalar(query.with_for_update())

    def _call_by_id(self, call_id: object) -> Call | None:
        return self._session.get(Call, call_id, with_for_update=True)

    def _leg(self, unique_id: str) -> CallLeg | None:
        if not unique_id:
            return None
        query = select(CallLeg).join(Call, Call.id == CallLeg.call_id)
        return self._session.scalar(query.where(Call.node == self._rules.node, CallLeg.unique_id == unique_id))

    def _call_of_channel(self, unique_id: str) -> Call | None:
        leg = self._leg(unique_id)
        return self._call_by_id(leg.call_id) if leg is not None else self._call(unique_id)

    def _agent_line(self, call: Call, line: LineState, at: datetime) -> None:
        agent = self._session.get(Agent, call.agent_id, with_for_update=True) if call.agent_id else None
        if agent is not None and agent.call_id == call.id:
            set_line(self._session, agent, line, call.id, at)

    @staticmethod
    def _end_hold(call: Call, at: datetime) -> None:
        if call.held_at is not None:
            call.hold_seconds += _seconds(call.held_at, at)
            call.held_at = None

    def _move(self, call: Call, happened: CallInput) -> bool:
        following = TRANSITIONS[CallState(call.state)].get(happened)
        if following is None:
            # Asterisk's word about a call that moved on meanwhile: too late, and no reason to stop.
            log.info("late_fact", call_id=str(call.id), state=call.state, happened=happened)
            return False
        call.state = following
        return True

    def _tell(self, call: Call, fact: f.Fact, kind: str, **detail: Any) -> bool:
        """Write a line of the story; False when this very fact was recorded before."""
        key = ":".join(str(value) for value in (kind, *asdict(fact).values()))
        return self._story(call, key[:300], fact.at, kind, detail)

    def _story(self, call: Call, key: str, at: datetime, kind: str, detail: dict[str, Any]) -> bool:
        row = insert(CallEvent).values(call_id=call.id, natural_key=key, at=at, kind=kind, detail=detail)
        return self._session.execute(row.on_conflict_do_nothing().returning(CallEvent.id)).first() is not None


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
