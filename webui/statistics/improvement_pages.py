"""The list of improvement items and the page of one: whose, until when, what is done, and how it was before and after."""

import uuid
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import audit
from core.clock import local_date
from core.errors import InvalidInputError
from webui.errors import says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor
from webui.statistics.desk import current_desk
from webui.statistics.improvements import (
    OPEN,
    STATES,
    SYSTEM,
    ImprovementClosedError,
    ImprovementNotFoundError,
    Improvements,
    kept_ratio,
)
from webui.statistics.pages import blueprint as blueprint  # its views stand in several files
from webui.statistics.pages import common
from webui.statistics.words import Rate

_STATE_WORDS = {
    "open": (_l("整改中"), "warn", "clock"),
    "closed": (_l("已完成，待复测"), "info", "checks"),
    "improved": (_l("已改善"), "ok", "circle-check"),
    "not_improved": (_l("未改善"), "bad", "alert-triangle"),
    "unmeasured": (_l("样本不足，未能复测"), "", "help"),
}
_STORY_WORDS = {
    "opened": _l("由统计结果自动立项"),
    "edited": _l("更新了责任人、期限或措施"),
    "closed": _l("整改完成"),
    "improved": _l("复测：已改善"),
    "not_improved": _l("复测：未改善"),
    "unmeasured": _l("复测：样本不足"),
}


class BadItemError(InvalidInputError):
    """A field of the form cannot be used."""


says(ImprovementNotFoundError, lambda error: _("没有这个整改事项。"))
says(ImprovementClosedError, lambda error: _("这个整改事项已经完成，不能再改。"))
says(BadItemError, lambda error: _("期限不是一个日期，或早于今天。内容没有保存。"))


def _improvements() -> Improvements:
    house = current_house()
    return Improvements(house.database, house.settings)


@blueprint.get("/improvements")
@requires(Permission.READ_STATISTICS)
def improvements() -> str:
    """List the items."""
    desk = current_desk(compares=False)
    state = request.args.get("state", "")
    items = _improvements().items([state] if state in STATES else ())
    return render_template(
        "statistics/improvements.html",
        **common(desk, "improvements"),
        items=[(item, _rate(item.before, item.target), _rate(item.after, item.target)) for item in items],
        state=state if state in STATES else "",
        states=[(key, words[0]) for key, words in _STATE_WORDS.items()],
        state_words=_STATE_WORDS,
        today=local_date(desk.now),
    )


def _rate(kept: dict[str, Any] | None, target: float) -> Rate | None:
    return Rate(kept_ratio(kept), target, 1) if kept else None


@blueprint.get("/improvements/<uuid:item_id>")
@requires(Permission.READ_STATISTICS)
def improvement(item_id: uuid.UUID) -> str:
    """Show one item."""
    desk = current_desk(compares=False)
    item = _improvements().get(item_id)
    return render_template(
        "statistics/improvement.html",
        **common(desk, "improvements"),
        item=item,
        before=_rate(item.before, item.target),
        after=_rate(item.after, item.target),
        state_words=_STATE_WORDS,
        story_words=_STORY_WORDS,
        system=SYSTEM,
        is_open=item.state == OPEN,
        today=local_date(desk.now),
    )


@blueprint.post("/improvements/<uuid:item_id>")
@requires(Permission.MANAGE_IMPROVEMENTS)
def edit_improvement(item_id: uuid.UUID) -> Any:
    """Save who answers for it, until when, and what is done."""
    house, form = current_house(), request.form
    now = house.clock.now()
    values = {
        "owner": form.get("owner", "").replace("\x00", "").strip()[:80],
        "note": form.get("note", "").replace("\x00", "").strip()[:2000],
    }
    deadline = _deadline(form.get("deadline_on", ""), local_date(now))
    _improvements().edit(item_id, deadline_on=deadline, actor=actor(), now=now, **values)
    _record(item_id, "improvement.edited", {**values, "deadline_on": deadline.isoformat()})
    flash(_("整改事项已保存"), "ok")
    return redirect(url_for("statistics.improvement", item_id=item_id))


@blueprint.post("/improvements/<uuid:item_id>/close")
@requires(Permission.MANAGE_IMPROVEMENTS)
def close_improvement(item_id: uuid.UUID) -> Any:
    """Close it: from tomorrow on it is measured again."""
    house = current_house()
    _improvements().close(item_id, actor=actor(), now=house.clock.now())
    _record(item_id, "improvement.closed", {})
    flash(_("整改事项已完成，%(n)s 天后自动复测", n=house.settings.improvement_days), "ok")
    return redirect(url_for("statistics.improvement", item_id=item_id))


def _record(item_id: uuid.UUID, act: str, detail: dict[str, Any]) -> None:
    with current_house().database.transaction() as session:
        audit.record(session, actor(), act, str(item_id), detail)


def _deadline(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadItemError(text[:20]) from error
    if not today <= day <= date(2200, 1, 1):
        raise BadItemError(text[:20])
    return day
