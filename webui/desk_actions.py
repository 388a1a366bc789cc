"""What an agent does at the desk: ready, pause, write, pass on, reveal, adopt. Each is one call of a service and one answer."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, request
from flask_babel import gettext as _

from core import audit
from core.errors import ConflictError, InvalidInputError, NotFoundError
from kb.adoption_reads import AdoptionReads
from telephony.agent_state import AgentAction, AgentState, AgentStateError
from telephony.call_actions import AgentNotReadyError, BadExtensionError, NotInCallError
from telephony.reads import CallView
from webui.desk import own_agent_id, own_call
from webui.desk_cards import cards_of
from webui.desk_view import agent_json, stamp
from webui.desk_words import DISPOSITIONS, KINDS, OUTBOUND
from webui.errors import says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor
from webui.stream import board_of, calls_of

blueprint = Blueprint("desk_actions", __name__, url_prefix="/desk")
_LONGEST_NOTE = 4000
_LONGEST_CATEGORY = 80
_LONGEST_REASON = 20


class BadFieldError(InvalidInputError):
    """A field of a request is missing or not one of the choices."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class NoNumberError(NotFoundError):
    """The caller withheld their number, or asked for it to be kept secret."""


class CallGoesOnError(ConflictError):
    """The call cannot be done with before it is over."""


_STATE_WORDS = {
    AgentState.OFFLINE: "离线",
    AgentState.READY: "就绪",
    AgentState.RINGING: "振铃",
    AgentState.TALKING: "通话",
    AgentState.HELD: "保持",
    AgentState.WRAPUP: "话后",
    AgentState.PAUSED: "小休",
    AgentState.FAULTY: "异常",
}
says(BadFieldError, lambda error: _("内容不对：%(field)s。请核对后再试。", field=error.field))
says(NoNumberError, lambda error: _("市民没有显示号码。"))
says(CallGoesOnError, lambda error: _("通话还没有结束，挂断后再完成。"))
says(AgentStateError, lambda error: _("现在是%(state)s状态，不能这样切换。", state=_STATE_WORDS[error.state]))
says(
    AgentNotReadyError,
    lambda error: _(
        "分机 %(number)s 现在%(state)s，接不了。可改转队列。",
        number=error.number,
        state=_STATE_WORDS.get(AgentState(error.state), ""),
    ),
)
says(BadExtensionError, lambda error: _("没有分机 %(number)s，请从列表中选。", number=error.extension[:12]))
says(NotInCallError, lambda error: _("这通来电已经不在通话中。"))


def _field(name: str, longest: int, choices: set[str] | None = None) -> str:
    body = request.get_json(silent=True)
    value = body.get(name, "") if isinstance(body, dict) else ""
    if not isinstance(value, str) or len(value) > longest or (choices is not None and value not in choices):
        raise BadFieldError(name)
    return value.replace("\x00", "")


def _agent_answer() -> Any:
    house = current_house()
    now = house.clock.now()
    agent = board_of(house).agent(own_agent_id())
    return jsonify(agent=agent_json(agent) if agent else None, now=stamp(now))


# --- state


@blueprint.post("/agent/ready")
@requires(Permission.USE_DESK)
def ready() -> Any:
    """Take calls; who has not logged in to the queues yet is logged in first."""
    house, agent_id = current_house(), own_agent_id()
    agent = board_of(house).agent(agent_id)
    if agent is not None and not agent.is_logged_in:
        house.telephony.log_in_agent(agent_id)
    house.telephony.ready_agent(agent_id)
    return _agent_answer()


@blueprint.post("/agent/pause")
@requires(Permission.USE_DESK)
def pause() -> Any:
    """Take no calls, for one of the site's reasons; in after-call work that ends it."""
    house, agent_id = current_house(), own_agent_id()
    reason = _field("reason", _LONGEST_REASON, set(house.settings.pause_reasons))
    house.telephony.pause_agent(agent_id, reason)
    _end_wrapup(agent_id)
    return _agent_answer()


@blueprint.post("/agent/logout")
@requires(Permission.USE_DESK)
def log_out() -> Any:
    """Leave the queues."""
    current_house().telephony.log_out_agent(own_agent_id())
    return _agent_answer()


@blueprint.post("/agent/extend")
@requires(Permission.USE_DESK)
def extend() -> Any:
    """Ask for more time after the call."""
    current_house().telephony.extend_wrapup(own_agent_id())
    return _agent_answer()


def _end_wrapup(agent_id: uuid.UUID) -> None:
    try:
        current_house().telephony.finish_wrapup(agent_id)
    except AgentStateError as error:
        # Its time ran out a moment ago: what was asked for is so already.
        if error.action is not AgentAction.FINISH_WRAPUP:
            raise


# --- the call


@blueprint.post("/calls/<uuid:call_id>/note")
@requires(Permission.USE_DESK)
def note(call_id: uuid.UUID) -> Any:
    """Keep the record as it is typed."""
    _save_note(own_call(call_id), is_finished=False)
    return jsonify(saved_at=stamp(calls_of(current_house()).get_call(call_id).note.updated_at))


@blueprint.post("/calls/<uuid:call_id>/finish")
@requires(Permission.USE_DESK)
def finish(call_id: uuid.UUID) -> Any:
    """Finish the record and the after-call work; then ready, or paused for a reason."""
    house, agent_id, call = current_house(), own_agent_id(), own_call(call_id)
    agent = board_of(house).agent(agent_id)
    if agent is not None and agent.call_id == call_id:
        raise CallGoesOnError
    if not _field("disposition", 20, {*DISPOSITIONS, OUTBOUND}):
        raise BadFieldError("disposition")
    reason = _field("pause_reason", _LONGEST_REASON, {"", *house.settings.pause_reasons})
    _save_note(call, is_finished=True)
    if reason:
        house.telephony.pause_agent(agent_id, reason)
        _end_wrapup(agent_id)
    elif agent is not None and agent.state == AgentState.WRAPUP:
        _end_wrapup(agent_id)
    return _agent_answer()


def _save_note(call: CallView, *, is_finished: bool) -> None:
    current_house().telephony.save_note(
        call.call_id,
        own_agent_id(),
        kind=_field("kind", 20, {"", *KINDS}),
        category=_field("category", _LONGEST_CATEGORY),
        note=_field("note", _LONGEST_NOTE),
        disposition=_field("disposition", 20, {"", *DISPOSITIONS, OUTBOUND}),
        is_finished=is_finished,
    )


@blueprint.post("/calls/<uuid:call_id>/transfer")
@requires(Permission.USE_DESK)
def transfer(call_id: uuid.UUID) -> Any:
    """Pass the citizen on, unannounced."""
    _check_mine_now(call_id)
    extension = _field("extension", 12)
    if not (extension.isascii() and extension.isdigit()):
        raise BadFieldError("extension")
    current_house().telephony.transfer_call(call_id, extension)
    return jsonify(extension=extension)


@blueprint.post("/calls/<uuid:call_id>/hangup")
@requires(Permission.USE_DESK)
def hang_up(call_id: uuid.UUID) -> Any:
    """End the call from the server's side, for a page whose telephone has lost it."""
    _check_mine_now(call_id)
    current_house().telephony.hang_up(call_id)
    return jsonify({})


def _check_mine_now(call_id: uuid.UUID) -> None:
    agent = board_of(current_house()).agent(own_agent_id())
    if agent is None or agent.call_id != call_id:
        raise NotInCallError(call_id)


@blueprint.post("/calls/<uuid:call_id>/reveal")
@requires(Permission.REVEAL_NUMBERS)
def reveal(call_id: uuid.UUID) -> Any:
    """Show a caller's whole number, and keep for the auditor that it was shown."""
    return jsonify(number=revealed_number(own_call(call_id)))


def revealed_number(call: CallView) -> str:
    """Return a caller's whole number after writing down who asked for it."""
    if not call.caller_number or call.is_confidential:
        raise NoNumberError(str(call.call_id))
    with current_house().database.transaction() as session:
        audit.record(session, actor(), "number.revealed", f"call:{call.call_id}", {"call": call.number})
    return call.caller_number


# --- answers


@blueprint.post("/suggestions/<uuid:suggestion_id>/<any(adopt, ignore, wrong, undo):verb>")
@requires(Permission.USE_DESK)
def judge(suggestion_id: uuid.UUID, verb: str) -> Any:
    """Keep what the agent makes of a suggestion of a call of their own."""
    house, agent_id = current_house(), own_agent_id()
    call_id = AdoptionReads(house.database).call_of(suggestion_id)
    own_call(call_id)
    reason = _field("reason", 100) if verb == "wrong" else ""
    verdicts: dict[str, Callable[[], object]] = {
        "adopt": lambda: house.kb.adopt(suggestion_id, agent_id),
        "ignore": lambda: house.kb.ignore(suggestion_id, agent_id),
        "wrong": lambda: house.kb.mark_wrong(suggestion_id, agent_id, reason),
        "undo": lambda: house.kb.undo(suggestion_id, agent_id),
    }
    verdicts[verb]()
    return jsonify(cards=cards_of(house, call_id))


@blueprint.post("/calls/<uuid:call_id>/adopt")
@requires(Permission.USE_DESK)
def adopt_found(call_id: uuid.UUID) -> Any:
    """Adopt an article from the search box."""
    house, agent_id = current_house(), own_agent_id()
    own_call(call_id)
    try:
        article_id = uuid.UUID(_field("article_id", 36))
    except ValueError as error:
        raise BadFieldError("article_id") from error
    house.kb.adopt_article(call_id, article_id, agent_id, _field("query", 100))
    return jsonify(cards=cards_of(house, call_id))
