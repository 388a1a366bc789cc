"""The agents' page as it is shown and exported: each agent's sums, everybody's, and everybody's day by day."""

from typing import Any

from flask_babel import gettext as _

from webui.statistics import charts
from webui.statistics.desk import Desk
from webui.statistics.totals import AgentTotals
from webui.statistics.words import Rate


def agents_context(desk: Desk) -> dict[str, Any]:
    """Return the agents, who answered most first. Their days know neither queue nor category: conditions on these do not apply."""
    found, names = desk.reads.agents(desk.wanted), desk.reads.agent_names()
    rows = [(names.get(key, _("已删除的坐席")), key, one, _rate(desk, one)) for key, one in found.items()]
    rows.sort(key=lambda row: (-row[2].answered, row[0]))
    total = sum(found.values(), AgentTotals())
    daily = sorted(desk.reads.agents_by_day(desk.wanted).items())
    chart = charts.lines(
        [f"{day:%m-%d}" for day, _one in daily],
        [charts.Line(desk.words.measure("occupancy").name, [one.occupancy.percent for _day, one in daily])],
    )
    return {
        "rows": rows,
        "total": total,
        "total_rate": _rate(desk, total),
        "words": desk.words,
        "chart": chart,
        "daily": [(f"{day:%Y-%m-%d}", one) for day, one in reversed(daily)],
        "conditions": [],
    }


def _rate(desk: Desk, one: AgentTotals) -> Rate:
    ratio = one.after_call_satisfaction(counts_barely=desk.settings.satisfaction_counts_barely)
    return Rate(ratio, None, desk.settings.statistics_least_answers)
