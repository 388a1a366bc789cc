"""Decides how many more lines may be taken for dialling out: never the last ones, and fewer the more citizens wait."""

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


def turns(queue_callbacks_before_queue: int, ready_agents: int, ringing_for_queue: int) -> int:
    """Return how many citizens who kept their place are rung now: each needs an agent who is ready for them."""
    return max(0, min(queue_callbacks_before_queue, ready_agents - ringing_for_queue))
