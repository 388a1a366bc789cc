"""Which days offices work: the national calendar, and what an administrator set for single days (调休)."""

import csv
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import holidays
import structlog
from sqlalchemy import Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.database import Base, Database
from core.errors import InvalidInputError

log = structlog.get_logger()
_READ_AGAIN_SECONDS = 30.0
_SATURDAY = 5
_LONGEST_NAME = 60
_MOST_ROWS = 5000
_WORKING = {"1": True, "true": True, "yes": True, "班": True, "上班": True, "工作日": True, "是": True}
_RESTING = {"0": False, "false": False, "no": False, "休": False, "放假": False, "休息日": False, "否": False}
_HEADER = {"day", "date", "日期"}


class CalendarDay(Base):
    """One day that is not as the calendar would have it."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_working: Mapped[bool]
    name: Mapped[str] = mapped_column(Text, default="")


@dataclass(frozen=True)
class CalendarImport:
    """What an import of days did; `refused` holds (row number, what is wrong with it)."""

    saved: int
    refused: list[tuple[int, str]] = field(default_factory=list)


class BadCalendarError(InvalidInputError):
    """The file is no list of days, and nothing was changed."""


class WorkingDays:
    """Answers by the override table first, then by the State Council's published days, then by weekends and statutory holidays.

    The package knows the exchanged days (调休) of published years only. For later years the answer is what can be known, and the
    log says so once a year; an administrator imports the real days when they are published.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._calendar = holidays.country_holidays("CN")
        self._overrides: dict[date, bool] = {}
        self._read_at: float | None = None
        self._said: set[int] = set()
        self._lock = threading.Lock()

    def is_working_day(self, day: date) -> bool:
        """Say whether offices work on a day."""
        overrides = self._current()
        if day in overrides:
            return overrides[day]
        return self._by_calendar(day)

    def next_working_day(self, day: date) -> date:
        """Return the first working day after a day."""
        return self.add_working_days(day, 1)

    def add_working_days(self, day: date, count: int) -> date:
        """Return the day that is so many working days later; 0 gives the day itself, or the first working day after it."""
        at = day
        if count == 0:
            while not self.is_working_day(at):
                at += timedelta(days=1)
        for _ in range(count):
            at += timedelta(days=1)
            while not self.is_working_day(at):
                at += timedelta(days=1)
        return at

    def is_published(self, year: int) -> bool:
        """Say whether the exchanged days of a year are known, from the package or by import."""
        return year in self._calendar.special_public_holidays or any(day.year == year for day in self._current())

    def overrides(self, year: int) -> list[CalendarDay]:
        """Return the days of a year that somebody set."""
        query = select(CalendarDay).where(CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31))).order_by(CalendarDay.day)
        with self._database.transaction() as session:
            return list(session.scalars(query))

    def import_csv(self, content: bytes, actor: str) -> CalendarImport:
        """Set days from a CSV of day, is_working (1 or 0, 班 or 休) and name; bad rows are reported, the others saved.

        Raises:
            BadCalendarError: the file is no text, too long, or holds no good row.
        """
        report, good = _read_days(content)
        with self._database.transaction() as session:
            for row in good.values():
                values = {"is_working": row["is_working"], "name": row["name"]}
                session.execute(insert(CalendarDay).values(**row).on_conflict_do_update(index_elements=["day"], set_=values))
            audit.record(session, actor, "calendar.imported", "calendar", {"days": len(good), "refused": len(report)})
        self._read_at = None
        return CalendarImport(len(good), report)

    def _current(self) -> dict[date, bool]:
        with self._lock:
            if self._read_at is None or self._monotonic() - self._read_at > _READ_AGAIN_SECONDS:
                with self._database.transaction() as session:
                    self._overrides = {row.day: row.is_working for row in session.scalars(select(CalendarDay))}
                self._read_at = self._monotonic()
            return self._overrides

    def _by_calendar(self, day: date) -> bool:
        published = day.year in self._calendar.special_public_holidays
        if not published and day.year not in self._said and not any(known.year == day.year for known in self._overrides):
            self._said.add(day.year)
            log.warning("calendar_unpublished", year=day.year)
        if not self._calendar.start_year <= day.year <= self._calendar.end_year:
            return day.weekday() < _SATURDAY
        return bool(self._calendar.is_working_day(day))


def _read_days(content: bytes) -> tuple[list[tuple[int, str]], dict[date, dict[str, object]]]:
    text = _decoded(content)
    refused: list[tuple[int, str]] = []
    good: dict[date, dict[str, object]] = {}
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise BadCalendarError("不是 CSV 文件") from error
    if len(rows) > _MOST_ROWS:
        raise BadCalendarError(f"最多 {_MOST_ROWS} 行")
    for number, cells in enumerate(rows, start=1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or (number == 1 and cells[0].lower() in _HEADER):
            continue
        try:
            row = _day_row(cells)
        except ValueError as error:
            refused.append((number, str(error)))
        else:
            good[row["day"]] = row  # type: ignore[index]
    if not good:
        raise BadCalendarError("没有一行可用：每行要有日期（2027-02-06）和是否上班（班/休）")
    return refused, good


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadCalendarError("不是文本文件")


def _day_row(cells: list[str]) -> dict[str, object]:
    try:
        day = date.fromisoformat(cells[0].replace("/", "-").replace(".", "-"))
    except ValueError:
        raise ValueError("日期不对") from None
    word = cells[1].lower() if len(cells) > 1 else ""
    is_working = (_WORKING | _RESTING).get(word)
    if is_working is None:
        raise ValueError("要写班或休")
    return {"day": day, "is_working": is_working, "name": cells[2][:_LONGEST_NAME] if len(cells) > 2 else ""}
