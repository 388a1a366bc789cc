"""Calls over the API: lists by filters, and one call with its words, suggestions, adoptions, events and recordings."""

import uuid
from typing import Any, Literal

from pydantic import BaseModel, Field

from core import audit
from core.clock import day_bounds
from core.errors import PermissionDeniedError
from telephony.reads import CallFilter
from webui.api.agents_by_number import agent_of_number
from webui.api.application import resource
from webui.api.call_items import AdoptionItem, CallDetail, CallItem, CallList, EventItem, RecordingItem, SegmentItem
from webui.api.fields import Asked, Day, Identifier, Line, PagedQuery, Switch, bounded_day, is_on, tell
from webui.api.suggestion_items import SuggestionItem
from webui.house import call_reads, current_house
from webui.permissions import Permission, requires
from webui.person import actor, current_person

blueprint = resource("calls")


class CallsQuery(PagedQuery):
    """Which calls to list. What is left out does not matter."""

    since: Day | None = Field(None, description="从这一天（当地日期）起")
    until: Day | None = Field(None, description="到这一天（含）止")
    queue: Line = Field("", description="队列名，如 consult")
    agent: Line = Field("", description="坐席工号")
    outcome: Literal["answered", "abandoned", "failed", "running"] | None = Field(None, description="running 为进行中")
    number: Line = Field("", description="通话编号，如 20260318-000287")
    caller_tail: Line = Field("", description="来电号码的末几位，最多四位")
    text: Line = Field("", description="转写、小结里出现的文字")


class CallPath(BaseModel):
    """Which call."""

    call_id: Identifier


class RevealQuery(Asked):
    """Whether to show the caller's number whole."""

    reveal: Switch = Field("0", description="1 显示完整号码：需要权限，并记入审计")


@blueprint.get("/calls", responses={200: CallList}, operation_id="list_calls", summary="通话列表")
@requires(Permission.READ_ALL_CALLS)
def list_calls(query: CallsQuery) -> Any:
    """List the calls that fit, newest first."""
    wanted = CallFilter(
        started_from=day_bounds(bounded_day(query.since))[0] if query.since else None,
        started_before=day_bounds(bounded_day(query.until))[1] if query.until else None,
        caller_tail=query.caller_tail[-4:],  # what everybody may see of it
        call_number=query.number,
        queue_name=query.queue,
        agent_id=agent_of_number(query.agent).agent_id if query.agent else None,
        outcome=query.outcome or "",
        text=query.text,
    )
    found = call_reads().list_calls(wanted, offset=query.offset, limit=query.size)
    return tell(CallList(items=[CallItem.of(view) for view in found.calls], page=query.page, size=query.size, total=found.total))


@blueprint.get("/calls/<call_id>", responses={200: CallDetail}, operation_id="get_call", summary="一通通话")
@requires(Permission.READ_ALL_CALLS)
def get_call(path: CallPath, query: RevealQuery) -> Any:
    """Return one call with its segments, suggestions, adoptions, events and the facts of its recordings."""
    view = call_reads().get_call(path.call_id)
    is_whole = is_on(query.reveal)
    if is_whole:
        _audit_reveal(view.call_id)
    reads = call_reads()
    suggestions = [SuggestionItem.of(row) for row in current_house().kb.suggestions(view.call_id)]
    kept = {
        "segments": [SegmentItem.model_validate(row) for row in reads.segments(view.call_id)],
        "suggestions": suggestions,
        "adoptions": [
            AdoptionItem(**item.model_dump(include={"suggestion_id", "article_id", "title", "revision_no"}), at=item.judged_at)
            for item in suggestions
            if item.verdict == "adopted" and item.judged_at
        ],
        "events": [EventItem.model_validate(row) for row in reads.call_events(view.call_id)],
        "recordings": [RecordingItem.model_validate(row) for row in reads.recordings(view.call_id)],
    }
    return tell(CallDetail.of(view, is_whole).model_copy(update=kept))


def _audit_reveal(call_id: uuid.UUID) -> None:
    if not current_person().may(Permission.REVEAL_NUMBERS):
        raise PermissionDeniedError(Permission.REVEAL_NUMBERS)
    with current_house().database.transaction() as session:
        audit.record(session, actor(), "number.revealed", f"call:{call_id}", {"over": "api"})
