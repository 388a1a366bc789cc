"""Closed days, weeks and months: their figures are frozen once, and what changes later stands beside them as a correction."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from core.clock import local_date
from core.database import Database
from core.settings import Settings
from webui.statistics.counting import PARTS, Counting, Span
from webui.statistics.figures import Figures, read_figures
from webui.statistics.models import ReportPeriod
from webui.statistics.reads import Filter, StatisticsReads

DAY, WEEK, MONTH = KINDS = ("day", "week", "month")
_FROZEN_BACK = {DAY: 62, WEEK: 26, MONTH: 24}
# Later than this nobody files a change any more; the figures can still be counted, but are not compared every night.
_CHECKED_DAYS = {DAY: 31, WEEK: 62, MONTH: 400}
_LEFT_OUT = ("late", "withdrawn")


@dataclass(frozen=True)
class FrozenPeriod:
    """A closed period as pages show it."""

    period_id: uuid.UUID
    kind: str
    span: Span
    figures: dict[str, Any]
    frozen_at: datetime
    corrections: list[dict[str, Any]]


def closed_periods(today: date, kind: str, earliest: date) -> Iterator[Span]:
    """Yield the periods of a kind that are over, the latest first, down to the one that the earliest day lies in."""
    last = today - timedelta(days=1)
    for _step in range(_FROZEN_BACK[kind]):
        if kind == DAY:
            span = Span(last, last)
        elif kind == WEEK:
            last -= timedelta(days=(last.weekday() + 1) % 7)  # back to a Sunday
            span = Span(last - timedelta(days=6), last)
        else:
            if (last + timedelta(days=1)).day != 1:
                last = last.replace(day=1) - timedelta(days=1)
            span = Span(last.replace(day=1), last)
        if span.last < earliest:
            return
        yield span
        last = span.first - timedelta(days=1)


def frozen_figures(figures: Figures, *, counts_barely: bool) -> dict[str, Any]:
    """Return what is frozen: each measure's part, whole and value, and what was left out. What is only known later is not."""
    ratios = {
        "service_level": figures.calls.service_level,
        "connect_rate": figures.calls.connect_rate,
        "abandonment": figures.calls.abandonment,
        "direct_answer_rate": figures.calls.direct_answer_rate,
        "adoption_rate": figures.calls.adoption_rate,
        "response_rate": figures.callbacks.response_rate,
        "contact_rate": figures.callbacks.contact_rate,
        "solved_rate": figures.resolved.solved(),
        "satisfaction": figures.satisfaction.satisfied(counts_barely=counts_barely),
        "survey_response_rate": figures.surveys.survey_response_rate,
    }
    found: dict[str, Any] = {
        key: {"part": ratio.part, "whole": ratio.whole, "value": None if ratio.value is None else round(ratio.value, 6)}
        for key, ratio in ratios.items()
    }
    for key, mean in (
        ("average_speed_of_answer", figures.calls.average_speed_of_answer),
        ("handle_time", figures.calls.handle_time),
    ):
        value = None if mean.value is None else round(mean.value, 3)
        found[key] = {"part": round(mean.total, 3), "whole": mean.count, "value": value}
    found["late"] = figures.satisfaction.late + figures.resolved.late
    found["withdrawn"] = figures.satisfaction.withdrawn + figures.resolved.withdrawn
    return found


def corrections(frozen: dict[str, Any], present: dict[str, Any], *, same_rules: bool) -> list[dict[str, Any]]:
    """Return what differs, and why as far as the counts themselves tell."""
    found = []
    for key, then in frozen.items():
        now = present.get(key)
        if key in _LEFT_OUT or now is None or then == now:
            continue
        found.append({"measure": key, "frozen": then, "present": now, "why": _why(key, frozen, present, same_rules=same_rules)})
    return found


def _why(key: str, frozen: dict[str, Any], present: dict[str, Any], *, same_rules: bool) -> dict[str, Any]:
    """Return a reason as a word and a number: rules, withdrawn, late, added, removed or changed."""
    if not same_rules:
        return {"kind": "rules", "count": 0}
    if key in {"solved_rate", "satisfaction"}:
        for kind in ("withdrawn", "late"):
            if present[kind] > frozen[kind]:
                return {"kind": kind, "count": present[kind] - frozen[kind]}
    difference = present[key]["whole"] - frozen[key]["whole"]
    if difference:
        return {"kind": "added" if difference > 0 else "removed", "count": abs(difference)}
    return {"kind": "changed", "count": abs(present[key]["part"] - frozen[key]["part"])}


class Periods:
    """Freezes what is over, and compares what was frozen."""

    def __init__(self, database: Database, settings: Settings, counting: Counting) -> None:
        self._database = database
        self._settings = settings
        self._counting = counting
        self._reads = StatisticsReads(database)

    @property
    def _rules(self) -> str:
        settings = self._settings
        return f"{self._counting.rules} barely={settings.satisfaction_counts_barely}"

    def freeze(self, now: datetime) -> int:
        """Freeze every period that is over and was not frozen yet; return how many."""
        earliest = self._counting.earliest()
        if earliest is None:
            return 0
        frozen = 0
        for kind in KINDS:
            for span in closed_periods(local_date(now), kind, earliest):
                if self._known(kind, span.first):
                    continue
                figures = self._figures(span, now)
                with self._database.transaction() as session:
                    session.add(
                        ReportPeriod(
                            kind=kind, first_day=span.first, last_day=span.last, figures=figures, rules=self._rules, frozen_at=now
                        )
                    )
                frozen += 1
        return frozen

    def check(self, now: datetime) -> int:
        """Compare the frozen figures with the present ones and keep what differs; return how many periods have a new difference."""
        changed = 0
        today = local_date(now)
        with self._database.transaction() as session:
            rows = [
                (row.id, row.kind, Span(row.first_day, row.last_day), row.figures, row.rules, row.corrections)
                for row in session.scalars(select(ReportPeriod))
                if (today - row.last_day).days <= _CHECKED_DAYS[row.kind]
            ]
        for period_id, _kind, span, figures, rules, known in rows:
            found = corrections(figures, self._figures(span, now), same_rules=rules == self._rules)
            bare = [{key: value for key, value in one.items() if key != "noticed_at"} for one in known]
            if found == bare:
                continue
            seen = {one["measure"]: one for one in known}
            kept = [
                {**one, "noticed_at": seen[one["measure"]]["noticed_at"]}
                if one["measure"] in seen and seen[one["measure"]]["present"] == one["present"]
                else {**one, "noticed_at": now.isoformat()}
                for one in found
            ]
            with self._database.transaction() as session:
                row = session.get_one(ReportPeriod, period_id)
                row.corrections, row.checked_at = kept, now
            changed += 1
        return changed

    def frozen(self, kind: str, limit: int = 60) -> list[FrozenPeriod]:
        """Return the frozen periods of a kind, the latest first."""
        with self._database.transaction() as session:
            rows = session.scalars(
                select(ReportPeriod).where(ReportPeriod.kind == kind).order_by(ReportPeriod.first_day.desc()).limit(limit)
            )
            return [
                FrozenPeriod(row.id, row.kind, Span(row.first_day, row.last_day), row.figures, row.frozen_at, row.corrections)
                for row in rows
            ]

    def _known(self, kind: str, first: date) -> bool:
        with self._database.transaction() as session:
            query = select(ReportPeriod.id).where(ReportPeriod.kind == kind, ReportPeriod.first_day == first)
            return session.scalar(query) is not None

    def _figures(self, span: Span, now: datetime) -> dict[str, Any]:
        # Whole, whatever number of days: nobody waits for a page here.
        for part in PARTS:
            for day in self._counting.wanting(span, part):
                self._counting.count(Span(day, day), part)
        figures = read_figures(self._reads, Filter(span), now)
        return frozen_figures(figures, counts_barely=self._settings.satisfaction_counts_barely)
