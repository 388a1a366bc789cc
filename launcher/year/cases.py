"""The approval cases of the year: which matter, at which hall and window, when accepted and closed."""

from dataclasses import dataclass

import numpy as np

from launcher.year import arrivals
from launcher.year.arrays import DAY, HOUR, MINUTE, Bools, Floats, Ids, Ints, Random, midnight, month_numbers, new_ids, pick
from launcher.year.matters import HALLS, Matters
from launcher.year.plan import YearPlan

RESULTS = ("准予许可", "办结", "不予许可", "退件")
RESULT_SHARES = (0.62, 0.32, 0.02, 0.04)
DAYS_MEDIAN, DAYS_SPREAD = 4.0, 0.8
CONFIDENTIAL_SHARE = 0.01
_CLOSING_HOURS = (9, 10, 11, 13, 14, 15, 16)
_CLOSING_SHARES = (0.9, 1.3, 1.1, 0.5, 1.2, 1.4, 1.0)


@dataclass(frozen=True)
class Cases:
    """One element a case in every array, in order of closing."""

    id: Ids
    accepted_at: Ints
    closed_at: Ints
    citizen: Ints
    matter: Ints
    hall: Ints
    window: Ints
    is_confidential: Bools
    result: Ints

    def __len__(self) -> int:
        return len(self.closed_at)


def draw(plan: YearPlan, matters: Matters, count: int, citizens: int) -> Cases:
    """Draw so many cases; their people are among the citizens who ring, by their numbers."""
    random = plan.random("cases")
    closed = _closing_times(plan, random, count)
    hall = pick(random, [share for _, _, share, _ in HALLS], count)
    matter = _matters_of(random, matters, month_numbers(closed), hall)
    days = random.lognormal(np.log(DAYS_MEDIAN), DAYS_SPREAD, count).clip(0.02, 60)
    return Cases(
        id=new_ids(random, closed),
        accepted_at=(closed - (days * DAY).astype(np.int64)) // 1_000_000 * 1_000_000,
        closed_at=closed,
        citizen=random.integers(0, max(10, citizens), count),
        matter=matter,
        hall=hall,
        window=_windows_of(random, matters, matter, hall),
        is_confidential=random.random(count) < CONFIDENTIAL_SHARE,
        result=pick(random, RESULT_SHARES, count),
    )


def window_names(hall: int) -> list[str]:
    """Return the windows of a hall."""
    return [f"{number} 号窗口" for number in range(1, HALLS[hall][3] + 1)]


def _closing_times(plan: YearPlan, random: Random, count: int) -> Ints:
    """Cases are closed on working days in office hours, none after the end."""
    days = np.array([midnight(day) for day in plan.calendar])
    weights = np.array([arrivals.MONTHS[day.month - 1] * arrivals.is_working(day) for day in plan.calendar], dtype=np.float64)
    starts = days[:, None] + np.array(_CLOSING_HOURS) * HOUR
    shares = weights[:, None] * np.array(_CLOSING_SHARES) * (starts + HOUR <= plan.end_micros)
    chosen = starts.ravel()[pick(random, shares.ravel(), count)]
    seconds = random.integers(0, 60 * 60, count) * (MINUTE // 60)
    return np.sort(chosen + seconds)


def _matters_of(random: Random, matters: Matters, month: Ints, hall: Ints) -> Ints:
    drawn = np.zeros(len(hall), dtype=np.int64)
    for number in range(1, 13):
        weights = matters.weights(number, in_bad_week=False)
        for place, (_, region, _, _) in enumerate(HALLS):
            allowed = np.zeros(len(weights))
            allowed[matters.of_region(region)] = 1.0
            chosen = (month == number) & (hall == place)
            drawn[chosen] = pick(random, weights * allowed, int(chosen.sum()))
    return drawn


def _windows_of(random: Random, matters: Matters, matter: Ints, hall: Ints) -> Ints:
    """A unit sits at three windows next to each other in every hall."""
    many = np.array([windows for _, _, _, windows in HALLS])[hall]
    first: Floats = (matters.unit_of[matter] * 5) % many
    return np.asarray((first + random.integers(0, 3, len(matter))) % many, dtype=np.int64)
