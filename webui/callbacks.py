"""The callbacks that the hotline owes: the list by conditions in the address, and one of them to read. Dialling is the desk's."""

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask_babel import gettext as _

from callback.listing import CallbackListing, CallbackRow, ListFilter
from callback.rule import Way
from callback.views import CallbackView
from core import audit
from core.errors import PermissionDeniedError
from webui import callbacks_errors  # noqa: F401 - gives errors their words
from webui.callbacks_detail import detail_context
from webui.callbacks_query import CallbacksQuery, read_query
from webui.callbacks_survey import answers_of, questionnaire_of
from webui.callbacks_words import (
    DUE,
    REASONS,
    STATES,
    WAY_ICONS,
    WAYS,
    clock_tag,
    disposition_word,
    holder,
    near,
    reason_tag,
    state_tag,
    way_word,
    why,
)
from webui.calls import WholeNumberError
from webui.errors import says
from webui.house import board_reads, current_house
from webui.paging import SIZE, Page, page_number, without
from webui.permissions import Permission, requires
from webui.person import actor, current_person
from webui.stream import newest_event

blueprint = Blueprint("callbacks", __name__, url_prefix="/callbacks")


class ForeignCallbackError(PermissionDeniedError):
    """The callback is another agent's, or the machine's."""


says(ForeignCallbackError, lambda error: _("这条回访不归您处理，您没有权限查看。"))


def listing() -> CallbackListing:
    """Return who answers what the pages of callbacks ask."""
    house = current_house()
    return CallbackListing(house.database, house.clock)


@blueprint.get("/")
@requires(Permission.READ_CALLBACKS)
def index() -> str:
    """List callbacks."""
    house, query, person = current_house(), _query(), current_person()
    # In this order: what happens after the id is read comes by the stream.
    event_id, now = newest_event(), house.clock.now()
    number_of_page = page_number()
    found = listing().list_callbacks(query.wanted, offset=(number_of_page - 1) * SIZE, limit=SIZE)
    agents = agent_names()
    return render_template(
        "callbacks/index.html",
        rows=[row_of(one, now, agents) for one in found.rows],
        page=Page(number_of_page, found.total),
        counts=listing().counts(person.agent_id, query.wanted.seen_by),
        query=query,
        arguments=request.args,
        conditions=[(_condition(name, value), without(name)) for name, value in query.chosen],
        reasons=list(REASONS.items()),
        ways=list(WAYS.items()),
        states=[(state, word) for state, word in STATES.items() if state != "not_sampled"],
        due=list(DUE.items()),
        may_dial=may_dial(),
        event_id=event_id,
    )


@blueprint.get("/<uuid:callback_id>")
@requires(Permission.READ_CALLBACKS)
def show(callback_id: uuid.UUID) -> str:
    """Show one callback: who, why, what was tried, what came of it."""
    callback = _visible(callback_id)
    event_id, now = newest_event(), current_house().clock.now()
    context = detail_context(listing().detail(callback_id), now, agent_names())
    return render_template(
        "callbacks/show.html",
        **context,
        row=row_of(CallbackRow(callback), now, agent_names()),
        questionnaire=questionnaire_of(callback.questionnaire_version_id),
        answers=answers_of(callback.survey_id),
        may_reveal=may_reveal(callback_id),
        may_dial=may_dial() and callback.is_open and callback.way is Way.AGENT,
        event_id=event_id,
    )


@blueprint.post("/<uuid:callback_id>/reveal")
@requires(Permission.REVEAL_NUMBERS)
def reveal(callback_id: uuid.UUID) -> Any:
    """Show the whole number to a supervisor, or to the agent who has it in hand; audited."""
    callback = _visible(callback_id)
    if not may_reveal(callback_id):
        raise ForeignCallbackError(str(callback_id))
    with current_house().database.transaction() as session:
        audit.record(session, actor(), "number.revealed", f"callback:{callback_id}", {"reason": callback.reason})
    return jsonify(number=callback.phone)


def agent_names() -> dict[uuid.UUID, str]:
    """Return every agent's name and number."""
    return {agent.agent_id: f"{agent.name} {agent.number}" for agent in board_reads().agents()}


def row_of(one: CallbackRow, now: datetime, agents: dict[uuid.UUID, str]) -> dict[str, Any]:
    """Return a callback as a row of a list shows it."""
    callback = one.callback
    held_by = holder(callback, now)
    return {
        "callback": callback,
        "reason": reason_tag(callback.reason),
        "state": state_tag(callback),
        "clock": clock_tag(callback, now),
        "why": why(callback, now),
        "way": way_word(callback.way),
        "way_icon": WAY_ICONS.get(callback.way, "phone"),
        "last": disposition_word(one.last_disposition),
        "next": near(callback.next_at, now),
        "is_due": callback.is_open and callback.next_at <= now,
        "holder": agents.get(held_by, _("其他坐席")) if held_by else "",
        "is_mine": held_by is not None and held_by == current_person().agent_id,
    }


def rows_of_case(case_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return the callbacks that a case brought about, as rows, without those the asker may not see."""
    person = current_person()
    if not person.may(Permission.READ_CALLBACKS):
        return []
    seen_by = None if may_see_all() else person.agent_id or uuid.UUID(int=0)
    found = listing().list_callbacks(ListFilter(state="", case_id=case_id, seen_by=seen_by))
    now, agents = current_house().clock.now(), agent_names()
    return [row_of(one, now, agents) for one in found.rows]


def may_see_all() -> bool:
    """Say whether the asker sees everybody's callbacks."""
    return current_person().may(Permission.READ_ALL_CALLS)


def may_dial() -> bool:
    """Say whether the asker has a telephone and may use it for callbacks."""
    return current_person().may(Permission.WORK_CALLBACKS) and current_person().agent_id is not None


def may_reveal(callback_id: uuid.UUID) -> bool:
    """Say whether the asker may see the whole number: an agent only of what they have in hand or tried."""
    person = current_person()
    if not person.may(Permission.REVEAL_NUMBERS):
        return False
    return may_see_all() or (person.agent_id is not None and listing().is_of(callback_id, person.agent_id))


def _visible(callback_id: uuid.UUID) -> CallbackView:
    callback = listing().get(callback_id)
    if not may_see_all() and not listing().may_see(callback_id, current_person().agent_id):
        raise ForeignCallbackError(str(callback_id))
    return callback


def _query() -> CallbacksQuery:
    person = current_person()
    query = read_query(
        request.args,
        current_house().clock.now(),
        own_agent=person.agent_id,
        may_see_all=may_see_all(),
        may_see_numbers=person.may(Permission.REVEAL_NUMBERS),
    )
    if query.refused:
        raise WholeNumberError
    return query


def _condition(name: str, value: str) -> str:
    if name == "mine":
        return str(_("我经手的"))
    words: dict[str, Any] = {"reason": REASONS, "way": WAYS, "due": DUE, "state": {**STATES, "all": _("全部状态")}}
    heads = {"reason": _("事由"), "way": _("方式"), "due": _("时限"), "state": _("状态"), "q": _("搜索"), "campaign": _("批次")}
    return str(_("%(name)s：%(value)s", name=heads[name], value=words.get(name, {}).get(value, value)))
