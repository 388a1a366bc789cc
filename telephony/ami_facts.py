"""What the manager's events mean to us: facts with our words and a time. Pure; Asterisk's names end here.

A fact says what happened, never what to do about it. Text that a caller chose is cleaned of control characters and cut.
"""

import re
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from telephony.ami_protocol import AmiMessage
from telephony.outbound import attempt_of
from telephony.speech.digit_runs import SHORTEST_RUN
from telephony.speech.redaction import redact

_TECHNOLOGY = "PJSIP/"
_NAME_LENGTH = 60
_READ_LENGTH = 200  # a number that the cut would leave a part of is still seen whole
_NUMBER_LENGTH = 32
_RECORDING = re.compile(r"^\d{4}/\d{2}/\d{2}/[A-Za-z0-9_-]{0,60}\d+\.\d+$")
_GONE_CONTACTS = {"removed", "unreachable"}
_DEAD_DEVICES = {"UNAVAILABLE", "INVALID", "UNKNOWN"}
TO_AGENT_CONTEXT = "to-agent"
OUTBOUND_AGENT_CONTEXT = "outbound-agent"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that Asterisk told, and when it happened."""

    at: datetime


@dataclass(frozen=True, slots=True)
class CallArrived(Fact):
    """A citizen rang a hotline number and was picked up, or was rung back (`attempt`) and waits again.

    `recording` is the recordings' path without party and ending.
    """

    unique_id: str
    linked_id: str
    channel: str
    caller_number: str
    caller_name: str
    dialled: str
    queue: str
    recording: str
    attempt: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CallPlaced(Fact):
    """An agent has picked up for a call of their own, and the citizen's telephone is rung."""

    unique_id: str
    linked_id: str
    channel: str
    attempt: uuid.UUID
    agent: str
    agent_unique_id: str
    agent_channel: str


@dataclass(frozen=True, slots=True)
class OutboundDialled(Fact):
    """A citizen's telephone is rung for an attempt."""

    attempt: uuid.UUID


@dataclass(frozen=True, slots=True)
class OutboundUp(Fact):
    """The citizen picked up."""

    attempt: uuid.UUID
    unique_id: str


@dataclass(frozen=True, slots=True)
class OutboundOver(Fact):
    """An attempt is over. `status` is Dial's word, `cause` the Q.850 number."""

    attempt: uuid.UUID
    status: str
    cause: int


@dataclass(frozen=True, slots=True)
class AgentNotReached(Fact):
    """An agent did not pick up, or could not be rung, for a call of their own."""

    attempt: uuid.UUID


@dataclass(frozen=True, slots=True)
class CallbackAsked(Fact):
    """A waiting citizen pressed the key to be rung back."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class AfterCallBegun(Fact):
    """The agent hung up, and the citizen was passed on to the question at the end."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class CallerJoined(Fact):
    """A citizen stands in a queue; again after a transfer or when the agent was lost."""

    unique_id: str
    linked_id: str
    channel: str
    queue: str
    position: int


@dataclass(frozen=True, slots=True)
class CallUnserved(Fact):
    """The citizen waited as long as one may."""

    unique_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentRinging(Fact):
    """An agent's telephone rings for a call."""

    unique_id: str
    agent: str
    agent_unique_id: str
    agent_channel: str


@dataclass(frozen=True, slots=True)
class AgentMissed(Fact):
    """An agent's telephone rang and was not picked up."""

    unique_id: str
    agent: str
    agent_unique_id: str


@dataclass(frozen=True, slots=True)
class AgentConnected(Fact):
    """An agent and the citizen hear each other.

    `recording` is where the recordings begin only now: in an agent's own call.
    """

    unique_id: str
    agent: str
    agent_unique_id: str
    agent_channel: str
    recording: str = ""


@dataclass(frozen=True, slots=True)
class AgentLost(Fact):
    """The agent's side ended without hanging up; the citizen goes back to the queue."""

    unique_id: str
    cause: int


@dataclass(frozen=True, slots=True)
class Held(Fact):
    """A channel put the other side on hold."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class Unheld(Fact):
    """A channel took the other side back from hold."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class Transferred(Fact):
    """An agent's channel passed the citizen on."""

    unique_id: str
    extension: str


@dataclass(frozen=True, slots=True)
class ChannelGone(Fact):
    """A channel ended. `cause` is the Q.850 number."""

    unique_id: str
    channel: str
    cause: int
    cause_text: str


@dataclass(frozen=True, slots=True)
class MemberPaused(Fact):
    """Asterisk stopped, or began again, to send an agent the calls of a queue."""

    agent: str
    queue: str
    is_paused: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ContactChanged(Fact):
    """One telephone of an agent came or went."""

    agent: str
    address: str
    is_reachable: bool


@dataclass(frozen=True, slots=True)
class LineChanged(Fact):
    """An agent has, or no longer has, a telephone that answers."""

    agent: str
    is_registered: bool


@dataclass(frozen=True, slots=True)
class TapFailed(Fact):
    """Live audio of a channel could not be started; `tap_channel` is the channel's unique id that we chose."""

    tap_channel: str


def clean_text(value: str, length: int) -> str:
    """Return a caller's text, cut, without control, format and separator characters: they hide or reverse what is shown."""
    plain = re.sub(r'\\(["\\])', r"\1", value)  # SIP's quoted pairs (RFC 3261, 25.1), which Asterisk hands on as they came
    kept = (character if character == " " or unicodedata.category(character)[0] not in "CZ" else " " for character in plain)
    return " ".join("".join(kept).split())[:length]


def display_name(value: str, number: str) -> str:
    """Return the name that a caller's telephone sent, without numbers; nothing where it holds the caller's own again."""
    plain = "".join(str(unicodedata.decimal(character, character)) for character in clean_text(value, _READ_LENGTH))
    digits = re.sub(r"[^0-9]", "", plain)
    if number and len(digits) >= SHORTEST_RUN and (digits in number or number.lstrip("+") in digits):
        return ""
    return redact(plain)[:_NAME_LENGTH]


def clean_number(value: str) -> str:
    """Return a caller's number as digits and + * #; empty when there is none."""
    return re.sub(r"[^0-9+*#]", "", value)[:_NUMBER_LENGTH]


def recording_path(value: str) -> str:
    """Return a recording's path when it is one of ours (year/month/day/unique id), else nothing: it becomes a file name."""
    return value if _RECORDING.match(value) else ""


def agent_of(interface: str) -> str | None:
    """Return the agent's number of an interface or device (`PJSIP/8001`), None when it is not an agent's."""
    number = interface.removeprefix(_TECHNOLOGY).partition("-")[0]
    return number if interface.startswith(_TECHNOLOGY) and number.isdigit() else None


def is_citizen_channel(channel: str) -> bool:
    """Say whether a channel comes from the carrier."""
    return channel.startswith(_TECHNOLOGY) and agent_of(channel) is None


def interface_of(agent: str) -> str:
    """Return what Asterisk calls an agent's telephone."""
    return _TECHNOLOGY + agent


def facts(message: AmiMessage, received_at: datetime) -> list[Fact]:
    """Return what an event says; nothing for events that say nothing to us, or that lack what they should have.

    Args:
        message: the event.
        received_at: used when the event carries no time of its own.
    """
    read = _READERS.get(message.name)
    if read is None or message.kind != "event":
        return []
    fact = read(message, _at(message, received_at))
    return [] if fact is None else [fact]


def _at(message: AmiMessage, received_at: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(float(message.get("Timestamp")), UTC)
    except (ValueError, OverflowError, OSError):
        return received_at


def _number(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        return 0


def _known(value: str) -> str:
    return "" if value == "<unknown>" else value


def _user_event(message: AmiMessage, at: datetime) -> Fact | None:
    read = _USER_EVENTS.get(message.get("UserEvent"))
    unique_id = message.get("Uniqueid")
    return read(message, at, unique_id) if read is not None and unique_id else None


def _arrived(message: AmiMessage, at: datetime, unique_id: str) -> Fact:
    number = clean_number(_known(message.get("CallerIDNum")))
    return CallArrived(
        at,
        unique_id,
        message.get("Linkedid") or unique_id,
        message.get("Channel"),
        number,
        display_name(_known(message.get("CallerIDName")), number),
        message.get("Dialled"),
        message.get("Queue"),
        recording_path(message.get("Recording")),
        attempt_of(message.get("Attempt")),
    )


def _placed(message: AmiMessage, at: datetime, unique_id: str) -> Fact | None:
    channel, attempt = message.get("AgentChannel"), attempt_of(message.get("Attempt"))
    agent = agent_of(channel)
    if agent is None or attempt is None:
        return None
    linked_id, agent_unique_id = message.get("Linkedid") or unique_id, message.get("AgentUniqueid")
    return CallPlaced(at, unique_id, linked_id, message.get("Channel"), attempt, agent, agent_unique_id, channel)


def _agent_talks(message: AmiMessage, at: datetime, unique_id: str) -> Fact | None:
    channel = message.get("AgentChannel")
    agent = agent_of(channel)
    if agent is None:
        return None
    return AgentConnected(at, unique_id, agent, message.get("AgentUniqueid"), channel, recording_path(message.get("Recording")))


def _of_attempt(make: Callable[[AmiMessage, datetime, uuid.UUID], Fact]) -> "_UserEventReader":
    def read(message: AmiMessage, at: datetime, _: str) -> Fact | None:
        attempt = attempt_of(message.get("Attempt"))
        return None if attempt is None else make(message, at, attempt)

    return read


_UserEventReader = Callable[[AmiMessage, datetime, str], Fact | None]
_USER_EVENTS: dict[str, _UserEventReader] = {
    "CallArrived": _arrived,
    "CallUnserved": lambda message, at, unique_id: CallUnserved(at, unique_id, message.get("Reason")),
    "AgentLost": lambda message, at, unique_id: AgentLost(at, unique_id, _number(message.get("Cause"))),
    "CallPlaced": _placed,
    "AgentTalks": _agent_talks,
    "OutboundDialled": _of_attempt(lambda _, at, attempt: OutboundDialled(at, attempt)),
    "OutboundAnswered": _of_attempt(lambda message, at, attempt: OutboundUp(at, attempt, message.get("Uniqueid"))),
    "OutboundEnded": _of_attempt(
        lambda message, at, attempt: OutboundOver(at, attempt, message.get("Status"), _number(message.get("Reason")))
    ),
    "QueueCallback": lambda _, at, unique_id: CallbackAsked(at, unique_id),
    "AfterCallOffered": lambda _, at, unique_id: AfterCallBegun(at, unique_id),
}


def _joined(message: AmiMessage, at: datetime) -> Fact | None:
    unique_id = message.get("Uniqueid")
    position = _number(message.get("Position"))
    return CallerJoined(at, unique_id, message.get("Linkedid"), message.get("Channel"), message.get("Queue"), position)


def _agent(make: Callable[[datetime, str, str, str, str], Fact]) -> Callable[[AmiMessage, datetime], Fact | None]:
    def read(message: AmiMessage, at: datetime) -> Fact | None:
        agent = agent_of(message.get("Interface") or message.get("DestChannel"))
        unique_id, agent_unique_id = message.get("Uniqueid"), message.get("DestUniqueid")
        if agent is None or not unique_id:
            return None
        return make(at, unique_id, agent, agent_unique_id, message.get("DestChannel"))

    return read


def _missed(at: datetime, unique_id: str, agent: str, agent_unique_id: str, _: str) -> Fact:
    return AgentMissed(at, unique_id, agent, agent_unique_id)


_ringing = _agent(AgentRinging)
_connected = _agent(AgentConnected)
_not_answered = _agent(_missed)


def _dial_begin(message: AmiMessage, at: datetime) -> Fact | None:
    # The queue tells of its own dialling; these are for what an agent was sent directly.
    return _ringing(message, at) if message.get("Context") == TO_AGENT_CONTEXT else None


def _dial_end(message: AmiMessage, at: datetime) -> Fact | None:
    if message.get("Context") != TO_AGENT_CONTEXT:
        return None
    return _connected(message, at) if message.get("DialStatus") == "ANSWER" else _not_answered(message, at)


def _transferred(message: AmiMessage, at: datetime) -> Fact | None:
    if message.get("Result").lower() != "success":
        return None
    return Transferred(at, message.get("TransfererUniqueid"), message.get("Extension"))


def _gone(message: AmiMessage, at: datetime) -> Fact | None:
    unique_id = message.get("Uniqueid")
    return ChannelGone(at, unique_id, message.get("Channel"), _number(message.get("Cause")), message.get("Cause-txt")[:80])


def _paused(message: AmiMessage, at: datetime) -> Fact | None:
    agent = agent_of(message.get("Interface"))
    if agent is None:
        return None
    return MemberPaused(at, agent, message.get("Queue"), message.get("Paused") == "1", message.get("PausedReason"))


def _contact(message: AmiMessage, at: datetime) -> Fact | None:
    agent = message.get("EndpointName") or message.get("AOR")
    if not agent.isdigit():
        return None
    return ContactChanged(at, agent, message.get("URI"), message.get("ContactStatus").lower() not in _GONE_CONTACTS)


def _device(message: AmiMessage, at: datetime) -> Fact | None:
    agent = agent_of(message.get("Device"))
    return None if agent is None else LineChanged(at, agent, message.get("State") not in _DEAD_DEVICES)


def _originated(message: AmiMessage, at: datetime) -> Fact | None:
    if message.get("Response").lower() != "failure":
        return None
    if message.get("Context") == OUTBOUND_AGENT_CONTEXT:
        attempt = attempt_of(message.get("Exten"))
        return None if attempt is None else AgentNotReached(at, attempt)
    if attempt_of(message.get("Uniqueid")) is not None:
        return None  # what the exchange dials by itself tells of itself
    return TapFailed(at, message.get("Uniqueid"))


_READERS: dict[str, Callable[[AmiMessage, datetime], Fact | None]] = {
    "UserEvent": _user_event,
    "QueueCallerJoin": _joined,
    "AgentCalled": _ringing,
    "AgentRingNoAnswer": _not_answered,
    "AgentConnect": _connected,
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "Hold": lambda message, at: Held(at, message.get("Uniqueid")),
    "Unhold": lambda message, at: Unheld(at, message.get("Uniqueid")),
    "BlindTransfer": _transferred,
    "Hangup": _gone,
    "QueueMemberPause": _paused,
    "ContactStatus": _contact,
    "DeviceStateChange": _device,
    "OriginateResponse": _originated,
}

WANTED_EVENTS = (*_READERS, "FullyBooted", "Shutdown")
"""The events that the manager user is sent; everything else is filtered out by Asterisk itself."""
