"""Callbacks at the desk: the agent's list, the pane to read before dialling and fill in while talking, and what is done there."""

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask_babel import gettext as _

from callback.disposition import Disposition
from callback.listing import CallbackRow
from callback.views import Brief, ListedCallback
from core import audit
from core.clock import LOCAL_ZONE
from core.errors import ConflictError
from core.privacy import mask_phone
from webui.callbacks import agent_names, listing, may_reveal, row_of
from webui.callbacks_detail import detail_context
from webui.callbacks_survey import agent_form, end_survey, questionnaire_of
from webui.callbacks_words import AGENT_DISPOSITIONS, DISPOSITIONS, clock_tag, hindrance_word, near, reason_tag, why
from webui.desk import own_agent_id, own_call
from webui.desk_actions import BadFieldError
from webui.desk_view import Json, stamp
from webui.desk_words import OUTBOUND
from webui.errors import says
from webui.house import call_reads, current_house
from webui.permissions import Permission, requires
from webui.person import actor

blueprint = Blueprint("callbacks_desk", __name__, url_prefix="/desk/callbacks")
_LISTED = 50
_LONGEST_NOTE = 200


class NotInHandError(ConflictError):
    """The agent is not at work on this callback any more."""


class MissingTimeError(BadFieldError):
    """A time that can be read is needed."""


says(NotInHandError, lambda error: _("这条回访已不在您手上，可能占用时间到了或已有结果。请从列表重新打开。"))
says(MissingTimeError, lambda error: _("请填写市民约定的日期和时间。"))


@blueprint.get("/")
@requires(Permission.WORK_CALLBACKS)
def todo() -> Any:
    """Return what the agent may ring, and which callback they have in hand."""
    house, agent_id = current_house(), own_agent_id()
    now = house.clock.now()
    listed = house.callback.agent_list(agent_id, limit=_LISTED)
    return jsonify(now=stamp(now), callbacks=[_listed_json(one, now, agent_id) for one in listed], current=_current(agent_id))


def _current(agent_id: uuid.UUID) -> str | None:
    brief = _unreported(agent_id)
    callback_id = brief.callback.callback_id if brief else listing().held(agent_id)
    return str(callback_id) if callback_id else None


def _unreported(agent_id: uuid.UUID) -> Brief | None:
    """Return the asker's try of which nothing is known yet; one that was reported on may still be on the line."""
    brief = current_house().callback.attempt_of_agent(agent_id)
    return brief if brief and not brief.attempt.disposition else None


def _listed_json(one: ListedCallback, now: datetime, agent_id: uuid.UUID) -> Json:
    callback = one.callback
    reason, clock = reason_tag(callback.reason), clock_tag(callback, now)
    return {
        "id": str(callback.callback_id),
        "reason": reason.word,
        "style": reason.style,
        "why": why(callback, now),
        "phone": mask_phone(callback.phone),
        "person": callback.person,
        "clock": {"word": clock.word, "style": clock.style, "icon": clock.icon},
        "may_ring": one.may_ring,
        "why_not": hindrance_word(one.why_not),
        "next": near(one.may_ring_at or callback.next_at, now),
        "is_mine": callback.held_by == agent_id,
    }


@blueprint.post("/<uuid:callback_id>/hold")
@requires(Permission.WORK_CALLBACKS)
def hold(callback_id: uuid.UUID) -> Any:
    """Keep a callback for the asker, or keep it longer."""
    house, agent_id = current_house(), own_agent_id()
    held = house.callback.hold(callback_id, agent_id)
    return jsonify(_listed_json(held, house.clock.now(), agent_id))


@blueprint.post("/<uuid:callback_id>/release")
@requires(Permission.WORK_CALLBACKS)
def release(callback_id: uuid.UUID) -> Any:
    """Give a callback back to the others."""
    current_house().callback.release(callback_id, own_agent_id())
    return jsonify({})


@blueprint.get("/<uuid:callback_id>/pane")
@requires(Permission.WORK_CALLBACKS)
def pane(callback_id: uuid.UUID) -> str:
    """Return the pane: before dialling who and why and what is asked; afterwards the form and the result."""
    house, agent_id = current_house(), own_agent_id()
    now, detail = house.clock.now(), listing().detail(callback_id)
    brief = _brief(callback_id, agent_id)
    is_held = detail.callback.held_by == agent_id and detail.callback.is_open
    if brief is None and not is_held and not listing().is_of(callback_id, agent_id):
        raise NotInHandError(str(callback_id))
    listed = house.callback.hold(callback_id, agent_id) if is_held and brief is None else None
    phase = "dialled" if brief else "preview" if listed else "over"
    return render_template(
        "callbacks/pane.html",
        **detail_context(detail, now, agent_names()),
        row=row_of(CallbackRow(detail.callback), now, agent_names()),
        phase=phase,
        listed=listed,
        next=near(listed.may_ring_at, now) if listed and listed.may_ring_at else "",
        why_not=hindrance_word(listed.why_not) if listed else "",
        may_reveal=may_reveal(callback_id),
        questionnaire=questionnaire_of(detail.callback.questionnaire_version_id),
        form=agent_form(brief) if brief else "",
        results=[(name, DISPOSITIONS[name]) for name in AGENT_DISPOSITIONS],
    )


def _brief(callback_id: uuid.UUID, agent_id: uuid.UUID) -> Brief | None:
    brief = _unreported(agent_id)
    return brief if brief and brief.callback.callback_id == callback_id else None


@blueprint.post("/<uuid:callback_id>/dial")
@requires(Permission.WORK_CALLBACKS)
def dial(callback_id: uuid.UUID) -> Any:
    """Ring the asker's own telephone, then the citizen; who had whom rung is kept for the auditor."""
    house, agent_id = current_house(), own_agent_id()
    attempt = house.callback.dial(callback_id, agent_id)
    with house.database.transaction() as session:
        detail = {"attempt": str(attempt.attempt_id), "attempt_no": attempt.attempt_no}
        audit.record(session, actor(), "callback.dialled", f"callback:{callback_id}", detail)
    return jsonify(attempt_id=str(attempt.attempt_id))


@blueprint.post("/<uuid:callback_id>/report")
@requires(Permission.WORK_CALLBACKS)
def report(callback_id: uuid.UUID) -> Any:
    """Take the agent's word for how it went, and end the questionnaire that was being filled in."""
    house, agent_id = current_house(), own_agent_id()
    body = request.get_json(silent=True)
    fields = body if isinstance(body, dict) else {}
    word = fields.get("disposition")
    if word not in {*AGENT_DISPOSITIONS, Disposition.OPTED_OUT.value}:
        raise BadFieldError("disposition")
    brief = _brief(callback_id, agent_id)
    if brief is None:
        raise NotInHandError(str(callback_id))
    again_at = _moment(fields.get("again_at")) if word == Disposition.CALLBACK_ASKED else None
    disposition = end_survey(brief, Disposition(word))
    if word == Disposition.OPTED_OUT:
        house.callback.opt_out(brief.callback.phone, "agent", _note(fields.get("note")))
    callback = house.callback.report(callback_id, agent_id, disposition, again_at)
    _write_record(brief.attempt.attempt_id, agent_id)
    return jsonify(state=callback.state, word=str(DISPOSITIONS[disposition.value]))


def _write_record(attempt_id: uuid.UUID, agent_id: uuid.UUID) -> None:
    """Give the record of the call its result: the callback's own stands in its attempt. What was typed so far stays."""
    call_id = current_house().callback.brief(attempt_id).attempt.call_id
    if call_id is None or not call_reads().has_taken_part(call_id, agent_id):
        return
    note = call_reads().get_call(call_id).note
    if not note.disposition:
        current_house().telephony.save_note(
            call_id,
            agent_id,
            kind=note.kind,
            category=note.category,
            note=note.own(agent_id),
            disposition=OUTBOUND,
            is_finished=False,
        )


@blueprint.post("/promise")
@requires(Permission.USE_DESK)
def promise() -> Any:
    """Owe the citizen of one's own call another call at the time that they asked for (约定回电)."""
    body = request.get_json(silent=True)
    fields = body if isinstance(body, dict) else {}
    try:
        call = own_call(uuid.UUID(str(fields.get("call_id"))))
    except ValueError as error:
        raise BadFieldError("call_id") from error
    at = _moment(fields.get("at"))
    owed = current_house().callback.promise(
        call.caller_number, at, actor(), person=call.caller_name[:64], call_id=call.call_id, matter=call.note.category
    )
    return jsonify(callback_id=str(owed.callback_id), at=stamp(owed.next_at))


def _moment(text: object) -> datetime:
    """Read a time as a datetime-local field sends it, on the hall's clock."""
    try:
        local = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise MissingTimeError("again_at") from error
    return local if local.tzinfo else local.replace(tzinfo=LOCAL_ZONE)


def _note(text: object) -> str:
    return text.replace("\x00", "").strip()[:_LONGEST_NOTE] if isinstance(text, str) else ""
