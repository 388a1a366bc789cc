"""Numbers that want no surveys (不再打扰): the list, adding one, and lifting it by its person's own word."""

import re
import uuid
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from callback.opt_outs import NotOptedOutError
from callback.views import OptOutView
from core import audit
from core.errors import TingjianError
from core.phone import BadPhoneError
from core.privacy import mask_phone
from webui.callbacks import listing
from webui.callbacks_words import OPT_OUT_SOURCES
from webui.calls import WholeNumberError
from webui.errors import message, says
from webui.house import current_house
from webui.paging import SIZE, Page, page_number
from webui.permissions import Permission, requires
from webui.person import actor, current_person

blueprint = Blueprint("callback_opt_outs", __name__, url_prefix="/callbacks/opt-outs")
_TAIL = re.compile(r"\d{4}")
_NUMBER = re.compile(r"\+?\d{5,20}")
_LONGEST_NOTE = 200

says(BadPhoneError, lambda error: _("这不是能拨打的电话号码。座机要带区号。"))


@blueprint.get("/")
@requires(Permission.EDIT_CALLBACK_RULES)
def index() -> str:
    """List them."""
    return _page({})


def _page(errors: dict[str, str]) -> str:
    number = page_number()
    text = request.args.get("q", "").strip()
    if _NUMBER.fullmatch(text) and not current_person().may(Permission.REVEAL_NUMBERS):
        raise WholeNumberError
    wanted = text if _TAIL.fullmatch(text) or _NUMBER.fullmatch(text) else ""
    found, total = current_house().callback.list_opt_outs(wanted, offset=(number - 1) * SIZE, limit=SIZE)
    return render_template(
        "callbacks/opt_outs.html",
        rows=found,
        page=Page(number, total),
        text=text,
        is_bad=bool(text) and not wanted,
        errors=errors,
        sources=OPT_OUT_SOURCES,
        names=current_house().accounts.names(),
        may_reveal=current_person().may(Permission.REVEAL_NUMBERS),
    )


@blueprint.post("/")
@requires(Permission.EDIT_CALLBACK_RULES)
def add() -> Any:
    """Put a number on the list by hand; audited."""
    try:
        made = current_house().callback.opt_out(request.form.get("phone", ""), "supervisor", _note())
    except TingjianError as error:
        return _page({"phone": message(error)}), error.status
    with current_house().database.transaction() as session:
        audit.record(session, actor(), "opt_out.added", str(made.opt_out_id), {})
    flash(_("已登记 %(number)s", number=mask_phone(made.phone)), "ok")
    return redirect(url_for("callback_opt_outs.index"))


@blueprint.post("/<uuid:opt_out_id>/lift")
@requires(Permission.EDIT_CALLBACK_RULES)
def lift(opt_out_id: uuid.UUID) -> Any:
    """Take a number off the list; the service keeps for the auditor who did."""
    found = _found(opt_out_id)
    current_house().callback.lift_opt_out(found.phone, actor())
    flash(_("已解除 %(number)s，以后可以做回访调查", number=mask_phone(found.phone)), "ok")
    return redirect(url_for("callback_opt_outs.index"))


@blueprint.post("/<uuid:opt_out_id>/reveal")
@requires(Permission.REVEAL_NUMBERS)
def reveal(opt_out_id: uuid.UUID) -> Any:
    """Show the whole number; audited."""
    if not current_person().may(Permission.EDIT_CALLBACK_RULES):
        raise NotOptedOutError
    found = _found(opt_out_id)
    with current_house().database.transaction() as session:
        audit.record(session, actor(), "number.revealed", f"opt_out:{opt_out_id}", {})
    return jsonify(number=found.phone)


def _found(opt_out_id: uuid.UUID) -> OptOutView:
    found = listing().opt_out(opt_out_id)
    if found is None:
        raise NotOptedOutError
    return found


def _note() -> str:
    return request.form.get("note", "").replace("\x00", "").strip()[:_LONGEST_NOTE]
