"""Decides which parts of a recording hold the conversation: while an agent and the citizen are connected and nobody is on hold.

The agent's file holds everything that the citizen heard, prompts and hold music too; they must not become an agent's words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from telephony.speech.audio import Audio

_SHORTEST_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time."""

    start_at: datetime
    end_at: datetime

    @property
    def seconds(self) -> float:
        return (self.end_at - self.start_at).total_seconds()


def talk_windows(connected: Iterable[Window], held: Iterable[Window]) -> list[Window]:
    """Return the connected times without the held ones, merged and in order."""
    talking: list[Window] = []
    for window in sorted(connected, key=lambda w: w.start_at):
        if talking and window.start_at <= talking[-1].end_at:
            talking[-1] = Window(talking[-1].start_at, max(talking[-1].end_at, window.end_at))
        else:
            talking.append(window)
    for pause in held:
        talking = [part for window in talking for part in _without(window, pause)]
    return [window for window in talking if window.seconds >= _SHORTEST_SECONDS]


def spoken_part(audio: Audio, started_at: datetime, windows: list[Window]) -> tuple[Audio, float]:
    """Return the recording from its first to its last window, silent in between, and how many seconds into it that begins."""
    spans = [(max(0.0, (w.start_at - started_at).total_seconds()), (w.end_at - started_at).total_seconds()) for w in windows]
    spans = [(start, min(end, audio.seconds)) for start, end in spans if min(end, audio.seconds) - start >= _SHORTEST_SECONDS]
    if not spans:
        return Audio(audio.samples[:0], audio.rate), 0.0
    first, last = spans[0][0], spans[-1][1]
    kept = np.zeros_like(audio.samples)
    for start, end in spans:
        part = slice(round(start * audio.rate), round(end * audio.rate))
        kept[part] = audio.samples[part]
    return Audio(kept, audio.rate).part(first, last), first


def _without(window: Window, pause: Window) -> list[Window]:
    if pause.end_at <= window.start_at or pause.start_at >= window.end_at:
        return [window]
    before = [Window(window.start_at, pause.start_at)] if pause.start_at > window.start_at else []
    after = [Window(pause.end_at, window.end_at)] if pause.end_at < window.end_at else []
    return before + after
