"""The figures of this second, read once for every display and program that asks, by one thread that rests when nobody does."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.errors import UnavailableError
from webui.wallboard.figures import WallFigures

log = structlog.get_logger()
EVERY_SECONDS = 1.0
_IDLE_SECONDS = 15.0
_FIRST_WAIT_SECONDS = 8.0


class NoFiguresError(UnavailableError):
    """No figures could be read yet."""


@dataclass(frozen=True)
class Snapshot:
    """Figures, as they are sent, and when (by the steady clock) they were read."""

    body: bytes
    read_at: float

    @property
    def age_seconds(self) -> float:
        """How long ago they were read."""
        return time.monotonic() - self.read_at


class Snapshots:
    """Keeps the newest figures. An old one is given as it is while the database is away: its age tells."""

    def __init__(self, read: Callable[[], WallFigures], every_seconds: float = EVERY_SECONDS) -> None:
        self._read = read
        self._every = every_seconds
        self._changed = threading.Condition()
        self._reading = threading.Lock()
        self._newest: Snapshot | None = None
        self._tries = 0
        self._asked_at = 0.0
        self._runner: threading.Thread | None = None
        self._stopping = threading.Event()

    def current(self) -> Snapshot:
        """Return the newest figures; the first asker after a rest waits until they are read.

        Raises:
            NoFiguresError: the database does not answer, and never has.
        """
        with self._changed:
            self._asked_at = time.monotonic()
            if self._runner is None:
                self._stopping.clear()
                self._runner = threading.Thread(target=self._run, name="wallboard-figures", daemon=True)
                tries = self._tries
                self._runner.start()
                self._changed.wait_for(lambda: self._tries > tries, _FIRST_WAIT_SECONDS)
            elif self._newest is None:
                tries = self._tries
                self._changed.wait_for(lambda: self._tries > tries, _FIRST_WAIT_SECONDS)
            if self._newest is None:
                raise NoFiguresError("wallboard")
            return self._newest

    def refresh(self) -> Snapshot:
        """Read now and return it."""
        snapshot = Snapshot(self._read().model_dump_json().encode(), time.monotonic())
        with self._changed:
            self._newest = snapshot
        return snapshot

    def fresh(self) -> Snapshot:
        """Return figures of this second, read now where nobody did; for who needs them seldom.

        Raises:
            DatabaseUnavailableError: they can't be read.
        """
        with self._reading:
            newest = self._newest
            return newest if newest is not None and newest.age_seconds < self._every else self.refresh()

    def stop(self) -> None:
        """End the thread; the next asker starts another."""
        self._stopping.set()
        runner = self._runner
        if runner is not None:
            runner.join(10)

    def _run(self) -> None:
        try:
            while self._is_wanted():
                began = time.monotonic()
                try:
                    self.refresh()
                except UnavailableError as error:
                    log.warning("wallboard_waits", error=str(error))
                finally:
                    with self._changed:
                        self._tries += 1
                        self._changed.notify_all()
                self._stopping.wait(max(0.1, self._every - (time.monotonic() - began)))
        finally:
            with self._changed:
                if self._runner is threading.current_thread():
                    self._runner = None

    def _is_wanted(self) -> bool:
        with self._changed:
            wanted = not self._stopping.is_set() and time.monotonic() - self._asked_at < _IDLE_SECONDS
            if not wanted:
                self._runner = None
            return wanted
