"""How many lines may be taken: a table of situations."""

import pytest

from callback.line_budget import LineCount, LineRules, agents_left, free_for_agent, free_for_dialler, take_agent

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


A, B, BOTH = frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"})


@pytest.mark.parametrize(
    ("ready", "on_their_way", "left"),
    [
        ([], [], []),
        ([A, A], [], [A, A]),
        ([A, A], ["a"], [A]),
        ([A], ["a", "a", "b"], []),
        ([A], ["b"], [A]),  # another queue's agent is nothing to it
        ([BOTH, A], ["a"], [BOTH]),  # who serves this queue alone goes first
        ([BOTH, A], ["b"], [A]),
        ([BOTH], ["a"], []),  # one agent, one citizen, whatever the queue
    ],
)
def test_agents_for_whom_nobody_is_on_the_way(
    ready: list[frozenset[str]], on_their_way: list[str], left: list[frozenset[str]]
) -> None:
    assert agents_left(ready, on_their_way) == left


def test_an_agent_is_taken_once() -> None:
    left = [A, BOTH]
    assert [take_agent(left, queue) for queue in ("a", "a", "a", "b")] == [True, True, False, False]
