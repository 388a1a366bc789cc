"""Pushes the figures to the hall's own systems: a loop of the worker, one thread for each push, so that a slow one hinders none."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import structlog

from core.clock import Clock
from core.errors import InvalidInputError, UnavailableError
from core.signing import signed_headers
from webui.wallboard.ports import HallSystem, HallSystemUnavailableError
from webui.wallboard.snapshot import Snapshots
from webui.wallboard.webhook_addresses import read_address
from webui.wallboard.webhooks import MOST_WEBHOOKS, DuePush, PushResult, WebhookService

log = structlog.get_logger()
LOOK_SECONDS = 1.0


class WallPusher:
    """Takes what is due and pushes it."""

    def __init__(self, webhooks: WebhookService, snapshots: Snapshots, hall: HallSystem, clock: Clock) -> None:
        self._webhooks = webhooks
        self._snapshots = snapshots
        self._hall = hall
        self._clock = clock
        self._in_hand = threading.Semaphore(MOST_WEBHOOKS)

    def run(self, stopping: threading.Event) -> None:
        """Push until told to stop."""
        with ThreadPoolExecutor(MOST_WEBHOOKS, thread_name_prefix="wallboard-push") as pool:
            while not stopping.wait(LOOK_SECONDS):
                try:
                    self.push_due(pool)
                except UnavailableError as error:
                    log.warning("wallboard_push_waits", error=str(error))

    def push_due(self, pool: ThreadPoolExecutor) -> int:
        """Hand what is due to the pool; return how many."""
        free = 0
        while free < MOST_WEBHOOKS and self._in_hand.acquire(blocking=False):
            free += 1
        due: list[DuePush] = []
        try:
            due = self._webhooks.claim_due(free) if free else []
        finally:
            for _ in range(free - len(due)):
                self._in_hand.release()
        for push in due:
            pool.submit(self._push_and_report, push)
        return len(due)

    def _push_and_report(self, due: DuePush) -> None:
        try:
            self._webhooks.report(due.webhook_id, self._push(due))
        except UnavailableError as error:
            log.warning("wallboard_push_not_noted", error=str(error))
        finally:
            self._in_hand.release()

    def _push(self, due: DuePush) -> PushResult:
        try:
            snapshot = self._snapshots.fresh()
            address = read_address(due.address)
            sent_at, delivery_id = self._clock.now(), str(uuid.uuid4())
            head = json.dumps({"delivery_id": delivery_id, "sent_at": sent_at.isoformat()})
            body = head[:-1].encode() + b', "figures": ' + snapshot.body + b"}"
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "Tingjian-Wallboard/1",
                "X-Tingjian-Delivery": delivery_id,
                **signed_headers(due.secret, sent_at, body),
            }
            taken = self._hall.push(address, headers, body)
        except HallSystemUnavailableError as error:
            log.info("wallboard_push_failed", webhook=str(due.webhook_id), why=error.why, status=error.answered)
            return PushResult(error.answered, error.why, None)
        except UnavailableError:
            return PushResult(None, "no_figures", None)
        except InvalidInputError:
            return PushResult(None, "refused_address", None)
        return PushResult(taken.status, "", taken.milliseconds)
