"""Takes what is due and may be rung now, and commits an attempt for each before anything is dialled.

One transaction under one lock: however many dialers run, the lines are counted once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from callback.attempts import DIALLED, ENDED, PLAN_LEASE, PLANNED, Attempts, finish
from callback.decision import NextWay, Ring, decide
from callback.disposition import Disposition
from callback.door import Door, current_way
from callback.etiquette import Drop, NotBefore
from callback.events import MessageDue
from callback.hindrance import Hindrance
from callback.line_budget import LineCount, free_for_agent, free_for_dialler, turns
from callback.models import Callback, CallbackAttempt
from callback.rule import SURVEYS, Reason, Way
from core.database import new_id
from core.outbox import publish
from telephony.ports import LineUse

_LOCK = 7_301_402
_BATCH = 100
_MOST_BATCHES = 20
_MOST_MESSAGES = 200
_DEFAULT_MESSAGE_WAIT = timedelta(days=3)
_LOST_TURN = timedelta(minutes=1)


@dataclass(frozen=True)
class Planned:
    """An attempt that is committed and may now be dialled, once, before `dial_before` on this machine's monotonic clock."""

    attempt_id: uuid.UUID
    callback_id: uuid.UUID
    phone: str
    way: Way
    queue_name: str | None
    dial_before: float


class Planning:
    """Decides for the dialer, with the lines and the clock as they are."""

    def __init__(self, door: Door, attempts: Attempts) -> None:
        self._door = door
        self._attempts = attempts

    def plan_due(self, use: LineUse, limit: int | None = None) -> list[Planned]:
        """Commit attempts for what is due: citizens who kept their place, then by priority as the lines allow, then messages."""
        with self._door.database.transaction() as session:
            lock_lines(session)
            count = line_count(session, use)
            rules = self._door.settings.lines
            planned = self._plan_queue(session, use, free_for_agent(count, rules))
            budget = max(0, free_for_dialler(count, rules) - len(planned))
            planned += self._plan(session, Way.IVR, budget if limit is None else min(limit, budget))
            self._plan(session, Way.SMS, _MOST_MESSAGES)
        return planned

    def sweep(self) -> int:
        """Give up what expired; end the messages whose answer was awaited in vain."""
        changed = 0
        now = self._door.clock.now()
        tried = select(CallbackAttempt.id).where(CallbackAttempt.callback_id == Callback.id, CallbackAttempt.state != ENDED)
        is_called = tried.where(CallbackAttempt.way != Way.SMS).exists()
        expired = (
            select(Callback)
            .where(Callback.state == "owed", Callback.expires_at <= now, ~is_called)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
        with self._door.database.transaction() as session:
            for callback in session.scalars(expired).all():
                self._give_up(session, callback, Hindrance.EXPIRED)
                changed += 1
        waited = (
            select(CallbackAttempt.id)
            .join(Callback)
            .where(CallbackAttempt.state != ENDED, CallbackAttempt.way == Way.SMS, Callback.next_at <= now)
            .limit(_BATCH)
        )
        with self._door.database.transaction() as session:
            vain = list(session.scalars(waited))
        for attempt_id in vain:
            self._attempts.end(attempt_id, Disposition.NO_ANSWER, cause="no_reply")
            changed += 1
        return changed

    # --- citizens who kept their place

    def _plan_queue(self, session: Session, use: LineUse, free: int) -> list[Planned]:
        now = self._door.clock.now()
        wanted = [*_due(now), is_tried_by(Way.AGENT), Callback.reason == Reason.QUEUE_CALLBACK]
        if use.waiting_citizens:
            # Nobody who waits at the phone is overtaken by somebody who began to wait later.
            wanted.append(Callback.queued_at <= now - timedelta(seconds=use.longest_wait_seconds))
        ringing = select(func.count()).select_from(CallbackAttempt).join(Callback)
        ringing = ringing.where(CallbackAttempt.state.in_((PLANNED, DIALLED)), Callback.reason == Reason.QUEUE_CALLBACK)
        most = min(free, turns(_BATCH, use.ready_agents, session.scalar(ringing) or 0))
        if most <= 0:
            return []
        order = (Callback.queued_at, Callback.id)
        rows = session.scalars(select(Callback).where(*wanted).order_by(*order).limit(most).with_for_update(skip_locked=True)).all()
        return self._decide(session, rows, len(rows))

    # --- everything else

    def _plan(self, session: Session, way: Way, budget: int) -> list[Planned]:
        planned: list[Planned] = []
        now = self._door.clock.now()
        wanted = [*_due(now), is_tried_by(way)]
        query = select(Callback).where(*wanted).order_by(Callback.priority, Callback.next_at, Callback.id)
        for _ in range(_MOST_BATCHES):
            size = min(_BATCH, 4 * (budget - len(planned)))
            if size <= 0:
                break
            rows = session.scalars(query.limit(size).with_for_update(skip_locked=True)).all()
            planned += self._decide(session, rows, budget - len(planned))
            # What was put off, dropped or planned is no longer due, so the next round meets others.
            session.flush()
            if len(rows) < size:
                break
        return planned

    def _decide(self, session: Session, rows: Sequence[Callback], budget: int) -> list[Planned]:
        now = self._door.clock.now()
        facts = self._door.facts(session, rows) if rows else {}
        planned: list[Planned] = []
        for row in rows:
            if len(planned) >= budget:
                break
            match decide(self._door.candidate(session, row), facts[row.id], now, self._door.house_rules):
                case Ring():
                    attempt = self._begin(session, row, now)
                    planned += [attempt] if attempt else []
                case NotBefore(at=at, why=why):
                    row.next_at, row.why = at, why
                case NextWay(why=why):
                    self._next_way(session, row, why, now)
                case Drop(why=why):
                    self._give_up(session, row, why)
        return planned

    def _next_way(self, session: Session, row: Callback, why: Hindrance, now: datetime) -> None:
        if row.way_no + 1 < len(row.ways):
            row.way_no, row.next_at, row.why = row.way_no + 1, now, why
        else:
            self._give_up(session, row, why)

    def _give_up(self, session: Session, row: Callback, why: Hindrance) -> None:
        if why is Hindrance.EXPIRED:
            row.disposition = Disposition.EXPIRED
        if why in (Hindrance.OPTED_OUT, Hindrance.ASKED_LATELY):
            finish(session, row, "cancelled", why, self._door.clock.now())
        else:
            finish(session, row, "given_up", why, self._door.clock.now())

    def _begin(self, session: Session, row: Callback, now: datetime) -> Planned | None:
        attempt_id = begin_attempt(session, row, now)
        if attempt_id is None:
            row.next_at = now + _LOST_TURN
            return None
        way = current_way(row)
        row.why = ""
        if way is Way.SMS:
            definition = self._door.definition(session, row.rule_version_id)
            wait = timedelta(days=definition.sms_wait_days) if definition else _DEFAULT_MESSAGE_WAIT
            row.next_at = now + wait
            publish(session, MessageDue(call_id=row.call_id, callback_id=row.id, attempt_id=attempt_id))
        return Planned(attempt_id, row.id, row.phone, way, row.queue_name, time.monotonic() + PLAN_LEASE.total_seconds() / 3)


def lock_lines(session: Session) -> None:
    """Count lines alone, until this transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def line_count(session: Session, use: LineUse) -> LineCount:
    """Return the lines as they stand, attempts that are on their way to one included. Under `lock_lines`."""
    query = select(func.count()).select_from(CallbackAttempt)
    ours = session.scalar(query.where(CallbackAttempt.state != ENDED, CallbackAttempt.way != Way.SMS)) or 0
    others = max(0, use.in_use - use.outbound)
    return LineCount(use.total, others, max(ours, use.outbound), use.waiting_citizens, use.longest_wait_seconds)


def begin_attempt(session: Session, row: Callback, now: datetime, agent_id: uuid.UUID | None = None) -> uuid.UUID | None:
    """Write an attempt of a locked callback; None when its number is being rung already."""
    way = current_way(row)
    is_message = way is Way.SMS
    values: dict[str, Any] = {
        "id": new_id(),
        "callback_id": row.id,
        "attempt_no": row.attempt_count + 1,
        "way": way.value,
        "phone": row.phone,
        "state": DIALLED if is_message else PLANNED,
        "is_survey": row.reason in SURVEYS,
        "agent_id": agent_id,
        "cause": "",
        "planned_at": now,
        "dialled_at": now if is_message else None,
        "lease_until": None if is_message else func.clock_timestamp() + PLAN_LEASE,
    }
    made = session.execute(insert(CallbackAttempt).values(**values).on_conflict_do_nothing().returning(CallbackAttempt.id)).scalar()
    if made is not None:
        row.attempt_count += 1
    return made


def is_tried_by(way: Way) -> ColumnElement[bool]:
    """Return the condition that a way is the one that is tried now, in the words of the index."""
    return Callback.ways[Callback.way_no + literal_column("1")] == way.value


def _due(now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions of what is due and in nobody's hands."""
    own, same_number = aliased(CallbackAttempt), aliased(CallbackAttempt)
    return [
        Callback.state == "owed",
        Callback.next_at <= now,
        or_(Callback.held_until.is_(None), Callback.held_until <= now),
        ~select(own.id).where(own.callback_id == Callback.id, own.state != ENDED).exists(),
        ~select(same_number.id)
        .where(and_(same_number.phone == Callback.phone, same_number.state != ENDED, same_number.way != Way.SMS.value))
        .exists(),
    ]
