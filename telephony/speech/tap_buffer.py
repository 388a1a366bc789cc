"""Keeps the time of one tapped party: frames in by one thread, an unbroken stream out to another.

AudioSocket has no timestamps, and a party on hold sends nothing at all. So the arrival clock decides where silence belongs, and
what a slow listener leaves behind becomes a counted gap instead of a blocked reader.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from telephony.speech.audio import from_pcm16, resample
from telephony.speech.endpointing import SAMPLE_RATE, Samples

SILENT_AFTER_SECONDS: Final = 0.6  # longer than jitter, about what ends an utterance anyway
JITTER_SECONDS: Final = 0.1
LONGEST_BACKLOG_SECONDS: Final = 15.0
_QUIET: Final = 0.006  # peak of a frame that may be let go to catch up with the clock


@dataclass(slots=True)
class TapCounters:
    """What happened on one tap."""

    frames: int = 0
    seconds: float = 0.0
    inserted_seconds: float = 0.0
    dropped_seconds: float = 0.0
    dropped_frames: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of the stream that ends at `arrived_at` (the reader's clock): samples, or `gap` samples of silence."""

    arrived_at: float
    pcm: Samples | None
    gap: int = 0


class TapBuffer:
    """A bounded queue of audio that never blocks who fills it. Times are of one monotonic clock, in seconds."""

    def __init__(self, longest_backlog_seconds: float = LONGEST_BACKLOG_SECONDS) -> None:
        self.counters = TapCounters()
        self.is_ended = False
        self._lock = threading.Lock()
        self._chunks: deque[Chunk] = deque()
        self._waiting = 0
        self._longest = int(longest_backlog_seconds * SAMPLE_RATE)
        self._began_at: float | None = None
        self._position = 0
        self._skipped = 0
        self._skipped_at = 0.0

    @property
    def began_at(self) -> float | None:
        """When the first frame came."""
        return self._began_at

    def receive(self, samples: bytes, rate: int, now: float) -> None:
        """Take one frame of 16-bit samples."""
        pcm = resample(from_pcm16(samples), rate)
        with self._lock:
            self.counters.frames += 1
            self.counters.seconds += len(pcm) / SAMPLE_RATE
            if self._began_at is None:
                self._began_at = now - len(pcm) / SAMPLE_RATE
            behind = self._behind(now) - len(pcm)
            if behind >= SILENT_AFTER_SECONDS * SAMPLE_RATE:
                self._insert(behind, now)
            elif behind < -2 * JITTER_SECONDS * SAMPLE_RATE and float(np.abs(pcm).max(initial=0.0)) < _QUIET:
                return  # a burst after a stall that was filled with silence: give that silence back
            self._append(Chunk(now, pcm), len(pcm))

    def end(self) -> None:
        """Say that nothing more will come."""
        self.is_ended = True

    def take(self, now: float) -> list[Chunk]:
        """Return what came since the last call, silence for what should have come included."""
        with self._lock:
            if self._began_at is not None and not self.is_ended:
                behind = self._behind(now)
                if behind >= SILENT_AFTER_SECONDS * SAMPLE_RATE:
                    self._insert(behind - int(JITTER_SECONDS * SAMPLE_RATE), now)
            chunks = [Chunk(self._skipped_at, None, self._skipped)] if self._skipped else []
            chunks += self._chunks
            self._chunks.clear()
            self._waiting = self._skipped = 0
            return chunks

    def _behind(self, now: float) -> int:
        assert self._began_at is not None
        return int((now - self._began_at) * SAMPLE_RATE) - self._position

    def _insert(self, samples: int, now: float) -> None:
        self.counters.inserted_seconds += samples / SAMPLE_RATE
        self._append(Chunk(now, None, samples), 0)
        self._position += samples

    def _append(self, chunk: Chunk, heard: int) -> None:
        self._chunks.append(chunk)
        self._position += heard
        self._waiting += heard
        while self._waiting > self._longest:
            # The oldest goes, but its time stays: a gap in its place keeps later speech where it was said.
            old = self._chunks.popleft()
            size = old.gap if old.pcm is None else len(old.pcm)
            self._skipped += size
            self._skipped_at = old.arrived_at
            if old.pcm is not None:
                self._waiting -= size
                self.counters.dropped_frames += 1
                self.counters.dropped_seconds += size / SAMPLE_RATE
