"""The supervisor's board as plain JSON: figures with what they are made of, agents, calls, queues, what needs a look."""

from datetime import datetime

from sqlalchemy import func, select

from core.jobs import Job
from core.outbox import OutboxEvent
from telephony.board import AgentView, Board, LiveCall, QueueDay, ServiceCount
from webui.desk_view import Json, agent_json, caller_json, stamp
from webui.house import House
from webui.supervisor_rules import Alert, Backlog, Limits, agent_limit_seconds, needs_attention


def limits_of(house: House) -> Limits:
    """Return the site's limits."""
    settings = house.settings
    return Limits(
        settings.answer_target_seconds,
        settings.pause_reasons,
        settings.wrapup_seconds,
        settings.long_call_seconds,
        settings.long_hold_seconds,
        settings.long_wait_seconds,
    )


def backlog_of(house: House) -> Backlog:
    """Return what the program could not do."""
    with house.database.transaction() as session:
        parked = session.execute(
            select(func.count(), func.max(OutboxEvent.parked_at)).where(OutboxEvent.parked_at.is_not(None))
        ).one()
        since = func.max(func.coalesce(Job.finished_at, Job.created_at))
        dead = session.execute(select(func.count(), since).where(Job.state == "dead")).one()
    return Backlog(parked[0], parked[1], dead[0], dead[1])


def board_json(house: House, board: Board) -> Json:
    """Return the board as the page draws it; times only, the page counts the seconds."""
    limits = limits_of(house)
    agents_by_id = {agent.agent_id: agent for agent in board.agents}
    return {
        "at": stamp(board.at),
        "target": limits.answer_target_seconds,
        "agents": [_agent(agent, limits) for agent in board.agents],
        "calls": [_call(call, agents_by_id.get(call.agent_id) if call.agent_id else None) for call in board.calls],
        "queues": [_queue(queue) for queue in board.queues],
        "today": _count(board.today),
        "last_day": _count(board.last_day),
        "alerts": [_alert(alert) for alert in needs_attention(board, backlog_of(house), limits)],
    }


def _agent(agent: AgentView, limits: Limits) -> Json:
    return {**agent_json(agent), "limit": agent_limit_seconds(agent, limits), "queues": list(agent.queues)}


def _call(call: LiveCall, agent: AgentView | None) -> Json:
    return {
        "id": str(call.call_id),
        "number": call.number,
        "caller": caller_json(call.caller_number, call.is_confidential),
        "queue_name": call.queue_name,
        "queue": call.queue_title,
        "state": call.state,
        "agent": f"{agent.name} {agent.number}" if agent else "",
        "queued_at": stamp(call.queued_at or call.started_at),
        "answered_at": stamp(call.answered_at),
        "held_at": stamp(call.held_at),
        "earlier_today": call.earlier_today,
        "text": call.latest_text,
        "lag": call.lag_seconds,
    }


def _queue(queue: QueueDay) -> Json:
    return {
        "name": queue.name,
        "title": queue.title,
        "waiting": queue.waiting,
        "longest_since": stamp(queue.longest_since),
        "ready": queue.ready,
        "count": _count(queue.count),
    }


def _count(count: ServiceCount) -> Json:
    return {"offered": count.offered, "answered": count.answered, "abandoned": count.abandoned, "in_time": count.in_time}


def _alert(alert: Alert) -> Json:
    return {
        "kind": alert.kind.value,
        "key": alert.key,
        "since": _iso(alert.since),
        "who": alert.who,
        "what": alert.what,
        "limit": alert.limit_seconds,
        "count": alert.count,
        "serious": alert.is_serious,
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
