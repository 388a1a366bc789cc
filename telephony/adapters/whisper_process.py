"""The parent's side of `whisper_child`: starts it, asks it, and starts it again when it dies."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from core.errors import UnavailableError
from core.settings import PROJECT_DIR
from telephony.adapters.whisper_child import read_message, write_message
from telephony.speech.audio import to_pcm16
from telephony.speech.endpointing import Samples

log = structlog.get_logger()
_SHORTEST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 10.0
_LOADING_SECONDS: Final = 60.0


@dataclass(frozen=True)
class ChildConfig:
    """What a recogniser process is to load. `task` is live or final; `workers` are threads of one core each."""

    task: str
    model: Path | None
    engine: str = "faster-whisper"
    device: str = "cpu"
    workers: int = 2
    beam: int = 1
    nice: int = 0

    def message(self) -> dict[str, Any]:
        return {**self.__dict__, "model": str(self.model) if self.model else ""}


class WhisperProcess:
    """One recogniser process; every method may be called from any thread."""

    def __init__(self, config: ChildConfig, *, is_kept: bool = True) -> None:
        """Prepare a process; `is_kept` starts it again at once when it dies, else at the next question."""
        self._config = config
        self._is_kept = is_kept
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._wanted = threading.Event()
        self._ready = threading.Event()
        self._closed = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._ids = itertools.count(1)
        self._error = "the recogniser is being started"
        self._thread: threading.Thread | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The process id while it can be asked."""
        child = self._child
        return child.pid if child is not None and self._ready.is_set() else None

    def start(self, wait_seconds: float = _LOADING_SECONDS) -> None:
        """Start the process and wait until it has loaded its weights.

        Raises:
            UnavailableError: it cannot load; it goes on trying, so the weights may come later.
        """
        self._want()
        deadline = time.monotonic() + wait_seconds
        while not self._ready.wait(0.05):
            if self._error and self.restarts:
                raise UnavailableError(self._error)
            if time.monotonic() > deadline:
                raise UnavailableError(f"the recogniser did not load within {wait_seconds:.0f} s")

    def ask(self, pcm: Samples, hotwords: str, timeout_seconds: float) -> dict[str, Any]:
        """Send one question and wait for its answer.

        Raises:
            UnavailableError: the process is away, died over this question, reports an error or takes too long.
        """
        if not self._ready.is_set():
            if self._is_kept and self.restarts:
                raise UnavailableError(self._error)
            self.start()
        future: Future[dict[str, Any]] = Future()
        number = next(self._ids)
        with self._lock:
            child = self._child
            if child is None or not self._ready.is_set():
                raise UnavailableError(self._error)
            self._waiting[number] = future
        try:
            with self._sending:
                assert child.stdin is not None
                write_message(child.stdin, {"id": number, "hotwords": hotwords}, to_pcm16(pcm))  # type: ignore[arg-type]
            answer = future.result(timeout_seconds)
        except TimeoutError as error:
            child.kill()
            raise UnavailableError(f"the recogniser took longer than {timeout_seconds:.0f} s and was started again") from error
        except (OSError, ValueError) as error:
            raise UnavailableError("the recogniser stopped; it is being started again") from error
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            raise UnavailableError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the process for good."""
        self._closed.set()
        self._wanted.set()
        with self._lock:
            if self._child is not None:
                self._child.kill()
        if self._thread is not None:
            self._thread.join(5)

    def _want(self) -> None:
        if self._closed.is_set():
            raise UnavailableError("the recogniser was closed")
        self._wanted.set()
        with self._lock:
            if self._thread is None:
                # The kernel's parent-death signal follows the thread that started the child: this one lives as long as we do.
                self._thread = threading.Thread(target=self._supervise, name="recogniser", daemon=True)
                self._thread.start()

    def _supervise(self) -> None:
        pause = _SHORTEST_PAUSE_SECONDS
        while not self._closed.is_set():
            self._wanted.wait()
            if self._closed.is_set():
                return
            began = time.monotonic()
            self._run_once()
            if self._closed.is_set():
                return
            self.restarts += 1
            log.warning("recogniser_stopped", task=self._config.task, error=self._error, restarts=self.restarts)
            if not self._is_kept:
                self._wanted.clear()
            pause = _SHORTEST_PAUSE_SECONDS if time.monotonic() - began > 60 else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self._closed.wait(pause if self._is_kept else 0)

    def _run_once(self) -> None:
        command = [sys.executable, "-m", "telephony.adapters.whisper_child", str(os.getpid())]
        with self._lock:
            if self._closed.is_set():
                return
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT_DIR)
            self._child = child
        try:
            assert child.stdin is not None
            assert child.stdout is not None
            write_message(child.stdin, self._config.message())  # type: ignore[arg-type]
            self._listen(child, lambda: read_message(child.stdout))  # type: ignore[arg-type]
        except (OSError, ValueError):
            self._error = "the recogniser stopped; it is being started again"
        finally:
            self._ready.clear()
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    _close_quietly(stream)
            with self._lock:
                self._child = None
                waiting = list(self._waiting.values())
            for future in waiting:
                if not future.done():
                    future.set_exception(OSError("the recogniser stopped"))

    def _listen(self, child: subprocess.Popen[bytes], read: Callable[[], tuple[dict[str, Any], bytes] | None]) -> None:
        first = read()
        if first is None or not first[0]["ready"]:
            self._error = first[0]["error"] if first else "the recogniser could not be started; its own output says why"
            return
        self._error = "the recogniser stopped; it is being started again"
        self._ready.set()
        log.info("recogniser_ready", task=self._config.task, pid=child.pid)
        while (message := read()) is not None:
            future = self._waiting.get(message[0]["id"])
            if future is not None and not future.done():
                future.set_result(message[0])


def _close_quietly(stream: Any) -> None:
    try:
        stream.close()
    except OSError:
        return  # what was buffered for a dead child is lost with it
