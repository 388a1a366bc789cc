"""What the page and the desk's pane show of one callback: what lies behind it, what was tried, what is asked, what was answered."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from callback.listing import CallbackDetail
from core.errors import NotFoundError
from telephony.reads import CallView
from webui.callbacks_words import attempt_tag, disposition_word, hindrance_word, reason_tag, state_tag, way_word, why
from webui.desk_view import topic
from webui.house import call_reads, current_house

if TYPE_CHECKING:
    from workorder.case_view import CaseView

_SHOWN_LINES = 40


def detail_context(detail: CallbackDetail, now: datetime, agents: dict[uuid.UUID, str]) -> dict[str, Any]:
    """Return what both show of a callback."""
    callback = detail.callback
    call = _call(callback.call_id)
    return {
        "callback": callback,
        "reason": reason_tag(callback.reason),
        "state": state_tag(callback),
        "attempts": [
            {
                "attempt": one,
                "tag": attempt_tag(one),
                "way": way_word(one.way),
                "agent": agents.get(one.agent_id, "") if one.agent_id else "",
            }
            for one in reversed(detail.attempts)
        ],
        "others": [
            {
                "callback": one.callback,
                "reason": reason_tag(one.callback.reason),
                "state": state_tag(one.callback),
                "why": why(one.callback, now),
                "last": disposition_word(one.last_disposition),
            }
            for one in detail.others
        ],
        "opted_out_at": detail.opted_out_at,
        "rule": detail.rule,
        "call": call,
        "topic": topic(call) if call else "",
        "said": call_reads().segments(call.call_id)[:_SHOWN_LINES] if call else [],
        "case": _case(callback.case_id),
        "way_word": way_word,
        "hindrance": hindrance_word,
    }


def _call(call_id: uuid.UUID | None) -> CallView | None:
    # What lay behind may be deleted by now; the callback keeps the words that it needs.
    try:
        return call_reads().get_call(call_id) if call_id else None
    except NotFoundError:
        return None


def _case(case_id: uuid.UUID | None) -> "CaseView | None":
    try:
        return current_house().workorder.get_case(case_id) if case_id else None
    except NotFoundError:
        return None
