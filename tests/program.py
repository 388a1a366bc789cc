"""The whole program, started as a newcomer starts it, with a state folder and addresses of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.settings import PROJECT_DIR
from tests.servers import scratch_folder

_START_SECONDS = 240
_STOP_SECONDS = 60


@dataclass(frozen=True)
class Program:
    """A running program: its endpoints, and how to give it commands."""

    endpoints: dict[str, Any]
    environment: dict[str, str]
    folder: Path
    process: subprocess.Popen[str]

    @property
    def web(self) -> str:
        """The address of the site."""
        return str(self.endpoints["web"])

    def login(self, role: str) -> dict[str, Any]:
        """Return the first demonstration log-in with a role."""
        return next(login for login in self.endpoints["logins"] if role in login["roles"])

    def manage(self, *arguments: str) -> list[str]:
        """Return the command line of one of the program's own commands."""
        return [sys.executable, "manage.py", *arguments]

    def run(self, *arguments: str, timeout: float = 120) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run(
            self.manage(*arguments),
            cwd=PROJECT_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def said(self) -> str:
        """Return what the launcher printed."""
        return (self.folder / "up.log").read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Send the launcher a signal and wait for its end."""
        self.process.send_signal(number)
        self.process.wait(timeout=_STOP_SECONDS)

    def logs(self) -> str:
        """Return the end of every process's log, for a failing test."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}" for path in sorted((self.folder / "logs").glob("*.log")))


def start_program(folder: Path, **settings: str) -> Program:
    """Run `manage.py up` on a state folder and return when it is ready; the caller stops it."""
    endpoints = folder / "endpoints.json"
    endpoints.unlink(missing_ok=True)
    # A citizen of these tests has no key to press, and would listen to the question at the end until it is given up.
    quiet = {"AFTER_CALL_SURVEY": "false"}
    environment = {**os.environ, **quiet, "STATE_DIR": str(folder), "ENDPOINTS_FILE": str(endpoints), **settings}
    with (folder / "up.log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=PROJECT_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not endpoints.exists():
            assert process.poll() is None, f"the program ended: {(folder / 'up.log').read_text()}"
            assert time.monotonic() < deadline, f"not ready: {(folder / 'up.log').read_text()}"
            time.sleep(0.2)
        return Program(json.loads(endpoints.read_text()), environment, folder, process)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_STOP_SECONDS)
        raise


@contextmanager
def running_program(**settings: str) -> Iterator[Program]:
    """Run the program until the block ends; it must then stop within its time and leave no endpoints behind."""
    program = start_program(scratch_folder("program"), **settings)
    try:
        yield program
    finally:
        program.stop()
    assert not (program.folder / "endpoints.json").exists()
    shutil.rmtree(program.folder, ignore_errors=True)
