"""What people do at their seats: log in, ready, pause, after-call work, log out; and who has a seat at all.

Each action checks the state, tells the switch, then writes and tells, in that order: where the switch does not answer, nothing
is written. Where the writing fails after that, the bridge's next comparison puts the switch right.
"""

import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.errors import ConflictError, InvalidInputError, UnavailableError
from telephony.agent_state import SIGNED_IN, AgentAction, AgentState, LineState, check_allowed
from telephony.door import Door
from telephony.models import Agent, AgentQueue, Queue
from telephony.ports import NotSeatedError
from telephony.seats import UnknownAgentError, lock_agent, settle, state_of

log = structlog.get_logger()
_LONGEST_REASON = 40


class UnknownQueueError(InvalidInputError):
    """There is no such queue."""

    def __init__(self, queue: str) -> None:
        super().__init__(queue)
        self.queue = queue


class PauseReasonError(InvalidInputError):
    """A pause needs a reason that people can read."""


@dataclass(frozen=True)
class AgentSeat:
    """A seat: its number at the exchange, who sits there, and which queues they serve."""

    id: uuid.UUID
    number: str
    name: str
    queues: tuple[str, ...]
    is_active: bool = True


@dataclass(frozen=True)
class QueueName:
    """A queue and what people call it."""

    name: str
    title: str


class SeatActions(Door):
    """The part of the front door for agents."""

    # --- who there is

    def ensure_queues(self, titles: dict[str, str]) -> None:
        """Add the queues that are missing and rename those whose title changed."""
        with self._database.transaction() as session:
            for name, title in titles.items():
                values = insert(Queue).values(name=name, title=title)
                session.execute(values.on_conflict_do_update(index_elements=["name"], set_={"title": title}))

    def list_queues(self) -> list[QueueName]:
        """Return every queue."""
        with self._database.transaction() as session:
            return [QueueName(row.name, row.title) for row in session.scalars(select(Queue).order_by(Queue.name))]

    def list_agents(self) -> list[AgentSeat]:
        """Return every seat in use, by number."""
        with self._database.transaction() as session:
            return [_seat(row) for row in session.scalars(select(Agent).where(Agent.is_active).order_by(Agent.number))]

    def get_agent(self, agent_id: uuid.UUID) -> AgentSeat:
        """Return a seat.

        Raises:
            UnknownAgentError: there is none.
        """
        with self._database.transaction() as session:
            agent = session.get(Agent, agent_id)
            if agent is None:
                raise UnknownAgentError(agent_id)
            return _seat(agent)

    def find_agent(self, number: str) -> uuid.UUID | None:
        """Return the seat of a number, in use or not; None when there is none."""
        with self._database.transaction() as session:
            return session.scalar(select(Agent.id).where(Agent.number == number))

    def save_agent(self, number: str, name: str, queues: Sequence[str]) -> uuid.UUID:
        """Make a seat, take it into use again, or change whose it is and which queues it serves.

        The exchange knows of it at once where it answers.

        Raises:
            UnknownQueueError: a queue does not exist.
            InvalidInputError: the number is not one to six digits.
        """
        if not (number.isascii() and number.isdigit() and len(number) <= 6):
            raise InvalidInputError(f"agent number {number!r}")
        with self._database.transaction() as session:
            known = set(session.scalars(select(Queue.name)))
            for queue in queues:
                if queue not in known:
                    raise UnknownQueueError(queue)
            agent = session.scalar(select(Agent).where(Agent.number == number).with_for_update())
            if agent is None:
                agent = Agent(number=number, name=name, sip_password=_new_password(), state_since=self._clock.now())
                session.add(agent)
            before = {link.queue_name for link in agent.queues}
            agent.name, agent.is_active = name, True
            agent.queues = [AgentQueue(queue_name=queue) for queue in dict.fromkeys(queues)]
            session.flush()
            agent_id, password, is_logged_in = agent.id, agent.sip_password, agent.logged_in_at is not None
            takes_calls = agent.line_state == LineState.IDLE and not (agent.pause_reason or agent.wrapup_until)
        added = [queue for queue in dict.fromkeys(queues) if queue not in before] if is_logged_in else []

        def tell() -> None:
            self._switch.provision(number, password)
            if is_logged_in:
                self._switch.log_out(number, sorted(before - set(queues)))
            if added:
                self._switch.log_in(number, name, added)
                if takes_calls:
                    self._switch.unpause(number)

        self._tell_switch(number, tell)
        return agent_id

    def withdraw_agent(self, agent_id: uuid.UUID) -> None:
        """Take a seat out of use: out of its queues, its telephone unknown and the password void; a call that goes on goes on.

        `save_agent` takes it into use again, with another password.

        Raises:
            UnknownAgentError: there is none.
        """
        with self._database.transaction() as session:
            agent = lock_agent(session, agent_id)
            number, queues = agent.number, [link.queue_name for link in agent.queues]
            agent.is_active, agent.sip_password = False, _new_password()
            agent.logged_in_at = agent.pause_reason = agent.wrapup_until = agent.notice = None
            settle(session, agent, self._clock.now())

        def tell() -> None:
            self._switch.withdraw(number)
            self._switch.log_out(number, queues)

        self._tell_switch(number, tell)

    def _tell_switch(self, number: str, tell: Callable[[], None]) -> None:
        """Tell the exchange what is decided already."""
        try:
            tell()
        except (UnavailableError, ConflictError) as error:
            # The bridge tells it of every telephone whenever it finds the exchange, and compares the queues all the time.
            log.warning("seat_not_told", agent=number, error=str(error))

    # --- what they do

    def log_in_agent(self, agent_id: uuid.UUID) -> None:
        """Take the seat: known to the queues, and paused until the agent says that they are ready."""
        with self._database.transaction() as session:
            agent = self._checked(session, agent_id, AgentAction.LOG_IN)
            if agent.logged_in_at is not None:
                return
            self._switch.log_in(agent.number, agent.name, [link.queue_name for link in agent.queues])
            agent.logged_in_at, agent.pause_reason, agent.wrapup_until = self._clock.now(), SIGNED_IN, None
            agent.notice = None
            settle(session, agent, self._clock.now())

    def log_out_agent(self, agent_id: uuid.UUID) -> None:
        """Leave the seat.

        Raises:
            AgentStateError: the agent's telephone rings or they are in a call.
        """
        with self._database.transaction() as session:
            agent = self._checked(session, agent_id, AgentAction.LOG_OUT)
            if agent.logged_in_at is None:
                return
            self._switch.log_out(agent.number, [link.queue_name for link in agent.queues])
            agent.logged_in_at = agent.pause_reason = agent.wrapup_until = agent.notice = None
            settle(session, agent, self._clock.now())

    def ready_agent(self, agent_id: uuid.UUID) -> None:
        """Take calls from now on; ends a pause and the after-call work.

        Raises:
            AgentStateError: not logged in, or in a call.
        """
        with self._database.transaction() as session:
            agent = self._checked(session, agent_id, AgentAction.READY)
            self._seated(agent, lambda: self._switch.unpause(agent.number))
            agent.pause_reason = agent.wrapup_until = agent.notice = None
            settle(session, agent, self._clock.now())

    def pause_agent(self, agent_id: uuid.UUID, reason: str) -> None:
        """Take no calls from now on; asked for in a call or in the after-call work, the pause begins after it.

        Raises:
            PauseReasonError: no reason, or one that cannot be shown.
            AgentStateError: not logged in, or the telephone rings.
        """
        reason = reason.strip()
        if not reason or len(reason) > _LONGEST_REASON or not reason.isprintable():
            raise PauseReasonError(reason)
        with self._database.transaction() as session:
            agent = self._checked(session, agent_id, AgentAction.PAUSE)
            self._seated(agent, lambda: self._switch.pause(agent.number, reason))
            agent.pause_reason, agent.notice = reason, None
            settle(session, agent, self._clock.now())

    def finish_wrapup(self, agent_id: uuid.UUID) -> None:
        """End the after-call work early; ready then, or paused when a pause was asked for.

        Raises:
            AgentStateError: the agent does no after-call work.
        """
        with self._database.transaction() as session:
            self._end_wrapup(session, self._checked(session, agent_id, AgentAction.FINISH_WRAPUP))

    def extend_wrapup(self, agent_id: uuid.UUID) -> None:
        """Add one extension to the after-call work.

        Raises:
            AgentStateError: the agent does no after-call work.
        """
        with self._database.transaction() as session:
            agent = self._checked(session, agent_id, AgentAction.EXTEND_WRAPUP)
            assert agent.wrapup_until is not None
            agent.wrapup_until = max(agent.wrapup_until, self._clock.now()) + self._rules.wrapup_extension
            settle(session, agent, self._clock.now())

    def expire_wrapups(self) -> int:
        """End the after-call work whose time is over; return how many agents that freed.

        Raises:
            UnavailableError: the exchange does not answer: those not yet freed stay as they are until the next time.
        """
        due = select(Agent.id).where(Agent.wrapup_until <= self._clock.now()).order_by(Agent.wrapup_until)
        with self._database.transaction() as session:
            waiting = list(session.scalars(due))
        freed = 0
        for agent_id in waiting:
            try:
                with self._database.transaction() as session:
                    agent = lock_agent(session, agent_id)
                    if agent.wrapup_until is not None and agent.wrapup_until <= self._clock.now():
                        self._end_wrapup(session, agent)
                freed += 1
            except ConflictError as error:
                # One seat that the exchange refuses keeps nobody else from the next call.
                log.warning("wrapup_not_ended", agent_id=str(agent_id), error=str(error))
        return freed

    def _end_wrapup(self, session: Session, agent: Agent) -> None:
        is_working = state_of(agent) is AgentState.WRAPUP
        if is_working and agent.pause_reason is None:
            self._seated(agent, lambda: self._switch.unpause(agent.number))
        agent.wrapup_until = None
        settle(session, agent, self._clock.now())

    def _seated(self, agent: Agent, ask: Callable[[], None]) -> None:
        """Ask something of an agent's seat; where the exchange has forgotten it (it started again), take it first."""
        try:
            ask()
        except NotSeatedError:
            self._switch.log_in(agent.number, agent.name, [link.queue_name for link in agent.queues])
            ask()

    def _checked(self, session: Session, agent_id: uuid.UUID, action: AgentAction) -> Agent:
        agent = lock_agent(session, agent_id)
        check_allowed(state_of(agent), action)
        return agent


def _new_password() -> str:
    return secrets.token_urlsafe(18)


def _seat(agent: Agent) -> AgentSeat:
    return AgentSeat(agent.id, agent.number, agent.name, tuple(sorted(link.queue_name for link in agent.queues)), agent.is_active)
