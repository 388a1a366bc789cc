"""Recognisers, detectors, taps and a sink that do what the test says; the contract suite keeps the first one honest."""

import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from core.errors import UnavailableError
from telephony.ports import Pcm, Recognized
from telephony.speech.endpointing import SAMPLE_RATE, WINDOW_SAMPLES
from telephony.speech.live_writer import LiveSegment
from telephony.speech.tap_buffer import TapBuffer

_LOUD = 0.01


class FakeSpeechToText:
    """Hears one segment in every loud stretch of at least 0.2 s; its text says how long that was."""

    name = "fake"

    def __init__(self, texts: list[str] | None = None, error: str = "") -> None:
        self.texts = texts
        self.error = error
        self.asked: list[tuple[float, str]] = []

    def transcribe(self, audio: Pcm, hotwords: str = "") -> list[Recognized]:
        if self.error:
            raise UnavailableError(self.error)
        self.asked.append((len(audio) / SAMPLE_RATE, hotwords))
        spans = loud_spans(audio)
        texts = self.texts if self.texts is not None else [f"说了{end - start:.1f}秒" for start, end in spans]
        return [Recognized(start, end, text, 0.9) for (start, end), text in zip(spans, texts, strict=False)]


def loud_spans(audio: Pcm, pause_seconds: float = 0.5) -> list[tuple[float, float]]:
    """Return the stretches (in seconds) that are not silent."""
    step = SAMPLE_RATE // 50
    blocks = audio[: len(audio) // step * step].reshape(-1, step)
    spans: list[tuple[float, float]] = []
    for index in np.flatnonzero(np.sqrt(np.square(blocks).mean(axis=1)) > _LOUD):
        start = float(index) * 0.02
        if spans and start - spans[-1][1] < pause_seconds:
            spans[-1] = (spans[-1][0], start + 0.02)
        else:
            spans.append((start, start + 0.02))
    return [span for span in spans if span[1] - span[0] >= 0.2]


class FakeDetector:
    """Takes a window for speech when it is loud."""

    def __init__(self) -> None:
        self.resets = 0

    def probabilities(self, pcm: Pcm) -> list[float]:
        return [0.95 if float(np.abs(window).max()) > _LOUD else 0.02 for window in pcm.reshape(-1, WINDOW_SAMPLES)]

    def reset(self) -> None:
        self.resets += 1


class FakeLiveDecoder:
    """Gives out texts in order; each may be held up or fail first."""

    def __init__(self, texts: list[str], workers: int = 1) -> None:
        self.workers = workers
        self.texts = texts
        self.may_go = threading.Event()
        self.may_go.set()
        self.failures = 0
        self.asked: list[tuple[float, str]] = []

    def start(self) -> None: ...

    def decode(self, pcm: Pcm, hotwords: str = "") -> str:
        self.may_go.wait(5)
        if self.failures:
            self.failures -= 1
            raise UnavailableError("away")
        self.asked.append((len(pcm) / SAMPLE_RATE, hotwords))
        return self.texts.pop(0)


class FakeTapServer:
    """Buffers without a network; the test fills them."""

    address = "127.0.0.1:0"

    def __init__(self) -> None:
        self.buffers: dict[uuid.UUID, TapBuffer] = {}

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def expect(self, tap_id: uuid.UUID) -> TapBuffer:
        return self.buffers.setdefault(tap_id, TapBuffer())

    def drop(self, tap_id: uuid.UUID) -> None:
        self.buffers[tap_id].end()

    def totals(self) -> dict[str, float]:
        return {}


@dataclass
class FakeSink:
    """Keeps what it is told; fails as often as it is asked to."""

    failures: int = 0
    started: list[tuple[uuid.UUID, str, datetime]] = field(default_factory=list)
    segments: list[LiveSegment] = field(default_factory=list)
    amendments: list[tuple[uuid.UUID, str]] = field(default_factory=list)
    lags: list[tuple[float, int]] = field(default_factory=list)

    def on_speech_started(self, call_id: uuid.UUID, party: str, started_at: datetime) -> None:
        self.started.append((call_id, party, started_at))

    def on_segment(self, segment: LiveSegment) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("database")
        self.segments.append(segment)

    def on_amendment(self, call_id: uuid.UUID, segment_id: uuid.UUID, text: str) -> None:
        self.amendments.append((segment_id, text))

    def on_lag(self, call_id: uuid.UUID, seconds: float, shed_count: int) -> None:
        self.lags.append((seconds, shed_count))
