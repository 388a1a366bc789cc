"""Jobs are claimed by lease, fenced by token and never run for ever."""

import threading
import time

import pytest
from sqlalchemy import select, text

from core import jobs
from core.database import Database
from core.jobs import ClaimedJob, Job, LeaseLostError, claim, enqueue
from core.periodic import Periodic, enqueue_when_due
from tests.fakes.clock import FakeClock


@pytest.fixture(autouse=True)
def empty_table(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("TRUNCATE job, periodic_slot"))


def add(database: Database, task: str = "count", **options: object) -> None:
    with database.transaction() as session:
        enqueue(session, "main", task, {"n": 1}, **options)  # type: ignore[arg-type]


def state_of(database: Database, job_id: int) -> str:
    with database.transaction() as session:
        return session.scalars(select(Job.state).where(Job.id == job_id)).one()


def expire(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE job SET lease_until = clock_timestamp() - interval '1 s' WHERE state = 'running'"))


def claimed(database: Database) -> ClaimedJob:
    job = claim(database, ["main"])
    assert job is not None
    return job


def test_a_worker_that_lost_its_lease_cannot_finish(database: Database) -> None:
    add(database)
    frozen = claimed(database)
    expire(database)
    thawed = claimed(database)
    assert thawed.id == frozen.id
    with pytest.raises(LeaseLostError), database.transaction() as session:
        frozen.finish(session)
    with database.transaction() as session:
        thawed.finish(session)
    assert state_of(database, thawed.id) == "done"


def test_a_job_that_kills_its_workers_dies(database: Database) -> None:
    add(database, max_attempts=3)
    ids = []
    for _ in range(3):
        ids.append(claimed(database).id)
        expire(database)
    assert claim(database, ["main"]) is None
    assert state_of(database, ids[0]) == "dead"


def test_an_edit_during_a_reindex_enqueues_the_next_one(database: Database) -> None:
    add(database, dedup="reindex")
    add(database, dedup="reindex")
    claimed(database)
    assert claim(database, ["main"]) is None
    add(database, dedup="reindex")
    assert claim(database, ["main"]) is not None


def test_a_failed_job_comes_back_later_with_its_error(database: Database) -> None:
    def broken(_job: ClaimedJob) -> None:
        raise RuntimeError("no paper")

    add(database, task="print")
    worker = jobs.Worker(database, {"print": broken}, ["main"])
    assert worker.run_once()
    with database.transaction() as session:
        row = session.scalars(select(Job)).one()
        assert (row.state, row.attempts) == ("ready", 1)
        assert "no paper" in (row.error or "")
    assert not worker.run_once()


def test_a_missed_slot_is_made_up_once_whatever_number_of_machines_begin(database: Database) -> None:
    clock, stopping = FakeClock(), threading.Event()
    work = [Periodic("closing", "30 6 * * *", "main", "close", is_made_up=True), Periodic("tidying", "30 6 * * *", "main", "tidy")]
    machines = [threading.Thread(target=enqueue_when_due, args=(database, clock, work, stopping)) for _ in range(2)]
    for machine in machines:
        machine.start()
    time.sleep(2.5)  # two rounds
    stopping.set()
    for machine in machines:
        machine.join()
    with database.transaction() as session:
        assert session.scalars(select(Job.task)).all() == ["close"]
