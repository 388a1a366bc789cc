"""Decides on which day a rule falls due, and until when contact is promised."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from callback.rule import AtOnce, NextDay, OnDate, OnDay, When
from core.clock import LOCAL_ZONE, day_bounds, local_date

AddWorkingDays = Callable[[date, int], date]


def due_at(when: When, happened_at: datetime, add_working_days: AddWorkingDays) -> datetime:
    """Return when a callback falls due; a time that is past is at once."""
    match when:
        case AtOnce():
            return happened_at
        case NextDay(at=at):
            due = _at(local_date(happened_at) + timedelta(days=1), at)
        case OnDay(working_days=count, at=at):
            due = _at(add_working_days(local_date(happened_at), count), at)
        case OnDate(date=day, at=at):
            due = _at(day, at)
    return max(due, happened_at)


def promised_by(happened_at: datetime, working_days: int | None, add_working_days: AddWorkingDays) -> datetime | None:
    """Return the end of the working day by which contact is promised."""
    if working_days is None:
        return None
    return day_bounds(add_working_days(local_date(happened_at), working_days))[1]


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LOCAL_ZONE).astimezone(day_bounds(day)[0].tzinfo)
