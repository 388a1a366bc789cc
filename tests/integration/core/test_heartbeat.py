"""Who lives is seen by all; who stopped in order leaves nothing; who died grows old."""

import os
import threading

import pytest
from sqlalchemy import text

from core.database import Database
from core.heartbeat import STALE_SECONDS, Sign, beat, beating, leave, signs


@pytest.fixture(autouse=True)
def _nobody(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DELETE FROM process_heartbeat"))


def seen(database: Database) -> list[Sign]:
    with database.transaction() as session:
        return signs(session)


def age(database: Database, seconds: float) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE process_heartbeat SET at = at - make_interval(secs => :s)"), {"s": seconds})


def test_a_second_beat_replaces_the_first(database: Database) -> None:
    for problem in ("Asterisk does not answer", ""):
        with database.transaction() as session:
            beat(session, "bridge", "node1", {"problem": problem})
        age(database, 100)
    with database.transaction() as session:
        beat(session, "bridge", "node1")
    (sign,) = seen(database)
    assert (sign.name, sign.node, sign.pid) == ("bridge", "node1", os.getpid())
    assert sign.is_alive
    assert sign.problem == ""


def test_two_workers_of_one_machine_are_two(database: Database) -> None:
    with database.transaction() as session:
        beat(session, "worker", "node1", pid=11)
        beat(session, "worker", "node1", {"problem": "no weights"}, pid=12)
    assert {(sign.pid, sign.problem) for sign in seen(database)} == {(11, ""), (12, "no weights")}
    with database.transaction() as session:
        leave(session, "worker", "node1", pid=11)
    assert [sign.pid for sign in seen(database)] == [12]


def test_who_is_silent_counts_as_dead_and_is_forgotten_in_the_end(database: Database) -> None:
    with database.transaction() as session:
        beat(session, "worker", "node1", pid=11)
    age(database, STALE_SECONDS + 1)
    assert [sign.is_alive for sign in seen(database)] == [False]
    age(database, 3700)
    assert seen(database) == []
    with database.transaction() as session:
        beat(session, "worker", "node1", pid=12)
        assert session.scalar(text("SELECT count(*) FROM process_heartbeat")) == 1


def test_beating_from_a_thread_until_the_end(database: Database) -> None:
    beats = threading.Semaphore(0)

    def detail() -> dict[str, str]:
        beats.release()
        return {"problem": "Asterisk does not answer"}

    with beating(database, "bridge", "node1", detail, every_seconds=0.01):
        for _ in range(3):
            assert beats.acquire(timeout=5)
        assert [sign.problem for sign in seen(database)] == ["Asterisk does not answer"]
    assert seen(database) == []
