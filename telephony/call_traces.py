"""Reads the notes that the dialplan keeps of each call in Asterisk's own database, and says which facts they amount to. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from telephony.ami_facts import (
    NAME_LENGTH,
    AgentConnected,
    CallArrived,
    CallerJoined,
    ChannelGone,
    Fact,
    agent_of,
    clean_number,
    clean_text,
    recording_path,
)
from telephony.ports import CallTrace

FAMILY = "tj-call"
"""Where extensions.conf writes: /tj-call/<unique id>/arrived, answered, ended."""


def call_traces(rows: Iterable[tuple[str, str]]) -> list[CallTrace]:
    """Return the calls that the notes tell of, oldest first. Callers chose part of the values; a note that cannot be read is none.

    Args:
        rows: keys and values as the database holds them.
    """
    notes: dict[str, dict[str, str]] = defaultdict(dict)
    for key, value in rows:
        parts = key.strip("/").split("/")
        if len(parts) == 3 and parts[0] == FAMILY:
            notes[parts[1]][parts[2]] = value
    traces = (_trace(unique_id, kept) for unique_id, kept in notes.items())
    return sorted((trace for trace in traces if trace is not None), key=lambda trace: trace.arrived_at)


def facts_of(trace: CallTrace) -> list[Fact]:
    """Return, in order, what happened in a call that nobody followed."""
    call, channel = trace.unique_id, ""
    found: list[Fact] = [
        CallArrived(
            trace.arrived_at,
            call,
            call,
            channel,
            trace.caller_number,
            trace.caller_name,
            trace.dialled,
            trace.queue,
            trace.recording,
        ),
        CallerJoined(trace.arrived_at, call, call, channel, trace.queue, 0),
    ]
    if trace.answered_at is not None and trace.agent is not None:
        found.append(AgentConnected(trace.answered_at, call, trace.agent, trace.agent_unique_id, trace.agent_channel))
    if trace.ended_at is not None:
        found.append(ChannelGone(trace.ended_at, call, channel, trace.cause, ""))
    return found


def _trace(unique_id: str, notes: dict[str, str]) -> CallTrace | None:
    # The caller's name comes last: whatever it holds, it ends no other field.
    fields = notes.get("arrived", "").split("|", 5)
    arrived_at = _moment(fields[0])
    if arrived_at is None or len(fields) != 6:
        return None
    _, queue, dialled, recording, number, name = fields
    trace = CallTrace(
        unique_id, arrived_at, queue, dialled, recording_path(recording), clean_number(number), clean_text(name, NAME_LENGTH)
    )
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
