"""Places kept in the queue: one a number and queue, kept until an agent has spoken with the citizen.

Who is rung at their turn and picks up waits once more, before the others. Only the call that comes of it settles the place: an
agent spoke with them, or none did and they are rung again, as often as `retry` allows for a fault of ours.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime

from sqlalchemy import or_, select

from callback.attempts import Attempts, finish
from callback.disposition import Disposition
from callback.door import Door, UnknownAttemptError
from callback.hindrance import Hindrance
from callback.models import Callback
from callback.owing import Owing
from callback.rule import Reason, Subject, expiry
from callback.views import CallbackView, callback_view
from core.phone import normalise_phone
from telephony.service import TelephonyService


class Places:
    """The part of the front door for places in the queue."""

    def __init__(self, door: Door, owing: Owing, attempts: Attempts, calls: TelephonyService) -> None:
        self._door = door
        self._owing = owing
        self._attempts = attempts
        self._calls = calls

    def owe(self, call_id: uuid.UUID, phone: str, queue_name: str, queued_at: datetime) -> CallbackView:
        """Owe a call to a citizen who kept the place; what was owed them for being missed goes into it."""
        number, now = normalise_phone(phone), self._door.clock.now()
        subject = Subject(call_id=call_id, queue_name=queue_name, queued_at=queued_at)
        kept = (
            select(Callback)
            .where(
                Callback.phone == number,
                Callback.reason == Reason.QUEUE_CALLBACK,
                Callback.queue_name == queue_name,
                # One that ended since then was theirs: this is an old event told again.
                or_(Callback.state == "owed", Callback.finished_at >= queued_at),
            )
            .order_by(Callback.finished_at.desc().nulls_first())
            .limit(1)
            .with_for_update()
        )
        with self._door.database.transaction() as session:
            wording = self._owing.wordings(session, Reason.QUEUE_CALLBACK, subject, or_default=True)[0]
            row = session.scalar(kept)
            if row is None:
                row = self._owing.write(session, f"queue_callback:{call_id}", number, subject, wording)
            elif row.state == "owed":
                # Who asks again has not lost the older place, and is there to be rung.
                row.queued_at = min(row.queued_at or queued_at, queued_at)
                row.next_at = min(row.next_at, now)
                row.expires_at = max(row.expires_at or now, expiry(wording.definition, now))
            for missed in self._owing.waiting(session, number, Reason.MISSED_CALL):
                finish(session, missed, "cancelled", Hindrance.MERGED, now)
            return callback_view(row)

    def settle(self, call_id: uuid.UUID) -> None:
        """Settle a place by the call that we placed for it, when it was answered and when it ended; other calls change nothing."""
        attempt_id = self._calls.attempt_of_call(call_id)
        if attempt_id is None:
            return
        with suppress(UnknownAttemptError):
            brief = self._attempts.brief(attempt_id)
            if brief.callback.reason is not Reason.QUEUE_CALLBACK or brief.attempt.agent_id is not None:
                return
            if self._calls.get_call(call_id).answered_at is None:
                self._attempts.end(attempt_id, Disposition.FAILED, cause=Hindrance.NO_AGENT)
                return
            self._attempts.end(attempt_id, Disposition.COMPLETED)
            # Also where the attempt was thought to have failed, because the exchange's word came late.
            self._attempts.complete(brief.callback.callback_id, Disposition.COMPLETED)
