"""What is done with calls: recording facts, passing on, hanging up, notes; and the reading that other stages need."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import ConflictError, InvalidInputError, NotFoundError
from telephony.agent_state import AgentState
from telephony.ami_facts import Fact, clean_number
from telephony.call_recorder import CallRecorder
from telephony.call_state import CallState
from telephony.call_story import RecorderRules
from telephony.door import Door
from telephony.models import Agent, Call, CallLeg, CallNote, note_parts
from telephony.reads import UnknownCallError

_LONGEST_NOTE = 4000
_LONGEST_WORD = 120


class NotInCallError(ConflictError):
    """The call is not with an agent now."""

    def __init__(self, call_id: uuid.UUID) -> None:
        super().__init__(str(call_id))
        self.call_id = call_id


class BadExtensionError(InvalidInputError):
    """A call cannot be passed on to this number."""

    def __init__(self, extension: str) -> None:
        super().__init__(extension)
        self.extension = extension


class AgentNotReadyError(ConflictError):
    """The agent that the call should go to takes no calls now."""

    def __init__(self, number: str, state: str) -> None:
        super().__init__(f"{number} is {state}")
        self.number = number
        self.state = state


class CallActions(Door):
    """The part of the front door for calls."""

    def record(self, facts: Iterable[Fact]) -> None:
        """Apply what the exchange told, in order and in one transaction; the same fact again changes nothing."""
        with self._database.transaction() as session:
            recorder = self._recorder(session)
            for fact in facts:
                recorder.record(fact)

    def _recorder(self, session: Session) -> CallRecorder:
        rules = self._rules
        return CallRecorder(session, RecorderRules(rules.node, rules.wrapup, rules.keep_days))

    def transfer_call(self, call_id: uuid.UUID, extension: str) -> None:
        """Pass the citizen on to a queue's number or to an agent who is ready.

        Raises:
            NotInCallError: nobody talks with the citizen now.
            BadExtensionError: neither a hotline number nor an agent's.
            AgentNotReadyError: that agent takes no calls now.
            UnavailableError: the exchange does not answer.
        """
        with self._database.transaction() as session:
            call = self._talking(session, call_id)
            if extension not in self._rules.transfer_numbers:
                agent = session.scalar(select(Agent).where(Agent.number == extension, Agent.is_active))
                if agent is None or agent.id == call.agent_id:
                    raise BadExtensionError(extension)
                if agent.state != AgentState.READY:
                    raise AgentNotReadyError(extension, agent.state)
            channel = call.agent_channel
        if channel is None:
            raise NotInCallError(call_id)
        self._switch.transfer(channel, extension)

    def hang_up(self, call_id: uuid.UUID) -> None:
        """End a call from our side; what follows comes back as facts. A call that has just ended is no error."""
        with self._database.transaction() as session:
            call = self._get(session, call_id)
            channel = call.channel if call.state != CallState.ENDED else None
        if channel is not None:
            with suppress(NotFoundError):
                self._switch.hang_up(channel)

    def release_ringing(self, agent_number: str) -> bool:
        """Stop ringing an agent whose telephone is gone, so that the call goes on at once; return whether it rang."""
        with self._database.transaction() as session:
            query = (
                select(CallLeg.channel)
                .join(Agent, Agent.id == CallLeg.agent_id)
                .where(Agent.number == agent_number, CallLeg.answered_at.is_(None), CallLeg.ended_at.is_(None))
            )
            channels = list(session.scalars(query))
        for channel in channels:
            with suppress(NotFoundError):
                self._switch.hang_up(channel)
        return bool(channels)

    def save_note(
        self,
        call_id: uuid.UUID,
        agent_id: uuid.UUID | None,
        *,
        kind: str = "",
        category: str = "",
        note: str = "",
        disposition: str = "",
        is_finished: bool = False,
    ) -> None:
        """Keep what an agent wrote of a call beside what others did; of type, category and result the last writing counts, except
        that who passed the call on changes nothing of whom it went to. Finished once, a note stays finished.

        Raises:
            UnknownCallError: there is no such call.
            InvalidInputError: a field is too long.
        """
        if len(note) > _LONGEST_NOTE or any(len(word) > _LONGEST_WORD for word in (kind, category, disposition)):
            raise InvalidInputError("the note is too long")
        now = self._clock.now()
        with self._database.transaction() as session:
            call = self._get(session, call_id)
            row = session.get(CallNote, call_id, with_for_update=True) or CallNote(call_id=call_id, note="", parts=[])
            parts = dict(note_parts(row)) | {str(agent_id): note}
            row.parts = [[author, text] for author, text in parts.items() if text]
            row.note = "\n".join(text for _, text in row.parts)
            if row.agent_id is None or row.agent_id == agent_id or row.agent_id != call.agent_id:
                row.agent_id, row.kind, row.category, row.disposition = agent_id, kind, category, disposition
            row.updated_at = now
            row.finished_at = row.finished_at or (now if is_finished else None)
            session.add(row)

    def is_caller_answered(self, caller_number: str, since: datetime) -> bool:
        """Say whether a call from a number that came in after a moment is with an agent now."""
        query = select(Call.id).where(
            Call.caller_number == clean_number(caller_number),
            Call.started_at >= since,
            Call.state.in_([CallState.TALKING, CallState.HELD]),
        )
        with self._database.transaction() as session:
            return session.scalar(query.limit(1)) is not None

    def _get(self, session: Session, call_id: uuid.UUID) -> Call:
        call = session.get(Call, call_id)
        if call is None:
            raise UnknownCallError(call_id)
        return call

    def _talking(self, session: Session, call_id: uuid.UUID) -> Call:
        call = self._get(session, call_id)
        if call.state not in (CallState.TALKING, CallState.HELD):
            raise NotInCallError(call_id)
        return call
