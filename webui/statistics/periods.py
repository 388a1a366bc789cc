"""Closed days, weeks and months: their figures are frozen once, and what changes later stands beside them as a correction."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, not_, select

from core.clock import local_date
from core.database import Database
from core.settings import Settings
from webui.statistics.counting import PARTS, Counting, Span
from webui.statistics.figures import Figures, read_figures
from webui.statistics.intervals import interval
from webui.statistics.kpi import Ratio
from webui.statistics.models import ReportPeriod
from webui.statistics.reads import Filter, StatisticsReads

DAY, WEEK, MONTH = KINDS = ("day", "week", "month")
_FROZEN_BACK = {DAY: 62, WEEK: 26, MONTH: 24}
# Later than this nobody files a change any more; the figures can still be counted, but are not compared every night.
_CHECKED_DAYS = {DAY: 31, WEEK: 62, MONTH: 400}
_LEFT_OUT = ("late", "withdrawn")
SLOW = ("first_contact_resolution", "contact_rate", "refusal_rate", "survey_response_rate")
"""What the morning after a period cannot know yet: who rings again, who is reached days later, whose link is still open."""
_SLOW_DAYS = 21
_OF_SECONDS = {"average_speed_of_answer", "handle_time", "transcript_lag", "occupancy"}


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


def slow_days(repeat_call_days: int) -> int:
    """Return how long after its end a period's slow figures are frozen.

    A callback is given up after 14 days unless its rule says otherwise, and a link that it sent at last lives for 7.
    """
    return max(_SLOW_DAYS, repeat_call_days + 1)


def frozen_figures(figures: Figures, *, counts_barely: bool) -> dict[str, Any]:
    """Return what is frozen: every measure's part, whole and value, and what was left out."""
    ratios = {
        "service_level": figures.calls.service_level,
        "connect_rate_24h": figures.connect_rate_24h,
        "abandonment": figures.calls.abandonment,
        "occupancy": figures.agents.occupancy,
        "first_contact_resolution": figures.calls.first_contact_resolution,
        "direct_answer_rate": figures.calls.direct_answer_rate,
        "adoption_rate": figures.calls.adoption_rate,
        "response_rate": figures.callbacks.response_rate,
        "solved_rate": figures.resolved.solved(),
        "satisfaction": figures.satisfaction.satisfied(counts_barely=counts_barely),
        "contact_rate": figures.callbacks.contact_rate,
        "survey_response_rate": figures.surveys.survey_response_rate,
        "refusal_rate": figures.callbacks.refusal_rate,
        "after_call_rate": figures.agents.after_call_rate,
        "after_call_satisfaction": figures.after_call.satisfied(counts_barely=counts_barely),
    }
    found: dict[str, Any] = {
        key: {
            "part": round(ratio.part, 3),
            "whole": round(ratio.whole, 3),
            "value": None if ratio.value is None else round(ratio.value, 6),
            **({} if key == "occupancy" else _ends(ratio)),
        }
        for key, ratio in ratios.items()
    }
    for key, mean in (
        ("average_speed_of_answer", figures.calls.average_speed_of_answer),
        ("handle_time", figures.calls.handle_time),
        ("transcript_lag", figures.lag),
    ):
        value = None if mean.value is None else round(mean.value, 3)
        found[key] = {"part": round(mean.total, 3), "whole": mean.count, "value": value}
    found["late"] = figures.satisfaction.late + figures.resolved.late
    found["withdrawn"] = figures.satisfaction.withdrawn + figures.resolved.withdrawn
    return found


def _ends(ratio: Ratio) -> dict[str, float | None]:
    found = interval(ratio)
    return {"low": round(found.low, 6) if found else None, "high": round(found.high, 6) if found else None}


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
    """Return a reason as a word and a number: rules, withdrawn, late, added, removed, changed, or seconds, which nobody counts."""
    if not same_rules:
        return {"kind": "rules", "count": 0}
    if key in {"solved_rate", "satisfaction"}:
        for kind in ("withdrawn", "late"):
            if present[kind] > frozen[kind]:
                return {"kind": kind, "count": present[kind] - frozen[kind]}
    difference = present[key]["whole"] - frozen[key]["whole"]
    if key == "occupancy" or (key in _OF_SECONDS and not difference):
        return {"kind": "seconds", "count": 0}
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
        """Freeze every period that is over and was not frozen yet, and the slow figures whose time has come; return how many."""
        return self._freeze_slow(now) + self._freeze_over(now)

    def _freeze_slow(self, now: datetime) -> int:
        with self._database.transaction() as session:
            query = select(ReportPeriod.id, ReportPeriod.first_day, ReportPeriod.last_day).where(
                ReportPeriod.last_day <= self._slow_until(now), not_(func.jsonb_exists(ReportPeriod.figures, SLOW[0]))
            )
            rows = [(period_id, Span(first, last)) for period_id, first, last in session.execute(query)]
        for period_id, span in rows:
            figures = self._figures(span, now)
            with self._database.transaction() as session:
                row = session.get_one(ReportPeriod, period_id)
                row.figures = {**row.figures, **{key: figures[key] for key in SLOW}}
        return len(rows)

    def _slow_until(self, now: datetime) -> date:
        """Return the last day whose slow figures are known."""
        return local_date(now) - timedelta(days=slow_days(self._settings.repeat_call_days))

    def _freeze_over(self, now: datetime) -> int:
        earliest = self._counting.earliest()
        if earliest is None:
            return 0
        frozen = 0
        for kind in KINDS:
            for span in closed_periods(local_date(now), kind, earliest):
                if self._known(kind, span.first):
                    continue
                figures = self._figures(span, now)
                if span.last > self._slow_until(now):
                    figures = {key: figure for key, figure in figures.items() if key not in SLOW}
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
