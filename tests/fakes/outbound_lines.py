"""Lines of a simulated exchange, kept in a table, so that a dialer killed with -9 leaves them as a real exchange would.

It keeps every request apart, also a second one for the same attempt: that is what tests look for.
"""

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import psycopg

from core.clock import Clock
from core.database import libpq_url
from core.errors import InvalidInputError, UnavailableError
from telephony.ports import Dial, LineUse, OutboundResult, OutboundTrace

_TABLE = """
CREATE TABLE IF NOT EXISTS sim_line (
    id bigserial PRIMARY KEY, attempt_id uuid NOT NULL, phone text NOT NULL, leads_to text NOT NULL,
    dialled_at timestamptz NOT NULL, answered_at timestamptz, ended_at timestamptz, result text, cause text NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS ix_sim_line_attempt_id ON sim_line (attempt_id);
CREATE INDEX IF NOT EXISTS ix_sim_line_running ON sim_line (id) WHERE ended_at IS NULL
"""


class FakeOutboundLines:
    """Set how busy it is by its attributes; `step` is called at every point where a process may die."""

    def __init__(self, url: str, clock: Clock, step: Callable[[str], None] = lambda _name: None) -> None:
        self._clock = clock
        self._step = step
        self._connection = psycopg.connect(libpq_url(url), autocommit=True)
        self._connection.execute(_TABLE)
        self.total = 60
        self.others = 0
        self.waits: dict[str, list[float]] = {}
        """Seconds that each waiting citizen has waited, by queue."""
        self.ready_agents: list[frozenset[str]] = []
        self.served: set[uuid.UUID] = set()
        self.has_ivr = True
        self.is_away = False
        self.bad_phones: set[str] = set()

    def dial_out(self, dial: Dial) -> None:
        self._take(dial.attempt_id, dial.phone, dial.then)

    def dial_for_agent(self, agent_id: uuid.UUID, phone: str, attempt_id: uuid.UUID) -> None:
        self._take(attempt_id, phone, f"agent {agent_id}")

    def _take(self, attempt_id: uuid.UUID, phone: str, leads_to: str) -> None:
        self._check_there()
        if not phone.isdigit() or phone in self.bad_phones:
            raise InvalidInputError(phone)
        self._step("before the exchange dials")
        query = "INSERT INTO sim_line (attempt_id, phone, leads_to, dialled_at) VALUES (%s, %s, %s, %s)"
        self._connection.execute(query, (attempt_id, phone, leads_to, self._clock.now()))
        self._step("after the exchange dialled")

    def line_use(self) -> LineUse:
        self._check_there()
        running = self._one("SELECT count(*) FROM sim_line WHERE ended_at IS NULL")
        return LineUse(
            total=self.total,
            others=self.others,
            outbound=running,
            waiting_citizens=sum(len(seconds) for seconds in self.waits.values()),
            longest_waits={queue: max(seconds) for queue, seconds in self.waits.items() if seconds},
            ready_agents=self.ready_agents,
            served=frozenset(self.served),
            has_ivr=self.has_ivr,
        )

    def reconcile_outbound(self, attempt_ids: Iterable[uuid.UUID] | None = None) -> list[OutboundTrace]:
        self._check_there()
        query = "SELECT attempt_id, dialled_at, answered_at, ended_at, result, cause FROM sim_line"
        rows = self._connection.execute(query + " WHERE attempt_id = ANY(%s)", (list(attempt_ids or ()),)).fetchall()
        return [
            OutboundTrace(attempt_id, dialled, answered, ended, OutboundResult(result) if result else None, cause)
            for attempt_id, dialled, answered, ended, result, cause in rows
        ]

    # --- what tests do to it

    def answer(self, attempt_id: uuid.UUID) -> None:
        """Let the citizen pick up."""
        self._connection.execute("UPDATE sim_line SET answered_at = %s WHERE attempt_id = %s", (self._clock.now(), attempt_id))

    def end(self, attempt_id: uuid.UUID, result: str) -> None:
        """Let the line be free again."""
        query = "UPDATE sim_line SET ended_at = %s, result = %s WHERE attempt_id = %s AND ended_at IS NULL"
        self._connection.execute(query, (self._clock.now(), result, attempt_id))

    def lose(self) -> None:
        """Let the exchange die with everything that it noted lately."""
        self._connection.execute("DELETE FROM sim_line WHERE ended_at IS NULL")

    def requests(self) -> list[tuple[uuid.UUID, str]]:
        """Return every request as (attempt, phone), in order, lost ones left out."""
        return self._connection.execute("SELECT attempt_id, phone FROM sim_line ORDER BY id").fetchall()

    def running(self) -> list[tuple[uuid.UUID, str, datetime]]:
        """Return what goes on as (attempt, phone, since when), in order."""
        query = "SELECT attempt_id, phone, dialled_at FROM sim_line WHERE ended_at IS NULL ORDER BY id"
        return self._connection.execute(query).fetchall()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _check_there(self) -> None:
        if self.is_away:
            raise UnavailableError("the exchange is away")

    def _one(self, query: Any) -> int:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])
