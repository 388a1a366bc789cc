"""Signs of life of the program's processes, in one table that every machine can read.

A process that stops in order leaves no row.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Database, JsonObject, Timestamp
from core.errors import UnavailableError

log = structlog.get_logger()
BEAT_SECONDS = 5.0
STALE_SECONDS = 20.0
"""Silence after which a process counts as dead: four beats, so that one slow commit alarms nobody."""
_FORGET_AFTER = timedelta(hours=1)


class ProcessHeartbeat(Base):
    """One process, and when it was last alive. `detail["problem"]` says what keeps it from its work."""

    __tablename__ = "process_heartbeat"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    node: Mapped[str] = mapped_column(Text, primary_key=True)
    pid: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    at: Mapped[Timestamp]
    detail: Mapped[JsonObject]


@dataclass(frozen=True)
class Sign:
    """A process as others see it. The age is measured by the database's clock alone."""

    name: str
    node: str
    pid: int
    age_seconds: float
    detail: dict[str, Any]

    @property
    def is_alive(self) -> bool:
        """Whether the process was heard lately."""
        return self.age_seconds <= STALE_SECONDS

    @property
    def problem(self) -> str:
        """What keeps the process from its work, in its own words; empty when nothing does."""
        return str(self.detail.get("problem") or "")


def beat(session: Session, name: str, node: str, detail: dict[str, Any] | None = None, pid: int | None = None) -> None:
    """Write that this process lives, and forget those of its name and node that died long ago."""
    now = func.clock_timestamp()
    values = {"at": now, "detail": detail or {}}
    session.execute(
        insert(ProcessHeartbeat)
        .values(name=name, node=node, pid=pid or os.getpid(), **values)
        .on_conflict_do_update(index_elements=["name", "node", "pid"], set_=values)
    )
    session.execute(
        delete(ProcessHeartbeat).where(
            ProcessHeartbeat.name == name, ProcessHeartbeat.node == node, ProcessHeartbeat.at < now - _FORGET_AFTER
        )
    )


def leave(session: Session, name: str, node: str, pid: int | None = None) -> None:
    """Take the row away: the process stops in order."""
    session.execute(
        delete(ProcessHeartbeat).where(
            ProcessHeartbeat.name == name, ProcessHeartbeat.node == node, ProcessHeartbeat.pid == (pid or os.getpid())
        )
    )


def signs(session: Session) -> list[Sign]:
    """Return every process that was heard within the last hour, by name, the latest heard first."""
    now = func.clock_timestamp()
    age = func.extract("epoch", now - ProcessHeartbeat.at)
    query = (
        select(ProcessHeartbeat.name, ProcessHeartbeat.node, ProcessHeartbeat.pid, age, ProcessHeartbeat.detail)
        .where(ProcessHeartbeat.at > now - _FORGET_AFTER)
        .order_by(ProcessHeartbeat.name, age)
    )
    return [Sign(name, node, pid, float(seconds), detail) for name, node, pid, seconds, detail in session.execute(query)]


@contextmanager
def beating(
    database: Database, name: str, node: str, detail: Callable[[], dict[str, Any]] = dict, every_seconds: float = BEAT_SECONDS
) -> Iterator[None]:
    """Beat from a thread of its own for as long as the block runs; `detail` is asked at each beat and must not block."""
    stopping = threading.Event()

    def keep_beating() -> None:
        while True:
            try:
                with database.transaction() as session:
                    beat(session, name, node, detail())
            except UnavailableError as error:
                log.warning("beat_failed", process=name, error=type(error).__name__)
            if stopping.wait(every_seconds):
                return

    thread = threading.Thread(target=keep_beating, name=f"{name}-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        try:
            with database.transaction() as session:
                leave(session, name, node)
        except UnavailableError as error:
            log.warning("leave_failed", process=name, error=type(error).__name__)
