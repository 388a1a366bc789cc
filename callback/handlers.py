"""Events of others → one call of the service each, and a job of our own. Safe to run twice."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta

from sqlalchemy.orm import Session

from callback.door import UnknownAttemptError
from callback.service import CallbackService
from core.clock import Clock
from core.database import Database
from core.jobs import ClaimedJob, Task, enqueue
from telephony.events import CallAnswered, CallEnded, OutboundAnswered, OutboundEnded, QueueCallbackAsked
from telephony.handlers import HOUSEKEEPING
from workorder.events import CaseClosed, SmsFinished

OWE_FOR_CALL = "owe_for_call"
_LOOK_AGAIN = timedelta(minutes=1)


class CallbackHandlers:
    """What callback does when something happens."""

    def __init__(self, service: CallbackService, database: Database, clock: Clock) -> None:
        self._service = service
        self._database = database
        self._clock = clock

    def on_call_answered(self, event: CallAnswered) -> None:
        """Whoever rings again and is answered need not be rung back; nor who was rung at their turn and has an agent now."""
        if event.call_id is not None:
            self._service.close_missed_calls(event.call_id)
            self._service.settle_place(event.call_id)

    def on_call_ended(self, event: CallEnded) -> None:
        """Owe a call back for a missed call; a survey for an answered one, once it is written what the call was about."""
        if event.call_id is None:
            return
        self._service.settle_place(event.call_id)
        if self._service.awaits_note(event.call_id):
            with self._database.transaction() as session:
                self._look_again(session, event.call_id)
        else:
            self._service.owe_for_call(event.call_id)

    def on_queue_callback_asked(self, event: QueueCallbackAsked) -> None:
        """Owe a call to the citizen who kept the place."""
        if event.call_id is not None:
            self._service.owe_queue_callback(event.call_id, event.phone, event.queue_name, event.queued_at)

    def on_case_closed(self, event: CaseClosed) -> None:
        """Owe what the rules say of a closed case."""
        self._service.owe_for_case(event.case_id)

    def on_outbound_answered(self, event: OutboundAnswered) -> None:
        """Note that the citizen picked up; a call that was placed for something else is nobody's here."""
        with suppress(UnknownAttemptError):
            self._service.record_answered(event.attempt_id)

    def on_outbound_ended(self, event: OutboundEnded) -> None:
        """Note what the line said, and that it is free again; as above."""
        with suppress(UnknownAttemptError):
            self._service.record_ended(event.attempt_id, event.result, event.cause, event.call_id)

    def on_sms_finished(self, event: SmsFinished) -> None:
        """A text message that failed leads to the next way."""
        self._service.record_message(event.reference, event.state)

    def tasks(self) -> dict[str, Task]:
        """Return the jobs by name."""
        return {OWE_FOR_CALL: self._owe_for_call}

    def _owe_for_call(self, job: ClaimedJob) -> None:
        call_id = uuid.UUID(job.args["call_id"])
        is_awaited = self._service.awaits_note(call_id)
        if not is_awaited:
            self._service.owe_for_call(call_id)
        with self._database.transaction() as session:
            job.finish(session)
            if is_awaited:
                self._look_again(session, call_id)

    def _look_again(self, session: Session, call_id: uuid.UUID) -> None:
        at = self._clock.now() + _LOOK_AGAIN
        enqueue(session, HOUSEKEEPING, OWE_FOR_CALL, {"call_id": str(call_id)}, run_at=at, dedup=f"{OWE_FOR_CALL}:{call_id}")
