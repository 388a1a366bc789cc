"""Reads the notes that the dialplan keeps of each call in Asterisk's own database, and says which facts they amount to. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from telephony.ami_facts import (
    AgentConnected,
    CallArrived,
    CallbackAsked,
    CallerJoined,
    CallPlaced,
    ChannelGone,
    Fact,
    agent_of,
    clean_number,
    display_name,
    recording_path,
)
from telephony.outbound import DIAL_CHANNEL, attempt_of, cause_text, channel_of, result_of
from telephony.outbound import FAMILY as OUTBOUND_FAMILY
from telephony.ports import CallTrace, OutboundTrace

FAMILY = "tj-call"
"""Where the dialplan writes: /tj-call/<unique id>/arrived, answered, callback, ended; of calls that we placed attempt, placed."""


def call_traces(rows: Iterable[tuple[str, str]]) -> list[CallTrace]:
    """Return the calls that the notes tell of, oldest first. Callers chose part of the values; a note that cannot be read is none.

    Args:
        rows: keys and values as the database holds them.
    """
    traces = (_trace(unique_id, kept) for unique_id, kept in _notes(rows, FAMILY).items())
    return sorted((trace for trace in traces if trace is not None), key=lambda trace: trace.arrived_at)


def facts_of(trace: CallTrace) -> list[Fact]:
    """Return, in order, what happened in a call that nobody followed."""
    call = trace.unique_id
    found = _beginning(trace)
    if trace.answered_at is not None and trace.agent is not None:
        recording = trace.recording if trace.is_placed else ""
        found.append(AgentConnected(trace.answered_at, call, trace.agent, trace.agent_unique_id, trace.agent_channel, recording))
    if trace.callback_asked_at is not None:
        found.append(CallbackAsked(trace.callback_asked_at, call))
    if trace.ended_at is not None:
        found.append(ChannelGone(trace.ended_at, call, "", trace.cause, ""))
    return found


def outbound_traces(rows: Iterable[tuple[str, str]]) -> list[OutboundTrace]:
    """Return the calls that we placed that the notes tell of; what cannot be read is none."""
    found = []
    for key, kept in _notes(rows, OUTBOUND_FAMILY).items():
        attempt_id = attempt_of(key)
        if attempt_id is None:
            continue
        answered_at, _, unique_id = kept.get("answered", "").partition("|")
        trace = OutboundTrace(attempt_id, _moment(kept.get("dialled", "")), _moment(answered_at), unique_id=unique_id)
        ended = kept.get("ended", "").split("|")
        if len(ended) == 3 and (ended_at := _moment(ended[0])) is not None:
            status, cause = ended[1], int(ended[2]) if ended[2].isdecimal() else 0
            trace = replace(trace, ended_at=ended_at, result=result_of(status, cause), cause=cause_text(status, cause))
        found.append(trace)
    return found


def _notes(rows: Iterable[tuple[str, str]], family: str) -> dict[str, dict[str, str]]:
    notes: dict[str, dict[str, str]] = defaultdict(dict)
    for key, value in rows:
        parts = key.strip("/").split("/")
        if len(parts) == 3 and parts[0] == family:
            notes[parts[1]][parts[2]] = value
    return notes


def _beginning(trace: CallTrace) -> list[Fact]:
    at, call = trace.arrived_at, trace.unique_id
    if trace.is_placed:
        if trace.attempt_id is None or trace.agent is None:
            return []
        agent_id, agent_channel = trace.agent_unique_id, trace.agent_channel
        return [CallPlaced(at, call, agent_id, "", trace.attempt_id, trace.agent, agent_id, agent_channel)]
    number, name, attempt = trace.caller_number, trace.caller_name, trace.attempt_id
    linked_id = channel_of(DIAL_CHANNEL, attempt) if attempt is not None else call
    return [
        CallArrived(at, call, linked_id, "", number, name, trace.dialled, trace.queue, trace.recording, attempt),
        CallerJoined(at, call, linked_id, "", trace.queue, 0),
    ]


def _trace(unique_id: str, notes: dict[str, str]) -> CallTrace | None:
    # The caller's name comes last: whatever it holds, it ends no other field.
    fields = notes.get("arrived", "").split("|", 5)
    arrived_at = _moment(fields[0])
    if arrived_at is None or len(fields) != 6:
        return None
    _, queue, dialled, recording, number, name = fields
    number = clean_number(number)
    trace = CallTrace(unique_id, arrived_at, queue, dialled, recording_path(recording), number, display_name(name, number))
    placed = notes.get("placed", "").split("|", 1)
    if len(placed) == 2:
        agent_unique_id, channel = placed
        trace = replace(trace, agent=agent_of(channel), agent_unique_id=agent_unique_id, agent_channel=channel, is_placed=True)
    trace = replace(trace, attempt_id=attempt_of(notes.get("attempt", "")), callback_asked_at=_moment(notes.get("callback", "")))
    answered = notes.get("answered", "").split("|", 2)
    if len(answered) == 3:
        at, agent_unique_id, channel = answered
        trace = replace(
            trace, answered_at=_moment(at), agent=agent_of(channel), agent_unique_id=agent_unique_id, agent_channel=channel
        )
    ended = notes.get("ended", "").split("|")
    if len(ended) == 2:
        trace = replace(trace, ended_at=_moment(ended[0]), cause=int(ended[1]) if ended[1].isdecimal() else 0)
    return trace


def _moment(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
