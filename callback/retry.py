"""Decides what follows an attempt: done, given up, the same way again after a while, or the next way. A table by cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callback.disposition import CONTACTED, DONE, GIVEN_UP, Disposition
from callback.hindrance import Hindrance


@dataclass(frozen=True)
class Again:
    """How long to wait after a cause, and how often one way is tried for it, the first time counted."""

    after: timedelta
    times: int


_D = Disposition

# Etiquette may put a survey off further; a reply is rung at these distances.
RETRY: dict[Disposition, Again] = {
    _D.BUSY: Again(timedelta(minutes=30), 3),
    _D.NO_ANSWER: Again(timedelta(hours=4), 3),
    _D.UNAVAILABLE: Again(timedelta(hours=6), 2),
    # Whoever hung up in the middle is asked once more, by the same way.
    _D.BROKEN_OFF: Again(timedelta(hours=6), 2),
    _D.FAILED: Again(timedelta(minutes=10), 3),
}
MOST_ATTEMPTS_A_WAY = 5
"""Whatever the mix of causes, one way is tried no more often."""


@dataclass(frozen=True)
class Done:
    """Nothing more is owed."""


@dataclass(frozen=True)
class GiveUp:
    """Nothing more is tried."""

    why: str


@dataclass(frozen=True)
class TryAt:
    """The next try: when, by which of the ways, and whether at a time that the citizen asked for."""

    at: datetime
    way_no: int
    is_asked: bool = False


Step = Done | GiveUp | TryAt


def after_attempt(
    disposition: Disposition,
    earlier: Sequence[Disposition],
    way_no: int,
    way_count: int,
    now: datetime,
    again_at: datetime | None = None,
) -> Step:
    """Return what follows.

    Args:
        earlier: what earlier attempts by this same way gave, in any order.
        way_no: which of `way_count` ways was tried.
        again_at: the time that the citizen asked for.
    """
    if disposition in DONE:
        return Done()
    if disposition is _D.CALLBACK_ASKED:
        return TryAt(again_at or now + timedelta(days=1), way_no, is_asked=again_at is not None)
    if disposition in GIVEN_UP:
        return GiveUp(disposition)
    again = RETRY[disposition]
    if list(earlier).count(disposition) + 1 < again.times and len(earlier) + 1 < MOST_ATTEMPTS_A_WAY:
        return TryAt(now + again.after, way_no)
    if way_no + 1 < way_count:
        return TryAt(now, way_no + 1)
    return GiveUp(Hindrance.WAYS_USED_UP)


def after_message(way_no: int, way_count: int, now: datetime) -> Step:
    """Return what follows a text message that failed or stayed without an answer: it is not sent twice."""
    return TryAt(now, way_no + 1) if way_no + 1 < way_count else GiveUp(Hindrance.WAYS_USED_UP)


def is_contact(disposition: Disposition) -> bool:
    """Say whether the person themselves was spoken with."""
    return disposition in CONTACTED
