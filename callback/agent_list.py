"""What agents ring themselves: the list, the hold on one entry, the dialling by click, and their word for how it went."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from callback.attempts import ENDED, PLANNED, Attempts
from callback.decision import Ring, decide, first_chance
from callback.disposition import REPORTED, Disposition
from callback.door import CallbackStateError, Door, current_way
from callback.etiquette import Drop, NotBefore
from callback.hindrance import Hindrance
from callback.line_budget import free_for_agent
from callback.models import Callback, CallbackAttempt
from callback.planning import begin_attempt, is_tried_by, line_count, lock_lines
from callback.rule import SURVEYS, Way
from callback.views import AttemptView, Brief, CallbackView, ListedCallback, attempt_view, callback_view
from core.errors import ConflictError, InvalidInputError
from telephony.call_actions import AgentNotReadyError
from telephony.outbound_actions import BadPhoneError


class HeldByAnotherError(ConflictError):
    """Another agent has the callback in hand."""


class NotNowError(ConflictError):
    """The number may not be rung now; `why` is a Hindrance, `at` when it may be, if ever."""

    def __init__(self, why: Hindrance, at: datetime | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.at = at


class NothingDialledError(ConflictError):
    """There is no attempt of this agent to report on."""


class BadReportError(InvalidInputError):
    """A word that agents do not report, or an asked time that is missing."""


class AgentList:
    """The part of the front door for agents."""

    def __init__(self, door: Door, attempts: Attempts) -> None:
        self._door = door
        self._attempts = attempts

    def list(self, agent_id: uuid.UUID, limit: int) -> builtins.list[ListedCallback]:
        """Return what this agent may take: own holds first, then what is due by priority."""
        now = self._door.clock.now()
        is_mine = Callback.held_by == agent_id
        is_held = is_mine & (Callback.held_until > now)
        # A reply may be given before its time, unless the citizen named it.
        is_due = or_(Callback.next_at <= now, Callback.reason.not_in(SURVEYS) & Callback.asked_at.is_(None))
        query = (
            select(Callback)
            .where(
                Callback.state == "owed",
                is_tried_by(Way.AGENT),
                or_(is_mine, Callback.held_until.is_(None), Callback.held_until <= now),
            )
            .order_by(func.coalesce(is_held, False).desc(), is_due.desc(), Callback.priority, Callback.next_at)
            .limit(limit)
        )
        with self._door.database.transaction() as session:
            rows = session.scalars(query).all()
            return self._listed(session, rows)

    def hold(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> ListedCallback:
        """Keep an entry for an agent, or keep it longer."""
        with self._door.database.transaction() as session:
            row = self._take(session, callback_id, agent_id)
            return self._listed(session, [row])[0]

    def release(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> None:
        """Give an entry back."""
        with self._door.database.transaction() as session:
            row = self._door.lock(session, callback_id)
            if row.held_by == agent_id:
                row.held_by = row.held_until = None

    def dial(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> AttemptView:
        """Commit an attempt, then ring the agent and the citizen."""
        use = self._door.lines.line_use()
        with self._door.database.transaction() as session:
            lock_lines(session)
            row = self._take(session, callback_id, agent_id)
            self._check_may_ring(session, row)
            if free_for_agent(line_count(session, use), self._door.settings.lines) < 1:
                raise NotNowError(Hindrance.NO_LINE)
            # The citizen's own word and hand came by an agent: what another way had in store waits.
            attempt_id = begin_attempt(session, row, self._door.clock.now(), agent_id)
            if attempt_id is None:
                raise NotNowError(Hindrance.BEING_RUNG)
            phone = row.phone
        try:
            self._door.lines.dial_for_agent(agent_id, phone.replace("+", "00"), attempt_id)
        except AgentNotReadyError:
            self._attempts.end(attempt_id, Disposition.FAILED, cause="agent_not_ready")
            self._attempts.record_ended(attempt_id, "failed", "")
            raise
        except BadPhoneError:
            self._attempts.record_ended(attempt_id, "invalid_number", "")
            raise
        self._attempts.confirm_dialled(attempt_id)
        with self._door.database.transaction() as session:
            return self._attempts.view(session, attempt_id)

    def report(
        self, callback_id: uuid.UUID, agent_id: uuid.UUID, disposition: Disposition, again_at: datetime | None
    ) -> CallbackView:
        """Settle the agent's latest attempt by their own word; it goes before what the line said."""
        if disposition not in REPORTED:
            raise BadReportError(disposition)
        if disposition is Disposition.CALLBACK_ASKED:
            if again_at is None:
                raise BadReportError("again_at")
            self._attempts.check_asked_time(again_at)
        with self._door.database.transaction() as session:
            row = self._door.lock(session, callback_id)
            if row.state != "owed" and row.disposition == disposition:
                return callback_view(row)
            # A campaign may be stopped while somebody talks: how that went is still worth knowing.
            if row.state not in ("owed", "given_up", "cancelled"):
                raise CallbackStateError(row.state, "report")
            self._check_not_anothers(row, agent_id)
            attempt = session.scalar(
                select(CallbackAttempt)
                .where(CallbackAttempt.callback_id == callback_id, CallbackAttempt.agent_id == agent_id)
                .order_by(CallbackAttempt.attempt_no.desc())
                .limit(1)
                .with_for_update()
            )
            if attempt is None or attempt.state == PLANNED:
                raise NothingDialledError(str(callback_id))
            self._attempts.overrule(attempt, row)
            self._attempts.settle(session, attempt, row, disposition, again_at)
            row.held_by = row.held_until = None
            return callback_view(row)

    def attempt_of(self, agent_id: uuid.UUID) -> Brief | None:
        """Return the agent's attempt that goes on, or that they have not reported on while the entry is still theirs."""
        now = self._door.clock.now()
        in_hand = (Callback.held_by == agent_id) & (Callback.held_until > now) & CallbackAttempt.disposition.is_(None)
        query = (
            select(CallbackAttempt.id)
            .join(Callback)
            .where(CallbackAttempt.agent_id == agent_id, or_(CallbackAttempt.state != ENDED, in_hand))
            .order_by(CallbackAttempt.planned_at.desc())
            .limit(1)
        )
        with self._door.database.transaction() as session:
            attempt_id = session.scalar(query)
        return self._attempts.brief(attempt_id) if attempt_id else None

    # --- parts of these

    def _take(self, session: Session, callback_id: uuid.UUID, agent_id: uuid.UUID) -> Callback:
        row = self._door.lock(session, callback_id)
        if row.state != "owed" or current_way(row) is not Way.AGENT:
            raise CallbackStateError(row.state, "hold")
        self._check_not_anothers(row, agent_id)
        # A call may last longer than its hold.
        talks = select(CallbackAttempt.id).where(
            CallbackAttempt.callback_id == callback_id, CallbackAttempt.state != ENDED, CallbackAttempt.agent_id != agent_id
        )
        if session.scalar(talks) is not None:
            raise HeldByAnotherError(str(row.id))
        row.held_by, row.held_until = agent_id, self._door.clock.now() + self._door.settings.hold
        return row

    def _check_not_anothers(self, row: Callback, agent_id: uuid.UUID) -> None:
        if row.held_by not in (None, agent_id) and row.held_until is not None and row.held_until > self._door.clock.now():
            raise HeldByAnotherError(str(row.id))

    def _check_may_ring(self, session: Session, row: Callback) -> None:
        now = self._door.clock.now()
        facts = self._door.facts(session, [row])[row.id]
        match decide(self._door.candidate(session, row), facts, now, self._door.house_rules):
            case NotBefore(at=at, why=why):
                raise NotNowError(why, at)
            case Drop(why=why):
                raise NotNowError(why)
            case Ring():
                # Before its time a reply may be given; a survey waits for its day.
                if row.next_at > now and (row.asked_at is not None or self._door.candidate(session, row).reason in SURVEYS):
                    raise NotNowError(Hindrance.NOT_YET_DUE, row.next_at)

    def _listed(self, session: Session, rows: Sequence[Callback]) -> builtins.list[ListedCallback]:
        now = self._door.clock.now()
        facts = self._door.facts(session, rows) if rows else {}
        last = self._last_attempts(session, rows)
        found = []
        for row in rows:
            attempt = last.get(row.id)
            view = callback_view(row)
            earliest = max(now, row.next_at) if view.is_survey or row.asked_at else now
            at, why = first_chance(self._door.candidate(session, row), facts[row.id], earliest, self._door.house_rules)
            if earliest > now and why is None:
                why = Hindrance(row.why) if row.why in tuple(Hindrance) else Hindrance.NOT_YET_DUE
            if attempt is not None and attempt.state != ENDED:
                at, why = None, Hindrance.BEING_RUNG
            may_ring = at == now
            found.append(
                ListedCallback(
                    view,
                    may_ring,
                    None if may_ring else at,
                    "" if may_ring or why is None else why.value,
                    attempt_view(attempt) if attempt else None,
                )
            )
        return found

    def _last_attempts(self, session: Session, rows: Sequence[Callback]) -> dict[uuid.UUID, CallbackAttempt]:
        query = (
            select(CallbackAttempt)
            .where(CallbackAttempt.callback_id.in_([row.id for row in rows]))
            .ext(distinct_on(CallbackAttempt.callback_id))
            .order_by(CallbackAttempt.callback_id, CallbackAttempt.attempt_no.desc())
        )
        return {attempt.callback_id: attempt for attempt in session.scalars(query)} if rows else {}
