"""Call history: the list by conditions in the address, one call with everything that was said and done in it, and its export."""

import csv
import io
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from callback.listing import CallbackListing
from core import audit
from core.errors import PermissionDeniedError
from core.privacy import mask_phone
from kb.adoption_reads import Adoption, AdoptionReads
from telephony.reads import CallView
from telephony.speech.redaction import redact
from webui.calls_query import WHEN, CallsQuery, read_query
from webui.calls_words import (
    CONDITION_WORDS,
    RESULT_WORDS,
    WHEN_WORDS,
    event_words,
    hold_words,
    loss_words,
    result_tag,
    transcript_tag,
)
from webui.desk_actions import BadFieldError, revealed_number
from webui.desk_view import holds_json, topic
from webui.desk_words import DISPOSITIONS, KINDS, dispositions, kinds, words
from webui.errors import says
from webui.formats import duration, moment, number
from webui.house import current_house
from webui.paging import SIZE, Page, page_number, without
from webui.permissions import Permission, requires
from webui.person import actor, current_person
from webui.stream import board_of, calls_of

blueprint = Blueprint("calls", __name__, url_prefix="/calls")
_EXPORT_LIMIT = 50_000
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


class ForeignCallError(PermissionDeniedError):
    """The call is another agent's."""


class WholeNumberError(PermissionDeniedError):
    """The asker may not look for a whole telephone number."""


says(ForeignCallError, lambda error: _("这是其他坐席接的来电，您没有权限查看。"))
says(WholeNumberError, lambda error: _("按完整号码查找需要查看号码的权限。可以用后四位查找。"))


@blueprint.get("/")
@requires(Permission.READ_OWN_CALLS, Permission.READ_ALL_CALLS)
def index() -> str:
    """List calls."""
    house, query = current_house(), _query()
    calls = calls_of(house)
    number_of_page = page_number()
    found = calls.list_calls(query.wanted, offset=(number_of_page - 1) * SIZE, limit=SIZE)
    adopted = AdoptionReads(house.database).of_calls([call.call_id for call in found.calls])
    queues = calls.queues()
    agents = board_of(house).agents() if _may_see_all() else []
    names = {"queue": dict(queues), "agent": {str(agent.agent_id): f"{agent.name} {agent.number}" for agent in agents}}
    return render_template(
        "calls/calls.html",
        rows=[_row(call, adopted.get(call.call_id, [])) for call in found.calls],
        page=Page(number_of_page, found.total),
        average=found.average_talking_seconds,
        query=query,
        arguments=request.args,
        conditions=[(_condition(name, value, names), without(name)) for name, value in query.chosen],
        when=[(name, WHEN_WORDS[name]) for name in WHEN],
        queues=queues,
        agents=[(str(agent.agent_id), f"{agent.name} {agent.number}") for agent in agents],
        results=[*dispositions(), *((key, word) for key, word in RESULT_WORDS.items())],
        target=house.settings.answer_target_seconds,
    )


def _may_see_all() -> bool:
    return current_person().may(Permission.READ_ALL_CALLS)


def _query() -> CallsQuery:
    person = current_person()
    query = read_query(
        request.args,
        current_house().clock.now(),
        own_agent=person.agent_id,
        may_see_all=_may_see_all(),
        may_see_numbers=person.may(Permission.REVEAL_NUMBERS),
    )
    if query.refused:
        raise WholeNumberError
    return query


def _condition(name: str, value: str, names: dict[str, dict[str, str]]) -> str:
    shown = names.get(name, {}).get(value, value)
    if name == "when":
        shown = str(WHEN_WORDS[value])
    if name == "result":
        shown = str(RESULT_WORDS.get(value, _(value)))
    return str(CONDITION_WORDS[name]) if name == "lost" else _("%(name)s：%(value)s", name=CONDITION_WORDS[name], value=shown)


def _row(call: CallView, adopted: list[Adoption]) -> dict[str, Any]:
    return {
        "call": call,
        "topic": topic(call) or "、".join(dict.fromkeys(one.title for one in adopted)),
        "adopted": len(adopted),
        "result": result_tag(call),
        "transcript": transcript_tag(call),
    }


@blueprint.get("/export")
@requires(Permission.EXPORT_CALLS)
def export() -> Response:
    """Send the calls that fit as a table; numbers stay masked. Who took it away is an audit row."""
    house, query = current_house(), _query()
    found = calls_of(house).list_calls(query.wanted, limit=_EXPORT_LIMIT)
    with house.database.transaction() as session:
        detail = {"count": len(found.calls), "conditions": _kept(query)}
        audit.record(session, actor(), "call.exported", "calls", detail)
    adopted = AdoptionReads(house.database).of_calls([call.call_id for call in found.calls])
    name = f"calls-{house.clock.now():%Y%m%d-%H%M%S}.csv"
    response = Response(_lines(found.calls, adopted), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _kept(query: CallsQuery) -> dict[str, str]:
    """Return the conditions as the audit keeps them for good: without whole numbers."""
    text = mask_phone(query.wanted.caller_number) or redact(query.wanted.text)
    return dict(query.chosen) | ({"q": text} if text else {})


def _lines(calls: list[CallView], adopted: dict[uuid.UUID, list[Adoption]]) -> Iterator[str]:
    heads = ["通话编号", "接入时间", "来电号码", "队列", "坐席", "等待", "通话", "结果", "类型", "分类", "备注", "采用答案"]
    yield "\ufeff" + _line([_(head) for head in heads])
    for call in calls:
        yield _line(
            [
                call.number,
                moment(call.started_at),
                _("保密") if call.is_confidential else number(call.caller_number),
                call.queue_title,
                f"{call.agent_name} {call.agent_number}".strip(),
                duration(call.waiting_seconds),
                duration(call.talking_seconds),
                result_tag(call).word,
                call.note.kind,
                call.note.category,
                call.note.note,
                "；".join(one.title for one in adopted.get(call.call_id, [])),
            ]
        )


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    # A spreadsheet runs what begins like a formula.
    csv.writer(buffer).writerow([f"'{cell}" if cell.startswith(_FORMULA_SIGNS) else cell for cell in cells])
    return buffer.getvalue()


def _own_or_allowed(call_id: uuid.UUID) -> tuple[CallView, bool]:
    """Return the call and whether the asker spoke in it."""
    calls, person = calls_of(current_house()), current_person()
    call = calls.get_call(call_id)
    is_mine = person.agent_id is not None and calls.has_taken_part(call_id, person.agent_id)
    if not is_mine and not _may_see_all() and not _is_behind_own_callback(call_id):
        raise ForeignCallError(str(call_id))
    return call, is_mine


def _is_behind_own_callback(call_id: uuid.UUID) -> bool:
    """Whoever rings a citizen back about a call has to know what was said in it."""
    house, agent_id = current_house(), current_person().agent_id
    return agent_id is not None and CallbackListing(house.database, house.clock).is_behind(call_id, agent_id)


@blueprint.get("/<uuid:call_id>")
@requires(Permission.READ_OWN_CALLS, Permission.READ_ALL_CALLS)
def call(call_id: uuid.UUID) -> str:
    """Show one call."""
    house, person = current_house(), current_person()
    view, is_mine = _own_or_allowed(call_id)
    calls = calls_of(house)
    recordings = calls.recordings(call_id)
    began = min((recording.started_at for recording in recordings), default=view.started_at)
    events = calls.call_events(call_id)
    holds = holds_json(events, view.ended_at)
    suggestions = house.kb.suggestions(call_id)
    adopted = sorted((one for one in suggestions if one.verdict == "adopted"), key=lambda one: one.judged_at or one.created_at)
    player = {
        "peaks": url_for("recordings.peaks", call_id=call_id),
        "plays": url_for("recordings.begin", call_id=call_id),
        "holds": [{"from": _since(hold["from"], began), "to": _since(hold["to"] or view.ended_at, began)} for hold in holds],
        "adoptions": [_since(one.judged_at, began) for one in adopted],
    }
    may_play = person.may(Permission.PLAY_RECORDINGS)
    can_hear = any(recording.state in {"kept", "recording", "lost"} for recording in recordings)
    return render_template(
        "calls/call.html",
        call=view,
        topic=topic(view),
        result=result_tag(view),
        transcript=transcript_tag(view),
        lines=_talk(calls.segments(call_id), holds, began, view),
        story=[(event.at, event_words(event, view), event.kind) for event in events],
        recordings=recordings,
        losses=[(recording.party, loss_words(recording)) for recording in recordings if recording.state == "lost"],
        is_deleted=bool(recordings) and all(recording.state == "deleted" for recording in recordings),
        adopted=adopted,
        others=[one for one in suggestions if one.verdict != "adopted"],
        began=began,
        player=player if may_play and can_hear else None,
        may_play=may_play,
        may_reveal=person.may(Permission.REVEAL_NUMBERS) and (is_mine or _may_see_all()),
        is_mine=is_mine,
        words=words(),
        kinds=kinds(),
        dispositions=dispositions(),
        own_note=view.note.own(person.agent_id),
    )


def _since(at: datetime | str | None, began: datetime) -> float | None:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return (at - began).total_seconds() if at else None


def _talk(segments: list[Any], holds: list[dict[str, Any]], began: datetime, call: CallView) -> list[dict[str, Any]]:
    """Return what was said and the holds between, by time."""
    lines = [
        {
            "at": segment.started_at,
            "start": round((segment.started_at - began).total_seconds(), 2),
            "end": round((segment.started_at - began).total_seconds() + segment.end_seconds - segment.start_seconds, 2),
            "party": segment.party,
            "text": segment.text,
        }
        for segment in segments
    ]
    for hold in holds:
        at = datetime.fromisoformat(hold["from"])
        lines.append({"at": at, "start": _since(at, began), "party": "", "text": hold_words(hold["seconds"])})
    return sorted(lines, key=lambda line: line["at"])


@blueprint.post("/<uuid:call_id>/reveal")
@requires(Permission.REVEAL_NUMBERS)
def reveal(call_id: uuid.UUID) -> Any:
    """Show the caller's whole number, audited."""
    view, is_mine = _own_or_allowed(call_id)
    if not is_mine and not _may_see_all():
        raise ForeignCallError(str(call_id))
    return jsonify(number=revealed_number(view))


@blueprint.post("/<uuid:call_id>/record")
@requires(Permission.USE_DESK)
def write_record(call_id: uuid.UUID) -> Any:
    """Write the record of one's own call afterwards (补记)."""
    view, is_mine = _own_or_allowed(call_id)
    if not is_mine or view.is_running:
        raise ForeignCallError(str(call_id))
    form = request.form
    kind, disposition = form.get("kind", ""), form.get("disposition", "")
    if kind not in {"", *KINDS} or disposition not in DISPOSITIONS:
        raise BadFieldError("disposition")
    current_house().telephony.save_note(
        call_id,
        current_person().agent_id,
        kind=kind,
        category=form.get("category", "").replace("\x00", "")[:80],
        note=form.get("note", "").replace("\x00", "")[:4000],
        disposition=disposition,
        is_finished=True,
    )
    flash(_("通话记录已保存"), "ok")
    return redirect(url_for("calls.call", call_id=call_id))
