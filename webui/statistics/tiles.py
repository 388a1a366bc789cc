"""The tiles of the overview: one figure each, with its parts, its interval and how it moved."""

from collections.abc import Callable
from dataclasses import dataclass, field

from flask_babel import gettext as _

from webui.formats import NOTHING, duration
from webui.statistics import kpi
from webui.statistics.definitions import Definitions
from webui.statistics.figures import Figures, Targets
from webui.statistics.kpi import Ratio
from webui.statistics.reads import Filter
from webui.statistics.words import Change, change_of_ratio, change_of_seconds, count, interval_words, percent


@dataclass(frozen=True)
class Tile:
    """One figure with its name and definition. `ratio` is there where the figure is a share of things that can be listed."""

    key: str
    name: str
    definition: str
    value: str
    unit: str = ""
    detail: str = ""
    change: Change = field(default_factory=Change)
    ratio: Ratio | None = None

    @property
    def span(self) -> str:
        """The 95 % interval in words, empty where there is none."""
        return interval_words(self.ratio) if self.ratio and self.value != NOTHING else ""


@dataclass(frozen=True)
class _Maker:
    now: Figures
    before: Figures | None
    words: Definitions
    compared: str

    def share(self, key: str, of: Callable[[Figures], Ratio], detail: str = "", least: int = 0) -> Tile:
        ratio, is_few = of(self.now), of(self.now).whole < least
        value = NOTHING if is_few else percent(ratio.value)
        change = Change()
        if self.before and not is_few:
            change = change_of_ratio(ratio, of(self.before), self.words.measure(key).better, self.compared)
        return self._tile(key, value, "%", detail, change, ratio)

    def seconds(self, key: str, of: Callable[[Figures], float | None], detail: str) -> Tile:
        value = of(self.now)
        shown = NOTHING if value is None else f"{value:.1f}"
        return self._tile(key, shown, _("秒"), detail, self._change(key, of, value))

    def clock(self, key: str, of: Callable[[Figures], float | None], detail: str) -> Tile:
        value = of(self.now)
        return self._tile(key, duration(value), "", detail, self._change(key, of, value, as_clock=True))

    def unknown(self, key: str, why: str) -> Tile:
        return self._tile(key, NOTHING, "", why, Change())

    def _change(self, key: str, of: Callable[[Figures], float | None], value: float | None, *, as_clock: bool = False) -> Change:
        if self.before is None:
            return Change()
        return change_of_seconds(value, of(self.before), self.words.measure(key).better, self.compared, as_clock=as_clock)

    def _tile(self, key: str, value: str, unit: str, detail: str, change: Change, ratio: Ratio | None = None) -> Tile:
        name, definition = self.words.measure(key).name, self.words.sentence(key)
        return Tile(key, name, definition, value, unit if value != NOTHING else "", detail, change, ratio)


def tiles(now: Figures, before: Figures | None, words: Definitions, targets: Targets, compared: str, wanted: Filter) -> list[Tile]:
    """Return the first row. With a category chosen, what asks for calls that nobody answered cannot be said: they have none."""
    make = _Maker(now, before, words, compared)
    reached, days = kpi.days_reached(now.rolling, targets.connect_rate_target / 100)
    reached_words = _(
        "%(reached)s / %(days)s 天达 %(target)s%%", reached=reached, days=days, target=f"{targets.connect_rate_target:g}"
    )
    median, high = (_whole(kpi.percentile(now.waits, share)) for share in (0.5, 0.95))
    talking, wrapup = duration(now.calls.talking.value), duration(now.calls.wrapup.value)
    found = [
        make.share("service_level", lambda one: one.calls.service_level),
        make.share("connect_rate_24h", lambda one: one.connect_rate_24h, reached_words),
        make.seconds(
            "average_speed_of_answer",
            lambda one: one.calls.average_speed_of_answer.value,
            _("中位 %(median)s 秒，P95 %(high)s 秒", median=median, high=high),
        ),
        make.clock(
            "handle_time",
            lambda one: one.calls.handle_time.value,
            _("通话 %(talk)s，话后 %(wrapup)s", talk=talking, wrapup=wrapup),
        ),
        make.share("abandonment", lambda one: one.calls.abandonment),
        make.share("direct_answer_rate", lambda one: one.calls.direct_answer_rate),
        make.share("adoption_rate", lambda one: one.calls.adoption_rate),
    ]
    without = {"service_level", "connect_rate_24h", "abandonment"} if wanted.category else set()
    return [make.unknown(one.key, _("未接听的来电没有分类")) if one.key in without else one for one in found]


def more_tiles(
    now: Figures, before: Figures | None, words: Definitions, targets: Targets, compared: str, wanted: Filter
) -> list[Tile]:
    """Return the second row: what is looked at less often."""
    make = _Maker(now, before, words, compared)
    barely, least = targets.satisfaction_counts_barely, targets.statistics_least_answers
    spent, staffed = now.agents.occupancy.part, now.agents.occupancy.whole
    hours = _("%(part)s / %(whole)s 小时", part=count(spent / 3600), whole=count(staffed / 3600))
    high = kpi.percentile(now.lags, 0.95)
    busy = make.share("occupancy", lambda one: one.agents.occupancy)
    found = [
        make.share("first_contact_resolution", lambda one: one.calls.first_contact_resolution),
        # Time, not things: there is nothing to list, and no interval.
        Tile(busy.key, busy.name, busy.definition, busy.value, busy.unit, hours, busy.change),
        make.seconds("transcript_lag", lambda one: one.lag.value, "" if high is None else _("P95 %(high)s 秒", high=f"{high:.1f}")),
        make.share("survey_response_rate", lambda one: one.surveys.survey_response_rate),
        make.share("refusal_rate", lambda one: one.callbacks.refusal_rate),
        make.share("after_call_rate", lambda one: one.agents.after_call_rate),
        make.share("after_call_satisfaction", lambda one: one.after_call.satisfied(counts_barely=barely), least=least),
    ]
    without = {}
    if wanted.narrows_agents:
        without = dict.fromkeys(("occupancy", "after_call_rate"), _("不按队列和分类统计"))
    if wanted.category:
        without["transcript_lag"] = _("不按分类统计")
    return [make.unknown(one.key, without[one.key]) if one.key in without else one for one in found]


def _whole(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f}"
