"""The line of the made-up year: first come, first served, idle longest first, and patience that runs out."""

import numpy as np

from launcher.year.arrays import NEVER, SECOND
from launcher.year.queueing import ABANDONED, FAILED, NOBODY, Demand, Served, serve

DAY = (np.array([0], dtype=np.int64), np.array([10_000 * SECOND], dtype=np.int64))


def served(calls: list[tuple[float, float, float, float]], windows: int | list = 1, missed: tuple[int, ...] = ()) -> Served:
    """Serve calls given as (at, ring, patience, busy) seconds."""
    at, ring, patience, busy = (np.array(column, dtype=np.float64) for column in zip(*calls, strict=True))
    demand = Demand((at * SECOND).astype(np.int64), ring, patience, busy, np.isin(np.arange(len(calls)), missed))
    seats = [DAY] * windows if isinstance(windows, int) else windows
    return serve(demand, seats, limit_seconds=900, missed_ring=20, missed_rest=60)


def test_a_free_agent_answers_after_the_ring() -> None:
    found = served([(100, 4, 60, 200)])
    assert found.agent.tolist() == [0]
    assert found.rang_at[0] == 100 * SECOND
    assert found.answered_at[0] == 104 * SECOND


def test_who_comes_later_waits_for_the_one_before() -> None:
    found = served([(100, 5, 600, 200), (150, 5, 600, 50)])
    assert found.answered_at.tolist() == [105 * SECOND, (105 + 200 + 5) * SECOND]


def test_the_agent_idle_longest_is_rung() -> None:
    found = served([(100, 1, 60, 10), (105, 1, 60, 500), (200, 1, 60, 10)], windows=2)
    assert found.agent.tolist() == [0, 1, 0]


def test_patience_runs_out_and_the_agent_is_not_lost() -> None:
    found = served([(100, 5, 600, 200), (150, 5, 30, 50), (310, 5, 60, 10)])
    assert found.agent.tolist() == [0, ABANDONED, 0]
    assert found.gave_up_at[1] == 180 * SECOND
    assert found.rang_at[1] == NEVER
    assert found.answered_at[2] == 315 * SECOND


def test_whoever_hangs_up_while_it_rings_was_rung() -> None:
    found = served([(100, 5, 3, 200)])
    assert (found.agent[0], found.rang_at[0], found.gave_up_at[0]) == (ABANDONED, 100 * SECOND, 103 * SECOND)


def test_waiting_is_ended_at_the_limit() -> None:
    found = served([(100, 5, 600, 5000), (150, 5, 3000, 50)])
    assert found.agent[1] == FAILED
    assert found.gave_up_at[1] == (150 + 900) * SECOND


def test_nobody_takes_a_call_outside_of_a_shift() -> None:
    late = (np.array([500], dtype=np.int64) * SECOND, np.array([1000], dtype=np.int64) * SECOND)
    found = served([(100, 5, 60, 50), (480, 5, 60, 50), (999, 2, 60, 300), (1001, 5, 60, 50)], windows=[late])
    assert found.agent.tolist() == [ABANDONED, 0, 0, ABANDONED]
    assert found.answered_at[1] == 505 * SECOND


def test_a_telephone_that_is_not_picked_up_rings_on_at_the_next() -> None:
    found = served([(100, 4, 120, 50)], windows=2, missed=(0,))
    assert found.missed_by.tolist() == [0]
    assert found.agent.tolist() == [1]
    assert found.answered_at[0] == (100 + 20 + 4) * SECOND
    assert served([(100, 4, 120, 50)]).missed_by.tolist() == [NOBODY]
