"""An attempt from the exchange's first word to its disposition, and what follows for its callback.

Two things are told apart: when the line is free again (`state`, `ended_at`) and how it went (`disposition`). They come from
different processes in any order, each more than once; the first word on each counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from callback.calling_hours import Window, asked_time_is_fit
from callback.disposition import CONTACTED, DONE, Disposition, of_result
from callback.door import CallbackStateError, Door, UnknownAttemptError, never_rang, wake_dialer
from callback.events import CallbackAttempted, CallbackCompleted
from callback.models import Callback, CallbackAttempt, OptOut
from callback.retry import RETRY, Done, GiveUp, Step, TryAt, after_attempt, after_message
from callback.rule import Way
from callback.views import AttemptView, Brief, CallbackView, attempt_view, callback_view
from core.errors import InvalidInputError
from core.outbox import publish
from telephony.ports import OutboundResult, OutboundTrace

PLANNED, DIALLED, ANSWERED, ENDED = "planned", "dialled", "answered", "ended"
LOST = "lost"
PLAN_LEASE = timedelta(seconds=90)
"""How long a planned attempt may be on its way to the exchange before it counts as lost: telephony gives it 60 s."""
_TALK_LEASE = timedelta(seconds=90)
_GRACE = timedelta(seconds=30)
"""How long after the end of an automatic call its outcome may still come: from the process that spoke, or from the queue."""
_ASKED_MARGIN = timedelta(days=1)
"""A time that the citizen asked for comes before the callback expires, with a day to try again."""
_MESSAGE_OUTCOMES = frozenset({Disposition.NO_ANSWER, Disposition.FAILED, Disposition.BROKEN_OFF})


class BadTimeError(InvalidInputError):
    """A time that cannot be promised: past, too far, or outside the window for asked times."""


class Attempts:
    """Writes attempts; whoever plans them and whoever dials calls this."""

    def __init__(self, door: Door) -> None:
        self._door = door

    # --- what the exchange says

    def confirm_dialled(self, attempt_id: uuid.UUID) -> None:
        """Note that the exchange took the attempt."""
        with self._door.database.transaction() as session:
            attempt, _ = self._lock(session, attempt_id)
            if attempt.state == PLANNED:
                attempt.state, attempt.dialled_at = DIALLED, self._door.clock.now()

    def record_answered(self, attempt_id: uuid.UUID, at: datetime | None = None) -> None:
        """Note that the citizen picked up."""
        with self._door.database.transaction() as session:
            attempt, callback = self._lock(session, attempt_id)
            if attempt.state in (PLANNED, DIALLED):
                self._answered(attempt, callback, at or self._door.clock.now())

    def record_ended(self, attempt_id: uuid.UUID, result: str, cause: str, call_id: uuid.UUID | None = None) -> None:
        """Note that the line is free again, and what it said."""
        with self._door.database.transaction() as session:
            attempt, callback = self._lock(session, attempt_id)
            self._ended(session, attempt, callback, result, cause, call_id)

    def open_on_lines(self) -> list[uuid.UUID]:
        """Return the attempts that hold a line, or may."""
        with self._door.database.transaction() as session:
            query = select(CallbackAttempt.id).where(CallbackAttempt.state != ENDED, CallbackAttempt.way != Way.SMS)
            return list(session.scalars(query))

    def reconcile(self, attempt_ids: Iterable[uuid.UUID], traces: Iterable[OutboundTrace]) -> None:
        """Bring attempts in line with the exchange's notes, one transaction each."""
        known = {trace.attempt_id: trace for trace in traces}
        for attempt_id in attempt_ids:
            with self._door.database.transaction() as session:
                self._follow(session, attempt_id, known.get(attempt_id))

    def _follow(self, session: Session, attempt_id: uuid.UUID, trace: OutboundTrace | None) -> None:
        attempt, callback = self._lock(session, attempt_id)
        if attempt.state == ENDED:
            return
        if trace is not None:
            self._take_trace(session, attempt, callback, trace)
        # The database's clock alone decides leases.
        session.flush()
        query = select(func.coalesce(CallbackAttempt.lease_until < func.clock_timestamp(), true()))
        is_over = session.scalar(query.where(CallbackAttempt.id == attempt_id))
        if attempt.state == ENDED or not is_over:
            return
        if attempt.ended_at is not None:
            # The citizen picked up, and nobody said what came of it: who spoke with them, or that no agent did.
            is_place = attempt.way == Way.AGENT
            self.settle(session, attempt, callback, Disposition.FAILED if is_place else Disposition.BROKEN_OFF)
            self._free_line(attempt)
        elif trace is None:
            self._lose(session, attempt, callback)

    def _take_trace(self, session: Session, attempt: CallbackAttempt, callback: Callback, trace: OutboundTrace) -> None:
        if attempt.state == PLANNED and trace.dialled_at is not None:
            attempt.state, attempt.dialled_at = DIALLED, trace.dialled_at
        if attempt.state in (PLANNED, DIALLED) and trace.answered_at is not None:
            self._answered(attempt, callback, trace.answered_at)
        if trace.ended_at is not None:
            result = trace.result or OutboundResult.FAILED
            self._ended(session, attempt, callback, result, trace.cause, trace.call_id)
        else:
            attempt.lease_until = func.clock_timestamp() + _TALK_LEASE

    def _lose(self, session: Session, attempt: CallbackAttempt, callback: Callback) -> None:
        """End an attempt of which nobody knows what became of it: it counts, and is never dialled again."""
        attempt.cause = attempt.cause or LOST
        if attempt.agent_id is None or attempt.answered_at is None:
            self.settle(session, attempt, callback, Disposition.FAILED)
        self._free_line(attempt)

    def _answered(self, attempt: CallbackAttempt, callback: Callback, at: datetime) -> None:
        attempt.state, attempt.answered_at = ANSWERED, at
        attempt.dialled_at = attempt.dialled_at or at
        attempt.lease_until = func.clock_timestamp() + _TALK_LEASE
        if attempt.agent_id is not None and attempt.disposition is None and callback.contacted_at is None:
            callback.contacted_at = at

    def _ended(
        self, session: Session, attempt: CallbackAttempt, callback: Callback, result: str, cause: str, call_id: uuid.UUID | None
    ) -> None:
        if attempt.state == ENDED or attempt.ended_at is not None:
            return
        now = self._door.clock.now()
        attempt.ended_at = now
        attempt.cause = attempt.cause or cause[:200]
        attempt.call_id = attempt.call_id or call_id
        if result != OutboundResult.ANSWERED:
            self.settle(session, attempt, callback, of_result(result))
            self._free_line(attempt)
            return
        if attempt.answered_at is None:
            self._answered(attempt, callback, now)
        if attempt.agent_id is not None or attempt.disposition is not None:
            # An agent still writes: the callback stays theirs, the line is free.
            if attempt.agent_id is not None and callback.held_by == attempt.agent_id:
                callback.held_until = now + self._door.settings.hold
            self._free_line(attempt)
        else:
            attempt.lease_until = func.clock_timestamp() + _GRACE
        wake_dialer(session)

    def _free_line(self, attempt: CallbackAttempt) -> None:
        attempt.state = ENDED
        attempt.ended_at = attempt.ended_at or self._door.clock.now()
        attempt.lease_until = None

    # --- what the conversation gave

    def end(
        self, attempt_id: uuid.UUID, disposition: Disposition, *, cause: str = "", again_at: datetime | None = None
    ) -> CallbackView:
        """Settle an attempt."""
        with self._door.database.transaction() as session:
            attempt, callback = self._lock(session, attempt_id)
            if attempt.disposition is None:
                attempt.cause = cause[:200] or attempt.cause
            self.settle(session, attempt, callback, disposition, again_at)
            if attempt.way == Way.SMS or attempt.ended_at is not None:
                self._free_line(attempt)
            return callback_view(callback)

    def complete(self, callback_id: uuid.UUID, disposition: Disposition) -> CallbackView:
        """Take the outcome of a survey: it settles the attempt that waits for one, or the callback itself, also when given up."""
        with self._door.database.transaction() as session:
            callback = self._door.lock(session, callback_id)
            if callback.state == "done":
                return callback_view(callback)
            query = (
                select(CallbackAttempt)
                .where(CallbackAttempt.callback_id == callback_id, CallbackAttempt.disposition.is_(None))
                .order_by(CallbackAttempt.attempt_no.desc())
                .limit(1)
                .with_for_update()
            )
            attempt = session.scalar(query)
            if attempt is not None:
                self.settle(session, attempt, callback, disposition)
                if attempt.way == Way.SMS or attempt.ended_at is not None:
                    self._free_line(attempt)
            elif callback.state == "owed" or (callback.state == "given_up" and disposition in DONE):
                # An answer by a link whose waiting time was over: late, and still an answer. A refusal told again changes nothing.
                callback.disposition = disposition
                if disposition in CONTACTED and callback.contacted_at is None:
                    callback.contacted_at = self._now()
                if callback.state == "owed":
                    step = after_attempt(disposition, (), callback.way_no, len(callback.ways), self._now())
                    self._apply(session, callback, step)
            if callback.state == "given_up" and disposition in DONE:
                finish(session, callback, "done", "", self._now())
            return callback_view(callback)

    def record_message(self, reference: str, state: str) -> None:
        """Take what became of a text message; a failed one leads on, a delivered one is awaited."""
        try:
            attempt_id = uuid.UUID(reference)
        except ValueError:
            return
        with self._door.database.transaction() as session:
            row = session.get(CallbackAttempt, attempt_id)
            if row is None or row.way != Way.SMS:
                return
            attempt, callback = self._lock(session, attempt_id)
            if state == "delivered" and attempt.state == PLANNED:
                attempt.state, attempt.dialled_at = DIALLED, self._now()
            if state == "failed" and attempt.disposition is None:
                self.settle(session, attempt, callback, Disposition.FAILED)
                self._free_line(attempt)

    def settle(
        self,
        session: Session,
        attempt: CallbackAttempt,
        callback: Callback,
        disposition: Disposition,
        again_at: datetime | None = None,
    ) -> None:
        """Write how an attempt went, and what follows for its callback; the first word on it counts. An opt-out always holds."""
        now = self._now()
        if disposition is Disposition.OPTED_OUT:
            opt_out(session, callback.phone, attempt.way, now)
        if attempt.disposition is not None:
            return
        if disposition is Disposition.CALLBACK_ASKED and again_at is not None:
            self.check_asked_time(again_at)
        earlier = self._earlier(session, attempt)
        attempt.disposition = disposition
        if callback.state != "done":
            callback.disposition = disposition
        if disposition not in CONTACTED and callback.contacted_at == attempt.answered_at:
            # What picked up was not who was promised a call.
            callback.contacted_at = None
        elif disposition in CONTACTED and callback.contacted_at is None:
            callback.contacted_at = attempt.answered_at or now
        publish(
            session,
            CallbackAttempted(
                call_id=callback.call_id, callback_id=callback.id, attempt_id=attempt.id, disposition=disposition.value
            ),
        )
        if callback.state != "owed":
            return
        if not never_rang(attempt.cause):
            place = (callback.way_no, len(callback.ways), now)
            is_message = attempt.way == Way.SMS and disposition in _MESSAGE_OUTCOMES
            step = after_message(*place) if is_message else after_attempt(disposition, earlier, *place, again_at)
            self._apply(session, callback, step)
        elif attempt.agent_id is None:
            # Nothing was tried, so nothing counts. An agent clicks again; the machine waits for what is away.
            callback.next_at = now + RETRY[Disposition.FAILED].after

    def _earlier(self, session: Session, attempt: CallbackAttempt) -> list[Disposition]:
        query = select(CallbackAttempt.disposition, CallbackAttempt.cause).where(
            CallbackAttempt.callback_id == attempt.callback_id,
            CallbackAttempt.way == attempt.way,
            CallbackAttempt.id != attempt.id,
            CallbackAttempt.disposition.is_not(None),
        )
        return [Disposition(word) for word, cause in session.execute(query) if word and not never_rang(cause)]

    def _apply(self, session: Session, callback: Callback, step: Step) -> None:
        match step:
            case Done():
                finish(session, callback, "done", "", self._now())
            case GiveUp(why=why):
                finish(session, callback, "given_up", why, self._now())
            case TryAt(at=at, way_no=way_no, is_asked=is_asked):
                callback.next_at, callback.way_no, callback.why = at, way_no, ""
                callback.asked_at = at if is_asked else None
                if is_asked and callback.expires_at is not None:
                    callback.expires_at = max(callback.expires_at, at + _ASKED_MARGIN)
                wake_dialer(session)

    # --- for those who speak with the person

    def brief(self, attempt_id: uuid.UUID) -> Brief:
        """Return an attempt, what lies behind it, and what is asked; a questionnaire that was launched since is taken up."""
        with self._door.database.transaction() as session:
            attempt, callback = self._lock(session, attempt_id)
            self._door.candidate(session, callback)
            return Brief(attempt_view(attempt), callback_view(callback), callback.questionnaire_version_id)

    def attach_survey(self, attempt_id: uuid.UUID, survey_id: uuid.UUID) -> None:
        """Note which survey the attempt asks, on the callback too."""
        with self._door.database.transaction() as session:
            attempt, callback = self._lock(session, attempt_id)
            attempt.survey_id = survey_id
            callback.survey_id = survey_id

    def check_asked_time(self, at: datetime) -> None:
        """Raise BadTimeError unless a time can be promised."""
        hours = self._door.settings.hours[Window.ASKED]
        if not asked_time_is_fit(hours, at, self._now(), self._door.working_days.is_working_day):
            raise BadTimeError(at.isoformat())

    def overrule(self, attempt: CallbackAttempt, callback: Callback) -> None:
        """Let an agent's own word replace what the line said of their attempt, also when that had used up the last way."""
        if callback.state == "given_up" and callback.finished_at is not None:
            if self._now() - callback.finished_at > self._door.settings.hold:
                raise CallbackStateError(callback.state, "report")
            callback.state, callback.finished_at = "owed", None
        attempt.disposition = None
        callback.way_no = callback.ways.index(attempt.way)

    def view(self, session: Session, attempt_id: uuid.UUID) -> AttemptView:
        """Return an attempt within a transaction of another part."""
        return attempt_view(self._lock(session, attempt_id)[0])

    def _lock(self, session: Session, attempt_id: uuid.UUID) -> tuple[CallbackAttempt, Callback]:
        """Return an attempt and its callback, nobody else's until the transaction ends; the callback first, as everywhere."""
        found = session.scalar(select(CallbackAttempt.callback_id).where(CallbackAttempt.id == attempt_id))
        if found is None:
            raise UnknownAttemptError(attempt_id)
        callback = self._door.lock(session, found)
        attempt = session.get(CallbackAttempt, attempt_id, with_for_update=True, populate_existing=True)
        assert attempt is not None
        return attempt, callback

    def _now(self) -> datetime:
        return self._door.clock.now()


def finish(session: Session, callback: Callback, state: str, why: str, now: datetime) -> None:
    """Owe it no more, and tell of it."""
    callback.state, callback.why, callback.finished_at = state, why, now
    callback.held_by = callback.held_until = None
    publish(
        session,
        CallbackCompleted(call_id=callback.call_id, callback_id=callback.id, state=state, disposition=callback.disposition or ""),
    )


def opt_out(session: Session, phone: str, source: str, now: datetime, note: str = "") -> OptOut:
    """Keep that a number wants no surveys; the one in force, when there is one."""
    found = session.scalar(select(OptOut).where(OptOut.phone == phone, OptOut.lifted_at.is_(None)))
    if found is None:
        found = OptOut(phone=phone, source=source, note=note, at=now)
        session.add(found)
        session.flush()
    return found
