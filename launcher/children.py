"""The program's own processes: started with their environment, logged to a file each, started again when they die."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import structlog

from core.settings import PROJECT_DIR
from launcher.ledger import Ledger, end_processes

log = structlog.get_logger()
_QUICK_DEATH_SECONDS = 5.0


class Child:
    """One process of ours."""

    def __init__(self, name: str, arguments: list[str], niceness: int = 0) -> None:
        self.name = name
        self._arguments = arguments
        self._niceness = niceness
        self.process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._next_start = 0.0
        self._wait = 1.0

    def start(self, environment: dict[str, str], log_dir: Path, ledger: Ledger) -> None:
        """Start the process in a group of its own, so that Ctrl-C reaches the launcher alone."""
        with (log_dir / f"{self.name}.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self._arguments],
                cwd=PROJECT_DIR,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if (self._niceness and os.geteuid() == 0) or self._niceness > 0:
            set_niceness(self.process.pid, self._niceness)
        self._started_at = time.monotonic()
        ledger.add(self.name, self.process.pid)

    def keep_running(self, start: Callable[["Child"], None]) -> None:
        """Start the process again when it has died, with a growing pause when it dies at once."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        if self._next_start == 0.0:
            self._wait = min(self._wait * 2, 30.0) if now - self._started_at < _QUICK_DEATH_SECONDS else 1.0
            self._next_start = now + self._wait
            log.warning("process_died", name=self.name, status=self.process.returncode, again_in_seconds=self._wait)
        elif now >= self._next_start:
            self._next_start = 0.0
            start(self)


def set_niceness(pid: int, niceness: int) -> None:
    """Set the priority of a process, and of its session: what the kernel weighs sessions by (−20 first, 19 last)."""
    os.setpriority(os.PRIO_PROCESS, pid, niceness)
    # With autogroups (most desktop and server kernels) niceness counts only inside a session; each of ours is one of its own.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness), encoding="ascii")


class Children:
    """All of them, in the order of their starting."""

    def __init__(self, children: list[Child], log_dir: Path, ledger: Ledger) -> None:
        self._children = children
        self._log_dir = log_dir
        self._ledger = ledger
        self._environment: dict[str, str] = {}

    def start(self, environment: dict[str, str]) -> None:
        """Start every process."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._environment = {**os.environ, **environment}
        for child in self._children:
            self._start_one(child)

    def keep_running(self) -> None:
        """Look after every process once."""
        for child in self._children:
            child.keep_running(self._start_one)

    def stop(self) -> None:
        """End all, last started first; each gets some seconds to finish what it holds."""
        running = [child for child in reversed(self._children) if child.process and child.process.poll() is None]
        end_processes([psutil.Process(child.process.pid) for child in running if child.process])
        for child in running:
            if child.process:
                child.process.wait()
            self._ledger.remove(child.name)

    def _start_one(self, child: Child) -> None:
        child.start(self._environment, self._log_dir, self._ledger)
