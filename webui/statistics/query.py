"""Reads the conditions of the statistics pages from an address. What cannot be read is left out: old links go on working."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.clock import local_date
from webui.statistics.counting import Span
from webui.statistics.grains import GRAINS
from webui.statistics.reads import MOST_DAYS, Filter

WHEN = ("today", "yesterday", "7d", "30d", "month", "custom")
DEFAULT_WHEN = "30d"
COMPARE = ("previous", "year", "none")
LONGEST_DAYS = 1830
_TEXTS = ("queue", "category", "hall", "unit", "region", "questionnaire")


@dataclass(frozen=True)
class StatisticsQuery:
    """What the address asks for. `chosen` are the conditions beside the time, as (name, value)."""

    span: Span
    when: str
    compare: str
    grain: str
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """The conditions that were set."""
        return [(name, value) for name, value in self.texts.items() if value]

    def filter(self, versions: tuple[str, ...] = ()) -> Filter:
        """Return what to count. `versions` are those of the chosen questionnaire."""
        texts = self.texts
        return Filter(
            self.span,
            queue_name=texts["queue"],
            category=texts["category"],
            hall=texts["hall"],
            unit=texts["unit"],
            region=texts["region"],
            versions=versions,
        )


def read_query(arguments: Mapping[str, str], now: datetime) -> StatisticsQuery:
    """Return the query of an address."""
    when, span = _span(arguments, local_date(now))
    compare = arguments.get("compare", "previous")
    grain = arguments.get("by", "")
    return StatisticsQuery(
        span,
        when,
        compare if compare in COMPARE else "previous",
        grain if grain in GRAINS else _grain(span),
        {name: " ".join(arguments.get(name, "").replace("\x00", "").split())[:80] for name in _TEXTS},
    )


def _grain(span: Span) -> str:
    if span.days <= MOST_DAYS:
        return "day"
    return "week" if span.days <= 200 else "month"


def _span(arguments: Mapping[str, str], today: date) -> tuple[str, Span]:
    first, last = _day(arguments.get("from", "")), _day(arguments.get("to", ""))
    when = arguments.get("when", "custom" if first or last else DEFAULT_WHEN)
    if when == "custom" and (first or last):
        first, last = first or last or today, last or first or today
        first, last = min(first, last), max(first, last)
        return when, Span(max(first, last - timedelta(days=LONGEST_DAYS - 1)), last)
    yesterday = today - timedelta(days=1)
    match when:
        case "today":
            return when, Span(today, today)
        case "yesterday":
            return when, Span(yesterday, yesterday)
        case "7d":
            return when, Span(today - timedelta(days=6), today)
        case "month":
            return when, Span(today.replace(day=1), today)
        case _:
            return DEFAULT_WHEN, Span(today - timedelta(days=29), today)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None
