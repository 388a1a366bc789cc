"""Background work as rows of PostgreSQL: enqueued with the change that needs it, claimed by lease, finished with what it wrote.

The database's clock alone decides leases and due times, so machines need not agree on theirs.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import BigInteger, Index, Text, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, Database, JsonObject, Timestamp
from core.errors import ConflictError, UnavailableError
from core.listen import Listener

log = structlog.get_logger()
CHANNEL = "job"
_LEASE_SECONDS = 30
_HEARTBEAT_SECONDS = 8.0


class Job(Base):
    """One piece of work. States: ready → running → done, or dead once its attempts are used up."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_due", "queue", "priority", "run_at", postgresql_where=text("state = 'ready'")),
        Index("ix_job_lease", "lease_until", postgresql_where=text("state = 'running'")),
        # Only while ready: an edit during a reindex must enqueue the next one.
        Index("uq_job_dedup_ready", "dedup", unique=True, postgresql_where=text("state = 'ready' AND dedup IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    queue: Mapped[str] = mapped_column(Text)
    task: Mapped[str] = mapped_column(Text)
    args: Mapped[JsonObject]
    state: Mapped[str] = mapped_column(Text, default="ready")
    priority: Mapped[int] = mapped_column(default=100)
    run_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=5)
    token: Mapped[uuid.UUID | None]
    lease_until: Mapped[Timestamp | None]
    dedup: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    finished_at: Mapped[Timestamp | None]


class PeriodicSlot(Base):
    """One slot of periodic work that some machine has already enqueued; so no machine needs to lead."""

    __tablename__ = "periodic_slot"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    slot_at: Mapped[Timestamp] = mapped_column(primary_key=True)


class LeaseLostError(ConflictError):
    """Another worker holds the job by now: nothing of this run may be kept."""


@dataclass(frozen=True)
class ClaimedJob:
    """A job as its worker sees it."""

    id: int
    queue: str
    task: str
    args: dict[str, Any]
    attempts: int
    token: uuid.UUID

    def finish(self, session: Session) -> None:
        """Mark the job done in the transaction of what it wrote.

        Raises:
            LeaseLostError: the lease ran out and the job went to another worker; the caller's transaction must not commit.
        """
        done = session.execute(
            update(Job)
            .where(Job.id == self.id, Job.token == self.token, Job.state == "running")
            .values(state="done", token=None, lease_until=None, finished_at=func.clock_timestamp(), error=None)
            .returning(Job.id)
        ).first()
        if done is None:
            raise LeaseLostError(f"job {self.id}")


def enqueue(
    session: Session,
    queue: str,
    task: str,
    args: dict[str, Any] | None = None,
    *,
    run_at: datetime | None = None,
    dedup: str | None = None,
    priority: int = 100,
    max_attempts: int = 5,
) -> None:
    """Add work in the caller's transaction. With `dedup`, nothing is added while the same is still waiting."""
    values: dict[str, Any] = {"queue": queue, "task": task, "args": args or {}, "dedup": dedup}
    values |= {"priority": priority, "max_attempts": max_attempts}
    if run_at is not None:
        values["run_at"] = run_at
    session.execute(insert(Job).values(**values).on_conflict_do_nothing())
    session.execute(select(func.pg_notify(CHANNEL, queue)))


def enqueue_slot(session: Session, name: str, slot_at: datetime, queue: str, task: str) -> bool:
    """Enqueue periodic work for one slot unless a machine already did; return whether this call did."""
    taken = session.execute(
        insert(PeriodicSlot).values(name=name, slot_at=slot_at).on_conflict_do_nothing().returning(PeriodicSlot.name)
    ).first()
    if taken is None:
        return False
    enqueue(session, queue, task, {"slot_at": slot_at.isoformat()}, dedup=f"{name}@{slot_at.isoformat()}")
    return True


def claim(database: Database, queues: list[str]) -> ClaimedJob | None:
    """Take the most urgent due job of some queues under a lease, counting the attempt now; dead workers' jobs come back first."""
    with database.transaction() as session:
        release_expired(session)
        due = (
            select(Job.id)
            .where(Job.state == "ready", Job.queue.in_(queues), Job.run_at <= func.clock_timestamp())
            .order_by(Job.priority, Job.run_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        row = session.execute(
            update(Job)
            .where(Job.id == due)
            .values(
                state="running",
                attempts=Job.attempts + 1,
                token=func.gen_random_uuid(),
                lease_until=func.clock_timestamp() + timedelta(seconds=_LEASE_SECONDS),
            )
            .returning(Job.id, Job.queue, Job.task, Job.args, Job.attempts, Job.token)
        ).first()
    return None if row is None else ClaimedJob(*row)  # type: ignore[arg-type]  # a claimed row has a token


def release_expired(session: Session) -> None:
    """Return jobs whose lease ran out to the queue; those out of attempts are dead, and shown to a person."""
    expired = (Job.state == "running", Job.lease_until < func.clock_timestamp())
    session.execute(
        update(Job)
        .where(*expired, Job.attempts >= Job.max_attempts)
        .values(state="dead", token=None, lease_until=None, finished_at=func.clock_timestamp(), error="worker died")
    )
    # A newer twin with the same dedup key is already waiting: this one's work is covered by it.
    twin = select(Job.dedup).where(Job.state == "ready", Job.dedup.is_not(None))
    session.execute(
        update(Job)
        .where(*expired, Job.dedup.in_(twin))
        .values(state="done", token=None, lease_until=None, finished_at=func.clock_timestamp(), error="replaced by a newer one")
    )
    session.execute(update(Job).where(*expired).values(state="ready", token=None, lease_until=None))


def fail(database: Database, job: ClaimedJob, error: Exception) -> None:
    """Give a failed job back with a growing pause, or bury it when its attempts are used up."""
    with database.transaction() as session:
        session.execute(
            update(Job)
            .where(Job.id == job.id, Job.token == job.token)
            .values(
                state=text("CASE WHEN attempts >= max_attempts THEN 'dead' ELSE 'ready' END"),
                run_at=func.clock_timestamp() + timedelta(seconds=min(2**job.attempts * 2, 600)),
                token=None,
                lease_until=None,
                dedup=None,
                error=repr(error)[:2000],
            )
        )


def retry_dead(session: Session, job_id: int) -> None:
    """Give a dead job another round of attempts."""
    session.execute(
        update(Job).where(Job.id == job_id, Job.state == "dead").values(state="ready", attempts=0, run_at=func.clock_timestamp())
    )


def prune(session: Session, older_than: timedelta) -> None:
    """Delete finished jobs and used slots older than a span; dead ones stay until a person decides."""
    limit = func.clock_timestamp() - older_than
    session.execute(Job.__table__.delete().where(Job.state == "done", Job.finished_at < limit))  # type: ignore[attr-defined]
    session.execute(PeriodicSlot.__table__.delete().where(PeriodicSlot.slot_at < limit))  # type: ignore[attr-defined]


Task = Callable[[ClaimedJob], None]


class Worker:
    """Claims jobs one at a time and runs them; a task ends by calling `job.finish(session)` in its own transaction."""

    def __init__(self, database: Database, tasks: dict[str, Task], queues: list[str]) -> None:
        self._database = database
        self._tasks = tasks
        self._queues = queues

    def run(self, stopping: threading.Event, poll_seconds: float = 5.0) -> None:
        """Work until told to stop, woken by NOTIFY and polling behind it."""
        for _ in Listener(self._database.url, [CHANNEL], beat_seconds=poll_seconds):
            if stopping.is_set():
                return
            try:
                while not stopping.is_set() and self.run_once():
                    pass
            except UnavailableError as error:
                log.warning("worker_waits", error=str(error))

    def run_once(self) -> bool:
        """Claim and run one job; return whether there was one."""
        job = claim(self._database, self._queues)
        if job is None:
            return False
        finished = threading.Event()
        beat = threading.Thread(target=self._keep_lease, args=(job, finished), daemon=True)
        beat.start()
        try:
            self._tasks[job.task](job)
        except LeaseLostError:
            log.warning("lease_lost", job_id=job.id, task=job.task)
        except Exception as error:
            log.warning("job_failed", job_id=job.id, task=job.task, attempts=job.attempts, error=repr(error)[:300])
            fail(self._database, job, error)
        finally:
            finished.set()
            beat.join()
        return True

    def _keep_lease(self, job: ClaimedJob, finished: threading.Event) -> None:
        while not finished.wait(_HEARTBEAT_SECONDS):
            try:
                with self._database.transaction() as session:
                    session.execute(
                        update(Job)
                        .where(Job.id == job.id, Job.token == job.token)
                        .values(lease_until=func.clock_timestamp() + timedelta(seconds=_LEASE_SECONDS))
                    )
            except UnavailableError as error:
                log.warning("heartbeat_failed", job_id=job.id, error=str(error))
