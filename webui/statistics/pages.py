"""The statistics pages: overview, questionnaires, agents and definitions."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, Protocol

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.clock import local_date
from webui.formats import minute
from webui.paging import without
from webui.permissions import Permission, requires
from webui.statistics.agents_view import agents_context
from webui.statistics.desk import Desk, current_desk
from webui.statistics.figures import until_now
from webui.statistics.grains import GRAINS
from webui.statistics.periods import SLOW, slow_days
from webui.statistics.printing import css_text
from webui.statistics.query import COMPARE
from webui.statistics.questionnaire_view import Choice, questionnaire_context
from webui.statistics.questionnaires import MOST_CROSSED, Question, QuestionnaireReads
from webui.statistics.report import overview_context
from webui.statistics.words import interval_words, percent_sign
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
_OF_ONE_PAGE = {"page", "by", "question", "scores", "option", "agent", "matter", "window", "row", "across"}


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
        "days_behind": days_behind,
    }


class Stretch(Protocol):
    """A row of a table over time."""

    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...


def address_of(endpoint: str, **changes: str) -> str:
    """Return another page's address with the present conditions; what only this page knows is left out."""
    # A name with an underscore would be an order to `url_for`.
    kept = {name: value for name, value in request.args.items() if name not in _OF_ONE_PAGE and not name.startswith("_")}
    values: dict[str, Any] = {**kept, **changes}
    return url_for(endpoint, **values)


def days_behind(measure: str, side: str) -> Callable[[Stretch], str]:
    """Return where what is behind a measure is listed, for any row of a table: made once, for a year has many days."""
    first, last = "1111-11-11", "2222-12-22"
    address = address_of("statistics.behind", measure=measure, side=side, when="custom", **{"from": first, "to": last})
    return lambda row: address.replace(first, row.first.isoformat()).replace(last, row.last.isoformat())


blueprint.add_app_template_filter(percent_sign)
blueprint.add_app_template_filter(interval_words)
blueprint.add_app_template_filter(css_text)


@blueprint.get("/questionnaires")
@requires(Permission.READ_STATISTICS)
def questionnaires() -> str:
    """Show what was answered: distributions, cross-tabs, versions, and the citizens' own words."""
    desk = current_desk(compares=False)
    shown = questionnaire_context(desk, request.args)
    if shown["chosen"]:
        shown["choice_address"] = partial(_choice_address, desk.query.texts["questionnaire"] or shown["chosen"].key)
    return render_template("statistics/questionnaires.html", **common(desk, "questionnaires"), **shown, most_crossed=MOST_CROSSED)


def _choice_address(questionnaire: str, question: Question, choice: Choice) -> str:
    """Return where the surveys with one answer are listed."""
    said = {"option": choice.option} if question.kind in {"single", "multiple"} else {"scores": choice.option}
    return address_of("statistics.surveys", questionnaire=questionnaire, question=question.key, **said)


@blueprint.get("/agents")
@requires(Permission.READ_STATISTICS)
def agents() -> str:
    """Show each agent: calls, time by state, and the ratings after calls, offered, given and skipped."""
    desk = current_desk(compares=False)
    return render_template("statistics/agents.html", **{**common(desk, "agents"), **agents_context(desk)})


@blueprint.get("/definitions")
@requires(Permission.READ_STATISTICS)
def definitions() -> str:
    """Show every measure in words, once."""
    desk = current_desk(compares=False)
    return render_template(
        "statistics/definitions.html",
        **common(desk, "definitions"),
        measures=desk.words.all(),
        slow=[desk.words.measure(key).name for key in SLOW],
        slow_days=slow_days(desk.settings.repeat_call_days),
    )
