"""Names of the arrays that the year is made of, and the little that is done to all of them."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clock import LOCAL_ZONE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ids = NDArray[np.uint8]
"""One row of sixteen bytes an id."""
Random = np.random.Generator

SECOND = 1_000_000
"""Moments are microseconds since 1970 in UTC; NEVER stands where there is none."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEVER = -(10**18)
_ZONE = 8 * HOUR  # the hall's wall clock, which knows no summer time


def micros(moment: datetime) -> int:
    """Return a moment as microseconds."""
    return int(moment.timestamp() * SECOND)


def midnight(day: date) -> int:
    """Return when a day begins at the hall."""
    return micros(datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE))


def moment(value: int) -> datetime:
    """Return microseconds as a datetime."""
    return datetime.fromtimestamp(int(value) / SECOND, UTC)


def local_days(at: Ints) -> Ints:
    """Return the hall's calendar days of moments, as days since 1970."""
    return np.asarray((at + _ZONE) // DAY, dtype=np.int64)


def day_start(at: Ints) -> Ints:
    """Return when the hall's days of moments began."""
    return local_days(at) * DAY - _ZONE


def months(at: Ints) -> NDArray[np.str_]:
    """Return the hall's calendar months of moments, as 2026-03."""
    return np.datetime_as_string(local_days(at).astype("datetime64[D]"), unit="M")


def month_numbers(at: Ints) -> Ints:
    """Return January as 1."""
    days = local_days(at).astype("datetime64[D]")
    return np.asarray(days.astype("datetime64[M]").astype(np.int64) % 12 + 1, dtype=np.int64)


def seconds(values: Floats) -> Ints:
    """Return seconds as microseconds, to the millisecond, as the exchange tells them."""
    return np.asarray(np.round(values * 1000) * 1000, dtype=np.int64)


def new_ids(random: Random, at: Ints) -> Ids:
    """Return UUIDv7s that sort by the moments, as the program's own do, from the generator's own randomness."""
    ids = random.integers(0, 256, size=(len(at), 16), dtype=np.uint8)
    stamps = np.where(at == NEVER, 0, at // 1000).astype(">u8").view(np.uint8).reshape(-1, 8)
    ids[:, :6] = stamps[:, 2:]
    ids[:, 6] = 0x70 | (ids[:, 6] & 0x0F)
    ids[:, 8] = 0x80 | (ids[:, 8] & 0x3F)
    return ids


def pick(random: Random, weights: Any, size: int) -> Ints:
    """Return so many indices drawn by weights."""
    shares = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.asarray(np.searchsorted(shares, random.random(size) * shares[-1], side="right"), dtype=np.int64)


def pick_rows(random: Random, shares: Floats) -> Ints:
    """Return one index a row, drawn by that row's own weights."""
    sums = np.cumsum(shares, axis=1)
    draws = random.random(len(shares))[:, None] * sums[:, -1:]
    return np.asarray((draws >= sums).sum(axis=1), dtype=np.int64).clip(0, shares.shape[1] - 1)
