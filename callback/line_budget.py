"""Decides how many more lines may be taken for dialling out: never the last ones, and fewer the more citizens wait."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class LineRules:
    """The house's limits.

    Args:
        most: lines that callbacks may hold at once.
        keep_free: lines that are left for citizens who ring, whatever happens.
        yield_each: lines given up for each citizen who waits.
        stop_wait_seconds: nobody is rung by machine while a citizen waits longer.
    """

    most: int = 24
    keep_free: int = 6
    yield_each: int = 2
    stop_wait_seconds: float = 30.0


@dataclass(frozen=True)
class LineCount:
    """The lines now. `ours` counts attempts that are planned and not yet on a line too."""

    total: int
    others: int
    ours: int
    waiting_citizens: int
    longest_wait_seconds: float


def free_for_dialler(count: LineCount, rules: LineRules) -> int:
    """Return how many more calls the machine may place on its own."""
    if count.waiting_citizens and count.longest_wait_seconds > rules.stop_wait_seconds:
        return 0
    return max(0, free_for_agent(count, rules) - count.waiting_citizens * rules.yield_each)


def free_for_agent(count: LineCount, rules: LineRules) -> int:
    """Return how many more calls agents may place, and citizens who kept their place be rung: they do not yield to the queue."""
    return max(0, min(rules.most - count.ours, count.total - rules.keep_free - count.others - count.ours))


def agents_left(ready: Iterable[frozenset[str]], on_their_way: Iterable[str]) -> list[frozenset[str]]:
    """Return the queues of each ready agent for whom nobody is on the way yet.

    Args:
        ready: for each ready agent, the queues that they serve.
        on_their_way: the queue of each citizen who is being rung, or was and has not come to an agent.
    """
    left = sorted(ready, key=len)
    for queue in on_their_way:
        take_agent(left, queue)
    return left


def take_agent(left: list[frozenset[str]], queue: str) -> bool:
    """Take one agent of a queue out of `left`, one who serves few others; False when there is none."""
    found = next((served for served in left if queue in served), None)
    if found is None:
        return False
    left.remove(found)
    return True
