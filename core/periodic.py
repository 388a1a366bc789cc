"""Work that is due by the clock: each slot is enqueued once, by whichever machine comes first, so none has to lead."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from cronsim import CronSim

from core.clock import LOCAL_ZONE, Clock
from core.database import Database
from core.errors import UnavailableError
from core.jobs import enqueue_slot

log = structlog.get_logger()


@dataclass(frozen=True)
class Periodic:
    """A job and its cron expression, read on the hall's clock. `is_made_up`: the latest slot is done late rather than never."""

    name: str
    schedule: str
    queue: str
    task: str
    is_made_up: bool = False


def first_slot(item: Periodic, now: datetime) -> datetime:
    """Return the slot that a machine which begins now must see to; whether another did so already, its row will say."""
    if item.is_made_up:
        return next(CronSim(item.schedule, now.astimezone(LOCAL_ZONE), reverse=True))
    return next_slot(item.schedule, now)


def next_slot(schedule: str, after: datetime) -> datetime:
    """Return the first moment of a schedule after another, in the hall's time zone."""
    return next(CronSim(schedule, after.astimezone(LOCAL_ZONE)))


def enqueue_when_due(database: Database, clock: Clock, work: Sequence[Periodic], stopping: threading.Event) -> None:
    """Enqueue each piece of work at its slots until told to stop."""
    due = {item.name: first_slot(item, clock.now()) for item in work}
    while not stopping.wait(1.0):
        now = clock.now()
        for item in work:
            if now < due[item.name]:
                continue
            try:
                with database.transaction() as session:
                    enqueue_slot(session, item.name, due[item.name], item.queue, item.task)
            except UnavailableError as error:
                log.warning("slot_waits", name=item.name, error=str(error))
                continue
            due[item.name] = next_slot(item.schedule, now)
