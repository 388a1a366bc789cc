"""Applies facts of calls that we placed: an agent's own, which are Calls, and those that the exchange dials by itself."""

import uuid

from sqlalchemy.orm import Session

from core.outbox import publish
from telephony import ami_facts as f
from telephony.agent_state import LineState
from telephony.call_state import CallInput
from telephony.call_story import CallStory, RecorderRules
from telephony.events import CallRinging
from telephony.models import Call
from telephony.outbound import AGENT_CHANNEL, attempt_of, cause_text, result_of
from telephony.outbound_recorder import OutboundRecorder
from telephony.ports import OutboundResult
from telephony.seats import lock_agent, lock_agent_number, set_line

OUT = "out"
AGENT_AWAY = "agent_did_not_pick_up"


class PlacedCalls(CallStory):
    """Works within one session."""

    def __init__(self, session: Session, rules: RecorderRules) -> None:
        super().__init__(session, rules)
        self._dials = OutboundRecorder(session, rules.node)

    def belongs_to(self, call: Call, attempt_id: uuid.UUID) -> None:
        """Note that a call is one that we placed."""
        call.direction = OUT
        row = self._dials.get(attempt_id)
        if row is not None:
            row.call_id, row.unique_id = call.id, call.unique_id

    def placed(self, fact: f.CallPlaced) -> None:
        """Begin an agent's own call; of one that nobody here asked for nothing is kept."""
        row, agent = self._dials.get(fact.attempt), lock_agent_number(self._session, fact.agent)
        if row is None or agent is None:
            return
        call = self._call(fact.unique_id)
        if call is None:
            call = self._new_call(fact.unique_id, fact.linked_id, fact.channel, "", fact.at)
        call.caller_number, call.agent_id, call.agent_channel = row.phone, agent.id, fact.agent_channel
        self.belongs_to(call, fact.attempt)
        self._dials.dialled(row, fact.at)
        if not self._tell(call, fact, "placed", agent=agent.number):
            return
        self._leg_for(call, agent, fact.agent_unique_id, fact.agent_channel, fact.at)
        if self._move(call, CallInput.RANG):
            set_line(self._session, agent, LineState.RINGING, call.id, fact.at)
            publish(self._session, CallRinging(call_id=call.id, agent_id=agent.id))

    def dialled(self, fact: f.OutboundDialled) -> None:
        """Note that the citizen's telephone is rung."""
        row = self._dials.get(fact.attempt)
        if row is not None:
            self._dials.dialled(row, fact.at)

    def answered(self, fact: f.OutboundUp) -> None:
        """Note that the citizen picked up."""
        row = self._dials.get(fact.attempt)
        if row is not None:
            self._dials.answered(row, fact.at, fact.unique_id)

    def over(self, fact: f.OutboundOver) -> None:
        """Note what became of it."""
        row = self._dials.get(fact.attempt)
        if row is not None:
            self._dials.end(row, fact.at, result_of(fact.status, fact.cause), cause_text(fact.status, fact.cause))

    def gone(self, fact: f.ChannelGone) -> None:
        """Free the agent whose telephone we rang for a call of their own."""
        attempt_id = attempt_of(fact.unique_id)
        if attempt_id is not None and fact.unique_id.startswith(AGENT_CHANNEL):
            self.not_reached(f.AgentNotReached(fact.at, attempt_id))

    def not_reached(self, fact: f.AgentNotReached) -> None:
        """Free the agent, and end the attempt if nothing else did."""
        row = self._dials.get(fact.attempt)
        if row is None or row.agent_id is None:
            return
        self._dials.end(row, fact.at, OutboundResult.FAILED, AGENT_AWAY)
        agent = lock_agent(self._session, row.agent_id)
        if agent.line_state == LineState.RINGING and agent.call_id in (None, row.call_id):
            set_line(self._session, agent, LineState.IDLE, None, fact.at)
