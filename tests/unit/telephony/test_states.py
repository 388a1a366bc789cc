"""The two state machines: every story move, nothing after the end, every state with a row, no state that contradicts its facts."""

import itertools
from datetime import UTC, datetime

import pytest

from core.errors import ConflictError
from telephony.agent_state import ALLOWED, AgentAction, AgentState, LineFacts, LineState, PersonFacts, check_allowed, shown_state
from telephony.call_state import TRANSITIONS, CallInput, CallOutcome, CallState, next_state, outcome

LATER = datetime(2026, 3, 18, 3, 0, tzinfo=UTC)


def walk(*inputs: CallInput) -> CallState:
    state = CallState.QUEUED
    for happened in inputs:
        state = next_state(state, happened)
    return state


@pytest.mark.parametrize(
    ("story", "state"),
    [
        ("joined rang connected held resumed ended", CallState.ENDED),
        ("joined rang stopped_ringing rang connected", CallState.TALKING),
        ("joined ended", CallState.ENDED),
        ("joined connected", CallState.TALKING),
        ("joined rang connected joined rang connected", CallState.TALKING),
        ("joined rang connected held joined", CallState.QUEUED),
        ("joined rang connected rang connected", CallState.TALKING),
        ("rang connected resumed", CallState.TALKING),
    ],
)
def test_stories(story: str, state: CallState) -> None:
    assert walk(*(CallInput(word) for word in story.split())) is state


def test_every_state_has_a_row_and_can_end() -> None:
    assert set(TRANSITIONS) == set(CallState)
    for state in set(CallState) - {CallState.ENDED}:
        assert next_state(state, CallInput.ENDED) is CallState.ENDED


@pytest.mark.parametrize("happened", list(CallInput))
def test_nothing_happens_after_the_end(happened: CallInput) -> None:
    with pytest.raises(ConflictError):
        next_state(CallState.ENDED, happened)


@pytest.mark.parametrize(
    ("state", "happened"),
    [
        (CallState.QUEUED, CallInput.HELD),
        (CallState.RINGING, CallInput.HELD),
        (CallState.QUEUED, CallInput.RESUMED),
        (CallState.TALKING, CallInput.STOPPED_RINGING),
    ],
)
def test_what_cannot_happen(state: CallState, happened: CallInput) -> None:
    with pytest.raises(ConflictError):
        next_state(state, happened)


def test_outcomes() -> None:
    assert outcome(was_answered=True, was_unserved=False) is CallOutcome.ANSWERED
    assert outcome(was_answered=True, was_unserved=True) is CallOutcome.ANSWERED
    assert outcome(was_answered=False, was_unserved=True) is CallOutcome.FAILED
    assert outcome(was_answered=False, was_unserved=False) is CallOutcome.ABANDONED


@pytest.mark.parametrize(
    ("person", "line", "shown"),
    [
        (PersonFacts(False, None, None), LineFacts(False, LineState.IDLE), AgentState.OFFLINE),
        (PersonFacts(False, None, None), LineFacts(True, LineState.IDLE), AgentState.OFFLINE),
        (PersonFacts(True, None, None), LineFacts(True, LineState.IDLE), AgentState.READY),
        (PersonFacts(True, "用餐", None), LineFacts(True, LineState.IDLE), AgentState.PAUSED),
        (PersonFacts(True, None, LATER), LineFacts(True, LineState.IDLE), AgentState.WRAPUP),
        (PersonFacts(True, "用餐", LATER), LineFacts(True, LineState.IDLE), AgentState.WRAPUP),
        (PersonFacts(True, None, None), LineFacts(False, LineState.IDLE), AgentState.FAULTY),
        (PersonFacts(True, "用餐", LATER), LineFacts(False, LineState.IDLE), AgentState.FAULTY),
        (PersonFacts(True, None, None), LineFacts(True, LineState.RINGING), AgentState.RINGING),
        (PersonFacts(True, "用餐", None), LineFacts(True, LineState.TALKING), AgentState.TALKING),
        (PersonFacts(True, None, None), LineFacts(False, LineState.TALKING), AgentState.TALKING),
        (PersonFacts(True, None, LATER), LineFacts(True, LineState.HELD), AgentState.HELD),
    ],
)
def test_shown_states(person: PersonFacts, line: LineFacts, shown: AgentState) -> None:
    assert shown_state(person, line) is shown


def test_who_is_ready_can_be_rung() -> None:
    """Whatever the facts are: ready means logged in, with a telephone, idle, not paused, no after-call work; nothing else does."""
    for is_logged_in, reason, until, is_registered, line in itertools.product(
        (True, False), (None, "x"), (None, LATER), (True, False), LineState
    ):
        shown = shown_state(PersonFacts(is_logged_in, reason, until), LineFacts(is_registered, line))
        can_be_rung = is_logged_in and reason is None and until is None and is_registered and line is LineState.IDLE
        assert (shown is AgentState.READY) == can_be_rung


def test_every_action_has_a_row() -> None:
    assert set(ALLOWED) == set(AgentAction)


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        (AgentState.OFFLINE, {"ready", "pause", "finish_wrapup", "extend_wrapup"}),
        (AgentState.RINGING, {"log_in", "ready", "pause", "finish_wrapup", "extend_wrapup", "log_out"}),
        (AgentState.TALKING, {"log_in", "ready", "finish_wrapup", "extend_wrapup", "log_out"}),
        (AgentState.HELD, {"log_in", "ready", "finish_wrapup", "extend_wrapup", "log_out"}),
        (AgentState.WRAPUP, set()),
        (AgentState.PAUSED, {"finish_wrapup", "extend_wrapup"}),
        (AgentState.READY, {"finish_wrapup", "extend_wrapup"}),
        (AgentState.FAULTY, {"finish_wrapup", "extend_wrapup"}),
    ],
)
def test_what_each_state_refuses(state: AgentState, refused: set[str]) -> None:
    got = set()
    for action in AgentAction:
        try:
            check_allowed(state, action)
        except ConflictError:
            got.add(str(action))
    assert got == refused
