"""Decides whether a person may be asked now: how often a day, how far apart, rest after a refusal, an opt-out that lasts.

It binds surveys and campaigns only. What we owe a citizen (a missed call, a promised time, a bad rating) no opt-out blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callback.hindrance import Hindrance
from core.clock import day_bounds, local_date


@dataclass(frozen=True)
class Etiquette:
    """The house rules: two attempts a day and number, six hours apart, a week's rest after a refusal (advice; settings)."""

    attempts_a_day: int = 2
    gap: timedelta = timedelta(hours=6)
    rest: timedelta = timedelta(days=7)


@dataclass(frozen=True)
class NumberFacts:
    """What is known of a number. `rung_at`: when it was rung for surveys and campaigns, in any order.

    `asked_at` is when the person was last spoken with in a survey, for rules that ask a person at most once in so many days.
    """

    rung_at: Sequence[datetime] = ()
    refused_at: datetime | None = None
    asked_at: datetime | None = None
    has_opted_out: bool = False
    is_being_rung: bool = False


@dataclass(frozen=True)
class Drop:
    """Not to be rung for this any more."""

    why: Hindrance


@dataclass(frozen=True)
class NotBefore:
    """Not yet."""

    at: datetime
    why: Hindrance


def check(facts: NumberFacts, now: datetime, rules: Etiquette, ask_every_days: int, *, is_asked: bool) -> Drop | NotBefore | None:
    """Return what keeps a person from being asked now, or None.

    Args:
        ask_every_days: the rule's own limit; 0 for none.
        is_asked: the citizen asked for this time, so neither gap nor day binds; an opt-out or refusal since then still does.
    """
    if facts.has_opted_out:
        return Drop(Hindrance.OPTED_OUT)
    if facts.refused_at is not None and now < facts.refused_at + rules.rest:
        return NotBefore(facts.refused_at + rules.rest, Hindrance.RESTING)
    if is_asked:
        return None
    if ask_every_days and facts.asked_at is not None and now < facts.asked_at + timedelta(days=ask_every_days):
        return Drop(Hindrance.ASKED_LATELY)
    return _spacing(facts.rung_at, now, rules)


def _spacing(rung_at: Sequence[datetime], now: datetime, rules: Etiquette) -> NotBefore | None:
    start, following = day_bounds(local_date(now))
    if sum(start <= moment < following for moment in rung_at) >= rules.attempts_a_day:
        latest = max(rung_at)
        return NotBefore(max(following, latest + rules.gap), Hindrance.DAY_FULL)
    recent = [moment for moment in rung_at if moment <= now]
    if recent and now < max(recent) + rules.gap:
        return NotBefore(max(recent) + rules.gap, Hindrance.TOO_SOON)
    return None
