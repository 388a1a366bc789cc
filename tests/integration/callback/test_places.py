"""Places kept in the queue: one a number, and the citizen's until an agent has spoken with them."""

import uuid
from datetime import timedelta

import pytest

from callback.handlers import CallbackHandlers
from callback.planning import Planned
from callback.views import CallbackView
from telephony.events import CallAnswered, CallEnded
from telephony.models import Call, OutboundDial
from tests.integration.callback.conftest import Base

PHONE = "13800138000"


@pytest.fixture
def handlers(base: Base) -> CallbackHandlers:
    base.lines.ready_agents = [frozenset({"consult"})]
    return CallbackHandlers(base.service, base.database, base.clock)


def place(base: Base, phone: str = PHONE, queue: str = "consult", minutes: float = 5) -> CallbackView:
    queued_at = base.clock.now() - timedelta(minutes=minutes)
    return base.service.owe_queue_callback(uuid.uuid4(), phone, queue, queued_at)


def pick_up(base: Base) -> tuple[Planned, uuid.UUID]:
    """Let the dialer ring, the citizen pick up and wait once more; returns the attempt and the call."""
    (attempt,) = base.dialer().run_once()
    base.lines.answer(attempt.attempt_id)
    base.service.record_answered(attempt.attempt_id)
    now, unique = base.clock.now(), f"out-{attempt.attempt_id.hex}"
    call = Call(
        number=unique, node="test", linkedid=unique, unique_id=unique, caller_number=attempt.phone, direction="out",
        queue_name="consult", state="queued", started_at=now, queued_at=now,
    )  # fmt: skip
    with base.database.transaction() as session:
        session.add(call)
        session.flush()
        session.add(
            OutboundDial(
                attempt_id=attempt.attempt_id, node="test", phone=attempt.phone, then="queue", call_id=call.id,
                unique_id=unique, asked_at=now, answered_at=now,
            )
        )  # fmt: skip
    return attempt, call.id


def hang_up(base: Base, handlers: CallbackHandlers, attempt: Planned, call_id: uuid.UUID, outcome: str = "abandoned") -> None:
    """Let the citizen's line end; each event comes twice."""
    for _ in range(2):
        base.tell(attempt.attempt_id, "answered")
    with base.database.transaction() as session:
        call = session.get_one(Call, call_id)
        call.state, call.outcome, call.ended_at = "ended", outcome, base.clock.now()
    for _ in range(2):
        handlers.on_call_ended(CallEnded(call_id=call_id, agent_id=None, outcome=outcome))


def talk(base: Base, handlers: CallbackHandlers, call_id: uuid.UUID) -> None:
    """Let an agent take the call."""
    with base.database.transaction() as session:
        session.get_one(Call, call_id).answered_at = base.clock.now()
    for _ in range(2):
        handlers.on_call_answered(CallAnswered(call_id=call_id, agent_id=uuid.uuid4()))


def test_an_agent_who_answers_settles_it(base: Base, handlers: CallbackHandlers) -> None:
    kept = place(base)
    attempt, call_id = pick_up(base)
    assert (base.get(kept).state, base.get(kept).contacted_at) == ("owed", None)
    talk(base, handlers, call_id)
    found = base.get(kept)
    assert (found.state, found.disposition, found.contacted_at is not None) == ("done", "completed", True)
    hang_up(base, handlers, attempt, call_id, "answered")
    assert base.service.attempts(kept.callback_id)[0].state == "ended"
    assert base.get(kept).attempt_count == 1
    assert base.open_callbacks() == 0


@pytest.mark.parametrize("outcome", ["abandoned", "failed"])
def test_who_picked_up_and_got_no_agent_keeps_the_place_and_is_rung_no_more_than_three_times(
    base: Base, handlers: CallbackHandlers, outcome: str
) -> None:
    kept = place(base)
    for number in (1, 2, 3):
        attempt, call_id = pick_up(base)
        base.clock.advance(60)
        hang_up(base, handlers, attempt, call_id, outcome)
        found = base.get(kept)
        assert (found.attempt_count, found.contacted_at, found.queued_at) == (number, None, kept.queued_at)
        last = base.service.attempts(kept.callback_id)[-1]
        assert (last.state, last.disposition, last.cause) == ("ended", "failed", "no_agent")
        assert base.dialer().run_once() == []
        base.clock.advance(600)
    assert (found.state, found.why) == ("given_up", "ways_used_up")
    assert base.dialer().run_once() == []


def test_the_word_of_the_queue_may_come_late(base: Base, handlers: CallbackHandlers) -> None:
    kept = place(base)
    attempt, call_id = pick_up(base)
    base.tell(attempt.attempt_id, "answered")
    base.run_out()
    base.clock.advance(20)
    base.dialer().run_once()
    assert (base.get(kept).state, base.get(kept).disposition) == ("owed", "failed")
    talk(base, handlers, call_id)
    assert (base.get(kept).state, base.get(kept).disposition) == ("done", "completed")
    assert base.get(kept).contacted_at is not None


def test_a_line_that_was_lost_after_it_was_picked_up_served_nobody(base: Base, handlers: CallbackHandlers) -> None:
    kept = place(base)
    pick_up(base)
    base.lines.lose()
    base.run_out()
    base.clock.advance(20)
    base.dialer().run_once()
    assert (base.get(kept).state, base.get(kept).contacted_at) == ("owed", None)


def test_an_agent_who_rings_it_by_click_says_how_it_went(base: Base) -> None:
    kept = place(base)
    agent_id = uuid.uuid4()
    attempt = base.service.dial(kept.callback_id, agent_id)
    base.service.record_answered(attempt.attempt_id)
    base.tell(attempt.attempt_id, "answered")
    assert base.get(kept).state == "owed"


def test_a_number_keeps_one_place_a_queue_the_older(base: Base, handlers: CallbackHandlers) -> None:
    kept = place(base, minutes=20)
    again = place(base, minutes=2)
    assert (again.callback_id, again.queued_at) == (kept.callback_id, kept.queued_at)
    assert place(base, queue="complaint").callback_id != kept.callback_id
    assert base.open_callbacks() == 2
    attempt, call_id = pick_up(base)
    talk(base, handlers, call_id)
    hang_up(base, handlers, attempt, call_id, "answered")
    # The event of before, told once more, opens nothing; a place that is asked for later does.
    assert place(base, minutes=2).state == "done"
    base.clock.advance(600)
    assert place(base, minutes=1).callback_id != kept.callback_id


def test_who_asks_again_is_there_to_be_rung(base: Base) -> None:
    kept = place(base)
    base.lines.ready_agents = [frozenset({"consult"})]
    (attempt,) = base.dialer().run_once()
    base.tell(attempt.attempt_id, "no_answer")
    base.clock.advance(600)
    assert base.dialer().run_once() == []
    place(base, minutes=1)
    assert [planned.callback_id for planned in base.dialer().run_once()] == [kept.callback_id]


def test_who_rings_again_needs_no_call_back_beside_the_place_and_none_once_answered(base: Base) -> None:
    kept = place(base)
    assert base.service.owe_for_call(base.call(PHONE, "abandoned")) == []
    base.clock.advance(60)
    assert base.service.close_missed_calls(base.call(PHONE, "answered")) == 1
    assert (base.get(kept).state, base.get(kept).why) == ("done", "answered_again")
    assert base.open_callbacks() == 0
