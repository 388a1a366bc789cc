"""Decides what state a call is in after each thing that happens to it. A table, no clock, no database."""

from enum import StrEnum

from core.errors import ConflictError


class CallState(StrEnum):
    """排队 振铃 通话 保持 结束"""

    QUEUED = "queued"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


class CallOutcome(StrEnum):
    """How an ended call went: answered, given up by the citizen while waiting, or ended by us unanswered."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    FAILED = "failed"


class CallInput(StrEnum):
    """What happens to a call."""

    JOINED = "joined"
    RANG = "rang"
    STOPPED_RINGING = "stopped_ringing"
    CONNECTED = "connected"
    HELD = "held"
    RESUMED = "resumed"
    ENDED = "ended"


class CallStateError(ConflictError):
    """The call's state does not allow this."""

    def __init__(self, state: CallState, happened: CallInput) -> None:
        super().__init__(f"{happened} while {state}")
        self.state = state
        self.happened = happened


HOLD_ENDS = frozenset({"resumed", "transferred", "agent_lost", "queued", "answered", "ended"})
"""The kinds of line in a call's story that end a hold."""

_S, _I = CallState, CallInput

# A call may join a queue again: it was transferred, or its agent was lost.
TRANSITIONS: dict[CallState, dict[CallInput, CallState]] = {
    _S.QUEUED: {
        _I.JOINED: _S.QUEUED,
        _I.RANG: _S.RINGING,
        _I.STOPPED_RINGING: _S.QUEUED,
        _I.CONNECTED: _S.TALKING,
        _I.ENDED: _S.ENDED,
    },
    _S.RINGING: {
        _I.JOINED: _S.QUEUED,
        _I.RANG: _S.RINGING,
        _I.STOPPED_RINGING: _S.QUEUED,
        _I.CONNECTED: _S.TALKING,
        _I.ENDED: _S.ENDED,
    },
    _S.TALKING: {
        _I.JOINED: _S.QUEUED,
        _I.RANG: _S.RINGING,
        _I.CONNECTED: _S.TALKING,
        _I.HELD: _S.HELD,
        _I.RESUMED: _S.TALKING,
        _I.ENDED: _S.ENDED,
    },
    _S.HELD: {
        _I.JOINED: _S.QUEUED,
        _I.RANG: _S.RINGING,
        _I.CONNECTED: _S.TALKING,
        _I.HELD: _S.HELD,
        _I.RESUMED: _S.TALKING,
        _I.ENDED: _S.ENDED,
    },
    _S.ENDED: {},
}


def next_state(state: CallState, happened: CallInput) -> CallState:
    """Return the state after something happened.

    Raises:
        CallStateError: it cannot happen in this state.
    """
    try:
        return TRANSITIONS[state][happened]
    except KeyError:
        raise CallStateError(state, happened) from None


def outcome(was_answered: bool, was_unserved: bool) -> CallOutcome:
    """Return how an ended call went. Answered once is answered; unserved means that we ended the waiting, not the citizen."""
    if was_answered:
        return CallOutcome.ANSWERED
    return CallOutcome.FAILED if was_unserved else CallOutcome.ABANDONED
