"""What telephony tells the later stages. Small: a listener that needs more asks the service."""

import uuid
from datetime import datetime

from core.outbox import Event


class CallQueued(Event):
    """A citizen waits in a queue."""

    queue_name: str


class CallRinging(Event):
    """The call rings at an agent."""

    agent_id: uuid.UUID


class CallMissed(Event):
    """An agent was rung and did not pick up."""

    agent_id: uuid.UUID


class CallAnswered(Event):
    """An agent and the citizen talk."""

    agent_id: uuid.UUID


class CallHeld(Event):
    """The citizen was put on hold."""


class CallResumed(Event):
    """The citizen is back from hold."""


class CallTransferred(Event):
    """The agent passed the call on."""

    extension: str


class CallEnded(Event):
    """The call is over. `outcome` is a CallOutcome."""

    agent_id: uuid.UUID | None
    outcome: str


class AgentChanged(Event):
    """An agent's shown state, reason or since changed."""

    agent_id: uuid.UUID


class SpeechStarted(Event):
    """A party began to speak; its text follows as SegmentHeard."""

    party: str
    started_at: datetime


class SegmentHeard(Event):
    """A segment was stored, or its text was masked further (`is_amended`)."""

    segment_id: uuid.UUID
    party: str
    is_amended: bool = False


class TranscriptLagged(Event):
    """Live text runs behind by so many seconds, or text was shed."""

    seconds: float
    shed_count: int = 0


class OutboundAnswered(Event):
    """A call that we placed was picked up. `call_id` is set where it is a Call: an agent's own, or one that waits in a queue."""

    attempt_id: uuid.UUID


class OutboundEnded(Event):
    """A call that we placed is over, or never came about. `result` is an OutboundResult; seconds are None when not answered."""

    attempt_id: uuid.UUID
    result: str
    cause: str = ""
    answered_seconds: float | None = None


class QueueCallbackAsked(Event):
    """A waiting citizen asked to be rung back instead, and keeps the place of `queued_at`."""

    phone: str
    queue_name: str
    queued_at: datetime


class AfterCallOffered(Event):
    """The agent hung up and the citizen was passed on to the question at the end of the call."""

    agent_id: uuid.UUID | None


class RecordingLost(Event):
    """A party's recording is missing or cut short."""

    party: str
    reason: str


class TranscriptReady(Event):
    """The transcript from the recording replaced the live one."""
