"""How many lines may be taken: a table of situations."""

import pytest

from callback.line_budget import LineCount, LineRules, free_for_agent, free_for_dialler, turns

RULES = LineRules(most=24, keep_free=6, yield_each=2, stop_wait_seconds=30)


@pytest.mark.parametrize(
    ("total", "others", "ours", "waiting", "longest", "machine", "agents"),
    [
        (60, 0, 0, 0, 0, 24, 24),  # our own limit
        (60, 0, 20, 0, 0, 4, 4),
        (60, 0, 24, 0, 0, 0, 0),
        (60, 0, 30, 0, 0, 0, 0),
        (30, 0, 0, 0, 0, 24, 24),
        (30, 10, 0, 0, 0, 14, 14),  # never the last six
        (30, 24, 0, 0, 0, 0, 0),
        (30, 28, 0, 0, 0, 0, 0),
        (6, 0, 0, 0, 0, 0, 0),
        (30, 10, 10, 0, 0, 4, 4),
        (60, 0, 0, 1, 5, 22, 24),  # yields to those who wait
        (60, 0, 0, 5, 20, 14, 24),
        (60, 0, 0, 12, 29, 0, 24),
        (60, 0, 0, 1, 30, 22, 24),
        (60, 0, 0, 1, 30.1, 0, 24),  # waits too long: none
        (60, 0, 0, 0, 99, 24, 24),  # nobody waits: the wait is over
    ],
)
def test_lines(total: int, others: int, ours: int, waiting: int, longest: float, machine: int, agents: int) -> None:
    count = LineCount(total, others, ours, waiting, longest)
    assert free_for_dialler(count, RULES) == machine
    assert free_for_agent(count, RULES) == agents


@pytest.mark.parametrize(
    ("before", "ready", "ringing", "now"), [(3, 2, 0, 2), (1, 5, 0, 1), (3, 2, 1, 1), (3, 0, 0, 0), (3, 1, 2, 0), (0, 4, 0, 0)]
)
def test_citizens_who_kept_their_place_are_rung_when_agents_are_ready(before: int, ready: int, ringing: int, now: int) -> None:
    assert turns(before, ready, ringing) == now
