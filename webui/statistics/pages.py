"""The statistics pages: overview, questionnaires, agents, definitions, and the surveys behind a number."""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.clock import local_date
from core.errors import NotFoundError
from webui.errors import says
from webui.formats import minute
from webui.paging import SIZE, Page, address, page_number, without
from webui.permissions import Permission, requires
from webui.statistics import charts
from webui.statistics.desk import Desk, current_desk
from webui.statistics.figures import until_now
from webui.statistics.printing import css_text
from webui.statistics.query import COMPARE, GRAINS
from webui.statistics.questionnaire_view import cross_tabs, distributions
from webui.statistics.questionnaires import MOST_CROSSED, MOST_LISTED, QuestionnaireReads
from webui.statistics.reads import SATISFACTION
from webui.statistics.report import overview_context
from webui.statistics.totals import AgentTotals
from webui.statistics.words import Rate, percent_sign
from webui.stream import newest_event

blueprint = Blueprint("statistics", __name__, url_prefix="/statistics")
TABS = (
    ("index", _l("概览")),
    ("questionnaires", _l("问卷")),
    ("agents", _l("坐席")),
    ("improvements", _l("整改")),
    ("reports", _l("报表")),
    ("definitions", _l("口径")),
)
_WHEN_WORDS = {
    "today": _l("今日"),
    "yesterday": _l("昨日"),
    "7d": _l("近 7 天"),
    "30d": _l("近 30 天"),
    "month": _l("本月"),
    "custom": _l("自定义"),
}
_COMPARE_WORDS = {"previous": _l("对比上期"), "year": _l("对比去年同期"), "none": _l("不对比")}
_GRAIN_WORDS = {"day": _l("日"), "week": _l("周"), "month": _l("月")}
_CONDITION_WORDS = {
    "queue": _l("队列"),
    "category": _l("分类"),
    "hall": _l("大厅"),
    "unit": _l("单位"),
    "region": _l("区划"),
    "questionnaire": _l("问卷"),
}
WAY_WORDS = {"ivr": _l("自动语音"), "web": _l("短信链接"), "agent": _l("坐席回访")}
STATE_WORDS = {
    "offered": _l("已发出"),
    "started": _l("作答中"),
    "completed": _l("已完成"),
    "partial": _l("答了一部分"),
    "refused": _l("拒访"),
    "skipped": _l("跳过"),
    "expired": _l("已过期"),
}


class UnknownQuestionnaireError(NotFoundError):
    """No questionnaire of that name was ever launched."""


says(UnknownQuestionnaireError, lambda error: _("没有这份问卷，或者它还没有启用过。"))


@blueprint.get("/")
@requires(Permission.READ_STATISTICS)
def index() -> str:
    """Show the overview; its figures alone when the page asks for them anew."""
    desk = current_desk()
    template = "statistics/overview_figures.html" if request.headers.get("HX-Request") else "statistics/overview.html"
    return render_template(template, **common(desk, "index"), **overview_context(desk), event_id=newest_event())


def common(desk: Desk, tab: str) -> dict[str, Any]:
    """Return what the head of every page needs: tabs, filters, and as of when the figures are."""
    choices = desk.reads.choices()
    queues = desk.reads.queues()
    questionnaires = QuestionnaireReads(desk.house.database).all()
    asked = [(view.key, _("问卷：%(title)s", title=view.title)) for view in questionnaires]
    for view in questionnaires:
        if len(view.versions) > 1:
            asked += [
                (f"{view.key}:{one.version_no}", _("问卷：%(title)s 第 %(number)s 版", title=view.title, number=one.version_no))
                for one in view.versions
            ]
    names = {"queue": dict(queues), "questionnaire": dict(asked)}
    chosen = [
        (_("%(name)s：%(value)s", name=_CONDITION_WORDS[name], value=names.get(name, {}).get(value, value)), without(name))
        for name, value in desk.query.chosen
    ]
    return {
        "tab": tab,
        "tabs": [(f"statistics.{key}", word, key) for key, word in TABS],
        "query": desk.query,
        "arguments": request.args,
        "when": list(_WHEN_WORDS.items()),
        "compare": [(key, _COMPARE_WORDS[key]) for key in COMPARE],
        "grains": [(key, _GRAIN_WORDS[key]) for key in GRAINS],
        "queues": queues,
        "choices": choices,
        "questionnaires": asked,
        "conditions": chosen,
        "as_of": minute(until_now(desk.query.span, desk.now)),
        "is_running": desk.query.span.last >= local_date(desk.now),
        "waiting_days": desk.waiting_days,
        "narrowed": desk.wanted.narrows_calls,
        "settings": desk.settings,
        "address_of": address_of,
    }


def address_of(endpoint: str, **changes: str) -> str:
    """Return another page's address with the present conditions."""
    kept = {name: value for name, value in request.args.items() if name not in {"page", "by"}}
    values: dict[str, Any] = {**kept, **changes}
    return url_for(endpoint, **values)


blueprint.add_app_template_filter(percent_sign)
blueprint.add_app_template_filter(css_text)


@blueprint.get("/questionnaires")
@requires(Permission.READ_STATISTICS)
def questionnaires() -> str:
    """Show what was answered: distributions, cross-tabs, versions, and the citizens' own words."""
    desk = current_desk(compares=False)
    reader = QuestionnaireReads(desk.house.database)
    known = reader.all()
    asked = desk.query.texts["questionnaire"].partition(":")[0]
    chosen = next((view for view in known if view.key == asked), None)
    if asked and chosen is None:
        raise UnknownQuestionnaireError(asked)
    chosen = chosen or next((view for view in known if view.key != "after_call"), None)
    shown: dict[str, Any] = {"chosen": chosen, "known": known}
    if chosen:
        shown |= distributions(desk, reader, chosen)
        shown |= cross_tabs(desk, reader, chosen, request.args)
    return render_template(
        "statistics/questionnaires.html", **common(desk, "questionnaires"), **shown, way_words=WAY_WORDS, most_crossed=MOST_CROSSED
    )


@blueprint.get("/agents")
@requires(Permission.READ_STATISTICS)
def agents() -> str:
    """Show each agent: calls, time by state, and the ratings after calls, offered, given and skipped."""
    desk = current_desk(compares=False)
    found, names = desk.reads.agents(desk.wanted), desk.reads.agent_names()
    barely, least = desk.settings.satisfaction_counts_barely, desk.settings.statistics_least_answers
    rows = [
        (names.get(key, _("已删除的坐席")), key, one, Rate(one.after_call_satisfaction(counts_barely=barely), None, least))
        for key, one in found.items()
    ]
    rows.sort(key=lambda row: (-row[2].answered, row[0]))
    total = sum(found.values(), AgentTotals())
    daily = sorted(desk.reads.agents_by_day(desk.wanted).items())
    chart = charts.lines(
        [f"{day:%m-%d}" for day, _one in daily],
        [charts.Line(desk.words.measure("occupancy").name, [one.occupancy.percent for _day, one in daily])],
    )
    return render_template(
        "statistics/agents.html",
        **common(desk, "agents"),
        rows=rows,
        total=total,
        total_rate=Rate(total.after_call_satisfaction(counts_barely=barely), None, least),
        words=desk.words,
        chart=chart,
    )


@blueprint.get("/definitions")
@requires(Permission.READ_STATISTICS)
def definitions() -> str:
    """Show every measure in words, once."""
    desk = current_desk(compares=False)
    return render_template("statistics/definitions.html", **common(desk, "definitions"), measures=desk.words.all())


@blueprint.get("/surveys")
@requires(Permission.READ_STATISTICS)
def surveys() -> str:
    """List the surveys behind a number."""
    desk = current_desk(compares=False)
    question = request.args.get("question", SATISFACTION)[:40]
    scores = [float(part) for part in request.args.get("scores", "").split(",") if _is_number(part)]
    if len(scores) > 20:
        abort(400)
    number = page_number()
    places = {name: request.args.get(name, "")[:200] for name in ("matter", "window")}
    reader = QuestionnaireReads(desk.house.database)
    known = None if any(places.values()) or desk.waiting_days else _counted(desk, question, scores)
    offset = (number - 1) * SIZE
    found, total = reader.behind(desk.wanted, question, scores, offset, SIZE, known_total=known, **places)
    labels = {
        key: one for view in reader.all() for version in reversed(view.versions) for one in version.questions for key in (one.key,)
    }
    return render_template(
        "statistics/surveys.html",
        **common(desk, "index"),
        rows=found,
        page=Page(number, total),
        labels=labels,
        way_words=WAY_WORDS,
        state_words=STATE_WORDS,
        most_listed=MOST_LISTED,
        back=address(question=None, scores=None, page=None).replace("/statistics/surveys", "/statistics/", 1),
    )


def _counted(desk: Desk, question: str, scores: list[float]) -> int:
    """Return how many surveys stand behind a number, as it was counted."""
    answers = desk.reads.answers(desk.wanted, question)
    everybody = answers.option("*").count
    if everybody and not scores:
        return min(everybody, MOST_LISTED)
    return min(sum(tally.count for _option, tally in answers.tallies if not scores or tally.score in scores), MOST_LISTED)


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < 1e9
    except ValueError:
        return False
