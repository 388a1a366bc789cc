"""Hands live text to its sink in order and without holding up the decoder; what the database refuses for a while is kept."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog

from core.errors import TingjianError, UnavailableError

log = structlog.get_logger()
_RETRY_SECONDS: Final = 0.5
_GIVE_UP_SECONDS: Final = 300.0
_LONGEST: Final = 5000


@dataclass(frozen=True, slots=True)
class LiveSegment:
    """One utterance's text, normalised and masked.

    Attributes:
        segment_id: made here, so that writing it twice is harmless and an amendment can name it.
        start_seconds: from the moment that `open` was told to count from.
        lag_seconds: from the last sounding sample's arrival to this hand-over.
        hops: the moments passed, in seconds since 1970: last_sample, endpoint, decode_start, decode_end, commit.
    """

    segment_id: uuid.UUID
    call_id: uuid.UUID
    party: str
    start_seconds: float
    end_seconds: float
    started_at: datetime
    text: str
    lag_seconds: float
    hops: dict[str, float]


class TranscriptSink(Protocol):
    """Keeps live text. Every method may raise UnavailableError and is then called again with the same values."""

    def on_speech_started(self, call_id: uuid.UUID, party: str, started_at: datetime) -> None:
        """A party began to speak."""
        ...

    def on_segment(self, segment: LiveSegment) -> None:
        """A party said something."""
        ...

    def on_amendment(self, call_id: uuid.UUID, segment_id: uuid.UUID, text: str) -> None:
        """An earlier segment held the beginning of a number: its text is this from now on."""
        ...

    def on_lag(self, call_id: uuid.UUID, seconds: float, shed_count: int) -> None:
        """Live text of the call is so many seconds behind (0: no longer); so many utterances were given up since the last word."""
        ...


class LiveWriter:
    """One thread that writes in the order it was asked to."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._condition = threading.Condition()
        self._waiting: deque[tuple[float, str, Callable[[], None]]] = deque()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="live-writer", daemon=True)
        self.lost = 0

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, name: str, write: Callable[[], None]) -> None:
        """Ask for a write; `name` is for the log."""
        with self._condition:
            if len(self._waiting) >= _LONGEST:
                self._lose("live_writer_full", name)
                return
            self._waiting.append((self._monotonic(), name, write))
            self._condition.notify_all()

    def is_idle(self) -> bool:
        """Tell whether everything asked for has been written."""
        with self._condition:
            return not self._waiting

    def stop(self, patience_seconds: float = 5.0) -> None:
        """Write what is left, as far as the time allows."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join(patience_seconds)

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._waiting and not self._is_stopping:
                    self._condition.wait()
                if not self._waiting:
                    return
                asked_at, name, write = self._waiting[0]
            if self._write(asked_at, name, write):
                with self._condition:
                    self._waiting.popleft()
                    self._condition.notify_all()

    def _write(self, asked_at: float, name: str, write: Callable[[], None]) -> bool:
        """Return whether this write is over: done, or given up."""
        try:
            write()
        except UnavailableError as error:
            if not self._is_stopping and self._monotonic() - asked_at < _GIVE_UP_SECONDS:
                time.sleep(_RETRY_SECONDS)
                return False
            self._lose("live_write_given_up", name, error)
        except TingjianError as error:  # refused for good: the call is gone, or its final transcript is there
            self._lose("live_write_refused", name, error)
        except Exception as error:  # the outermost loop of this thread: one bad write must not silence the others
            self._lose("live_write_failed", name, error)
        return True

    def _lose(self, event: str, name: str, error: Exception | None = None) -> None:
        self.lost += 1
        log.warning(event, write=name, error=repr(error)[:300] if error else None)
