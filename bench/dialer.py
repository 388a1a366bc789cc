"""24 lines for ten simulated hours: the real dialer and database, a simulated exchange and clock, a kill -9 every 20 minutes.

    python -m bench.dialer [--hours 10] [--people 14000]

The dialer is a process of its own and is told the time; this program is the exchange, the bridge and the citizens. An attempt lasts
90–120 s. Two in a hundred ends are never told, as by a bridge that died: the dialer has to ask the exchange. A dialer that was
killed comes up again 5 s later.
"""

import heapq
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import click
import psycopg

from bench.machine import write_result
from callback.disposition import Disposition
from callback.door import CallbackSettings
from callback.line_budget import LineRules
from callback.rule import RuleDefinition
from callback.service import CallbackService
from core.clock import LOCAL_ZONE
from core.database import Database, libpq_url
from core.migrate import upgrade
from core.settings import PROJECT_DIR
from tests.dialer_child import STEPS, service_on
from tests.fakes.clock import FakeClock
from tests.fakes.outbound_lines import FakeOutboundLines
from tests.servers import postgres_server

LINES = 24
PROMISED_USE = 0.85
KILL_EVERY = timedelta(minutes=20)
COMES_UP_AFTER = timedelta(seconds=5)
LEASE = timedelta(seconds=90)
UNTOLD = 0.02
BEGINS = datetime(2026, 3, 18, 9, 0, tzinfo=LOCAL_ZONE)
# What becomes of an attempt, and how often: (result on the line, disposition of who picked up).
MIX: tuple[tuple[float, str, Disposition | None], ...] = (
    (0.30, "answered", Disposition.COMPLETED),
    (0.06, "answered", Disposition.PARTIAL),
    (0.06, "answered", Disposition.REFUSED),
    (0.01, "answered", Disposition.OPTED_OUT),
    (0.07, "answered", Disposition.BROKEN_OFF),
    (0.25, "no_answer", None),
    (0.08, "busy", None),
    (0.04, "rejected", None),
    (0.10, "unavailable", None),
    (0.02, "invalid_number", None),
    (0.01, "failed", None),
)


class Child:
    """A dialer in a process of its own."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "tests.dialer_child", url]
        self.process = subprocess.Popen(
            command, cwd=PROJECT_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._is_ready = False

    def round(self, now: datetime, fatal: str = "") -> bool:
        """Let it do a round; False when it died in it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if not self._is_ready:
            assert self.process.stdout.readline().strip() == "ready", "the dialer did not start"
            self._is_ready = True
        self.process.stdin.write(f"{now.isoformat()} {fatal}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() != ""

    def kill(self) -> None:
        """Kill it, wherever it is."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Town:
    """The exchange, the bridge and the citizens."""

    url: str
    service: CallbackService
    clock: FakeClock
    lines: FakeOutboundLines
    chance: random.Random
    ends: list[tuple[datetime, int, uuid.UUID, str, Disposition | None]] = field(default_factory=list)
    seen: int = 0
    busy_seconds: float = 0.0
    untold: int = 0

    def __post_init__(self) -> None:
        self._connection = psycopg.connect(libpq_url(self.url), autocommit=True)

    def take_new(self, until: datetime) -> None:
        """Decide what becomes of what the dialer has just dialled."""
        query = "SELECT id, attempt_id, dialled_at FROM sim_line WHERE id > %s ORDER BY id"
        for number, attempt_id, dialled_at in self._connection.execute(query, (self.seen,)).fetchall():
            self.seen = number
            ends_at = dialled_at + timedelta(seconds=self.chance.uniform(90, 120))
            self.busy_seconds += (min(ends_at, until) - dialled_at).total_seconds()
            _, result, disposition = self.chance.choices(MIX, weights=[weight for weight, _, _ in MIX])[0]
            heapq.heappush(self.ends, (ends_at, number, attempt_id, result, disposition))

    def end_due(self) -> bool:
        """End what ends by now, and tell of it as the bridge and the process that speaks would; return whether anything did."""
        ended = False
        while self.ends and self.ends[0][0] <= self.clock.now():
            _, _, attempt_id, result, disposition = heapq.heappop(self.ends)
            ended = True
            if disposition is not None:
                self.lines.answer(attempt_id)
                self.service.record_answered(attempt_id)
                self.service.end_attempt(attempt_id, disposition)
            self.lines.end(attempt_id, result)
            if self.chance.random() < UNTOLD:
                self.untold += 1
            else:
                self.service.record_ended(attempt_id, result, "")
        return ended

    def move_leases(self) -> None:
        """Let leases run out by the simulated time: they go by the database's clock, so the rows are moved."""
        past = "UPDATE callback_attempt SET lease_until = clock_timestamp() - interval '1 s'"
        self._connection.execute(f"{past} WHERE state <> 'ended' AND planned_at <= %s", (self.clock.now() - LEASE,))


def simulate(url: str, people: int, hours: float) -> dict[str, Any]:
    """Run the day; return the figures."""
    clock = FakeClock(BEGINS)
    lines = FakeOutboundLines(url, clock)
    settings = CallbackSettings(lines=LineRules(most=LINES))
    service = service_on(Database(url), clock, lines, settings)
    definition = RuleDefinition.model_validate({"title": "回访", "reason": "campaign", "ways": ["ivr"], "questionnaire": "q"})
    since = time.perf_counter()
    service.start_campaign("bench", [{"phone": f"138{number:08d}"} for number in range(people)], definition, "bench")
    print(f"{people} people owed a call in {time.perf_counter() - since:.0f} s", flush=True)
    town = Town(url, service, clock, lines, random.Random(11))
    ends_at = BEGINS + timedelta(hours=hours)
    return _run(town, ends_at) | {"people": people, "simulated_hours": hours} | _judge(url)


def _run(town: Town, ends_at: datetime) -> dict[str, Any]:
    clock, since = town.clock, time.perf_counter()
    child, standby = Child(town.url), Child(town.url)
    kill_at, kills, dead_until = clock.now() + KILL_EVERY, Counter[str](), BEGINS
    rounds, reported, round_at = 0, BEGINS, BEGINS
    try:
        while clock.now() < ends_at:
            if town.end_due():
                round_at = clock.now()
            town.move_leases() if clock.now().second % 15 == 0 else None
            if clock.now() >= kill_at:
                step = town.chance.choice(STEPS)
                if child.round(clock.now(), step):
                    # It had nothing to do there: it is killed where it waits.
                    step = "waiting"
                    child.kill()
                child.process.wait()
                kills[step] += 1
                town.take_new(ends_at)
                child, standby = standby, Child(town.url)
                dead_until, kill_at = clock.now() + COMES_UP_AFTER, kill_at + KILL_EVERY
                round_at = dead_until
            if clock.now() >= max(round_at, dead_until):
                assert child.round(clock.now()), "the dialer died by itself"
                town.take_new(ends_at)
                rounds, round_at = rounds + 1, clock.now() + timedelta(seconds=15)
            clock.advance(1)
            if clock.now() - reported >= timedelta(hours=1):
                reported = clock.now()
                print(f"{reported:%H:%M}: {town.seen} attempts, {time.perf_counter() - since:.0f} s", flush=True)
    finally:
        child.kill()
        standby.kill()
    capacity = LINES * (ends_at - BEGINS).total_seconds()
    return {
        "attempts": town.seen,
        "attempts_a_day_of_ten_hours": round(town.seen * 36_000 / (ends_at - BEGINS).total_seconds()),
        "line_use": round(town.busy_seconds / capacity, 4),
        "kills": sum(kills.values()),
        "kills_by_step": dict(kills),
        "ends_never_told": town.untold,
        "rounds": rounds,
        "real_seconds": round(time.perf_counter() - since, 1),
    }


def _judge(url: str) -> dict[str, Any]:
    """Look at what the exchange noted of itself, and at what the program believes."""
    with psycopg.connect(libpq_url(url)) as connection:
        rows = connection.execute("SELECT attempt_id, phone, dialled_at, ended_at FROM sim_line ORDER BY dialled_at").fetchall()
        known: dict[uuid.UUID, str | None] = dict(connection.execute("SELECT id, disposition FROM callback_attempt").fetchall())
        lost = connection.execute("SELECT count(*) FROM callback_attempt WHERE cause = 'lost'").fetchone()
        states: dict[str, int] = dict(connection.execute("SELECT state, count(*) FROM callback GROUP BY state").fetchall())
        dispositions = connection.execute(
            "SELECT disposition, count(*) FROM callback_attempt WHERE disposition IS NOT NULL GROUP BY disposition ORDER BY 2 DESC"
        ).fetchall()
    requests = Counter(row[0] for row in rows)
    by_phone: dict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for _, phone, dialled_at, ended_at in rows:
        by_phone[phone].append((dialled_at, ended_at))
    overlaps = too_soon = 0
    for calls in by_phone.values():
        for (first, first_end), (second, _) in pairwise(calls):
            overlaps += first_end is None or second < first_end
            too_soon += second - first < timedelta(hours=6)
    return {
        "attempts_dialled_twice": sum(times > 1 for times in requests.values()),
        "numbers_rung_twice_at_once": overlaps,
        "calls_nearer_than_six_hours": too_soon,
        "numbers_rung_more_than_twice": sum(len(calls) > 2 for calls in by_phone.values()),
        "dialled_without_a_row": sum(attempt not in known for attempt in requests),
        "attempts_lost": lost[0] if lost else 0,
        "callbacks": states,
        "dispositions": dict(dispositions),
    }


@click.command()
@click.option("--hours", default=10.0, show_default=True)
@click.option("--people", default=14_000, show_default=True)
def main(hours: float, people: int) -> None:
    """Simulate, print and write."""
    with postgres_server() as server:
        url = server.new_database()
        upgrade(url)
        result = simulate(url, people, hours)
    print(json.dumps(result, ensure_ascii=False, indent=2))
    print("written to", write_result("dialer", {"lines": LINES} | result, "SQLAlchemy", "psycopg"))
    doubles = (
        "attempts_dialled_twice",
        "numbers_rung_twice_at_once",
        "calls_nearer_than_six_hours",
        "numbers_rung_more_than_twice",
    )
    if any(result[name] for name in (*doubles, "dialled_without_a_row")):
        sys.exit("somebody was rung twice")
    if result["line_use"] < PROMISED_USE:
        sys.exit(f"line use below {PROMISED_USE:.0%}")


if __name__ == "__main__":
    main()
