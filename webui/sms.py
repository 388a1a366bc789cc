"""Text messages: what was sent, what waits, and the ones whose outcome a person must settle."""

import re
import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webui.calls import WholeNumberError
from webui.cases_query import read_sms_query
from webui.errors import says
from webui.house import current_house
from webui.paging import SIZE, Page, page_number, without
from webui.permissions import Permission, requires
from webui.person import actor, current_person
from workorder.sms_state import SmsState
from workorder.sms_view import ResolvedAlreadyError, SmsNotFoundError, SmsView

blueprint = Blueprint("sms", __name__, url_prefix="/sms")
_STATES = {
    SmsState.QUEUED: (_l("待发"), "plain"),
    SmsState.SUBMITTING: (_l("提交中"), "info"),
    SmsState.SUBMITTED: (_l("已提交"), "info"),
    SmsState.DELIVERED: (_l("已送达"), "ok"),
    SmsState.FAILED: (_l("失败"), "bad"),
    SmsState.UNKNOWN: (_l("待核实"), "warn"),
}
_PURPOSES = {"survey": _l("问卷链接"), "notice": _l("通知"), "reminder": _l("提醒")}
_ERRORS = {
    "daily_cap": _l("今日条数已满，次日再发"),
    "expired": _l("超过有效期，没有发出"),
    "timeout": _l("网关没有答复"),
    "connection lost": _l("与网关的连接中断"),
    "worker_died": _l("提交时进程中断"),
}
_CONDITIONS = {"q": _l("搜索"), "state": _l("状态"), "from": _l("日期"), "to": _l("日期")}
_LINK = re.compile(r"(https?://[^/\s]+)/\S+")

says(SmsNotFoundError, lambda error: _("没有这条短信。请从短信列表重新进入。"))
says(ResolvedAlreadyError, lambda error: _("这条短信已经不是“待核实”，可能他人已处理。请刷新列表。"))


@blueprint.get("/")
@requires(Permission.READ_SMS)
def index() -> str:
    """List messages, the newest first."""
    workorder = current_house().workorder
    query = read_sms_query(request.args, may_see_numbers=current_person().may(Permission.REVEAL_NUMBERS))
    if query.is_refused:
        raise WholeNumberError
    number = page_number()
    found = workorder.list_sms(query.wanted, offset=(number - 1) * SIZE, limit=SIZE)
    return render_template(
        "sms/index.html",
        rows=[_row(message) for message in found.messages],
        page=Page(number, found.total),
        today=workorder.sms_today(),
        has_gateway=workorder.has_sms_gateway,
        quiet_hours=current_house().settings.sms_quiet_hours.replace("-", "–"),
        states=[(state.value, words[0]) for state, words in _STATES.items()],
        conditions=[(_condition(name, value), without(name)) for name, value in query.chosen],
        arguments=request.args,
    )


@blueprint.post("/<uuid:message_id>/resolve")
@requires(Permission.RESOLVE_SMS)
def resolve(message_id: uuid.UUID) -> Any:
    """Settle a message whose outcome is unknown."""
    decision = request.form.get("decision", "")
    # What is neither is refused by the service.
    current_house().workorder.resolve_unknown_sms(message_id, decision, actor())  # type: ignore[arg-type]
    flash(_("已标为已发出") if decision == "sent" else _("已重新排队"), "ok")
    return redirect(url_for("sms.index", state=SmsState.UNKNOWN.value))


def _row(message: SmsView) -> dict[str, Any]:
    word, style = _STATES[SmsState(message.state)]
    error = message.error or ""
    return {
        "message": message,
        "word": word,
        "style": style,
        # Who holds a citizen's link could answer for them.
        "body": _LINK.sub(r"\1/…", message.body),
        "purpose": _PURPOSES.get(message.purpose, message.purpose),
        "error": _ERRORS.get(error, error),
    }


def _condition(name: str, value: str) -> str:
    shown = str(_STATES[SmsState(value)][0]) if name == "state" else value
    return str(_("%(name)s：%(value)s", name=_CONDITIONS[name], value=shown))
