"""Turns facts into rows and events: calls, their legs and story, recordings, and what agents' lines do. One transaction a fact.

Recording the same fact twice changes nothing; facts that come late or out of order change what they still can.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.outbox import publish
from telephony import ami_facts as f
from telephony.agent_state import MISSED, LineState
from telephony.call_state import CallInput, CallState, outcome
from telephony.call_story import LEG_CANCELLED, CallStory, RecorderRules, seconds_between
from telephony.events import (
    AfterCallOffered,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMissed,
    CallQueued,
    CallResumed,
    CallRinging,
    CallTransferred,
    QueueCallbackAsked,
)
from telephony.models import Agent, Call, CallLeg
from telephony.placed_calls import OUT, PlacedCalls
from telephony.seats import begin_wrapup, lock_agent_number, set_line, settle

UNSERVED = "unserved"
CALLBACK_ASKED = "callback_asked"
NORMAL = "16"
LEG_ANSWERED, LEG_MISSED, LEG_TRANSFERRED, LEG_LOST = "answered", "missed", "transferred", "lost"


class CallRecorder(CallStory):
    """Applies facts within one session."""

    def __init__(self, session: Session, rules: RecorderRules) -> None:
        super().__init__(session, rules)
        placed = PlacedCalls(session, rules)
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
            f.CallbackAsked: self._callback_asked,
            f.AfterCallBegun: self._after_call,
            f.CallPlaced: placed.placed,
            f.OutboundDialled: placed.dialled,
            f.OutboundUp: placed.answered,
            f.OutboundOver: placed.over,
            f.AgentNotReached: placed.not_reached,
        }
        self._placed = placed

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
        if fact.attempt is not None:
            self._placed.belongs_to(call, fact.attempt)
        if self._tell(call, fact, "arrived", queue=fact.queue):
            self._expect_recordings(call, fact.recording, fact.at)
            publish(self._session, CallQueued(call_id=call.id, queue_name=fact.queue))

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

    def _callback_asked(self, fact: f.CallbackAsked) -> None:
        call = self._call(fact.unique_id)
        if call is None or call.answered_at is not None or not self._tell(call, fact, "callback_asked"):
            return
        call.cause = CALLBACK_ASKED
        queued_at = call.queued_at or call.started_at
        asked = QueueCallbackAsked(call_id=call.id, phone=call.caller_number, queue_name=call.queue_name or "", queued_at=queued_at)
        publish(self._session, asked)

    def _after_call(self, fact: f.AfterCallBegun) -> None:
        call = self._call(fact.unique_id)
        if call is None or not self._tell(call, fact, "after_call"):
            return
        # What follows is a survey: the call and its recording end here.
        self.end_call(call, fact.at, cause=NORMAL)
        publish(self._session, AfterCallOffered(call_id=call.id, agent_id=call.agent_id))

    # --- the agent's side

    def _ringing(self, fact: f.AgentRinging) -> None:
        call, agent = self._call(fact.unique_id), lock_agent_number(self._session, fact.agent)
        if call is None or agent is None or not self._tell(call, fact, "ringing", agent=agent.number):
            return
        self._leg_for(call, agent, fact.agent_unique_id, fact.agent_channel, fact.at)
        # Sent two calls at once, a telephone takes one of them and turns the other away: that one never rang there.
        if not _is_elsewhere(agent, call) and self._move(call, CallInput.RANG):
            set_line(self._session, agent, LineState.RINGING, call.id, fact.at)
            publish(self._session, CallRinging(call_id=call.id, agent_id=agent.id))

    def _missed(self, fact: f.AgentMissed) -> None:
        call, agent = self._call(fact.unique_id), lock_agent_number(self._session, fact.agent)
        if call is None or agent is None or not self._tell(call, fact, "missed", agent=agent.number):
            return
        leg, was_rung = self._leg(fact.agent_unique_id), not _is_elsewhere(agent, call)
        if leg is not None and leg.ended_at is None:
            leg.ended_at, leg.outcome = fact.at, LEG_MISSED if was_rung else LEG_CANCELLED
        self._move(call, CallInput.STOPPED_RINGING)
        if not was_rung:
            return
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
        self._expect_recordings(call, fact.recording, fact.at)
        if not self._move(call, CallInput.CONNECTED):
            return
        if call.answered_at is None:
            call.answered_at = fact.at
            if not _is_agents_own(call):
                call.waiting_seconds = seconds_between(call.queued_at or call.started_at, fact.at)
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
        self._placed.gone(fact)

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
        # A citizen who does not pick up has abandoned nothing.
        call.outcome = outcome(call.answered_at is not None, was_unserved or _is_agents_own(call))
        call.cause = call.cause if call.cause in (UNSERVED, CALLBACK_ASKED) else cause
        if call.answered_at is None and not _is_agents_own(call):
            call.waiting_seconds = seconds_between(call.queued_at or call.started_at, at)
        call.talking_seconds = self._talking_seconds(call)
        self._story(call, f"ended:{call.unique_id}", at, "ended", {"outcome": call.outcome, "cause": call.cause})
        publish(self._session, CallEnded(call_id=call.id, agent_id=call.agent_id, outcome=call.outcome))

    def _talking_seconds(self, call: Call) -> float | None:
        """Seconds that agents and the citizen were connected, holds included; None when they never were."""
        legs = self._session.scalars(select(CallLeg).where(CallLeg.call_id == call.id, CallLeg.answered_at.is_not(None))).all()
        spans = [seconds_between(leg.answered_at, leg.ended_at) for leg in legs if leg.answered_at and leg.ended_at]
        return sum(spans) if spans else None


def _is_elsewhere(agent: Agent, call: Call) -> bool:
    """Whether the agent is with another call."""
    return agent.call_id not in (None, call.id)


def _is_agents_own(call: Call) -> bool:
    """Whether an agent placed the call and no queue has had it: nobody waited for us."""
    return call.direction == OUT and call.queued_at is None
