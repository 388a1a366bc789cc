"""Working days: the published calendar, a site's own days, and years that nobody has published yet."""

from datetime import date

import pytest
from structlog.testing import capture_logs

from core.database import Database
from core.errors import InvalidInputError
from core.working_days import WorkingDays


@pytest.fixture
def days(database: Database) -> WorkingDays:
    return WorkingDays(database)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 3, 18), True),
        (date(2026, 3, 21), False),
        (date(2026, 2, 17), False),  # Spring Festival
        (date(2026, 2, 14), True),  # a Saturday worked in exchange
        (date(2026, 10, 7), False),
        (date(2026, 10, 10), True),
        (date(2026, 10, 11), False),
    ],
)
def test_published_days(days: WorkingDays, day: date, works: bool) -> None:
    assert days.is_working_day(day) is works


def test_counting(days: WorkingDays) -> None:
    friday = date(2026, 3, 20)
    assert days.next_working_day(friday) == date(2026, 3, 23)
    assert days.add_working_days(friday, 0) == friday
    assert days.add_working_days(date(2026, 3, 21), 0) == date(2026, 3, 23)
    assert days.add_working_days(friday, 5) == date(2026, 3, 27)
    assert days.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert days.add_working_days(date(2026, 10, 8), 2) == date(2026, 10, 10)


def test_years_that_nobody_published_never_raise_and_are_said_once(days: WorkingDays) -> None:
    assert days.is_published(2026)
    assert not days.is_published(2031)
    with capture_logs() as logs:
        assert days.is_working_day(date(2031, 1, 1)) is False
        assert days.is_working_day(date(2031, 3, 12)) is True
        assert days.is_working_day(date(2190, 3, 13)) is False
        assert days.is_working_day(date(2190, 3, 12)) is True
        assert days.is_working_day(date(1900, 3, 12)) is True
    assert [entry["year"] for entry in logs if entry["event"] == "calendar_unpublished"] == [2031, 2190, 1900]


def test_a_sites_own_days_go_first(days: WorkingDays) -> None:
    text = "日期,是否上班,名称\n2031-02-08,班,春节调休\n2031/02/10,休,\n2026-03-18,0,停电\n,,\n2031-13-01,班,\n2031-02-09,也许,\n"
    report = days.import_csv(text.encode("gb18030"), "admin")
    assert report.saved == 3
    assert [row for row, _ in report.refused] == [6, 7]
    assert days.is_working_day(date(2031, 2, 8)) is True
    assert days.is_working_day(date(2031, 2, 10)) is False
    assert days.is_working_day(date(2026, 3, 18)) is False
    assert days.is_published(2031)
    days.import_csv(b"2026-03-18,1\n", "admin")
    assert days.is_working_day(date(2026, 3, 18)) is True
    assert {row.day for row in days.overrides(2031)} == {date(2031, 2, 8), date(2031, 2, 10)}


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"x" * 300_000, b"no,days\nhere,at all\n", b"\xff\xfe\x00"])
def test_a_file_that_is_none_changes_nothing(days: WorkingDays, content: bytes) -> None:
    with pytest.raises(InvalidInputError):
        days.import_csv(content, "admin")
