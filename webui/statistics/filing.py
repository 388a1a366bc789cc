"""What is taken away as files: the present view, reports by schedule, and the frozen periods with their corrections."""

import io
import uuid
from typing import Any

from flask import Response, abort, render_template, request, send_file
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import audit
from webui.errors import says
from webui.formats import NOTHING
from webui.permissions import Permission, requires
from webui.person import actor
from webui.statistics.agents_view import agents_context
from webui.statistics.desk import Desk, current_desk
from webui.statistics.excel import overview_workbook
from webui.statistics.intervals import Interval
from webui.statistics.page_workbooks import agents_workbook, questionnaire_workbook
from webui.statistics.pages import blueprint as blueprint  # its views stand in several files
from webui.statistics.pages import common
from webui.statistics.periods import KINDS, Periods
from webui.statistics.printing import PrintingUnavailableError, overview_pdf
from webui.statistics.questionnaire_view import questionnaire_context
from webui.statistics.report import kind_word, particulars, printed_context
from webui.statistics.schedule import ReportNotFoundError, Reports
from webui.statistics.words import percent_sign, span_words

_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "pdf": "application/pdf"}
_KIND_WORDS = {"day": _l("日"), "week": _l("周"), "month": _l("月")}
_WHY_WORDS = {
    "rules": _l("口径设置已改"),
    "withdrawn": _l("%(n)s 份答卷被撤回"),
    "late": _l("%(n)s 份答卷改为逾期"),
    "added": _l("补计 %(n)s 条"),
    "removed": _l("核减 %(n)s 条"),
    "changed": _l("%(n)s 条记录更正"),
    "seconds": _l("记录已更正"),
}

says(ReportNotFoundError, lambda error: _("没有这份报表，或者它已过保存期。"))
says(PrintingUnavailableError, lambda error: _("服务器缺少排版组件，PDF 没有生成；可以先导出 Excel，并请联系系统管理员。"))


@blueprint.get("/export/<form>")
@requires(Permission.EXPORT_STATISTICS)
def export(form: str) -> Response:
    """Send the present overview as a file; who took it is an audit row."""
    if form not in _TYPES:
        abort(404)
    desk = current_desk()
    context = printed_context(desk, _heading(desk), _conditions(desk))
    made = overview_workbook(context) if form == "xlsx" else overview_pdf(context)
    span = desk.query.span
    _record(desk, form, "statistics")
    return _file(f"statistics-{span.first:%Y%m%d}-{span.last:%Y%m%d}.{form}", form, made)


@blueprint.get("/questionnaires/export")
@requires(Permission.EXPORT_STATISTICS)
def export_questionnaires() -> Response:
    """Send the page of one questionnaire as an Excel file."""
    desk = current_desk(compares=False)
    shown = questionnaire_context(desk, request.args)
    if shown["chosen"] is None:
        abort(404)
    head = particulars(desk, f"{_heading(desk)}　{shown['chosen'].title}", _conditions(desk))
    return _workbook(desk, "questionnaires", questionnaire_workbook({**shown, **head}))


@blueprint.get("/agents/export")
@requires(Permission.EXPORT_STATISTICS)
def export_agents() -> Response:
    """Send the agents' page as an Excel file."""
    desk = current_desk(compares=False)
    head = particulars(desk, f"{_heading(desk)}　{_('坐席')}", [])
    return _workbook(desk, "agents", agents_workbook({**agents_context(desk), **head}))


def _workbook(desk: Desk, what: str, made: bytes) -> Response:
    _record(desk, "xlsx", what)
    span = desk.query.span
    return _file(f"{what}-{span.first:%Y%m%d}-{span.last:%Y%m%d}.xlsx", "xlsx", made)


def _conditions(desk: Desk) -> list[str]:
    return [text for text, _href in common(desk, "index")["conditions"]]


def _record(desk: Desk, form: str, what: str) -> None:
    span = desk.query.span
    detail = {"form": form, "from": span.first.isoformat(), "to": span.last.isoformat(), "conditions": dict(desk.query.chosen)}
    with desk.house.database.transaction() as session:
        audit.record(session, actor(), "statistics.exported", what, detail)


def _heading(desk: Desk) -> str:
    return str(_("%(city)s%(name)s统计", city=desk.settings.city_name, name=desk.settings.hotline_name))


def _file(name: str, form: str, made: bytes) -> Response:
    return send_file(io.BytesIO(made), mimetype=_TYPES[form], as_attachment=True, download_name=name)


@blueprint.get("/reports")
@requires(Permission.READ_STATISTICS)
def reports() -> str:
    """List the reports by schedule, and the frozen periods with what changed since."""
    desk = current_desk(compares=False)
    kind = request.args.get("kind", "day")
    kind = kind if kind in KINDS else "day"
    settings = desk.settings
    frozen = Periods(desk.house.database, settings, desk.counting).frozen(kind)
    shown = ("service_level", "connect_rate_24h", "response_rate", "solved_rate", "satisfaction", "contact_rate")
    return render_template(
        "statistics/reports.html",
        **common(desk, "reports"),
        reports=Reports(desk.house.database, settings.reports, settings.report_keep_days).made(),
        kind_word=kind_word,
        kind=kind,
        kinds=list(_KIND_WORDS.items()),
        periods=frozen,
        shown=[(key, desk.words.measure(key).name) for key in shown],
        value=_value,
        span=_span,
        why=_why,
        name=lambda key: desk.words.measure(key).name,
    )


def _value(key: str, figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return NOTHING
    if key in {"average_speed_of_answer", "handle_time", "transcript_lag"}:
        return str(_("%(n)s 秒", n=f"{figure['value']:.1f}"))
    return percent_sign(figure["value"])


def _span(figure: dict[str, Any]) -> str:
    return NOTHING if figure["low"] is None else span_words(Interval(figure["low"], figure["high"]))


def _why(reason: dict[str, Any]) -> str:
    return str(_WHY_WORDS[reason["kind"]]) % {"n": f"{reason['count']:g}"}


@blueprint.get("/reports/<uuid:report_id>.<form>")
@requires(Permission.EXPORT_STATISTICS)
def report(report_id: uuid.UUID, form: str) -> Response:
    """Send a report that was made by schedule."""
    if form not in _TYPES:
        abort(404)
    desk_house = current_desk(compares=False).house
    settings = desk_house.settings
    title, made = Reports(desk_house.database, settings.reports, settings.report_keep_days).file(report_id, form)
    with desk_house.database.transaction() as session:
        audit.record(session, actor(), "statistics.exported", str(report_id), {"form": form, "title": title})
    return _file(f"{title}.{form}", form, made)
