"""Decides at what hours whom may be rung: surveys on working days, what we owe a citizen in windows of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from callback.rule import SURVEYS, Reason
from core.clock import LOCAL_ZONE, local_time
from core.errors import InvalidInputError

IsWorking = Callable[[date], bool]
_LONGEST_SEARCH_DAYS = 400


class Window(StrEnum):
    """Which hours hold for a callback."""

    SURVEY = "survey"
    REPLY = "reply"
    ASKED = "asked"
    QUEUE = "queue"


@dataclass(frozen=True)
class Hours:
    """From one time of the hall's clock to another, the end not included; `end` None is midnight."""

    start: time
    end: time | None
    working_days_only: bool

    def holds(self, moment: datetime, is_working: IsWorking) -> bool:
        """Say whether a moment lies within."""
        local = local_time(moment)
        if self.working_days_only and not is_working(local.date()):
            return False
        return local.time() >= self.start and (self.end is None or local.time() < self.end)


class NeverOpenError(InvalidInputError):
    """A window that does not open within a year: the calendar or the hours are set wrongly."""


def hours_from(text: str, *, working_days_only: bool) -> Hours:
    """Read hours as settings write them, `09:00-20:00`; 24:00 is midnight.

    Raises:
        InvalidInputError: anything else, or an end that is not after the start.
    """
    start_text, _, end_text = text.partition("-")
    try:
        start = time.fromisoformat(start_text.strip())
        end = None if end_text.strip() == "24:00" else time.fromisoformat(end_text.strip())
    except ValueError as error:
        raise InvalidInputError(f"时段要写成 09:00-20:00：{text}") from error
    if end is not None and end <= start:
        raise InvalidInputError(f"时段的结束要晚于开始：{text}")
    return Hours(start, end, working_days_only)


def window_of(reason: Reason, *, is_asked: bool) -> Window:
    """Return which hours hold: a time that the citizen asked for goes before what the reason says."""
    if reason is Reason.QUEUE_CALLBACK:
        return Window.QUEUE
    if is_asked or reason is Reason.ASKED_TIME:
        return Window.ASKED
    return Window.SURVEY if reason in SURVEYS else Window.REPLY


def next_open(hours: Hours, moment: datetime, is_working: IsWorking) -> datetime:
    """Return the moment itself when it lies within the hours, else when they open next.

    Raises:
        NeverOpenError: they do not open within a year.
    """
    if hours.holds(moment, is_working):
        return moment
    local = local_time(moment)
    day = local.date() if local.time() < hours.start else local.date() + timedelta(days=1)
    for _ in range(_LONGEST_SEARCH_DAYS):
        if not hours.working_days_only or is_working(day):
            return datetime.combine(day, hours.start, LOCAL_ZONE).astimezone(moment.tzinfo)
        day += timedelta(days=1)
    raise NeverOpenError(str(local.date()))


def asked_time_is_fit(hours: Hours, at: datetime, now: datetime, is_working: IsWorking) -> bool:
    """Say whether a time that a citizen asks for can be promised: to come, within a year, inside its window."""
    return now < at <= now + timedelta(days=365) and hours.holds(at, is_working)
