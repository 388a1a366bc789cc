"""When whom may be rung: tables of moments on the hall's clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from callback.calling_hours import (
    Hours,
    NeverOpenError,
    Window,
    asked_time_is_fit,
    hours_from,
    next_open,
    window_of,
)
from callback.rule import Reason
from core.clock import LOCAL_ZONE
from core.errors import InvalidInputError

SURVEY = hours_from("09:00-20:00", working_days_only=True)
REPLY = hours_from("08:30-21:00", working_days_only=False)
ALWAYS = hours_from("00:00-24:00", working_days_only=False)
# National Day 2026 as published: 1–7 October off, Saturday 10 October worked in exchange.
OFF = {date(2026, 10, day) for day in range(1, 8)}
EXCHANGED = {date(2026, 10, 10)}


def is_working(day: date) -> bool:
    return day in EXCHANGED or (day.weekday() < 5 and day not in OFF)


def at(text: str) -> datetime:
    """Return a moment of the hall's clock in October 2026, `day hh:mm`."""
    day, clock = text.split()
    hour, minute = clock.split(":")
    return datetime(2026, 10, int(day), int(hour), int(minute), tzinfo=LOCAL_ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        (SURVEY, "8 09:00", "8 09:00"),
        (SURVEY, "8 19:59", "8 19:59"),
        (SURVEY, "8 20:00", "9 09:00"),
        (SURVEY, "8 08:59", "8 09:00"),
        (SURVEY, "8 23:59", "9 09:00"),
        (SURVEY, "9 00:01", "9 09:00"),
        (SURVEY, "9 20:30", "10 09:00"),  # the exchanged Saturday is worked
        (SURVEY, "10 20:30", "12 09:00"),  # and Sunday is not
        (SURVEY, "1 10:00", "8 09:00"),  # the whole holiday
        (SURVEY, "11 12:00", "12 09:00"),
        (REPLY, "1 10:00", "1 10:00"),  # who rang in vain is rung back on a holiday too
        (REPLY, "1 21:00", "2 08:30"),
        (ALWAYS, "4 23:59", "4 23:59"),
        (ALWAYS, "5 00:00", "5 00:00"),
    ],
)
def test_opens(hours: Hours, now: str, opens: str) -> None:
    assert next_open(hours, at(now), is_working) == at(opens)


def test_a_window_that_never_opens_is_an_error() -> None:
    with pytest.raises(NeverOpenError):
        next_open(SURVEY, at("8 09:00"), lambda _day: False)


@pytest.mark.parametrize("text", ["", "9-20", "09:00", "20:00-09:00", "09:00-09:00", "09:00-25:00", "24:00-24:00", "x-y"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        hours_from(text, working_days_only=True)


@pytest.mark.parametrize(
    ("reason", "is_asked", "window"),
    [
        (Reason.CASE_CLOSED, False, Window.SURVEY),
        (Reason.CALL_ANSWERED, False, Window.SURVEY),
        (Reason.CAMPAIGN, False, Window.SURVEY),
        (Reason.CAMPAIGN, True, Window.ASKED),
        (Reason.MISSED_CALL, False, Window.REPLY),
        (Reason.BAD_RATING, False, Window.REPLY),
        (Reason.MISSED_CALL, True, Window.ASKED),
        (Reason.ASKED_TIME, False, Window.ASKED),
        (Reason.QUEUE_CALLBACK, False, Window.QUEUE),
        (Reason.QUEUE_CALLBACK, True, Window.QUEUE),
    ],
)
def test_which_window_holds(reason: Reason, is_asked: bool, window: Window) -> None:
    assert window_of(reason, is_asked=is_asked) is window


def test_every_reason_has_a_window() -> None:
    assert {window_of(reason, is_asked=False) for reason in Reason} == set(Window)


@pytest.mark.parametrize(
    ("asked", "fits"),
    [("8 10:00", False), ("8 10:01", True), ("8 21:30", False), ("9 08:29", False), ("9 08:30", True), ("11 12:00", True)],
)
def test_times_that_can_be_promised(asked: str, fits: bool) -> None:
    assert asked_time_is_fit(REPLY, at(asked), at("8 10:00"), is_working) is fits


def test_nobody_is_promised_a_time_in_two_years() -> None:
    now = at("8 10:00")
    assert not asked_time_is_fit(REPLY, now + timedelta(days=700), now, is_working)
