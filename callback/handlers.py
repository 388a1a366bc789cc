"""Events of others → one call of the service each. Safe to run twice."""

from __future__ import annotations

from contextlib import suppress

from callback.door import UnknownAttemptError
from callback.service import CallbackService
from telephony.events import CallAnswered, CallEnded, OutboundAnswered, OutboundEnded, QueueCallbackAsked
from workorder.events import CaseClosed, SmsFinished


class CallbackHandlers:
    """What callback does when something happens."""

    def __init__(self, service: CallbackService) -> None:
        self._service = service

    def on_call_answered(self, event: CallAnswered) -> None:
        """Whoever rings again and is answered need not be rung back."""
        if event.call_id is not None:
            self._service.close_missed_calls(event.call_id)

    def on_call_ended(self, event: CallEnded) -> None:
        """Owe a call back for a missed call, a survey for an answered one."""
        if event.call_id is not None:
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
