"""The lists behind a number: its numerator or denominator, call by call, callback by callback, survey by survey."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webui.callbacks_words import DISPOSITIONS, REASONS, STATES
from webui.calls_words import RESULT_WORDS
from webui.formats import minute
from webui.paging import SIZE, Page, page_number
from webui.permissions import Permission, requires
from webui.statistics import kpi
from webui.statistics.behind import ANSWERS, BEHIND, CALLBACKS, CALLS, MOST_LISTED, RATINGS, BehindReads, SurveyRow
from webui.statistics.desk import Desk, current_desk
from webui.statistics.figures import rolling_bounds
from webui.statistics.pages import blueprint as blueprint  # its views stand in several files
from webui.statistics.pages import common
from webui.statistics.questionnaire_view import WAY_WORDS, of_questionnaire
from webui.statistics.questionnaires import Question, QuestionnaireReads
from webui.statistics.reads import AFTER_CALL, RESOLVED, SATISFACTION, Filter
from webui.statistics.totals import AgentTotals

STATE_WORDS = {
    "offered": _l("已发出"),
    "started": _l("作答中"),
    "completed": _l("已完成"),
    "partial": _l("答了一部分"),
    "refused": _l("拒访"),
    "skipped": _l("跳过"),
    "hung_up": _l("按键前挂断"),
    "expired": _l("已过期"),
}


@blueprint.get("/behind/<measure>/<side>")
@requires(Permission.READ_STATISTICS)
def behind(measure: str, side: str) -> str:
    """List what a measure's numerator (part) or denominator (whole) is made of."""
    if measure not in BEHIND or side not in {"part", "whole"}:
        abort(404)
    desk = current_desk(compares=False)
    words = desk.words.measure(measure)
    heading = _("%(name)s：%(value)s", name=words.name, value=words.numerator if side == "part" else words.denominator)
    column = getattr(BEHIND[measure], side)
    kind = BEHIND[measure].kind
    if kind == CALLS:
        return _calls(desk, heading, column, _latest_day(desk) if measure == "connect_rate_24h" else None)
    if kind == CALLBACKS:
        return _callbacks(desk, heading, column)
    if kind == ANSWERS:
        return _rated(desk, heading, measure, side)
    return _surveys(desk, heading, column, is_rating=kind == RATINGS)


def _reads(desk: Desk) -> BehindReads:
    return BehindReads(desk.house.database, desk.settings, desk.now)


def _offset() -> int:
    return (page_number() - 1) * SIZE


def _latest_day(desk: Desk) -> tuple[datetime, datetime]:
    """Return the 24 hours that the overview's rolling rate is of."""
    start, end = rolling_bounds(desk.wanted.span, desk.now)
    points = kpi.rolling_day(desk.reads.hours(desk.wanted, start - timedelta(days=1), end), start, end)
    until = next((at for at, ratio in reversed(points) if ratio.value is not None), end)
    return until - timedelta(days=1), until


def _calls(desk: Desk, heading: str, column: str, bounds: tuple[datetime, datetime] | None) -> str:
    if bounds:
        total = sum(getattr(hour, column) for hour in desk.reads.hours(desk.wanted, *bounds))
    else:
        total = getattr(desk.reads.calls(desk.wanted), column)
    rows = _reads(desk).calls(desk.wanted, column, _offset(), SIZE, bounds)
    note = _("只计市民打进的来电；号码不在此显示")
    if bounds:
        note = _("%(from)s 至 %(to)s", **{"from": minute(bounds[0]), "to": minute(bounds[1])})
    words: dict[str, Any] = {
        "result_words": RESULT_WORDS,
        "tells_narrowed": True,
        "nothing": _("没有符合条件的通话"),
        "nothing_icon": "phone",
    }
    return _page(desk, "statistics/behind_calls.html", heading, rows, total, note=note, **words)


def _callbacks(desk: Desk, heading: str, column: str) -> str:
    total = getattr(desk.reads.callbacks(desk.wanted), column)
    rows = _reads(desk).callbacks(desk.wanted, column, _offset(), SIZE)
    words: dict[str, Any] = {"reason_words": REASONS, "callback_words": STATES, "disposition_words": DISPOSITIONS}
    words |= {"nothing": _("没有符合条件的回访"), "nothing_icon": "phone-outgoing"}
    note = _("取消的和未抽中的不在其中；号码和姓名不在此显示")
    return _page(desk, "statistics/behind_callbacks.html", heading, rows, total, note=note, **words)


def _surveys(desk: Desk, heading: str, column: str, *, is_rating: bool) -> str:
    agent = None
    if is_rating:
        wanted = Filter(desk.wanted.span, kind=AFTER_CALL)
        agent = _agent()
        found = desk.reads.agents(wanted)
        total = getattr(found.get(str(agent), AgentTotals()) if agent else sum(found.values(), AgentTotals()), column)
        if agent:
            heading = f"{heading}（{desk.reads.agent_names().get(str(agent), '')}）"
    else:
        wanted = desk.wanted
        total = getattr(desk.reads.surveys(wanted), column)
    rows = _reads(desk).surveys(wanted, column, _offset(), SIZE, agent=agent)
    return _survey_page(desk, heading, _("不含撤回的答卷；号码和姓名不在此显示"), rows, total)


def _agent() -> uuid.UUID | None:
    try:
        return uuid.UUID(request.args.get("agent", ""))
    except ValueError:
        return None


def _rated(desk: Desk, heading: str, measure: str, side: str) -> str:
    """List the answers that 满意率, 解决率 or 挂机满意率 is made of."""
    wanted, question = desk.wanted, RESOLVED if measure == "solved_rate" else SATISFACTION
    if measure == "after_call_satisfaction":
        wanted = Filter(wanted.span, queue_name=wanted.queue_name, category=wanted.category, kind=AFTER_CALL)
    least = 1 if question == RESOLVED else kpi.BARELY_SATISFIED if desk.settings.satisfaction_counts_barely else kpi.SATISFIED
    scores = [float(score) for score in range(least, 6)] if side == "part" else []
    return _answers(desk, heading, wanted, question, scores=scores)


@blueprint.get("/surveys")
@requires(Permission.READ_STATISTICS)
def surveys() -> str:
    """List the surveys behind an answer to a question."""
    desk = current_desk(compares=False)
    key = request.args.get("question", SATISFACTION)[:40]
    scores = [float(part) for part in request.args.get("scores", "").split(",") if _is_number(part)]
    if len(scores) > 20:
        abort(400)
    option = request.args.get("option", "").replace("\x00", "")[:60]
    wanted, question = desk.wanted, None
    asked, _colon, number = desk.query.texts["questionnaire"].partition(":")
    for view in QuestionnaireReads(desk.house.database).all():
        if view.key == asked:
            # As the page that counts them: only the versions that ask it in the same words.
            same = view.same_question(number, key)
            wanted = of_questionnaire(wanted, view, same or view.versions)
            question = same[0].question(key) if same else None
    return _answers(desk, _question_heading(question, scores, option), wanted, key, scores=scores, option=option)


def _question_heading(question: Question | None, scores: Sequence[float], option: str) -> str:
    if question is None:
        return str(_("数字背后的答卷"))
    chosen = [question.label(f"{score:g}") for score in scores] + ([question.label(option)] if option else [])
    title = question.title or question.key
    return str(_("%(name)s：%(value)s", name=title, value="、".join(chosen))) if chosen else title


def _answers(desk: Desk, heading: str, wanted: Filter, question: str, *, scores: Sequence[float], option: str = "") -> str:
    places = {name: request.args.get(name, "").replace("\x00", "")[:200] for name in ("matter", "window")}
    known = None
    if not any(places.values()) and not desk.waiting_days:
        answers = desk.reads.answers(wanted, question)
        everybody = answers.option("*").count
        if option:
            known = answers.option(option).count
        elif everybody and not scores:
            known = everybody
        else:
            known = sum(tally.count for _option, tally in answers.tallies if not scores or tally.score in scores)
    rows, total = _reads(desk).answers(wanted, question, _offset(), SIZE, scores=scores, option=option, known_total=known, **places)
    return _survey_page(desk, heading, _("不含逾期和撤回的答卷；号码和姓名不在此显示"), rows, total)


def _survey_page(desk: Desk, heading: str, note: str, rows: Sequence[SurveyRow], total: int) -> str:
    labels = {
        (version.version_id, question.key): question
        for view in QuestionnaireReads(desk.house.database).all()
        for version in view.versions
        for question in version.questions
    }
    words: dict[str, Any] = {"labels": labels, "way_words": WAY_WORDS, "state_words": STATE_WORDS}
    words |= {"nothing": _("没有符合条件的答卷"), "nothing_icon": "clipboard-list"}
    return _page(desk, "statistics/behind_surveys.html", heading, rows, total, note=note, **words)


def _page(desk: Desk, template: str, heading: str, rows: Sequence[Any], total: int, **more: Any) -> str:
    page = Page(page_number(), min(total, MOST_LISTED))
    return render_template(
        template, **common(desk, "index"), **more, heading=heading, rows=rows, page=page, most_listed=MOST_LISTED
    )


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < 1e9
    except ValueError:
        return False
