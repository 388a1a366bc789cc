"""How large a year is wanted, and where it ends."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from core.clock import local_date
from launcher.year.arrays import Random, micros, midnight

CITY_CALLS = 200_000
CITY_ANSWERS = 60_000
CITY_SEATS = 25
_YEAR = 365
_FEWEST_SEATS = 10


@dataclass(frozen=True)
class YearPlan:
    """What to make. The same plan makes the same year, to the last letter.

    Args:
        end: the moment up to which everything has happened.
        calls: inbound calls, exactly.
        answers: answered surveys, at least; most hold several answers.
        days: calendar days, the last of them the day of `end`.
    """

    end: datetime
    calls: int = CITY_CALLS
    answers: int = CITY_ANSWERS
    days: int = _YEAR
    seed: int = 12345

    def random(self, part: str) -> Random:
        """Return the randomness of one part: what one part draws never shifts what another does."""
        return np.random.default_rng([self.seed, *part.encode()])

    @cached_property
    def first_day(self) -> date:
        """The first calendar day."""
        return local_date(self.end) - timedelta(days=self.days - 1)

    @property
    def calendar(self) -> list[date]:
        """Every calendar day."""
        return [self.first_day + timedelta(days=number) for number in range(self.days)]

    @property
    def end_micros(self) -> int:
        """The end as microseconds."""
        return micros(self.end)

    @property
    def seats(self) -> int:
        """As many seats a call a day as the city has."""
        return max(_FEWEST_SEATS, round(CITY_SEATS * (self.calls / self.days) / (CITY_CALLS / _YEAR)))

    @property
    def second_version_from(self) -> int:
        """When the questionnaire on cases got its second version, which also asks for a recommendation."""
        return midnight(self.calendar[int(self.days * 0.35)])

    @property
    def bad_week(self) -> range:
        """The days, by their numbers, when the medical insurance system was down and everybody rang."""
        first = int(self.days * 0.58)
        return range(first, min(first + 7, first + max(1, self.days // 5)))
