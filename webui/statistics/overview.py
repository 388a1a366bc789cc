"""The overview in words and shapes: tiles, the three rates, the course of time, units and topics.

Page, export and report share it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _

from webui.formats import NOTHING, duration
from webui.languages import is_english
from webui.statistics import charts, kpi
from webui.statistics.definitions import Definitions
from webui.statistics.figures import Figures, Targets, lowest_by_day
from webui.statistics.intervals import Ranked, ranking
from webui.statistics.kpi import Ratio
from webui.statistics.query import grain_start
from webui.statistics.totals import Answers, CallbackTotals, CallTotals
from webui.statistics.words import (
    Change,
    Rate,
    change_of_count,
    change_of_ratio,
    change_of_seconds,
    count,
    fraction,
    percent,
    percent_sign,
)

_WEEKDAYS = "一二三四五六日"
TOPICS = 7


@dataclass(frozen=True)
class Tile:
    """One figure with its name, definition, parts and change."""

    key: str
    name: str
    definition: str
    value: str
    unit: str = ""
    detail: str = ""
    change: Change = field(default_factory=Change)


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
class Row:
    """A line of the table beside the chart."""

    label: str
    first: date
    last: date
    calls: CallTotals
    lowest: Ratio | None
    is_below: bool
    satisfaction: Ratio


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


def tiles(
    now: Figures, before: Figures | None, words: Definitions, targets: Targets, compared: str, *, by_category: bool
) -> list[Tile]:
    """Return the seven tiles. With a category chosen, what asks for calls that nobody answered cannot be said: they have none."""
    calls, old = now.calls, before.calls if before else None
    reached, days = kpi.days_reached(now.rolling, targets.connect_rate_target / 100)

    def made(key: str, value: str, unit: str, detail: str, change: Change) -> Tile:
        return Tile(key, words.measure(key).name, words.sentence(key), value, unit if value != NOTHING else "", detail, change)

    def of_ratio(key: str, ratio: Ratio, old_ratio: Ratio | None, detail: str = "") -> Tile:
        better = words.measure(key).better
        change = change_of_ratio(ratio, old_ratio, better, compared) if old_ratio else Change()
        return made(key, percent(ratio.value), "%", detail or fraction(ratio), change)

    def unknown(key: str) -> Tile:
        return made(key, NOTHING, "", _("未接听的来电没有分类"), Change())

    asa, handle = calls.average_speed_of_answer.value, calls.handle_time.value
    waits = [kpi.percentile(now.waits, share) for share in (0.5, 0.95)]
    detail = _("%(reached)s / %(days)s 天达 %(target)s%%", reached=reached, days=days, target=f"{targets.connect_rate_target:g}")
    return [
        unknown("service_level")
        if by_category
        else of_ratio("service_level", calls.service_level, old.service_level if old else None),
        unknown("connect_rate_24h")
        if by_category
        else of_ratio("connect_rate_24h", now.connect_rate_24h, before.connect_rate_24h if before else None, detail),
        made(
            "average_speed_of_answer",
            f"{asa:.1f}" if asa is not None else NOTHING,
            _("秒"),
            _("中位 %(median)s 秒，P95 %(high)s 秒", median=_whole(waits[0]), high=_whole(waits[1])) if now.waits else "",
            change_of_seconds(asa, old.average_speed_of_answer.value, "low", compared) if old else Change(),
        ),
        made(
            "handle_time",
            duration(handle),
            "",
            _("通话 %(talk)s，话后 %(wrapup)s", talk=duration(calls.talking.value), wrapup=duration(calls.wrapup.value)),
            change_of_seconds(handle, old.handle_time.value, "", compared, as_clock=True) if old else Change(),
        ),
        unknown("abandonment") if by_category else of_ratio("abandonment", calls.abandonment, old.abandonment if old else None),
        of_ratio("direct_answer_rate", calls.direct_answer_rate, old.direct_answer_rate if old else None),
        of_ratio("adoption_rate", calls.adoption_rate, old.adoption_rate if old else None),
    ]


def _whole(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f}"


def more_tiles(now: Figures, before: Figures | None, words: Definitions, targets: Targets, compared: str) -> list[Tile]:
    """Return the second row: what is looked at less often."""
    counts_barely = targets.satisfaction_counts_barely
    ratios = [
        ("first_contact_resolution", now.calls.first_contact_resolution, before.calls.first_contact_resolution if before else None),
        ("occupancy", now.agents.occupancy, before.agents.occupancy if before else None),
        ("survey_response_rate", now.surveys.survey_response_rate, before.surveys.survey_response_rate if before else None),
        ("refusal_rate", now.callbacks.refusal_rate, before.callbacks.refusal_rate if before else None),
        ("after_call_rate", now.agents.after_call_rate, before.agents.after_call_rate if before else None),
        (
            "after_call_satisfaction",
            now.after_call.satisfied(counts_barely=counts_barely),
            before.after_call.satisfied(counts_barely=counts_barely) if before else None,
        ),
    ]
    found = []
    for key, ratio, old in ratios:
        measure = words.measure(key)
        is_time = key == "occupancy"
        few = key == "after_call_satisfaction" and ratio.whole < targets.statistics_least_answers
        detail = (
            _("%(part)s / %(whole)s 小时", part=count(ratio.part / 3600), whole=count(ratio.whole / 3600))
            if is_time
            else fraction(ratio)
        )
        found.append(
            Tile(
                key,
                measure.name,
                words.sentence(key),
                NOTHING if few else percent(ratio.value),
                "" if few or ratio.value is None else "%",
                detail,
                change_of_ratio(ratio, old, measure.better, compared) if old and not few else Change(),
            )
        )
    lag, old_lag = now.lag.value, before.lag.value if before else None
    high = kpi.percentile(now.lags, 0.95)
    lag_tile = Tile(
        "transcript_lag",
        words.measure("transcript_lag").name,
        words.sentence("transcript_lag"),
        f"{lag:.1f}" if lag is not None else NOTHING,
        _("秒") if lag is not None else "",
        "" if high is None else _("P95 %(high)s 秒", high=f"{high:.1f}"),
        change_of_seconds(lag, old_lag, "low", compared) if before else Change(),
    )
    return [*found[:2], lag_tile, *found[2:]]


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


def course(
    now: Figures,
    calls: Mapping[date, CallTotals],
    satisfaction: Mapping[date, Answers],
    grain: str,
    targets: Targets,
) -> list[Row]:
    """Return the table's lines, the latest first."""
    lowest = lowest_by_day(now.rolling)
    grains: dict[date, list[date]] = defaultdict(list)
    for day in now.span:
        grains[grain_start(day, grain)].append(day)
    rows = []
    for start, days in sorted(grains.items(), reverse=True):
        total = sum((calls[day] for day in days if day in calls), CallTotals())
        low = min((lowest[day] for day in days if day in lowest), key=lambda ratio: ratio.value or 0.0, default=None)
        given = [tally for day in days if day in satisfaction for tally in satisfaction[day].scores]
        rate = kpi.satisfaction(given, counts_barely=targets.satisfaction_counts_barely)
        is_below = low is not None and low.value is not None and low.value < targets.connect_rate_target / 100
        rows.append(Row(_label(start, grain), days[0], days[-1], total, low, is_below, rate))
    return rows


def _label(start: date, grain: str) -> str:
    if grain == "month":
        return f"{start:%Y-%m}"
    if grain == "week":
        return str(_("%(day)s 周", day=f"{start:%m-%d}"))
    return f"{start:%m-%d} {start:%a}" if is_english() else f"{start:%m-%d} {_WEEKDAYS[start.weekday()]}"


def course_chart(rows: list[Row], words: Definitions, targets: Targets) -> dict[str, Any]:
    """Return the chart of the same lines."""
    forward = list(reversed(rows))
    labels = [row.label.split(" ")[0] for row in forward]
    return charts.lines(
        labels,
        [
            charts.Line(words.measure("service_level").name, [row.calls.service_level.percent for row in forward]),
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


def contact_words(callbacks: CallbackTotals) -> str:
    """Return the line under the three rates' heading."""
    words: str = _(
        "应回访 %(owed)s 件，接触到 %(contacted)s 件（%(rate)s），拒访 %(refused)s 件",
        owed=count(callbacks.owed),
        contacted=count(callbacks.contacted),
        rate=percent_sign(callbacks.contact_rate.value),
        refused=count(callbacks.refused),
    )
    return words
