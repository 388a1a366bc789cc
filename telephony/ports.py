"""What telephony needs, as roles: a switch that carries calls and engines that hear speech."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import ConflictError

Pcm = npt.NDArray[np.float32]
"""Mono samples in −1…1 at 16 kHz, shape (n,)."""


@dataclass(frozen=True)
class LiveChannel:
    """One channel of the exchange as it stands now. `agent` is whose telephone it is, or None."""

    unique_id: str
    linked_id: str
    channel: str
    agent: str | None
    is_up: bool
    is_bridged: bool
    context: str
    caller_number: str


@dataclass(frozen=True)
class Seat:
    """An agent's place in a queue of the exchange."""

    agent: str
    queue: str
    is_paused: bool


@dataclass(frozen=True)
class SwitchState:
    """Everything that the exchange knows now, to be compared with what we know."""

    channels: tuple[LiveChannel, ...]
    seats: tuple[Seat, ...]
    registered: frozenset[str]


@dataclass(frozen=True)
class CallTrace:
    """What the exchange itself noted of a call, for a bridge that was away. Times are None for what did not happen yet.

    `attempt_id` is set for a call that we placed, `is_placed` where an agent did.
    """

    unique_id: str
    arrived_at: datetime
    queue: str
    dialled: str
    recording: str
    caller_number: str
    caller_name: str
    answered_at: datetime | None = None
    agent: str | None = None
    agent_unique_id: str = ""
    agent_channel: str = ""
    ended_at: datetime | None = None
    cause: int = 0
    attempt_id: uuid.UUID | None = None
    is_placed: bool = False
    callback_asked_at: datetime | None = None


class OutboundResult(StrEnum):
    """What became of a call that we placed: 接通 占线 无人接听 拒接 空号 关机停机 线路故障"""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


@dataclass(frozen=True)
class Dial:
    """A call to be placed by the exchange alone.

    Whoever answers is asked questions (`ivr`), or waits for an agent in a queue (`queue`) before those of lower priority.
    `phone` is digits. The same attempt is dialled once, however often it is asked for, and not after `valid_until`.
    """

    attempt_id: uuid.UUID
    phone: str
    then: Literal["ivr", "queue"]
    queue: str | None = None
    ring_seconds: int = 30
    priority: int = 10
    valid_until: datetime | None = None


@dataclass(frozen=True)
class OutboundTrace:
    """What is known of a call that we placed. Times and result are None for what did not happen yet.

    `cause` is for people and logs: the exchange's own words and number (`CHANUNAVAIL 20`), or why nothing was dialled. `call_id`
    is the Call that it became: an agent's own, or one that waited in a queue. `unique_id` is the citizen's channel.
    """

    attempt_id: uuid.UUID
    dialled_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    result: OutboundResult | None = None
    cause: str = ""
    call_id: uuid.UUID | None = None
    unique_id: str = ""


@dataclass(frozen=True)
class LineUse:
    """How busy the lines, the queues and the agents are now.

    Args:
        others: citizens' lines that no call of ours holds.
        outbound: calls that we placed and that go on, those for which the agent's own telephone still rings included.
        waiting_citizens: in all queues.
        longest_waits: seconds of the longest wait in each queue in which somebody waits.
        ready_agents: for each agent who is ready, the queues that they serve.
        served: of the attempts that led into a queue, those that have come to an agent.
        has_ivr: somebody is there to speak with who is rung by machine.
    """

    total: int
    others: int = 0
    outbound: int = 0
    waiting_citizens: int = 0
    longest_waits: Mapping[str, float] = field(default_factory=dict)
    ready_agents: Sequence[frozenset[str]] = ()
    served: frozenset[uuid.UUID] = frozenset()
    has_ivr: bool = True


class NotSeatedError(ConflictError):
    """The agent sits in no queue of the exchange."""

    def __init__(self, agent_number: str) -> None:
        super().__init__(agent_number)
        self.agent_number = agent_number


class Switch(Protocol):
    """The telephone exchange. Every method raises UnavailableError when it does not answer."""

    def provision(self, agent_number: str, password: str) -> None:
        """Make the agent's softphone known, or change its password."""
        ...

    def withdraw(self, agent_number: str) -> None:
        """Make the agent's softphone unknown again."""
        ...

    def log_in(self, agent_number: str, name: str, queues: Sequence[str]) -> None:
        """Add the agent to its queues, paused."""
        ...

    def log_out(self, agent_number: str, queues: Sequence[str]) -> None:
        """Take the agent out of its queues."""
        ...

    def pause(self, agent_number: str, reason: str) -> None:
        """Send the agent no calls. NotSeatedError when they are in no queue."""
        ...

    def unpause(self, agent_number: str) -> None:
        """Send the agent calls again. NotSeatedError when they are in no queue."""
        ...

    def hang_up(self, channel: str) -> None:
        """End a channel. NotFoundError when it is already gone."""
        ...

    def transfer(self, agent_channel: str, extension: str) -> None:
        """Send the citizen who talks with the agent's channel to an extension. NotFoundError when the channel is gone."""
        ...

    def start_tap(self, unique_id: str, tap_id: str, address: str) -> None:
        """Send what one channel says to an AudioSocket server at `host:port`, named `tap_id`, until the channel ends."""
        ...

    def dial(self, dial: Dial) -> None:
        """Place a call and return at once; what becomes of it comes back as traces and facts.

        Raises:
            InvalidInputError: the phone is not digits, or a queue is missing: nothing was dialled.
            UnavailableError: it may or may not have been dialled. Ask `outbound_traces`, never again under another attempt.
        """
        ...

    def dial_for_agent(
        self, attempt_id: uuid.UUID, phone: str, agent_number: str, ring_seconds: int, valid_until: datetime | None = None
    ) -> None:
        """Ring the agent's telephone, and when it is picked up the citizen's; raises as `dial`."""
        ...

    def outbound_traces(self) -> list[OutboundTrace]:
        """Return what the exchange noted of calls that it placed and that nobody told it to forget.

        A trace may be missing when the exchange died within a second of dialling.
        """
        ...

    def forget_outbound(self, attempt_id: uuid.UUID) -> None:
        """Drop the note of a call that was placed; none is no error."""
        ...

    def state(self) -> SwitchState:
        """Return all channels, seats and registered agents of this moment."""
        ...

    def traces(self) -> list[CallTrace]:
        """Return what the exchange noted of calls that nobody told it to forget."""
        ...

    def forget(self, unique_id: str) -> None:
        """Drop the note of a call; it is recorded."""
        ...


@dataclass(frozen=True)
class Recognized:
    """A stretch of recognised speech; seconds from the start of the audio, confidence 0…1."""

    start_seconds: float
    end_seconds: float
    text: str
    confidence: float


class SpeechToText(Protocol):
    """Hears a whole recording."""

    name: str

    def transcribe(self, audio: Pcm, hotwords: str = "") -> list[Recognized]:
        """Return what was said, in order. Silence, noise and music give an empty list.

        Raises:
            UnavailableError: no weights, damaged weights, or the remote engine does not answer.
        """
        ...
