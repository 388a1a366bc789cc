"""All figures of one filter, read together: what the overview, its export, the frozen periods and the reports are made of."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from core.clock import day_bounds, local_date
from webui.statistics import kpi
from webui.statistics.counting import Span
from webui.statistics.kpi import Ratio
from webui.statistics.reads import AFTER_CALL, RESOLVED, SATISFACTION, Filter, StatisticsReads
from webui.statistics.totals import AgentTotals, Answers, CallbackTotals, CallTotals, SurveyTotals


class Targets(Protocol):
    """The site's targets, in percent, and what counts as satisfied."""

    @property
    def service_level_target(self) -> float: ...
    @property
    def connect_rate_target(self) -> float: ...
    @property
    def response_rate_target(self) -> float: ...
    @property
    def solved_rate_target(self) -> float: ...
    @property
    def satisfaction_target(self) -> float: ...
    @property
    def satisfaction_counts_barely(self) -> bool: ...
    @property
    def statistics_least_answers(self) -> int: ...


@dataclass(frozen=True)
class Course:
    """What the three rates are made of, by day or, over many days, by month."""

    callbacks: dict[date, CallbackTotals]
    resolved: dict[date, Answers]
    satisfaction: dict[date, Answers]


@dataclass(frozen=True)
class Figures:
    """What was counted for one filter."""

    span: Span
    calls: CallTotals
    callbacks: CallbackTotals
    surveys: SurveyTotals
    satisfaction: Answers
    resolved: Answers
    agents: AgentTotals
    after_call: Answers
    course: Course
    rolling: list[tuple[datetime, Ratio]] = field(default_factory=list)
    waits: list[tuple[float, int]] = field(default_factory=list)
    lags: list[tuple[float, int]] = field(default_factory=list)

    @property
    def connect_rate_24h(self) -> Ratio:
        """The latest of the rolling rates."""
        return next((ratio for _, ratio in reversed(self.rolling) if ratio.value is not None), Ratio(0, 0))

    @property
    def lowest_24h(self) -> Ratio:
        """The lowest of the rolling rates."""
        known = [ratio for _, ratio in self.rolling if ratio.value is not None]
        return min(known, key=lambda ratio: ratio.value or 0.0, default=Ratio(0, 0))

    @property
    def lag(self) -> kpi.Mean:
        """The mean lag of live text."""
        return kpi.Mean(sum(value * count for value, count in self.lags), sum(count for _, count in self.lags))


def read_figures(reads: StatisticsReads, wanted: Filter, now: datetime) -> Figures:
    """Read all figures of a filter; the counts must be good already. What a condition does not apply to is left empty."""
    start, end = rolling_bounds(wanted.span, now)
    agents = AgentTotals() if wanted.narrows_agents else sum(reads.agents(wanted).values(), AgentTotals())
    course = Course(reads.callbacks_over(wanted), reads.answers_over(wanted, RESOLVED), reads.answers_over(wanted, SATISFACTION))
    after_call = Filter(wanted.span, queue_name=wanted.queue_name, category=wanted.category, kind=AFTER_CALL)
    return Figures(
        span=wanted.span,
        calls=reads.calls(wanted),
        callbacks=sum(course.callbacks.values(), CallbackTotals()),
        surveys=reads.surveys(wanted),
        satisfaction=sum(course.satisfaction.values(), Answers()),
        resolved=sum(course.resolved.values(), Answers()),
        agents=agents,
        after_call=reads.answers(after_call, SATISFACTION),
        course=course,
        rolling=[] if wanted.category else kpi.rolling_day(reads.hours(wanted, start - timedelta(days=1), end), start, end),
        waits=[] if wanted.category else reads.spread(wanted, "wait"),
        lags=[] if wanted.category else reads.spread(wanted, "lag"),
    )


def rolling_bounds(span: Span, now: datetime) -> tuple[datetime, datetime]:
    """Return from and until when full hours are looked at: not beyond the present."""
    start, end = span.bounds
    hour = now.replace(minute=0, second=0, microsecond=0)
    return start, max(start, min(end, hour))


def lowest_by_day(points: list[tuple[datetime, Ratio]]) -> dict[date, Ratio]:
    """Return each day's lowest rolling rate; the hour that ends a day belongs to it."""
    found: dict[date, Ratio] = {}
    for at, ratio in points:
        day = local_date(at - timedelta(hours=1))
        if ratio.value is not None and (day not in found or ratio.value < (found[day].value or 0.0)):
            found[day] = ratio
    return found


def span_before(span: Span) -> Span:
    """Return as many days just before (环比)."""
    return Span(span.first - timedelta(days=span.days), span.first - timedelta(days=1))


def span_last_year(span: Span) -> Span:
    """Return the same days of the year before (同比)."""
    return Span(_year_before(span.first), _year_before(span.last))


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)


def until_now(span: Span, now: datetime) -> datetime:
    """Return as of when the figures of a span are."""
    return min(now, day_bounds(span.last)[1])
