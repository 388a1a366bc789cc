"""The measures as formulas over counts, and nothing else: no clock, no database. What is counted says definitions.py, in words."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOURS_A_DAY = 24
SATISFIED = 4
"""Grades of the scale: 5 非常满意, 4 满意, 3 基本满意, 2 不满意, 1 非常不满意."""
BARELY_SATISFIED = 3


@dataclass(frozen=True)
class Ratio:
    """A part of a whole, kept as both: a rate is never shown without its denominator. `weight` sums serve weighted samples.

    Args:
        part, whole: the plain counts.
        weighted_part, weighted_whole: the same with each unit's weight; None where every weight is 1.
        squared: the sum of the squared weights of the whole.
    """

    part: float
    whole: float
    weighted_part: float | None = None
    weighted_whole: float | None = None
    squared: float | None = None

    @property
    def value(self) -> float | None:
        """The rate between 0 and 1, weighted where the sample was; None without a whole."""
        if self.weighted_whole is not None and self.weighted_part is not None:
            return self.weighted_part / self.weighted_whole if self.weighted_whole > 0 else None
        return self.part / self.whole if self.whole > 0 else None

    @property
    def percent(self) -> float | None:
        """The rate in percent, unrounded."""
        return None if self.value is None else 100 * self.value

    @property
    def is_weighted(self) -> bool:
        """Whether weights change anything: all of them equal, they do not."""
        if self.weighted_whole is None or self.squared is None or self.whole == 0:
            return False
        return abs(self.weighted_whole**2 - self.whole * self.squared) > 1e-9 * max(1.0, self.weighted_whole**2)


@dataclass(frozen=True)
class Mean:
    """A sum of seconds over a number of things."""

    total: float
    count: float

    @property
    def value(self) -> float | None:
        """The average; None over nothing."""
        return self.total / self.count if self.count else None


# --- calls


def offered(answered: int, abandoned: int, unserved: int = 0) -> int:
    """Return how many calls asked for an agent: answered, given up after the short-abandon limit, ended by us without an answer."""
    return answered + abandoned + unserved


def service_level(in_time: int, offered_calls: int) -> Ratio:
    """Return calls answered within the target ÷ calls offered."""
    return Ratio(in_time, offered_calls)


def connect_rate(answered: int, offered_calls: int) -> Ratio:
    """Return calls answered ÷ calls offered."""
    return Ratio(answered, offered_calls)


def abandonment(abandoned: int, offered_calls: int) -> Ratio:
    """Return calls given up after the short-abandon limit ÷ calls offered."""
    return Ratio(abandoned, offered_calls)


def average_speed_of_answer(waiting_seconds: float, answered: int) -> Mean:
    """Return the waiting of answered calls ÷ their number."""
    return Mean(waiting_seconds, answered)


def handle_time(talking_seconds: float, wrapup_seconds: float, answered: int) -> Mean:
    """Return talking (hold included) and wrap-up ÷ answered calls."""
    return Mean(talking_seconds + wrapup_seconds, answered)


def occupancy(busy_seconds: float, staffed_seconds: float) -> Ratio:
    """Return the time with a call or its wrap-up ÷ the time logged in and not paused."""
    return Ratio(busy_seconds, staffed_seconds)


def first_contact_resolution(resolved: int, followed: int) -> Ratio:
    """Return calls settled at once whose caller did not ring again in the window ÷ answered calls whose window is over."""
    return Ratio(resolved, followed)


def direct_answer_rate(direct: int, answered: int) -> Ratio:
    """Return answered calls settled at once (即时答复) ÷ answered calls."""
    return Ratio(direct, answered)


def adoption_rate(adopted_calls: int, suggested_calls: int) -> Ratio:
    """Return answered calls in which a suggestion was adopted ÷ answered calls to which one was shown."""
    return Ratio(adopted_calls, suggested_calls)


@dataclass(frozen=True)
class HourCount:
    """One hour's calls, by when they came in."""

    hour_at: datetime
    answered: int
    offered: int


def rolling_day(hours: Iterable[HourCount], starts_at: datetime, ends_at: datetime) -> list[tuple[datetime, Ratio]]:
    """Return the connect rate of the 24 hours before each full hour in (starts_at, ends_at].

    Args:
        hours: the hours that had calls, from 24 hours before `starts_at` on; those without any may be missing.
    """
    by_hour = {hour.hour_at: hour for hour in hours}
    window: deque[tuple[int, int]] = deque(maxlen=HOURS_A_DAY)
    step, found = timedelta(hours=1), []
    at, answered, offered_calls = starts_at - timedelta(hours=HOURS_A_DAY), 0, 0
    while at < ends_at:
        if len(window) == HOURS_A_DAY:
            answered, offered_calls = answered - window[0][0], offered_calls - window[0][1]
        count = by_hour.get(at)
        window.append((count.answered, count.offered) if count else (0, 0))
        answered, offered_calls = answered + window[-1][0], offered_calls + window[-1][1]
        at += step
        if at > starts_at:
            found.append((at, connect_rate(answered, offered_calls)))
    return found


def days_reached(points: Sequence[tuple[datetime, Ratio]], target: float) -> tuple[int, int]:
    """Return (days reached, days): a day, as 24 full hours, reaches the target when none of its hours ends below it."""
    reached = days = 0
    for start in range(0, len(points), HOURS_A_DAY):
        values = [ratio.value for _, ratio in points[start : start + HOURS_A_DAY] if ratio.value is not None]
        if values:
            days += 1
            reached += min(values) >= target
    return reached, days


def percentile(counts: Iterable[tuple[float, int]], share: float) -> float | None:
    """Return the smallest value that at least `share` of all are not above, from (value, how many) pairs."""
    rows = sorted(counts)
    total = sum(count for _, count in rows)
    passed = 0
    for value, count in rows:
        passed += count
        if passed >= share * total and count:
            return value
    return None


# --- callbacks and surveys


def response_rate(contacted_in_time: int, due: int) -> Ratio:
    """响应率: callbacks with a promise that were contacted within it ÷ callbacks whose promise fell due."""
    return Ratio(contacted_in_time, due)


def contact_rate(contacted: int, owed: int) -> Ratio:
    """接触率: callbacks whose citizen was reached ÷ callbacks owed."""
    return Ratio(contacted, owed)


def survey_response_rate(answered: int, offered_surveys: int) -> Ratio:
    """问卷应答率: surveys with at least one answer ÷ surveys offered."""
    return Ratio(answered, offered_surveys)


def refusal_rate(refused: int, contacted: int) -> Ratio:
    """拒访率: citizens reached who refused ÷ citizens reached."""
    return Ratio(refused, contacted)


def after_call_rate(rated: int, offered_ratings: int) -> Ratio:
    """挂机评价参评率: ratings given at the end of a call ÷ ratings offered."""
    return Ratio(rated, offered_ratings)


@dataclass(frozen=True)
class Tally:
    """Answers with one score: how many, and the sums of their weights and of the squares of these."""

    score: float
    count: int
    weight: float
    squared: float


def satisfaction(grades: Iterable[Tally], *, counts_barely: bool = False) -> Ratio:
    """满意率: ratings 满意 or better (基本满意 too if so set) ÷ ratings given."""
    return _share(grades, BARELY_SATISFIED if counts_barely else SATISFIED)


def solved_rate(answers: Iterable[Tally]) -> Ratio:
    """解决率: callbacks whose citizen says that it is solved (score 1) ÷ callbacks that said yes or no."""
    return _share(answers, 1)


def _share(tallies: Iterable[Tally], least: float) -> Ratio:
    part = whole = weighted_part = weighted_whole = squared = 0.0
    for one in tallies:
        whole += one.count
        weighted_whole += one.weight
        squared += one.squared
        if one.score >= least:
            part += one.count
            weighted_part += one.weight
    return Ratio(part, whole, weighted_part, weighted_whole, squared)


def average_score(tallies: Iterable[Tally]) -> Mean:
    """Return the weighted mean score."""
    rows = list(tallies)
    return Mean(sum(one.score * one.weight for one in rows), sum(one.weight for one in rows))


# --- comparison


def change_points(now: Ratio, before: Ratio) -> float | None:
    """Return by how many percentage points a rate changed."""
    return None if now.percent is None or before.percent is None else now.percent - before.percent


def change_share(now: float, before: float) -> float | None:
    """Return by what share a number changed."""
    return (now - before) / before if before else None
