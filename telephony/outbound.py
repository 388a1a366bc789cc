"""Names and meanings of calls that we place: which channel belongs to which attempt, what the exchange's causes amount to. Pure."""

import uuid

from telephony.ports import OutboundResult

FAMILY = "tj-out"
"""Where extensions.conf notes them: /tj-out/<attempt>/dialled, answered, ended."""
AGENT_CHANNEL = "tj-agent-"
"""Before the attempt, the unique id of an agent's channel that we ring for a call of their own."""
DIAL_CHANNEL = "tj-dial-"
"""Before the attempt, the unique id of the channel that dials by itself."""

_R = OutboundResult
# Q.850 numbers, also as PJSIP makes them of SIP answers: 404 → 1, 410 → 22, 484 → 28, 486 → 17, 480 → 19, 603 → 21, 502 → 27.
_BY_CAUSE = {
    1: _R.INVALID_NUMBER,
    22: _R.INVALID_NUMBER,
    28: _R.INVALID_NUMBER,
    17: _R.BUSY,
    21: _R.REJECTED,
    19: _R.NO_ANSWER,
    18: _R.UNAVAILABLE,
    20: _R.UNAVAILABLE,
    27: _R.UNAVAILABLE,
}
_BY_STATUS = {"ANSWER": _R.ANSWERED, "BUSY": _R.BUSY, "NOANSWER": _R.NO_ANSWER}


def result_of(status: str, cause: int) -> OutboundResult:
    """Return what became of a call from Dial's word and the Q.850 number; what says nothing clear is a fault of the line."""
    if status == "ANSWER":
        return _R.ANSWERED
    # Who let it ring to the end was alive, whatever number the last message carried; our own giving up is nobody's answer.
    if status in ("NOANSWER", "CANCEL"):
        return _BY_CAUSE.get(cause, _R.NO_ANSWER) if status == "NOANSWER" else _R.FAILED
    return _BY_CAUSE.get(cause) or _BY_STATUS.get(status, _R.FAILED)


def cause_text(status: str, cause: int) -> str:
    """Return the cause as it is kept."""
    return f"{status} {cause}" if cause else status


def channel_of(prefix: str, attempt_id: uuid.UUID) -> str:
    """Return the unique id that a channel of an attempt gets."""
    return f"{prefix}{attempt_id.hex}"


def attempt_of(text: str) -> uuid.UUID | None:
    """Return the attempt of a channel's unique id, or of its bare hexadecimal digits; None when it is none of ours."""
    digits = text.removeprefix(AGENT_CHANNEL).removeprefix(DIAL_CHANNEL)
    if len(digits) != 32 or not all(character in "0123456789abcdef" for character in digits):
        return None
    return uuid.UUID(digits)
