"""Takes what is due and may be rung now, and commits an attempt for each before anything is dialled.

One transaction under one lock: however many dialers run, the lines are counted once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from callback.attempts import DIALLED, ENDED, PLAN_LEASE, PLANNED, Attempts, finish
from callback.decision import Decision, NextWay, Ring, decide
from callback.disposition import Disposition
from callback.door import Door, current_way
from callback.etiquette import Drop, NotBefore
from callback.events import MessageDue
from callback.hindrance import Hindrance
from callback.line_budget import LineCount, agents_left, free_for_agent, free_for_dialler, take_agent
from callback.models import Callback, CallbackAttempt, OptOut
from callback.rule import SURVEYS, Reason, Way
from callback.views import callback_view
from core.database import new_id
from core.outbox import publish
from telephony.ports import LineUse

_LOCK = 7_301_402
_BATCH = 100
_MOST_BATCHES = 20
_MOST_MESSAGES = 200
_DEFAULT_MESSAGE_WAIT = timedelta(days=3)
_LOST_TURN = timedelta(minutes=1)
_LOOK_AGAIN = timedelta(minutes=15)


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
            if use.has_ivr:
                planned += self._plan(session, Way.IVR, budget if limit is None else min(limit, budget))
            self._plan(session, Way.SMS, _MOST_MESSAGES)
        return planned

    def sweep(self) -> int:
        """Give up what expired; end the messages whose answer was awaited in vain; clear the agents' list."""
        changed = self._clear_agents()
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

    def _clear_agents(self) -> int:
        """Drop and put off surveys that agents may not ring, as planning does with the others: nobody else would."""
        now = self._door.clock.now()
        tried = select(CallbackAttempt.id).where(CallbackAttempt.phone == Callback.phone, CallbackAttempt.is_survey)
        out = select(OptOut.id).where(OptOut.phone == Callback.phone, OptOut.lifted_at.is_(None))
        # Nothing but the window binds a number of which nothing is known.
        wanted = [*_due(now), is_tried_by(Way.AGENT), Callback.reason.in_(SURVEYS), or_(tried.exists(), out.exists())]
        query = select(Callback).where(*wanted).order_by(Callback.id).limit(_BATCH).with_for_update(skip_locked=True)
        changed, last, is_more = 0, uuid.UUID(int=0), True
        while is_more:
            with self._door.database.transaction() as session:
                rows = session.scalars(query.where(Callback.id > last)).all()
                for row, decision in self._decisions(session, rows):
                    if not isinstance(decision, Ring):
                        self._hinder(session, row, decision)
                        changed += 1
                is_more = len(rows) == _BATCH
                last = rows[-1].id if rows else last
        return changed

    # --- citizens who kept their place

    def _plan_queue(self, session: Session, use: LineUse, free: int) -> list[Planned]:
        now = self._door.clock.now()
        agents = agents_left(use.ready_agents, _on_their_way(session, use))
        # Nobody who waits at the phone is overtaken by somebody who began to wait later.
        turns = [
            and_(Callback.queue_name == queue, Callback.queued_at <= now - timedelta(seconds=use.longest_waits.get(queue, 0)))
            for queue in sorted(frozenset[str]().union(*agents))
        ]
        if not turns or free <= 0:
            return []
        wanted = [*_due(now), is_tried_by(Way.AGENT), Callback.reason == Reason.QUEUE_CALLBACK, or_(*turns)]
        query = select(Callback).where(*wanted).order_by(Callback.queued_at, Callback.id).limit(_BATCH)
        rows = session.scalars(query.with_for_update(skip_locked=True)).all()
        return self._decide(session, [row for row in rows if take_agent(agents, row.queue_name or "")], free)

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
        planned: list[Planned] = []
        begun: set[str] = set()
        for row, decision in self._decisions(session, rows):
            if len(planned) >= budget:
                break
            if row.phone in begun:
                # What is known of its number was read before: the next round reads it again.
                continue
            if not isinstance(decision, Ring):
                self._hinder(session, row, decision)
            elif (why := self._unaskable(row)) is not None:
                self._cannot_ask(session, row, why)
            else:
                begun.add(row.phone)
                attempt = self._begin(session, row, self._door.clock.now())
                planned += [attempt] if attempt else []
        return planned

    def _decisions(self, session: Session, rows: Sequence[Callback]) -> Iterator[tuple[Callback, Decision]]:
        now = self._door.clock.now()
        facts = self._door.facts(session, rows) if rows else {}
        for row in rows:
            yield row, decide(self._door.candidate(session, row), facts[row.id], now, self._door.house_rules)

    def _hinder(self, session: Session, row: Callback, decision: NotBefore | NextWay | Drop) -> None:
        match decision:
            case NotBefore(at=at, why=why):
                row.next_at, row.why = at, why
            case NextWay(why=why):
                self._next_way(session, row, why, self._door.clock.now())
            case Drop(why=why):
                self._give_up(session, row, why)

    def _unaskable(self, row: Callback) -> Hindrance | None:
        """Return why its questionnaire cannot be asked by the way whose turn it is; what an agent asks is the agent's to see."""
        way = current_way(row)
        if way is Way.AGENT or row.questionnaire_version_id is None:
            return None
        return self._door.questionnaires.hindrance(row.questionnaire_version_id, way, callback_view(row))

    def _cannot_ask(self, session: Session, row: Callback, why: Hindrance) -> None:
        now = self._door.clock.now()
        is_last, was_so = row.way_no + 1 == len(row.ways), row.why == why
        if why is Hindrance.QUOTA_FULL and row.reason in SURVEYS:
            self._give_up(session, row, why)
        elif why is Hindrance.QUOTA_FULL or (why is Hindrance.NO_PROMPTS and was_so and not is_last):
            self._next_way(session, row, why, now)
        else:
            # Somebody may yet launch it, and what was launched just now is being rendered.
            row.next_at, row.why = now + _LOOK_AGAIN, why

    def _next_way(self, session: Session, row: Callback, why: Hindrance, now: datetime) -> None:
        if row.way_no + 1 < len(row.ways):
            row.way_no, row.next_at, row.why = row.way_no + 1, now, why
        else:
            self._give_up(session, row, why)

    def _give_up(self, session: Session, row: Callback, why: Hindrance) -> None:
        if why is Hindrance.EXPIRED:
            row.disposition = Disposition.EXPIRED
        if why in (Hindrance.OPTED_OUT, Hindrance.ASKED_LATELY, Hindrance.QUOTA_FULL):
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
    longest = max(use.longest_waits.values(), default=0.0)
    return LineCount(use.total, use.others, max(ours, use.outbound), use.waiting_citizens, longest)


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


def _on_their_way(session: Session, use: LineUse) -> Sequence[str]:
    """Return the queue of each citizen who kept the place and is rung, or was and has not come to an agent yet."""
    query = select(func.coalesce(Callback.queue_name, "")).join(CallbackAttempt, CallbackAttempt.callback_id == Callback.id)
    query = query.where(
        Callback.reason == Reason.QUEUE_CALLBACK,
        CallbackAttempt.state != ENDED,
        CallbackAttempt.ended_at.is_(None),
        CallbackAttempt.agent_id.is_(None),
        CallbackAttempt.id.not_in(use.served),
    )
    return session.scalars(query).all()


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
