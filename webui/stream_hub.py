"""Fans the outbox out to open pages. One reader for all of them: an event is read and put into words once.

Knows neither Flask nor what the events say: `render` turns an outbox row into messages. A stream holds no database session.
"""

import json
import queue
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import structlog
from prometheus_client import Gauge
from sqlalchemy import Select, and_, func, or_, select

from core.database import Database
from core.errors import TingjianError, UnavailableError
from core.listen import Listener
from core.outbox import CHANNEL, OutboxEvent

log = structlog.get_logger()
OPEN_STREAMS = Gauge("tingjian_open_streams", "Open server-sent event streams")
BEAT_SECONDS = 15.0
QUEUE_SIZE = 256
# Ids are handed out before commit: a smaller one may become visible after a larger one.
LOOK_BACK = 100
_LATE_SECONDS = 15
_KEPT = 4096
_REPLAY_LIMIT = 1000
_SNAPSHOT_SECONDS = 1.0
_IDLE_SNAPSHOT_SECONDS = 5.0


class StreamLimitError(UnavailableError):
    """As many streams are open as the threads can carry; whole pages must still get through."""

    retry_after = 5


@dataclass(frozen=True)
class Message:
    """What goes to pages: to the desks of `agents`, to those who follow one of `topics`, or to both."""

    data: dict[str, Any]
    agents: frozenset[uuid.UUID] = frozenset()
    topics: frozenset[str] = frozenset()
    event_id: int | None = None

    def encode(self) -> bytes:
        """Return the frame as it goes over the wire."""
        head = f"id: {self.event_id}\n" if self.event_id is not None else ""
        body = json.dumps(
            {**self.data, "id": self.event_id} if self.event_id is not None else self.data,
            ensure_ascii=False,
            separators=(",", ":"),
            default=str,
        )
        return f"{head}data: {body}\n\n".encode()


@dataclass(eq=False)
class Subscriber:
    """One open page."""

    agent_id: uuid.UUID | None
    topics: frozenset[str]
    frames: "queue.Queue[bytes | None]" = field(default_factory=lambda: queue.Queue(QUEUE_SIZE))
    is_dropped: bool = False

    def wants(self, message: Message) -> bool:
        """Say whether the message is for this page."""
        return bool(self.topics & message.topics) or ("desk" in self.topics and self.agent_id in message.agents)


class Snapshots(Protocol):
    """The figures that follow from many events at once, told at most once a second."""

    def __call__(self, topics: frozenset[str]) -> Iterable[Message]:
        """Return the present figures for those topics that somebody follows."""
        ...


class StreamHub:
    """All open pages of this process."""

    def __init__(
        self, database: Database, render: Callable[[OutboxEvent], list[Message]], snapshots: Snapshots, limit: int
    ) -> None:
        self._database = database
        self._render = render
        self._snapshots = snapshots
        self._limit = limit
        self._lock = threading.Lock()
        self._subscribers: set[Subscriber] = set()
        self._cache_lock = threading.Lock()
        self._rendered: OrderedDict[int, list[Message]] = OrderedDict()
        # Of the listening thread alone: the newest event it took, and which of those just before it.
        self._newest = 0
        self._seen: set[int] = set()
        self._listener: Listener | None = None
        self._stopping = threading.Event()
        self._changed = threading.Event()

    # --- pages come and go

    def subscribe(self, agent_id: uuid.UUID | None, topics: frozenset[str]) -> Subscriber:
        """Open a stream.

        Raises:
            StreamLimitError: no thread to spare.
        """
        self._start()
        subscriber = Subscriber(agent_id, topics)
        with self._lock:
            if len(self._subscribers) >= self._limit:
                raise StreamLimitError(self._limit)
            self._subscribers.add(subscriber)
            OPEN_STREAMS.inc()
        self._changed.set()
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Close a stream; closing twice is harmless."""
        with self._lock:
            if subscriber in self._subscribers:
                self._subscribers.discard(subscriber)
                OPEN_STREAMS.dec()

    @property
    def open_count(self) -> int:
        """How many pages are open."""
        return len(self._subscribers)

    def frames(self, subscriber: Subscriber, after: int | None, seconds: float) -> Iterator[bytes]:
        """Yield what the page is to read for so long: first what it missed after an event, then what comes."""
        started = time.monotonic()
        ends_at = started + seconds
        try:
            yield b"retry: 1000\n\n"
            yield from self._missed(subscriber, after)
            while (left := ends_at - time.monotonic()) > 0:
                yield self._next(subscriber, min(BEAT_SECONDS, left))
                if subscriber.is_dropped or self._stopping.is_set():
                    break
            if subscriber.is_dropped:
                yield b"event: resync\ndata: {}\n\n"
        finally:
            self.unsubscribe(subscriber)

    @staticmethod
    def _next(subscriber: Subscriber, seconds: float) -> bytes:
        try:
            frames = [subscriber.frames.get(timeout=seconds)]
            while True:
                try:
                    frames.append(subscriber.frames.get_nowait())
                except queue.Empty:
                    return b"".join(frame for frame in frames if frame)
        except queue.Empty:
            # The comment keeps proxies awake; the event lets the page notice a line that died in silence.
            return b": beat\n\nevent: beat\ndata: {}\n\n"

    def _missed(self, subscriber: Subscriber, after: int | None) -> Iterator[bytes]:
        if after is None:
            return
        with self._database.transaction() as session:
            late = func.clock_timestamp() - timedelta(seconds=_LATE_SECONDS)
            missed = or_(OutboxEvent.id > after, and_(OutboxEvent.id > after - LOOK_BACK, OutboxEvent.created_at > late))
            newest_first = select(OutboxEvent).where(missed).order_by(OutboxEvent.id.desc()).limit(_REPLAY_LIMIT + 1)
            rows = list(session.scalars(newest_first))
        if len(rows) > _REPLAY_LIMIT:
            yield b"event: resync\ndata: {}\n\n"
            return
        for row in reversed(rows):
            for message in self._messages(row):
                if subscriber.wants(message):
                    yield message.encode()

    # --- events come in

    def _start(self) -> None:
        with self._lock:
            if self._listener is not None:
                return
            self._listener = Listener(self._database.url, [CHANNEL], beat_seconds=2.0)
            with self._database.transaction() as session:
                self._seen = set(session.scalars(select(OutboxEvent.id).order_by(OutboxEvent.id.desc()).limit(LOOK_BACK)))
            self._newest = max(self._seen, default=0)
        # Started by the first page and not with the program: threads don't survive a fork.
        threading.Thread(target=self._listen, args=(self._listener,), name="stream-hub", daemon=True).start()
        threading.Thread(target=self._tell_snapshots, name="stream-snapshots", daemon=True).start()

    def stop(self) -> None:
        """End all streams and both threads."""
        self._stopping.set()
        self._changed.set()
        if self._listener is not None:
            self._listener.stop()
        with self._lock:
            waiting = list(self._subscribers)
        for subscriber in waiting:
            self._drop(subscriber, silently=True)

    def _listen(self, listener: Listener) -> None:
        for notification in listener:
            if self._stopping.is_set():
                return
            try:
                self._take(int(notification.payload) if notification.payload.isdigit() else None)
            except TingjianError as error:
                # The next beat takes what this one could not.
                log.warning("stream_hub_waits", error=str(error))
            except Exception:
                log.exception("stream_hub_failed")

    def _take(self, notified: int | None) -> None:
        if notified in self._seen:
            return
        with self._database.transaction() as session:
            rows = list(session.scalars(self._unseen(notified)))
        for row in rows:
            messages = self._messages(row)
            self._newest = max(self._newest, row.id)
            self._seen.add(row.id)
            for message in messages:
                self.publish(message)
        if rows:
            self._seen = {number for number in self._seen if number > self._newest - 2 * LOOK_BACK}
            self._changed.set()

    def _unseen(self, notified: int | None) -> Select[OutboxEvent]:
        query = select(OutboxEvent).order_by(OutboxEvent.id).limit(_REPLAY_LIMIT)
        if notified is not None:
            # Whatever else is there by now comes along: a burst needs few reads.
            return query.where(or_(OutboxEvent.id > self._newest, OutboxEvent.id == notified))
        return query.where(OutboxEvent.id > self._newest - LOOK_BACK, OutboxEvent.id.not_in(self._seen))

    def _messages(self, row: OutboxEvent) -> list[Message]:
        with self._cache_lock:
            known = self._rendered.get(row.id)
        if known is not None:
            return known
        try:
            messages = self._render(row)
        except UnavailableError:
            raise
        except Exception:
            log.exception("stream_event_failed", event_id=row.id, name=row.name)
            messages = []
        with self._cache_lock:
            self._rendered[row.id] = messages
            while len(self._rendered) > _KEPT:
                self._rendered.popitem(last=False)
        return messages

    def publish(self, message: Message) -> None:
        """Hand a message to every page that wants it. A page that does not read is let go, not waited for."""
        with self._lock:
            wanting = [subscriber for subscriber in self._subscribers if subscriber.wants(message)]
        if not wanting:
            return
        frame = message.encode()
        for subscriber in wanting:
            try:
                subscriber.frames.put_nowait(frame)
            except queue.Full:
                log.warning("stream_dropped", agent_id=str(subscriber.agent_id))
                self._drop(subscriber)

    def _drop(self, subscriber: Subscriber, *, silently: bool = False) -> None:
        subscriber.is_dropped = not silently
        self.unsubscribe(subscriber)
        # Room for the end mark: what was waiting is out of date anyway, the page reads its state anew.
        with subscriber.frames.mutex:
            subscriber.frames.queue.clear()
        subscriber.frames.put_nowait(None)

    def _tell_snapshots(self) -> None:
        while not self._stopping.is_set():
            self._changed.wait(_IDLE_SNAPSHOT_SECONDS)
            self._changed.clear()
            with self._lock:
                topics = frozenset().union(*(subscriber.topics for subscriber in self._subscribers))
            if topics:
                try:
                    for message in self._snapshots(topics):
                        self.publish(message)
                except TingjianError as error:
                    log.warning("stream_snapshot_missed", error=str(error))
                except Exception:
                    log.exception("stream_snapshot_failed")
            self._stopping.wait(_SNAPSHOT_SECONDS)
