"""Decides what an agent's shown state is, and what the person may do in it.

What the line does comes from Asterisk, what the person does from us; the shown state is a function of both, so the two cannot
disagree.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.errors import ConflictError


class AgentState(StrEnum):
    """离线 就绪 振铃 通话 保持 话后 小休 异常"""

    OFFLINE = "offline"
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    WRAPUP = "wrapup"
    PAUSED = "paused"
    FAULTY = "faulty"


class LineState(StrEnum):
    """What an agent's line does."""

    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"


class AgentAction(StrEnum):
    """What a person may do at their seat."""

    LOG_IN = "log_in"
    READY = "ready"
    PAUSE = "pause"
    FINISH_WRAPUP = "finish_wrapup"
    EXTEND_WRAPUP = "extend_wrapup"
    LOG_OUT = "log_out"


SIGNED_IN = "签入"
"""The reason of the pause that every log-in begins with."""
MISSED = "未接来电"
"""The reason of the pause after a call that was not picked up."""


class AgentStateError(ConflictError):
    """The agent's state does not allow the action."""

    def __init__(self, state: AgentState, action: AgentAction) -> None:
        super().__init__(f"{action} while {state}")
        self.state = state
        self.action = action


@dataclass(frozen=True)
class PersonFacts:
    """What the person did."""

    is_logged_in: bool
    pause_reason: str | None
    wrapup_until: datetime | None


@dataclass(frozen=True)
class LineFacts:
    """What the exchange says of the line."""

    is_registered: bool
    state: LineState


_ON_LINE = {LineState.RINGING: AgentState.RINGING, LineState.TALKING: AgentState.TALKING, LineState.HELD: AgentState.HELD}


def shown_state(person: PersonFacts, line: LineFacts) -> AgentState:
    """Return the state that everybody sees: a call first, then a fault, then what the person does."""
    if line.state in _ON_LINE:
        return _ON_LINE[line.state]
    if not person.is_logged_in:
        return AgentState.OFFLINE
    if not line.is_registered:
        return AgentState.FAULTY
    if person.wrapup_until is not None:
        return AgentState.WRAPUP
    return AgentState.PAUSED if person.pause_reason else AgentState.READY


_A = AgentState
_ON_CALL = frozenset({_A.TALKING, _A.HELD})
_AT_WORK = frozenset({_A.READY, _A.WRAPUP, _A.PAUSED, _A.FAULTY})

# Doing again what is done already is allowed: a second click, or a retry after a lost answer, is no error. A pause asked for
# during a call begins after it.
ALLOWED: dict[AgentAction, frozenset[AgentState]] = {
    AgentAction.LOG_IN: _AT_WORK | {_A.OFFLINE},
    AgentAction.READY: _AT_WORK,
    AgentAction.PAUSE: _AT_WORK | _ON_CALL,
    AgentAction.FINISH_WRAPUP: frozenset({_A.WRAPUP}),
    AgentAction.EXTEND_WRAPUP: frozenset({_A.WRAPUP}),
    AgentAction.LOG_OUT: _AT_WORK | {_A.OFFLINE},
}


def check_allowed(state: AgentState, action: AgentAction) -> None:
    """Raise AgentStateError unless the action is allowed in the state."""
    if state not in ALLOWED[action]:
        raise AgentStateError(state, action)
