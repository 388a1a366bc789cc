"""Which processes this clone has started, by pid and start time, so that a later start can end what a kill -9 left behind."""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Started:
    """One process. Pids are used again, start times are not: together they name it for good."""

    name: str
    pid: int
    create_time: float

    def process(self) -> psutil.Process | None:
        """Return the process while it still runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.create_time) < 0.01 and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


class Ledger:
    """The list, written through to a file at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._started: dict[str, Started] = {}

    def add(self, name: str, pid: int) -> None:
        """Note a process just started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._started[name] = Started(name, pid, psutil.Process(pid).create_time())
        self._write()

    def remove(self, name: str) -> None:
        """Forget a process that ended."""
        self._started.pop(name, None)
        self._write()

    def leftovers(self) -> list[psutil.Process]:
        """Return what an earlier run started and did not end."""
        if not self._path.exists():
            return []
        rows = [Started(**row) for row in json.loads(self._path.read_text() or "[]")]
        return [process for row in rows if (process := row.process())]

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps([asdict(row) for row in self._started.values()]))
        scratch.replace(self._path)


def end_processes(processes: list[psutil.Process], grace_seconds: float = 8.0) -> None:
    """Ask processes and their children to end, and kill what has not after the grace."""
    family = {child for process in processes for child in _with_children(process)}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(list(family), timeout=grace_seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=3)


def _with_children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
