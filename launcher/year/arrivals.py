"""When citizens ring: by the day of the week and the year, by the hour, more after holidays, far more in the bad week."""

import re
from datetime import date
from functools import cache

import holidays
import numpy as np

from launcher.year.arrays import MINUTE, Floats, Ints, midnight
from launcher.year.plan import YearPlan

# Monday to Sunday, on working weeks.
WEEKDAYS = (1.24, 1.10, 1.04, 1.01, 0.97, 0.50, 0.44)
HOLIDAY, SWAPPED, AFTER_HOLIDAY, BAD_WEEK = 0.34, 0.95, 1.30, 1.75
MONTHS = (0.96, 0.90, 1.06, 1.02, 1.00, 1.05, 1.06, 1.02, 1.03, 0.95, 1.02, 0.98)
# Calls an hour of a working day and of a day off, midnight first.
WORKING_HOURS = (4, 2, 1, 1, 1, 2, 6, 18, 62, 100, 96, 70, 38, 50, 84, 86, 74, 52, 30, 24, 20, 16, 10, 6)
OFF_HOURS = (6, 3, 2, 1, 1, 3, 8, 22, 48, 70, 70, 56, 40, 46, 56, 56, 50, 42, 34, 30, 26, 20, 14, 9)
_SWAP = re.compile(r"substituted from (\d\d)/(\d\d)/(\d{4})")


@cache
def _swaps(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the days off of a year, and the weekend days that are worked for them (调休)."""
    off: set[date] = set()
    worked: set[date] = set()
    for day, name in holidays.country_holidays("CN", years=year).items():
        off.add(day)
        if found := _SWAP.search(name):
            worked.add(date(int(found[3]), int(found[1]), int(found[2])))
    return frozenset(off), frozenset(worked)


def is_working(day: date) -> bool:
    """Return whether offices work, by the national calendar; beyond its last published year by weekends alone."""
    off, worked = _swaps(day.year)
    return day in worked or (day.weekday() < 5 and day not in off)


def is_holiday(day: date) -> bool:
    """Return whether the day is a public holiday or a day off beside one."""
    return day in _swaps(day.year)[0]


def day_weights(plan: YearPlan) -> Floats:
    """Return how many calls each day brings, beside the others."""
    days, bad = plan.calendar, plan.bad_week
    weights = np.empty(len(days))
    for number, day in enumerate(days):
        weight = HOLIDAY if is_holiday(day) else WEEKDAYS[day.weekday()]
        if is_working(day) and day.weekday() >= 5:
            weight = SWAPPED
        if is_working(day) and number and not is_working(days[number - 1]) and is_holiday(days[number - 1]):
            weight = max(weight, WEEKDAYS[0]) * AFTER_HOLIDAY
        weights[number] = weight * MONTHS[day.month - 1] * (BAD_WEEK if number in bad else 1.0)
    return weights


def draw(plan: YearPlan) -> Ints:
    """Return when each call arrives, in order; none after the plan's end."""
    random, weights = plan.random("arrivals"), day_weights(plan)
    shares = np.empty((plan.days, 48))
    for number, day in enumerate(plan.calendar):
        hours = np.array(WORKING_HOURS if is_working(day) else OFF_HOURS, dtype=np.float64)
        # Two half-hours an hour, each leaning towards its neighbour.
        halves = np.repeat(hours, 2) + np.repeat(np.roll(hours, 1) - hours, 2) * np.tile([0.25, 0.0], 24)
        halves += np.repeat(np.roll(hours, -1) - hours, 2) * np.tile([0.0, 0.25], 24)
        shares[number] = weights[number] * halves / halves.sum()
    starts = np.array([midnight(day) for day in plan.calendar])[:, None] + np.arange(48) * 30 * MINUTE
    left = np.clip(
        (plan.end_micros - 60 * MINUTE // 4 - starts) / (30 * MINUTE), 0.0, 1.0
    )  # the last quarter of an hour is still going on
    shares *= left
    counts = random.multinomial(plan.calls, (shares / shares.sum()).ravel())
    within = random.random(plan.calls) * 30 * MINUTE * np.repeat(left.ravel(), counts)
    at = np.repeat(starts.ravel(), counts) + within.astype(np.int64)
    at = np.sort(at // 1000 * 1000)
    # No two at one moment: order is told by time alone.
    return np.asarray(np.maximum.accumulate(at - np.arange(len(at)) * 1000) + np.arange(len(at)) * 1000, dtype=np.int64)
