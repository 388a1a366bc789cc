"""What the desk and the board are told, as plain JSON: the page puts it into words and never into markup.

A caller's whole number is in none of it.
"""

import uuid
from datetime import datetime
from typing import Any

from core.privacy import mask_phone
from telephony.board import AgentDay, AgentView, Figures
from telephony.call_state import HOLD_ENDS
from telephony.reads import CallView, EventView, SegmentView

Json = dict[str, Any]


def stamp(moment: datetime | None) -> str | None:
    """Return a moment as the page's clock reads it."""
    return moment.isoformat(timespec="milliseconds") if moment else None


def caller_json(number: str, is_confidential: bool) -> Json:
    """Return how a caller is shown: masked, withheld or confidential."""
    if is_confidential:
        return {"shown": "", "kind": "confidential"}
    return {"shown": mask_phone(number), "kind": "number"} if number else {"shown": "", "kind": "withheld"}


def call_json(call: CallView, rang_at: datetime | None = None) -> Json:
    """Return a call."""
    return {
        "id": str(call.call_id),
        "number": call.number,
        "caller": caller_json(call.caller_number, call.is_confidential),
        "name": call.caller_name[:64],
        "queue": call.queue_title,
        "direction": call.direction,
        "state": call.state,
        "outcome": call.outcome,
        "cause": call.cause,
        "agent": f"{call.agent_name} {call.agent_number}".strip(),
        "agent_id": str(call.agent_id) if call.agent_id else None,
        "started_at": stamp(call.started_at),
        "queued_at": stamp(call.queued_at or call.started_at),
        "rang_at": stamp(rang_at),
        "answered_at": stamp(call.answered_at),
        "held_at": stamp(call.held_at),
        "ended_at": stamp(call.ended_at),
        "waiting_seconds": call.waiting_seconds,
        "talking_seconds": call.talking_seconds,
        "hold_seconds": call.hold_seconds,
    }


def note_json(call: CallView, agent_id: uuid.UUID) -> Json:
    """Return what was written of a call: by this agent, and by those who had it before or after."""
    note = call.note
    return {
        "kind": note.kind,
        "category": note.category,
        "note": note.own(agent_id),
        "others": note.others(agent_id),
        "disposition": note.disposition,
        "saved_at": stamp(note.updated_at),
        "finished_at": stamp(note.finished_at),
    }


def segment_json(segment: SegmentView) -> Json:
    """Return an utterance."""
    return {
        "id": str(segment.segment_id),
        "party": segment.party,
        "text": segment.text,
        "at": stamp(segment.started_at),
        "lag": segment.lag_seconds,
    }


def agent_json(agent: AgentView) -> Json:
    """Return an agent with state and since."""
    return {
        "id": str(agent.agent_id),
        "number": agent.number,
        "name": agent.name,
        "state": agent.state,
        "since": stamp(agent.since),
        "reason": agent.pause_reason,
        "wrapup_until": stamp(agent.wrapup_until),
        "registered": agent.is_registered,
        "logged_in": agent.is_logged_in,
        "call_id": str(agent.call_id) if agent.call_id else None,
        "notice": agent.notice,
    }


def figures_json(figures: Figures) -> Json:
    """Return what stands in every desk's top bar."""
    return {"waiting": figures.waiting, "longest_since": stamp(figures.longest_since), "ready": figures.ready}


def history_json(call: CallView, but: uuid.UUID | None = None) -> Json:
    """Return an earlier call of the same number in one line."""
    return {
        "id": str(call.call_id),
        "at": stamp(call.started_at),
        "kind": call.note.kind,
        "topic": topic(call),
        "state": call.state,
        "outcome": call.outcome,
        "disposition": call.note.disposition,
        "agent": call.agent_number,
        "talking_seconds": call.talking_seconds,
        "caller": caller_json(call.caller_number, call.is_confidential),
        "is_current": call.call_id == but,
    }


def holds_json(events: list[EventView], ended_at: datetime | None) -> list[Json]:
    """Return the stretches on hold; an open one ends with the call, or not yet."""
    holds: list[Json] = []
    started: datetime | None = None
    for event in events:
        if event.kind == "held" and started is None:
            started = event.at
        elif event.kind in HOLD_ENDS and started is not None:
            holds.append({"from": stamp(started), "to": stamp(event.at), "seconds": (event.at - started).total_seconds()})
            started = None
    if started is not None:
        seconds = (ended_at - started).total_seconds() if ended_at else None
        holds.append({"from": stamp(started), "to": stamp(ended_at), "seconds": seconds})
    return holds


def day_json(day: AgentDay, pause_limit_seconds: int) -> Json:
    """Return an agent's day."""
    return {
        "since": stamp(day.since),
        "answered": day.answered,
        "in_time": day.in_time,
        "talking": day.talking_seconds,
        "all_talking": day.all_talking_seconds,
        "wrapup": day.wrapup_seconds,
        "all_wrapup": day.all_wrapup_seconds,
        "paused": day.paused_seconds,
        "pause_limit": pause_limit_seconds,
        "unwritten": day.unwritten,
    }


def topic(call: CallView) -> str:
    """Return what a call was about in a few words: the first sentence of its note, else its category; empty when unwritten."""
    first = call.note.note.strip().partition("\n")[0]
    for mark in "。；！？":
        first = first.partition(mark)[0]
    return f"{first[:40]}…" if len(first) > 40 else first or call.note.category
