"""Everything that the overview says, for the page, its export and the reports by schedule; and the desk of a report."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from webui.formats import minute
from webui.house import House
from webui.statistics import overview, rates, tiles
from webui.statistics.counting import PARTS, Counting, Span
from webui.statistics.definitions import Definitions
from webui.statistics.desk import Desk
from webui.statistics.figures import span_before, until_now
from webui.statistics.query import StatisticsQuery
from webui.statistics.reads import SATISFACTION, Filter, StatisticsReads

KINDS = ("daily", "weekly", "monthly")
_TEXTS = ("queue", "category", "hall", "unit", "region", "questionnaire")


def overview_context(desk: Desk) -> dict[str, Any]:
    """Return everything that the overview shows; its export shows the same."""
    now, before = desk.figures()
    reads, wanted, settings = desk.reads, desk.wanted, desk.settings
    compared, grain = desk.compared, desk.query.grain
    rows = overview.course(now, reads.calls_by_day(wanted), grain, settings, wanted)
    trend = rates.trend(now, grain, settings)
    unit_rows = overview.units(reads.answers_by(wanted, SATISFACTION, "unit"), reads.callbacks_by(wanted, "unit"), settings)
    old_topics = reads.calls_by(desk.before, "category") if desk.before else None
    return {
        "span": wanted.span,
        "compared": compared,
        "tiles": tiles.tiles(now, before, desk.words, settings, compared, wanted),
        "more": tiles.more_tiles(now, before, desk.words, settings, compared, wanted),
        "rates": rates.rate_boxes(now, before, desk.words, settings, compared),
        "contact": rates.contact_words(now.callbacks),
        "trend": trend,
        "trend_chart": rates.trend_chart(trend, desk.words),
        "trend_grain": rates.trend_grain(now, grain),
        "rows": rows,
        "by_category": bool(wanted.category),
        "chart": overview.course_chart(rows, desk.words, settings),
        "units": unit_rows,
        "unit_axis": rates.axis_start(*(row.rate for row in unit_rows)),
        "topics": overview.topics(reads.calls_by(wanted, "category"), old_topics),
        "title": _("%(city)s%(name)s统计", city=settings.city_name, name=settings.hotline_name),
    }


def kind_word(kind: str) -> str:
    """Return 日报, 周报 or 月报."""
    return str({"daily": _("日报"), "weekly": _("周报"), "monthly": _("月报")}[kind])


def report_desk(house: House, counting: Counting, span: Span, now: datetime) -> Desk:
    """Return the desk of a report about everything in some days, compared with as many days before."""
    grain = "day" if span.days <= 62 else "month"
    query = StatisticsQuery(span, "custom", "previous", grain, dict.fromkeys(_TEXTS, ""))
    left = counting.ensure(span, PARTS) + counting.ensure(span_before(span), PARTS)
    return Desk(
        house,
        now,
        query,
        Filter(span),
        StatisticsReads(house.database),
        counting,
        Definitions(house.settings),
        left,
        counting.earliest(),
    )


def printed_context(desk: Desk, title: str, conditions: list[str]) -> dict[str, Any]:
    """Return the overview with what a sheet of paper must say besides: of what, from when, counted how."""
    return {
        **overview_context(desk),
        **particulars(desk, title, conditions),
        "measures": [(measure.name, desk.words.sentence(measure.key)) for measure in desk.words.all()],
        "settings": desk.settings,
        "rules": desk.counting.rules,
    }


def particulars(desk: Desk, title: str, conditions: list[str]) -> dict[str, Any]:
    """Return what stands at the head of every sheet that is filed."""
    span = desk.query.span
    return {
        "heading": title,
        "period": f"{span.first:%Y-%m-%d}" if span.days == 1 else f"{span.first:%Y-%m-%d} – {span.last:%Y-%m-%d}",
        "conditions": conditions,
        "as_of": minute(until_now(span, desk.now)),
        "made_at": minute(desk.now),
        "waiting_days": desk.waiting_days,
    }
