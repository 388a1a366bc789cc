"""Intervals of rates and rankings that respect them. Pure; statsmodels checks it in the tests."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from webui.statistics.kpi import Ratio

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: two-sided 95 %."""
LEAST_COUNT = 30
"""Below this many answers a rate is neither shown nor ranked."""


@dataclass(frozen=True)
class Interval:
    """From low to high, both between 0 and 1."""

    low: float
    high: float

    def overlaps(self, other: "Interval") -> bool:
        """Say whether the two share a point."""
        return self.low <= other.high and other.low <= self.high


def wilson(part: float, whole: float, z: float = Z95) -> Interval | None:
    """Return Wilson's score interval of part ÷ whole (Wilson 1927); None without a whole.

    Args:
        whole: may be an effective sample size, so both need not be whole numbers.
    """
    if whole <= 0:
        return None
    share, squared = part / whole, z * z
    centre = (share + squared / (2 * whole)) / (1 + squared / whole)
    half = z / (1 + squared / whole) * math.sqrt(max(0.0, share * (1 - share) / whole + squared / (4 * whole * whole)))
    # Rounding may miss the ends by a hair where all or nobody said yes.
    low = 0.0 if part <= 0 else max(0.0, centre - half)
    high = 1.0 if part >= whole else min(1.0, centre + half)
    return Interval(low, high)


def effective_size(weight: float, squared: float) -> float:
    """Return Kish's effective sample size (Σw)² ÷ Σw²; equal weights give the count itself."""
    return weight * weight / squared if squared > 0 else 0.0


def interval(ratio: Ratio) -> Interval | None:
    """Return the 95 % interval of a rate: Wilson's, with the effective sample size where the sample was weighted."""
    if not ratio.is_weighted or ratio.value is None or ratio.weighted_whole is None or ratio.squared is None:
        return wilson(ratio.part, ratio.whole)
    size = effective_size(ratio.weighted_whole, ratio.squared)
    return wilson(ratio.value * size, size)


def is_shown(ratio: Ratio, least: int = LEAST_COUNT) -> bool:
    """Say whether there are answers enough to give a rate of."""
    return ratio.whole >= least


@dataclass(frozen=True)
class Ranked:
    """One of those compared. `rank` is None where there are too few answers."""

    name: str
    ratio: Ratio
    interval: Interval | None
    rank: int | None


def ranking(rates: Sequence[tuple[str, Ratio]], least: int = LEAST_COUNT) -> list[Ranked]:
    """Return all, best first: a rank is one more than the number of those whose whole interval lies above.

    So those who overlap the best share its rank, and nobody is put behind another by chance. Too few answers come last, unranked.
    """
    known = [(name, ratio, interval(ratio)) for name, ratio in rates]
    enough = [(name, ratio, span) for name, ratio, span in known if is_shown(ratio, least) and span is not None]
    lows = sorted(span.low for _name, _ratio, span in enough)
    ranked = [Ranked(name, ratio, span, 1 + len(lows) - bisect_right(lows, span.high)) for name, ratio, span in enough]
    ranked.sort(key=lambda one: (one.rank, -(one.ratio.value or 0.0), one.name))
    few = [Ranked(name, ratio, span, None) for name, ratio, span in known if not is_shown(ratio, least)]
    return [*ranked, *sorted(few, key=lambda one: (-one.ratio.whole, one.name))]
