"""Events between stages: written in the transaction of the change they tell of, delivered later.

At least once, and in order for each call.
"""

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, ClassVar

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, Index, Text, delete, exists, func, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from core.database import Base, Database, JsonObject, Timestamp
from core.errors import UnavailableError
from core.listen import Listener

log = structlog.get_logger()
CHANNEL = "outbox"
_MAX_ATTEMPTS = 8
_BATCH = 200


class Event(BaseModel):
    """Something that happened, in the past tense. Subclasses are registered by their class name."""

    model_config = ConfigDict(frozen=True)
    registry: ClassVar[dict[str, type["Event"]]] = {}

    call_id: uuid.UUID | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Event.registry[cls.__name__] = cls


class OutboxEvent(Base):
    """An event as it waits for its handlers, and stays for streams that resume."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        Index("ix_outbox_event_waiting", "id", postgresql_where=text("processed_at IS NULL AND parked_at IS NULL")),
        Index("ix_outbox_event_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    call_id: Mapped[uuid.UUID | None]
    payload: Mapped[JsonObject]
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    processed_at: Mapped[Timestamp | None]
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[Timestamp | None]
    error: Mapped[str | None] = mapped_column(Text)
    parked_at: Mapped[Timestamp | None]

    def event(self) -> Event:
        """Return the event itself; KeyError when this program no longer knows its name."""
        return Event.registry[self.name].model_validate(self.payload)


def publish(session: Session, event: Event) -> int:
    """Insert the event beside the change it tells of; listeners are woken at commit. Returns its id."""
    row = OutboxEvent(name=type(event).__name__, call_id=event.call_id, payload=event.model_dump(mode="json"))
    session.add(row)
    session.flush()
    session.execute(select(func.pg_notify(CHANNEL, str(row.id))))
    return row.id


def publish_many(session: Session, events: Sequence[Event]) -> None:
    """Insert many events at once and wake listeners once: for what an import brings, which no stream shows."""
    rows = [
        OutboxEvent(name=type(event).__name__, call_id=event.call_id, payload=event.model_dump(mode="json")) for event in events
    ]
    session.add_all(rows)
    session.flush()
    if rows:
        session.execute(select(func.pg_notify(CHANNEL, str(rows[-1].id))))


Handler = Callable[[Any], None]

_earlier = aliased(OutboxEvent)
# What waits for a retry holds back the later events of its own call, and no others.
_DUE = (
    select(OutboxEvent)
    .where(
        OutboxEvent.processed_at.is_(None),
        OutboxEvent.parked_at.is_(None),
        or_(OutboxEvent.retry_at.is_(None), OutboxEvent.retry_at <= func.clock_timestamp()),
        ~exists().where(
            _earlier.call_id == OutboxEvent.call_id,
            _earlier.id < OutboxEvent.id,
            _earlier.processed_at.is_(None),
            _earlier.parked_at.is_(None),
            _earlier.retry_at > func.clock_timestamp(),
        ),
    )
    .order_by(OutboxEvent.id)
    .limit(_BATCH)
)


class Dispatcher:
    """Runs the handlers of waiting events.

    Events of one call are handled in the order they were written; a failing one holds back only its own call. Handlers
    must be safe to run twice. After `_MAX_ATTEMPTS` failures an event is parked, where a person sees it, and its call goes on.
    """

    def __init__(self, database: Database, handlers: dict[type[Event], list[Handler]], threads: int = 4) -> None:
        self._database = database
        self._handlers = handlers
        self._threads = threads

    def run(self, stopping: threading.Event, poll_seconds: float = 2.0) -> None:
        """Handle events until told to stop, woken by NOTIFY and polling behind it."""
        for _ in Listener(self._database.url, [CHANNEL], beat_seconds=poll_seconds):
            if stopping.is_set():
                return
            try:
                while self.run_once() and not stopping.is_set():
                    pass
            except UnavailableError as error:
                log.warning("dispatcher_waits", error=str(error))

    def run_once(self) -> int:
        """Handle one batch of what is due; return how many events were finished or parked."""
        with self._database.transaction() as session:
            # One dispatcher at a time keeps the order; a second one on another machine stands by.
            if not session.scalar(select(func.pg_try_advisory_xact_lock(0x7469_6E67))):
                return 0
            rows = session.scalars(_DUE).all()
            lanes: dict[object, list[OutboxEvent]] = defaultdict(list)
            for row in rows:
                lanes[row.call_id or row.id].append(row)
            if len(lanes) <= 1:
                return sum(self._run_lane(lane) for lane in lanes.values())
            with ThreadPoolExecutor(self._threads) as pool:
                return sum(pool.map(self._run_lane, lanes.values()))

    def _run_lane(self, lane: list[OutboxEvent]) -> int:
        finished = 0
        for row in lane:
            if not self._handle(row):
                break
            finished += 1
        return finished

    def _handle(self, row: OutboxEvent) -> bool:
        try:
            event_type = Event.registry.get(row.name)
            for handler in self._handlers.get(event_type, []) if event_type else []:
                handler(row.event())
        except Exception as error:
            return self._record_failure(row, error)
        with self._database.transaction() as session:
            session.execute(
                update(OutboxEvent).where(OutboxEvent.id == row.id).values(processed_at=func.clock_timestamp(), error=None)
            )
        return True

    def _record_failure(self, row: OutboxEvent, error: Exception) -> bool:
        attempts = row.attempts + 1
        parked = attempts >= _MAX_ATTEMPTS
        log.warning("event_failed", event_id=row.id, name=row.name, attempts=attempts, parked=parked, error=repr(error)[:300])
        with self._database.transaction() as session:
            session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.id == row.id)
                .values(
                    attempts=attempts,
                    error=repr(error)[:2000],
                    retry_at=text(f"clock_timestamp() + interval '{min(2**attempts, 300)} seconds'"),
                    parked_at=func.clock_timestamp() if parked else None,
                )
            )
        return parked


def retry_parked(session: Session, event_id: int) -> None:
    """Give a parked event another full round of attempts."""
    session.execute(
        update(OutboxEvent).where(OutboxEvent.id == event_id).values(parked_at=None, attempts=0, retry_at=None, error=None)
    )
    session.execute(select(func.pg_notify(CHANNEL, str(event_id))))


def prune(session: Session, older_than: timedelta) -> None:
    """Delete handled events older than a span; parked ones stay until a person decides."""
    limit = func.clock_timestamp() - older_than
    session.execute(delete(OutboxEvent).where(OutboxEvent.processed_at.is_not(None), OutboxEvent.created_at < limit))
