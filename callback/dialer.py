"""The dialer's loop: put right what the exchange did meanwhile, plan what is due, dial what was planned.

Killed between any two steps it leaves a committed attempt, or none. An attempt is dialled by the one process that committed it,
once, right afterwards; what was committed and is not known to the exchange once its lease ran out is ended, and never dialled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from callback.door import CHANNEL
from callback.planning import Planned
from callback.ports import OutboundLines
from callback.rule import Way
from callback.service import CallbackService
from core.errors import InvalidInputError, UnavailableError
from core.listen import Listener
from telephony.ports import Dial

log = structlog.get_logger()
_POLL_SECONDS = 2.0
_REST_SECONDS = 0.2
_RECONCILE_SECONDS = 15.0
_SWEEP_SECONDS = 60.0


class Dialer:
    """One dialer of any number: each plans under the same lock, and dials only what it planned itself."""

    def __init__(
        self,
        service: CallbackService,
        lines: OutboundLines,
        ring_seconds: int = 30,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._lines = lines
        self._ring_seconds = ring_seconds
        self._monotonic = monotonic
        self._reconcile_at = self._sweep_at = self._rested_at = float("-inf")
        self.problem = ""
        """What keeps the dialer from its work, for its sign of life."""
        self._told = ""
        self.dialled = 0

    def run(self, url: str, stopping: threading.Event) -> None:
        """Work until told to stop, woken by NOTIFY and polling behind it."""
        for notification in Listener(url, [CHANNEL], beat_seconds=_POLL_SECONDS):
            if stopping.is_set():
                return
            if notification.channel and self._monotonic() < self._rested_at:
                continue  # an import wakes it for every row; the beat that follows takes up what is left
            try:
                self.problem = ""
                self.run_once()
                self._told = self.problem
            except UnavailableError as error:
                self._note(str(error)[:200] or type(error).__name__)
            except Exception:
                log.exception("dialer_round_failed")
                self.problem = "round failed"
            self._rested_at = self._monotonic() + _REST_SECONDS

    def run_once(self) -> list[Planned]:
        """Do one round; return what was planned. UnavailableError when the exchange or the database is away: nothing is lost."""
        self._put_right()
        planned = self._service.plan_due(self._lines.line_use())
        for attempt in planned:
            self._dial(attempt)
        return planned

    def _put_right(self) -> None:
        now = self._monotonic()
        if now >= self._reconcile_at:
            attempt_ids = self._service.open_attempts()
            # Asked after our own list was read: an attempt of the list that the exchange never heard of is truly unknown.
            if attempt_ids:
                self._service.reconcile(attempt_ids, self._lines.reconcile_outbound(attempt_ids))
            self._reconcile_at = now + _RECONCILE_SECONDS
        if now >= self._sweep_at:
            self._service.sweep()
            self._sweep_at = now + _SWEEP_SECONDS

    def _dial(self, attempt: Planned) -> None:
        if time.monotonic() > attempt.dial_before:
            # This process was held up: another may think the attempt lost by now. Nobody but us would have dialled it.
            log.warning("dial_too_late", attempt_id=str(attempt.attempt_id))
            self._service.record_ended(attempt.attempt_id, "failed", "LATE")
            return
        try:
            self._lines.dial_out(self._order(attempt))
        except InvalidInputError:
            self._service.record_ended(attempt.attempt_id, "invalid_number", "refused by the exchange")
            return
        except UnavailableError as error:
            # It may ring or not: only the exchange's own note will tell, and nobody asks a second time.
            self._note(str(error)[:200] or type(error).__name__)
            return
        self._service.confirm_dialled(attempt.attempt_id)
        self.dialled += 1

    def _order(self, attempt: Planned) -> Dial:
        # The exchange takes digits only; 00 is how the plus is dialled here.
        phone = attempt.phone.replace("+", "00")
        if attempt.way is Way.IVR:
            return Dial(attempt.attempt_id, phone, "ivr", ring_seconds=self._ring_seconds)
        return Dial(attempt.attempt_id, phone, "queue", attempt.queue_name, ring_seconds=self._ring_seconds)

    def _note(self, problem: str) -> None:
        if problem != self._told:
            log.warning("dialer_waits", error=problem)
        self.problem = self._told = problem
