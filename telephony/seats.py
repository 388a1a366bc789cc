"""Keeps agents' rows in step with what they and their lines do.

Every change of the shown state leaves a stretch of time and an event.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFoundError
from core.outbox import publish
from telephony.agent_state import AgentState, LineFacts, LineState, PersonFacts, shown_state
from telephony.events import AgentChanged
from telephony.models import Agent, AgentStateChange


class UnknownAgentError(NotFoundError):
    """There is no such agent."""

    def __init__(self, agent: object) -> None:
        super().__init__(str(agent))
        self.agent = agent


def lock_agent(session: Session, agent_id: uuid.UUID) -> Agent:
    """Return an agent's row, locked until the transaction ends.

    Raises:
        UnknownAgentError: there is none.
    """
    agent = session.get(Agent, agent_id, with_for_update=True)
    if agent is None:
        raise UnknownAgentError(agent_id)
    return agent


def lock_agent_number(session: Session, number: str) -> Agent | None:
    """Return the row of an agent's number, locked; None when nobody has it."""
    return session.scalar(select(Agent).where(Agent.number == number).with_for_update())


def state_of(agent: Agent) -> AgentState:
    """Return the state that follows from what is known of an agent now."""
    person = PersonFacts(agent.logged_in_at is not None, agent.pause_reason, agent.wrapup_until)
    return shown_state(person, LineFacts(agent.is_registered, LineState(agent.line_state)))


def set_line(session: Session, agent: Agent, line: LineState, call_id: uuid.UUID | None, at: datetime) -> None:
    """Note what the agent's line does."""
    agent.line_state, agent.call_id = line, call_id
    settle(session, agent, at)


def begin_wrapup(session: Session, agent: Agent, at: datetime, limit: timedelta) -> None:
    """Free the line after a call and give the agent time to write; nobody who logged out meanwhile gets any."""
    agent.line_state, agent.call_id = LineState.IDLE, None
    if agent.logged_in_at is not None and limit:
        agent.wrapup_until = at + limit
    settle(session, agent, at)


def settle(session: Session, agent: Agent, at: datetime) -> None:
    """Derive the shown state, begin a new stretch when it or its reason changed, and tell that the agent changed."""
    state = state_of(agent)
    reason = agent.pause_reason if state is AgentState.PAUSED else None
    last = session.scalar(
        select(AgentStateChange).where(AgentStateChange.agent_id == agent.id, AgentStateChange.ended_at.is_(None)).limit(1)
    )
    if last is None or last.state != state or last.reason != reason:
        at = max(at, last.started_at) if last is not None else at
        if last is not None:
            last.ended_at = at
        session.add(AgentStateChange(agent_id=agent.id, state=state, reason=reason, call_id=agent.call_id, started_at=at))
        agent.state, agent.state_since = state, at
    session.flush()
    publish(session, AgentChanged(agent_id=agent.id, call_id=agent.call_id))
