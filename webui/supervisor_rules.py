"""What a supervisor should look at, decided from the board and the limits alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.privacy import mask_phone
from telephony.board import AgentView, Board, LiveCall

LAGGED_SECONDS = 9.0
"""From here on live text no longer helps the agent."""


@dataclass(frozen=True)
class Limits:
    """From when on something takes too long."""

    answer_target_seconds: int
    pause_minutes: dict[str, int]
    wrapup_seconds: int
    long_call_seconds: int
    long_hold_seconds: int
    long_wait_seconds: int


class AlertKind(StrEnum):
    """What is wrong; the page has a word for each."""

    UNREACHABLE = "unreachable"
    LONG_PAUSE = "long_pause"
    LONG_WRAPUP = "long_wrapup"
    LONG_WAIT = "long_wait"
    LONG_HOLD = "long_hold"
    LONG_CALL = "long_call"
    MISSED = "missed"
    RECORDING_LOST = "recording_lost"
    LAGGED = "lagged"
    PARKED_EVENTS = "parked_events"
    DEAD_JOBS = "dead_jobs"


SERIOUS = frozenset(
    {AlertKind.UNREACHABLE, AlertKind.LONG_PAUSE, AlertKind.RECORDING_LOST, AlertKind.PARKED_EVENTS, AlertKind.DEAD_JOBS}
)


@dataclass(frozen=True)
class Alert:
    """One thing to look at. `key` stays the same as long as it lasts; since and limit are for the page's own count."""

    kind: AlertKind
    key: str
    since: datetime
    who: str = ""
    what: str = ""
    limit_seconds: float | None = None
    count: int = 0

    @property
    def is_serious(self) -> bool:
        """Whether it is broken or late, and not only about to be."""
        return self.kind in SERIOUS


@dataclass(frozen=True)
class Backlog:
    """What the program itself could not do: events without a working handler, jobs that used up their attempts."""

    parked_events: int = 0
    parked_since: datetime | None = None
    dead_jobs: int = 0
    dead_since: datetime | None = None


def agent_limit_seconds(agent: AgentView, limits: Limits) -> float | None:
    """Return how long the agent may stay in the present state, or None for as long as it takes."""
    if agent.state == "paused":
        minutes = limits.pause_minutes.get(agent.pause_reason)
        return minutes * 60.0 if minutes else None
    if agent.state == "wrapup":
        end = agent.wrapup_until
        return (end - agent.since).total_seconds() if end else float(limits.wrapup_seconds)
    if agent.state == "talking":
        return float(limits.long_call_seconds)
    if agent.state == "held":
        return float(limits.long_hold_seconds)
    return None


def is_over(agent: AgentView, limits: Limits, now: datetime) -> bool:
    """Say whether the agent has been in the present state for too long."""
    limit = agent_limit_seconds(agent, limits)
    return limit is not None and now - agent.since > timedelta(seconds=limit)


def needs_attention(board: Board, backlog: Backlog, limits: Limits) -> list[Alert]:
    """Return what to look at: serious first, then the newest first."""
    alerts = [
        *(alert for agent in board.agents for alert in _of_agent(agent, limits, board.at)),
        *(alert for call in board.calls for alert in _of_call(call, limits, board.at)),
        *_of_program(backlog),
    ]
    for lost in board.lost_recordings:
        key = f"recording:{lost.call_id}:{lost.party}"
        alerts.append(Alert(AlertKind.RECORDING_LOST, key, lost.at, who=lost.call_number, what=lost.reason or lost.party))
    return sorted(alerts, key=lambda alert: (not alert.is_serious, -alert.since.timestamp(), alert.key))


def _of_agent(agent: AgentView, limits: Limits, now: datetime) -> Iterable[Alert]:
    who = f"{agent.name} {agent.number}"
    if agent.state == "faulty":
        yield Alert(AlertKind.UNREACHABLE, f"agent:{agent.agent_id}", agent.since, who)
    elif is_over(agent, limits, now):
        kinds = {
            "paused": AlertKind.LONG_PAUSE,
            "wrapup": AlertKind.LONG_WRAPUP,
            "held": AlertKind.LONG_HOLD,
            "talking": AlertKind.LONG_CALL,
        }
        limit = agent_limit_seconds(agent, limits)
        yield Alert(kinds[agent.state], f"agent:{agent.agent_id}", agent.since, who, agent.pause_reason, limit)


def _of_call(call: LiveCall, limits: Limits, now: datetime) -> Iterable[Alert]:
    if call.answered_at is None:
        since = call.queued_at or call.started_at
        if now - since > timedelta(seconds=limits.long_wait_seconds):
            shown = "" if call.is_confidential else mask_phone(call.caller_number)
            yield Alert(AlertKind.LONG_WAIT, f"wait:{call.call_id}", since, shown, call.queue_title)
    elif call.lag_seconds is not None and call.lag_seconds >= LAGGED_SECONDS:
        yield Alert(AlertKind.LAGGED, f"lag:{call.call_id}", now, call.number, count=round(call.lag_seconds))


def _of_program(backlog: Backlog) -> Iterable[Alert]:
    if backlog.parked_events and backlog.parked_since:
        yield Alert(AlertKind.PARKED_EVENTS, "events", backlog.parked_since, count=backlog.parked_events)
    if backlog.dead_jobs and backlog.dead_since:
        yield Alert(AlertKind.DEAD_JOBS, "jobs", backlog.dead_since, count=backlog.dead_jobs)
