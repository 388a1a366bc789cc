"""响应率, 解决率 and 满意率 with everything that they must be read with, and how they went over time."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _

from webui.statistics import charts
from webui.statistics.definitions import Definitions
from webui.statistics.figures import Figures, Targets
from webui.statistics.grains import stretches
from webui.statistics.reads import MOST_DAYS
from webui.statistics.totals import Answers, CallbackTotals
from webui.statistics.words import Change, Rate, change_of_ratio, count, interval_words, percent, percent_sign

RATES = ("response_rate", "solved_rate", "satisfaction")


@dataclass(frozen=True)
class RateBox:
    """One of the three rates, with everything that it must be read with."""

    key: str
    name: str
    definition: str
    rate: Rate
    low: float
    change: Change
    exclusions: str
    is_weighted: bool = False

    @property
    def plain(self) -> str:
        """The rate as if every answer weighed the same, for who divides the numbers shown."""
        return percent(self.rate.ratio.part / self.rate.ratio.whole if self.rate.ratio.whole else None)


@dataclass(frozen=True)
class TrendRow:
    """The three rates of a stretch of time, in the order of `RATES`."""

    label: str
    first: date
    last: date
    rates: tuple[Rate, Rate, Rate]


def rate_boxes(now: Figures, before: Figures | None, words: Definitions, targets: Targets, compared: str) -> list[RateBox]:
    """Return 响应率, 解决率 and 满意率."""
    barely = targets.satisfaction_counts_barely
    contacted = _("匿名或号码无效 %(invalid)s，取消 %(cancelled)s，未抽中 %(left)s") % {
        "invalid": count(now.callbacks.unreachable),
        "cancelled": count(now.callbacks.cancelled),
        "left": count(now.callbacks.not_sampled),
    }
    found = [
        (
            "response_rate",
            now.callbacks.response_rate,
            before.callbacks.response_rate if before else None,
            targets.response_rate_target,
            contacted,
        ),
        (
            "solved_rate",
            now.resolved.solved(),
            before.resolved.solved() if before else None,
            targets.solved_rate_target,
            _left_out(now.resolved, now.callbacks),
        ),
        (
            "satisfaction",
            now.satisfaction.satisfied(counts_barely=barely),
            before.satisfaction.satisfied(counts_barely=barely) if before else None,
            targets.satisfaction_target,
            _left_out(now.satisfaction, now.callbacks),
        ),
    ]
    boxes = []
    for key, ratio, old, target, exclusions in found:
        measure = words.measure(key)
        rate = Rate(ratio, target, targets.statistics_least_answers)
        change = change_of_ratio(ratio, old, measure.better, compared) if old and rate.is_shown else Change()
        low = axis_start(rate)
        boxes.append(RateBox(key, measure.name, words.sentence(key), rate, low, change, exclusions, ratio.is_weighted))
    return boxes


def axis_start(*rates: Rate) -> float:
    """Return where an axis up to 100 begins so that everything that is drawn on it fits: 80, 60, … 0."""
    lows = [100 * rate.interval.low for rate in rates if rate.interval] + [rate.target for rate in rates if rate.target is not None]
    lowest = min(lows, default=80)
    return next((start for start in (80, 60, 40, 20) if lowest >= start), 0)


def _left_out(answers: Answers, callbacks: CallbackTotals) -> str:
    return str(_("逾期 %(late)s，撤回 %(withdrawn)s，拒访 %(refused)s")) % {
        "late": count(answers.late),
        "withdrawn": count(answers.withdrawn),
        "refused": count(callbacks.refused),
    }


def contact_words(callbacks: CallbackTotals) -> str:
    """Return the line under the three rates' heading."""
    words: str = _(
        "应回访 %(owed)s 件，接触到 %(contacted)s 件（%(rate)s，95%% 区间 %(span)s），拒访 %(refused)s 件",
        owed=count(callbacks.owed),
        contacted=count(callbacks.contacted),
        rate=percent_sign(callbacks.contact_rate.value),
        span=interval_words(callbacks.contact_rate),
        refused=count(callbacks.refused),
    )
    return words


def trend(now: Figures, grain: str, targets: Targets) -> list[TrendRow]:
    """Return the course of the three rates, the latest first."""
    least, barely, course = targets.statistics_least_answers, targets.satisfaction_counts_barely, now.course
    by, rows = trend_grain(now, grain), []
    for label, days in stretches(now.span, by):
        # A month that was summed up stands under its first day, which may lie before the span.
        keys = {days[0].replace(day=1), *days} if by == "month" else set(days)
        callbacks = sum((one for day, one in course.callbacks.items() if day in keys), CallbackTotals())
        resolved = sum((one for day, one in course.resolved.items() if day in keys), Answers())
        satisfaction = sum((one for day, one in course.satisfaction.items() if day in keys), Answers())
        rates = (
            Rate(callbacks.response_rate, targets.response_rate_target, least),
            Rate(resolved.solved(), targets.solved_rate_target, least),
            Rate(satisfaction.satisfied(counts_barely=barely), targets.satisfaction_target, least),
        )
        rows.append(TrendRow(label, days[0], days[-1], rates))
    return rows


def trend_grain(now: Figures, grain: str) -> str:
    """Return by what the three rates are followed: over many days by month alone, for nothing finer is summed up."""
    return grain if now.span.days <= MOST_DAYS else "month"


def trend_chart(rows: list[TrendRow], words: Definitions) -> dict[str, Any]:
    """Return the chart of the same lines; where there are too few answers the line is broken."""
    forward = list(reversed(rows))
    return charts.lines(
        [row.label.split(" ")[0] for row in forward],
        [
            charts.Line(words.measure(key).name, [row.rates[place].shown_percent for row in forward])
            for place, key in enumerate(RATES)
        ],
    )
