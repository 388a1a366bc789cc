"""Keeps the counts of each day up to date: the present day anew for every reader, past days when something in them changed.

A day's part is good when it was counted after the day was over, by the present rules, and nothing was marked since.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import Clock, day_bounds, local_date
from core.database import Database
from webui.statistics import counting_sql as sql

log = structlog.get_logger()
CALLS, AGENTS, CALLBACKS, SURVEYS = PARTS = ("calls", "agents", "callbacks", "surveys")
_STATEMENTS: dict[str, Sequence[str]] = {
    CALLS: (sql.CALLS, sql.LAG),
    AGENTS: (sql.AGENTS,),
    CALLBACKS: sql.CALLBACKS,
    SURVEYS: (*sql.SURVEYS, *sql.ANSWERS),
}
_TABLES = {
    CALLS: ("statistics_calls", "statistics_spread"),
    AGENTS: ("statistics_agent",),
    CALLBACKS: ("statistics_callbacks",),
    SURVEYS: ("statistics_surveys", "statistics_answers"),
}
_SUMMED = {
    "statistics_callbacks": ("", sql.CALLBACK_COLUMNS),
    "statistics_surveys": ("", sql.SURVEY_COLUMNS),
    "statistics_answers": ("question_key, question_kind, option, excluded, ", "count, weight, squared"),
}
# A page counts so many days itself while its reader waits; more are left to the worker, and the page says so.
_DAYS_AT_ONCE = 6
_CHUNK_DAYS = 31
FRESH_SECONDS = 1.0


class Rules(Protocol):
    """The settings by which calls are counted; other settings make other counts."""

    @property
    def answer_target_seconds(self) -> int: ...
    @property
    def short_abandon_seconds(self) -> int: ...
    @property
    def repeat_call_days(self) -> int: ...


@dataclass(frozen=True)
class Span:
    """Days from the first to the last, both counted."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=step) for step in range(self.days))

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The first moment, and the first moment after."""
        return day_bounds(self.first)[0], day_bounds(self.last)[1]


class Counting:
    """Counts days, and knows which counts are good."""

    def __init__(self, database: Database, clock: Clock, rules: Rules, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._target = rules.answer_target_seconds
        self._short = rules.short_abandon_seconds
        self._repeat = rules.repeat_call_days
        self._fresh_seconds = fresh_seconds
        self._counted_at: dict[str, tuple[date, float]] = {}

    @property
    def rules(self) -> str:
        """The rules in one line; kept with what was counted by them."""
        return f"target={self._target} short={self._short} repeat={self._repeat}"

    # --- for readers

    def ensure(self, span: Span, parts: Iterable[str] = PARTS) -> int:
        """Make the counts of some days good; return how many days are left to the worker because they are too many."""
        today = local_date(self._clock.now())
        left: set[date] = set()
        for part in parts:
            wanting = self.wanting(span, part)
            if today in wanting:
                wanting.remove(today)
                self._count_today(today, part)
            if len(wanting) > _DAYS_AT_ONCE:
                left |= set(wanting)
                continue
            for one in _stretches(wanting):
                self.count(one, part)
        return len(left)

    def wanting(self, span: Span, part: str) -> list[date]:
        """Return the days of a span whose counts are not good, without those before anything was recorded or still to come."""
        now = self._clock.now()
        today = local_date(now)
        with self._database.transaction() as session:
            earliest = _first_day(session)
            if earliest is None:
                return []
            first, last = max(span.first, earliest), min(span.last, today)
            good = session.execute(
                text(
                    "SELECT day FROM statistics_day WHERE part = :part AND day BETWEEN :first AND :last AND rules = :rules "
                    "AND changed_at IS NULL AND built_at >= (CAST(day + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai')"
                ),
                {"part": part, "first": first, "last": last, "rules": self.rules},
            ).scalars()
            known = set(good)
        return [day for day in Span(first, last) if day not in known]

    def _count_today(self, today: date, part: str) -> None:
        day, at = self._counted_at.get(part, (date.min, 0.0))
        if day == today and time.monotonic() - at < self._fresh_seconds:
            return
        began = time.monotonic()
        self.count(Span(today, today), part)
        # What was written while we counted is not in it: fresh since it began.
        self._counted_at[part] = (today, began)

    def earliest(self) -> date | None:
        """Return the first day of which anything was recorded."""
        with self._database.transaction() as session:
            return _first_day(session)

    # --- counting

    def count(self, span: Span, part: str) -> None:
        """Count some days of a part anew, a month at most in one transaction."""
        first = span.first
        while first <= span.last:
            last = min(span.last, first + timedelta(days=_CHUNK_DAYS - 1))
            with self._database.transaction() as session:
                self._count(session, Span(first, last), part)
            first = last + timedelta(days=1)

    def _count(self, session: Session, span: Span, part: str) -> None:
        session.execute(text("SELECT pg_advisory_xact_lock(1953723489, :part)"), {"part": PARTS.index(part)})
        # First the mark, then the counting: a change that comes meanwhile waits for this row and marks it again.
        session.execute(
            text(
                "INSERT INTO statistics_day (day, part, rules, built_at) "
                "SELECT CAST(d AS date), :part, :rules, :now "
                "FROM generate_series(CAST(:first AS timestamp), CAST(:last AS timestamp), interval '1 day') d "
                "ON CONFLICT (day, part) DO UPDATE SET rules = excluded.rules, built_at = excluded.built_at, "
                "changed_at = NULL"
            ),
            {"part": part, "rules": self.rules, "now": self._clock.now(), "first": span.first, "last": span.last},
        )
        start, end = span.bounds
        days = {"first": span.first, "last": span.last}
        for table in _TABLES[part]:
            grain = "AND grain = 'day'" if table in _SUMMED else ""
            session.execute(text(f"DELETE FROM {table} WHERE day BETWEEN :first AND :last {grain}"), days)
        if part == CALLS:
            session.execute(
                text("DELETE FROM statistics_hour WHERE hour_at >= :start AND hour_at < :end"), {"start": start, "end": end}
            )
        values: dict[str, Any] = {"start": start, "end": end, "now": self._clock.now()}
        values |= {"target": self._target, "short": self._short, "repeat": self._repeat}
        for statement in _STATEMENTS[part]:
            session.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})
        self._forget_months(session, span, part)

    @staticmethod
    def _forget_months(session: Session, span: Span, part: str) -> None:
        bounds = {"part": part, "first": span.first.replace(day=1), "last": span.last}
        gone = session.execute(
            text("DELETE FROM statistics_month WHERE part = :part AND month BETWEEN :first AND :last RETURNING month"), bounds
        ).scalars()
        months = list(gone)
        for table in _TABLES[part]:
            if months and table in _SUMMED:
                session.execute(text(f"DELETE FROM {table} WHERE grain = 'month' AND day = ANY(:months)"), {"months": months})

    # --- for handlers

    def mark(self, days: Iterable[date], part: str) -> None:
        """Say that something of past days changed; the present day is counted anew anyway."""
        today = local_date(self._clock.now())
        past = sorted({day for day in days if day < today})
        if not past:
            return
        with self._database.transaction() as session:
            session.execute(
                text("UPDATE statistics_day SET changed_at = :now WHERE part = :part AND day = ANY(:days)"),
                {"now": self._clock.now(), "part": part, "days": past},
            )

    # --- for the worker

    def refresh(self) -> int:
        """Count every past day that wants it, newest first, and sum up whole months; return how many days were counted."""
        today = local_date(self._clock.now())
        counted = 0
        for part in PARTS:
            wanting = [day for day in self.wanting(Span(date(2000, 1, 1), today), part) if day != today]
            for stretch in reversed(list(_stretches(wanting))):
                self.count(stretch, part)
                counted += stretch.days
            if any(table in _SUMMED for table in _TABLES[part]):
                self._sum_months(part, today)
        if counted:
            log.info("statistics_counted", days=counted)
        return counted

    def recount(self, days: int) -> None:
        """Count anew whatever was last counted less than so many days after it was over, however long ago that is.

        For changes that come without an event: a note written late, a call that was repeated.
        """
        today = local_date(self._clock.now())
        for part in PARTS:
            with self._database.transaction() as session:
                early = session.execute(
                    text(
                        "SELECT day FROM statistics_day WHERE part = :part AND day < :today "
                        "AND built_at < (CAST(day + 1 + CAST(:days AS int) AS timestamp) AT TIME ZONE 'Asia/Shanghai')"
                    ),
                    {"part": part, "today": today, "days": days},
                ).scalars()
                stretches = list(_stretches(early))
            for stretch in stretches:
                self.count(stretch, part)

    def _sum_months(self, part: str, today: date) -> None:
        with self._database.transaction() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(1953723489, :part)"), {"part": PARTS.index(part)})
            months = session.execute(
                text(
                    "SELECT CAST(date_trunc('month', day) AS date) AS month FROM statistics_day "
                    "WHERE part = :part AND rules = :rules AND changed_at IS NULL AND day < :today "
                    "GROUP BY 1 HAVING max(day) = CAST(date_trunc('month', min(day)) + interval '1 month - 1 day' AS date) "
                    "AND count(*) = max(day) - min(day) + 1 "
                    "EXCEPT SELECT month FROM statistics_month WHERE part = :part"
                ),
                {"part": part, "rules": self.rules, "today": today},
            ).scalars()
            for month in list(months):
                for table in _TABLES[part]:
                    if table in _SUMMED:
                        _sum_month(session, table, month)
                session.execute(
                    text("INSERT INTO statistics_month (month, part) VALUES (:month, :part)"), {"month": month, "part": part}
                )


def _first_day(session: Session) -> date | None:
    found = session.execute(
        text(
            "SELECT least((SELECT min(started_at) FROM call), (SELECT min(offered_at) FROM survey), "
            "(SELECT min(created_at) FROM callback))"
        )
    ).scalar()
    return local_date(found) if found else None


def _sum_month(session: Session, table: str, month: date) -> None:
    keys, columns = _SUMMED[table]
    sums = ", ".join(f"sum({column.strip()})" for column in columns.split(","))
    grouping = ", ".join(["slice_id", *(key.strip() for key in keys.split(",") if key.strip())])
    values = {"month": month, "following": (month + timedelta(days=32)).replace(day=1)}
    session.execute(text(f"DELETE FROM {table} WHERE grain = 'month' AND day = :month"), {"month": month})
    session.execute(
        text(
            f"INSERT INTO {table} (grain, day, slice_id, {keys}{columns}) SELECT 'month', :month, slice_id, {keys}{sums} "
            f"FROM {table} WHERE grain = 'day' AND day >= :month AND day < :following GROUP BY {grouping}"
        ),
        values,
    )


def _stretches(days: Iterable[date]) -> Iterator[Span]:
    """Yield days that follow each other as spans, in order."""
    first = last = None
    for day in sorted(days):
        if last is not None and first is not None and day - last == timedelta(days=1):
            last = day
            continue
        if first is not None and last is not None:
            yield Span(first, last)
        first = last = day
    if first is not None and last is not None:
        yield Span(first, last)
