"""The desk's page and what it reads: the present call, history, search, the day. What the agent does is in desk_actions."""

import re
import uuid
from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask_babel import gettext as _

from core.clock import day_bounds, local_date
from core.errors import ConflictError, NotFoundError
from kb.adoption_reads import AdoptionReads
from telephony.reads import CallFilter, CallView, UnknownCallError
from webui.desk_cards import article_json, cards_of, hit_json, is_degraded
from webui.desk_draft import draft
from webui.desk_view import (
    Json,
    agent_json,
    call_json,
    day_json,
    figures_json,
    history_json,
    holds_json,
    note_json,
    segment_json,
    stamp,
    topic,
)
from webui.desk_words import KEYS, dispositions, kinds, words
from webui.errors import says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import current_person
from webui.stream import board_of, calls_of, newest_event
from webui.vitals import has_live_text

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
UPDATE_DAYS = 7
_HISTORY_DAYS = 365
_UNWRITTEN_DAYS = 7
_LONGEST_SEARCH = 100
_HITS = 10
_INITIALS = re.compile(r"[a-zA-Z']{2,20}")


class NoAgentError(ConflictError):
    """The person has no agent number."""


class NotYourCallError(NotFoundError):
    """The call never rang at this agent; whether it exists is not said."""


says(NoAgentError, lambda error: _("这个账号还没有坐席号，请联系系统管理员。"))
says(NotYourCallError, lambda error: _("这不是您接的来电。"))
says(UnknownCallError, lambda error: _("没有这通来电，它可能已按规定删除。"))


def own_agent_id() -> uuid.UUID:
    """Return the asker's agent, or raise NoAgentError."""
    agent_id = current_person().agent_id
    if agent_id is None:
        raise NoAgentError
    return agent_id


def own_call(call_id: uuid.UUID) -> CallView:
    """Return a call that rang at the asker, or raise NotYourCallError."""
    reads = calls_of(current_house())
    if not reads.has_taken_part(call_id, own_agent_id()):
        raise NotYourCallError(str(call_id))
    return reads.get_call(call_id)


@blueprint.get("/")
@requires(Permission.USE_DESK)
def page() -> str:
    """Show the desk; everything that changes is read by its scripts."""
    house, person = current_house(), current_person()
    settings = {
        "hasAgent": person.agent_id is not None,
        "mayReveal": person.may(Permission.REVEAL_NUMBERS),
        "pauseReasons": house.settings.pause_reasons,
        "extensionSeconds": house.settings.wrapup_extension_seconds,
        "answerTarget": house.settings.answer_target_seconds,
        "ringSeconds": house.settings.ring_seconds,
    }
    return render_template(
        "desk/desk.html",
        settings=settings,
        words=words(),
        kinds=kinds(),
        dispositions=dispositions(),
        categories=calls_of(house).categories(),
        keys=[(key, str(what)) for key, what in KEYS],
    )


@blueprint.get("/state")
@requires(Permission.USE_DESK)
def state() -> Any:
    """Return everything a page needs to start in the middle of whatever goes on."""
    house, agent_id = current_house(), own_agent_id()
    # In this order: what happens after the id is read comes by the stream.
    now, event_id = house.clock.now(), newest_event()
    board, calls = board_of(house), calls_of(house)
    agent = board.agent(agent_id)
    if agent is None:
        raise NoAgentError
    call = calls.running_call(agent_id)
    if call is None and agent.state == "wrapup":
        call = calls.last_answered_call(agent_id)
    found: Json = {
        "now": stamp(now),
        "event_id": event_id,
        "agent": agent_json(agent),
        "figures": figures_json(board.figures()),
        "answered_today": board.answered_today(agent_id),
        "live_text": _has_live_text(),
        "call": None,
    }
    if call is not None:
        found.update(
            call=call_json(call, calls.rang_at(call.call_id, agent_id)),
            segments=[segment_json(segment) for segment in calls.segments(call.call_id)],
            holds=holds_json(calls.call_events(call.call_id), call.ended_at),
            cards=cards_of(house, call.call_id),
            degraded=is_degraded(house, call.call_id),
            note=note_json(call, agent_id),
        )
    return jsonify(found)


def _has_live_text() -> bool:
    with current_house().database.transaction() as session:
        return has_live_text(session)


@blueprint.get("/softphone")
@requires(Permission.USE_DESK)
def softphone() -> Any:
    """Return the account with which this agent's own browser registers at the exchange."""
    house = current_house()
    account = board_of(house).softphone(own_agent_id())
    if account is None:
        raise NoAgentError
    return jsonify(url=house.settings.softphone_url, number=account[0], password=account[1])


@blueprint.get("/idle")
@requires(Permission.USE_DESK)
def idle() -> Any:
    """Return what stands on the desk between calls."""
    house, agent_id = current_house(), own_agent_id()
    now = house.clock.now()
    today, tomorrow = day_bounds(local_date(now))
    calls, adoptions = calls_of(house), AdoptionReads(house.database)
    day = board_of(house).agent_day(agent_id)
    unwritten = CallFilter(started_from=today - timedelta(days=_UNWRITTEN_DAYS), agent_id=agent_id, disposition="")
    recent = calls.list_calls(CallFilter(started_from=today, started_before=tomorrow, agent_id=agent_id), limit=20)
    changes, total = adoptions.recent_changes(now - timedelta(days=UPDATE_DAYS))
    titles = adoptions.of_calls([call.call_id for call in recent.calls])
    kind_words = {"new": "新增", "revised": "修订", "retired": "停用"}
    return jsonify(
        day=day_json(day, 0),
        target=house.settings.answer_target_seconds,
        live_text=_has_live_text(),
        adopted_calls=adoptions.calls_with_adoption(agent_id, today),
        unwritten=[history_json(call) for call in calls.list_calls(unwritten).calls if not call.is_running],
        recent=[
            {**history_json(call), "topic": topic(call) or "、".join(one.title for one in titles.get(call.call_id, []))}
            for call in recent.calls
            if not call.is_running
        ],
        updates=[
            {
                "article_id": str(change.article_id),
                "title": change.title,
                "unit": change.unit,
                "kind": kind_words[change.kind],
                "at": stamp(change.at),
            }
            for change in changes
        ],
        updates_total=total,
        update_days=UPDATE_DAYS,
        hot=[{"title": article.title, "calls": article.calls} for article in adoptions.hottest(today)],
    )


@blueprint.get("/calls/<uuid:call_id>/history")
@requires(Permission.USE_DESK)
def history(call_id: uuid.UUID) -> Any:
    """Return earlier calls of the same number."""
    house, call = current_house(), own_call(call_id)
    if call.is_confidential:
        return jsonify(calls=[], total=0)
    since = house.clock.now() - timedelta(days=_HISTORY_DAYS)
    earlier = calls_of(house).calls_of_number(call.caller_number, since, but=call_id)
    titles = AdoptionReads(house.database).of_calls([one.call_id for one in earlier.calls])
    rows = [
        {**history_json(one), "topic": topic(one) or "、".join(found.title for found in titles.get(one.call_id, []))}
        for one in earlier.calls
    ]
    return jsonify(calls=rows, total=earlier.total)


@blueprint.get("/calls/<uuid:call_id>/draft")
@requires(Permission.USE_DESK)
def draft_note(call_id: uuid.UUID) -> Any:
    """Return a draft of the record, from the citizen's own sentences."""
    house, call = current_house(), own_call(call_id)
    said = [segment.text for segment in calls_of(house).segments(call.call_id) if segment.party == "citizen"]
    adopted = AdoptionReads(house.database).of_calls([call.call_id]).get(call.call_id, [])
    return jsonify(text=draft(said, [one.title for one in adopted]))


@blueprint.get("/search")
@requires(Permission.USE_DESK)
def search() -> Any:
    """Search the knowledge base from the desk's box."""
    house = current_house()
    query = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
    result = house.kb.search(query, limit=_HITS)
    hits = list(result.hits)
    if _INITIALS.fullmatch(query):
        # Initials of pinyin (jzz) are no words to search for: they are completed to titles first.
        found = [hit for phrase in house.kb.complete(query, 4) for hit in house.kb.search(phrase, limit=2).hits]
        hits = list({hit.article_id: hit for hit in [*found, *hits]}.values())[:_HITS]
    revised = AdoptionReads(house.database).revision_times([hit.revision_id for hit in hits])
    return jsonify(cards=[hit_json(hit, revised.get(hit.revision_id)) for hit in hits], degraded=result.degraded)


@blueprint.get("/articles/<uuid:article_id>")
@requires(Permission.USE_DESK)
def article(article_id: uuid.UUID) -> Any:
    """Return the whole text, in the revision that the card shows."""
    try:
        revision_id = uuid.UUID(request.args.get("revision", ""))
    except ValueError:
        return jsonify(article_json(current_house().kb.articles.get(article_id)))
    return jsonify(article_json(current_house().kb.articles.get_revision(revision_id)))


@blueprint.get("/transfer-targets")
@requires(Permission.USE_DESK)
def transfer_targets() -> Any:
    """Return where a call may be passed on to: the queues, and the agents at work."""
    house, agent_id = current_house(), own_agent_id()
    titles = dict(calls_of(house).queues())
    queues = [
        {"kind": "queue", "name": titles.get(queue, queue), "extension": number, "busy": False}
        for number, queue in house.settings.hotline_numbers.items()
    ]
    agents = [
        {"kind": "agent", "name": agent.name, "extension": agent.number, "state": agent.state, "busy": agent.state != "ready"}
        for agent in board_of(house).agents()
        if agent.is_logged_in and agent.agent_id != agent_id
    ]
    return jsonify([*queues, *agents])
