"""Reports by schedule: when a day, week or month is over its report is made once, kept, and listed for download."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from core.clock import local_date
from core.database import Database
from core.errors import NotFoundError
from webui.statistics.counting import Span
from webui.statistics.models import ScheduledReport
from webui.statistics.periods import DAY, MONTH, WEEK, closed_periods

PERIODS = {"daily": DAY, "weekly": WEEK, "monthly": MONTH}
# After an outage only the latest few are made up for: older ones can be exported by hand.
_MADE_UP_FOR = {"daily": 3, "weekly": 2, "monthly": 2}


class ReportNotFoundError(NotFoundError):
    """No such report, or its time is over."""


@dataclass(frozen=True)
class MadeReport:
    """A report as the list shows it."""

    report_id: uuid.UUID
    kind: str
    span: Span
    title: str
    excel_size: int
    pdf_size: int
    made_at: datetime


@dataclass(frozen=True)
class Files:
    """Both forms of a report; no bytes of the second where it could not be printed."""

    title: str
    excel: bytes
    pdf: bytes


class Reports:
    """Keeps the reports that were made."""

    def __init__(self, database: Database, kinds: list[str], keep_days: int) -> None:
        self._database = database
        self._kinds = [kind for kind in PERIODS if kind in kinds]
        self._keep_days = keep_days

    def due(self, now: datetime, earliest: date) -> list[tuple[str, Span]]:
        """Return the reports that should be there and are not."""
        found = []
        for kind in self._kinds:
            spans = list(closed_periods(local_date(now), PERIODS[kind], earliest))[: _MADE_UP_FOR[kind]]
            with self._database.transaction() as session:
                known = set(session.scalars(select(ScheduledReport.first_day).where(ScheduledReport.kind == kind)))
            found += [(kind, span) for span in reversed(spans) if span.first not in known]
        return found

    def make(self, due: list[tuple[str, Span]], make: Callable[[str, Span], Files], now: datetime) -> int:
        """Make and keep each; return how many."""
        for kind, span in due:
            files = make(kind, span)
            with self._database.transaction() as session:
                session.add(
                    ScheduledReport(
                        kind=kind,
                        first_day=span.first,
                        last_day=span.last,
                        title=files.title,
                        excel=files.excel,
                        pdf=files.pdf,
                        excel_size=len(files.excel),
                        pdf_size=len(files.pdf),
                        made_at=now,
                    )
                )
        return len(due)

    def expire(self, now: datetime) -> None:
        """Delete what was kept long enough."""
        with self._database.transaction() as session:
            session.execute(delete(ScheduledReport).where(ScheduledReport.made_at < now - timedelta(days=self._keep_days)))

    def made(self, limit: int = 200) -> list[MadeReport]:
        """Return the reports, the latest first."""
        with self._database.transaction() as session:
            rows = session.scalars(
                select(ScheduledReport).order_by(ScheduledReport.made_at.desc(), ScheduledReport.first_day.desc()).limit(limit)
            )
            return [
                MadeReport(
                    row.id, row.kind, Span(row.first_day, row.last_day), row.title, row.excel_size, row.pdf_size, row.made_at
                )
                for row in rows
            ]

    def file(self, report_id: uuid.UUID, form: str) -> tuple[str, bytes]:
        """Return a report's title and one of its files.

        Raises:
            ReportNotFoundError: there is none, or not in that form.
        """
        column: Any = ScheduledReport.pdf if form == "pdf" else ScheduledReport.excel
        with self._database.transaction() as session:
            row = session.execute(select(ScheduledReport.title, column).where(ScheduledReport.id == report_id)).first()
        if row is None or not row[1]:
            raise ReportNotFoundError(str(report_id))
        return row[0], row[1]
