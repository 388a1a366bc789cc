import uuid
from datetime import UTC, datetime

import numpy as np

from telephony.speech.endpointing import Utterance
from telephony.speech.live_queue import LiveQueue, Stage, Waiting

CALL, OTHER = uuid.uuid4(), uuid.uuid4()
ORIGIN = datetime(2026, 3, 18, tzinfo=UTC)


def waiting(at: float, call_id: uuid.UUID = CALL, party: str = "citizen") -> Waiting:
    return Waiting(call_id, party, Utterance(0, 1, 1, np.zeros(0, np.float32)), at - 0.5, at, ORIGIN)


def test_one_party_is_taken_one_after_another_and_others_beside_it() -> None:
    queue = LiveQueue()
    first, second, agent, other = waiting(1), waiting(2), waiting(3, party="agent"), waiting(4, OTHER)
    for each in (first, second, agent, other):
        queue.add(each)
    assert [queue.take(), queue.take(), queue.take(), queue.take()] == [first, agent, other, None]
    queue.finish(first)
    assert queue.take() is second


def test_fresh_work_is_not_shed() -> None:
    queue = LiveQueue(shed_seconds=10)
    queue.add(waiting(0))
    assert queue.shed(10) == []
    assert len(queue) == 1


def test_when_the_oldest_is_too_old_the_half_as_old_go_with_it() -> None:
    queue = LiveQueue(shed_seconds=10)
    every = [waiting(float(at)) for at in range(12)]
    for each in every:
        queue.add(each)
    assert queue.shed(11) == every[:6]
    assert len(queue) == 6
    assert queue.shed(11) == []


def test_the_line_has_an_end() -> None:
    queue = LiveQueue(shed_seconds=1000, longest=3)
    every = [waiting(float(at)) for at in range(5)]
    for each in every:
        queue.add(each)
    assert queue.shed(6) == every[:2]


def test_lag_counts_from_the_last_sample_of_what_waits_or_is_being_decoded() -> None:
    queue = LiveQueue()
    assert queue.lag(CALL, 10) == 0
    queue.add(waiting(3))
    queue.add(waiting(1, OTHER))
    assert queue.lag(CALL, 10) == 7.5
    taken = queue.take()
    assert taken is not None
    assert queue.lag(CALL, 10) == 7.5
    assert queue.is_busy
    queue.finish(taken)
    assert queue.lag(CALL, 10) == 0


def draft(call_id: uuid.UUID = CALL) -> Waiting:
    made = waiting(1, call_id)
    made.stage = Stage.DRAFT
    return made


def test_a_draft_is_taken_when_nothing_else_waits_and_one_at_a_time() -> None:
    queue = LiveQueue()
    first, second, certain = draft(), draft(OTHER), waiting(5, party="agent")
    for each in (first, second):
        queue.add_draft(each)
    queue.add(certain)
    assert [queue.take(), queue.take(), queue.take()] == [certain, first, None]
    queue.confirm(first)
    assert queue.take() is second


def test_a_confirmed_draft_waits_like_the_others_and_counts_for_the_lag() -> None:
    queue = LiveQueue()
    guessed = draft()
    queue.add_draft(guessed)
    assert (len(queue), queue.lag(CALL, 10), queue.shed(100)) == (0, 0, [])
    queue.confirm(guessed)
    assert (len(queue), queue.lag(CALL, 10)) == (1, 9.5)
    assert queue.take() is guessed


def test_a_withdrawn_draft_is_not_taken() -> None:
    queue = LiveQueue()
    guessed = draft()
    queue.add_draft(guessed)
    queue.withdraw(guessed)
    assert queue.take() is None
    assert guessed.stage is Stage.WITHDRAWN
