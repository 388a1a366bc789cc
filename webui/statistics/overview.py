"""The overview in words and shapes: the course of time, units and topics; tiles and the three rates stand in files of their own.

Page, export and report share it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _

from webui.statistics import charts
from webui.statistics.definitions import Definitions
from webui.statistics.figures import Figures, Targets, lowest_by_day
from webui.statistics.grains import stretches
from webui.statistics.intervals import Ranked, ranking
from webui.statistics.kpi import Ratio
from webui.statistics.reads import Filter
from webui.statistics.totals import Answers, CallbackTotals, CallTotals
from webui.statistics.words import Change, Rate, change_of_count

TOPICS = 7


@dataclass(frozen=True)
class Row:
    """A line of the table beside the chart."""

    label: str
    first: date
    last: date
    calls: CallTotals
    lowest: Ratio | None
    is_below: bool
    knows_unanswered: bool = True

    @property
    def service_level(self) -> Ratio:
        """Answered in time ÷ offered; nothing of one category, for who was not answered has none."""
        return self.calls.service_level if self.knows_unanswered else Ratio(0, 0)

    @property
    def connect_rate(self) -> Ratio:
        """Answered ÷ offered; nothing of one category."""
        return self.calls.connect_rate if self.knows_unanswered else Ratio(0, 0)


@dataclass(frozen=True)
class UnitRow:
    """A unit among others."""

    ranked: Ranked
    owed: int
    rate: Rate


@dataclass(frozen=True)
class Topic:
    """A matter that people rang about."""

    name: str
    calls: int
    share: float
    change: Change


def course(now: Figures, calls: Mapping[date, CallTotals], grain: str, targets: Targets, wanted: Filter) -> list[Row]:
    """Return the table's lines, the latest first."""
    lowest = lowest_by_day(now.rolling)
    rows = []
    for label, days in stretches(now.span, grain):
        total = sum((calls[day] for day in days if day in calls), CallTotals())
        low = min((lowest[day] for day in days if day in lowest), key=lambda ratio: ratio.value or 0.0, default=None)
        is_below = low is not None and low.value is not None and low.value < targets.connect_rate_target / 100
        rows.append(Row(label, days[0], days[-1], total, low, is_below, knows_unanswered=not wanted.category))
    return rows


def course_chart(rows: list[Row], words: Definitions, targets: Targets) -> dict[str, Any]:
    """Return the chart of the same lines."""
    forward = list(reversed(rows))
    labels = [row.label.split(" ")[0] for row in forward]
    return charts.lines(
        labels,
        [
            charts.Line(words.measure("service_level").name, [row.service_level.percent for row in forward]),
            charts.Line(_("24 小时最低接通率"), [row.lowest.percent if row.lowest else None for row in forward]),
        ],
        target=targets.connect_rate_target,
        target_name=_("目标 %(target)s%%", target=f"{targets.connect_rate_target:g}"),
    )


def units(answers: Mapping[str, Answers], callbacks: Mapping[str, CallbackTotals], targets: Targets) -> list[UnitRow]:
    """Return the units by satisfaction: ranked where there are answers enough."""
    barely, least = targets.satisfaction_counts_barely, targets.statistics_least_answers
    names = {name for name in {*answers, *callbacks} if name}
    rates = [(name, answers.get(name, Answers()).satisfied(counts_barely=barely)) for name in sorted(names)]
    return [
        UnitRow(one, callbacks.get(one.name, CallbackTotals()).owed, Rate(one.ratio, targets.satisfaction_target, least))
        for one in ranking(rates, least)
    ]


def topics(now: Mapping[str, CallTotals], before: Mapping[str, CallTotals] | None) -> list[Topic]:
    """Return what most calls were about, by the agents' own categories."""
    known = sorted(((one.answered, name) for name, one in now.items() if name and one.answered), key=lambda row: (-row[0], row[1]))[
        :TOPICS
    ]
    most = known[0][0] if known else 0
    return [
        Topic(
            name,
            calls,
            100 * calls / most,
            change_of_count(calls, before[name].answered if name in before else 0) if before is not None else Change(),
        )
        for calls, name in known
    ]
