"""The line of waiting citizens: first come, first served, the agent idle longest, patience that runs out. Nothing is drawn here."""

import heapq
from dataclasses import dataclass

import numpy as np

from launcher.year.arrays import NEVER, Bools, Floats, Ints

ABANDONED, FAILED = -1, -2
NOBODY = -1


@dataclass(frozen=True)
class Demand:
    """What each call brings along. Seconds."""

    at: Ints
    ring: Floats
    patience: Floats
    busy: Floats
    """Talk, writing and whatever keeps the agent from the next call."""
    is_missed: Bools
    """Whether the first agent who is rung does not pick up."""


@dataclass(frozen=True)
class Served:
    """What became of each call. `rang_at` is NEVER where nobody was rung; `missed_by` is NOBODY where the first agent picked up."""

    agent: Ints
    """A seat, ABANDONED or FAILED."""
    rang_at: Ints
    answered_at: Ints
    gave_up_at: Ints
    missed_by: Ints
    missed_at: Ints


class Seats:
    """Who is free, idle longest first, within the windows of each seat."""

    def __init__(self, windows: list[tuple[Ints, Ints]]) -> None:
        self._starts = [starts.tolist() for starts, _ in windows]
        self._ends = [ends.tolist() for _, ends in windows]
        self._next = [0] * len(windows)
        self._free: list[tuple[int, int]] = []
        for seat in range(len(windows)):
            self.give_back(seat, 0)

    def take(self, now: int) -> tuple[int, int] | None:
        """Return (free since or from, seat) of who can take a call that waits since `now`, or None when everybody has gone."""
        while self._free:
            free, seat = heapq.heappop(self._free)
            if self._ends[seat][self._next[seat]] > max(free, now):
                return free, seat
            self.give_back(seat, max(free, now))
        return None

    def give_back(self, seat: int, at: int) -> None:
        """Let a seat take calls from a moment on, as soon as it is on duty."""
        starts, ends, number = self._starts[seat], self._ends[seat], self._next[seat]
        while number < len(ends) and ends[number] <= at:
            number += 1
        self._next[seat] = number
        if number < len(ends):
            heapq.heappush(self._free, (max(at, starts[number]), seat))


def serve(
    demand: Demand, windows: list[tuple[Ints, Ints]], *, limit_seconds: float, missed_ring: float, missed_rest: float
) -> Served:
    """Serve every call in order.

    Args:
        limit_seconds: the exchange ends the waiting after so long.
        missed_ring: seconds that a telephone rings before the next agent's does.
        missed_rest: seconds that the agent who did not pick up is then away.
    """
    count = len(demand.at)
    agent = [ABANDONED] * count
    rang, answered, gave_up = [NEVER] * count, [NEVER] * count, [NEVER] * count
    missed_by, missed_at = [NOBODY] * count, [NEVER] * count
    seats = Seats(windows)
    million, limit = 1_000_000, int(limit_seconds * 1_000_000)
    rows = zip(
        demand.at.tolist(),
        _micros(demand.ring),
        _micros(demand.patience),
        _micros(demand.busy),
        demand.is_missed.tolist(),
        strict=True,
    )
    for number, (at, ring, patience, busy, is_missed) in enumerate(rows):
        leaves = at + min(patience, limit)
        found = seats.take(at)
        if found is not None and is_missed and max(found[0], at) + int(missed_ring * million) < leaves:
            missed_by[number], missed_at[number] = found[1], max(found[0], at)
            at = missed_at[number] + int(missed_ring * million)
            seats.give_back(found[1], at + int(missed_rest * million))
            found = seats.take(at)
        begins = max(found[0], at) if found is not None else leaves
        if found is not None and begins < leaves:
            rang[number] = begins
        if found is None or begins + ring >= leaves:
            if found is not None:
                seats.give_back(found[1], leaves if begins < leaves else found[0])
            agent[number] = ABANDONED if patience < limit else FAILED
            gave_up[number] = leaves
            continue
        agent[number], answered[number] = found[1], begins + ring
        seats.give_back(found[1], begins + ring + busy)
    return Served(*(np.array(values, dtype=np.int64) for values in (agent, rang, answered, gave_up, missed_by, missed_at)))


def _micros(values: Floats) -> list[int]:
    return (np.round(values * 1000).astype(np.int64) * 1000).tolist()  # type: ignore[no-any-return]
