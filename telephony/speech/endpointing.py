"""Decides where speech begins and ends from one probability per window; runs no model and reads no clock.

A window is 512 samples at 16 kHz (32 ms), what the Silero detector takes at a time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16_000
WINDOW_SAMPLES: Final = 512
WINDOW_SECONDS: Final = WINDOW_SAMPLES / SAMPLE_RATE

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EndpointingRules:
    """When speech counts as begun and as ended.

    Attributes:
        start_probability: a window at or above it is speech.
        stop_probability: speech goes on until windows fall below it (hysteresis, as Silero's own code has it).
        silence_seconds: this much silence ends an utterance.
        pause_seconds: after this much, it is likely to: what has been said so far may be decoded on trial.
        pad_seconds: kept before the first and after the last window of speech.
        shortest_seconds: speech shorter than this is a click or a breath and is let go.
        longest_seconds: an utterance never gets longer, both pads included; a forced cut falls where the voice is weakest.
        search_seconds: how far back from a forced cut the weakest place is looked for.
    """

    start_probability: float = 0.5
    stop_probability: float = 0.35
    silence_seconds: float = 0.5
    pause_seconds: float = 0.25
    pad_seconds: float = 0.2
    shortest_seconds: float = 0.13
    longest_seconds: float = 9.0
    search_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Someone has been speaking since `start_seconds` of the stream."""

    start_seconds: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One piece of speech to decode; times are seconds of the stream, pads left out of neither.

    `speech_end_seconds` is where the last sounding window ended: the moment from which a reader waits for the text.
    """

    start_seconds: float
    end_seconds: float
    speech_end_seconds: float
    pcm: Samples


@dataclass(slots=True)
class _Window:
    index: int
    probability: float
    pcm: Samples


class Endpointer:
    """Turn windows with their speech probability into `SpeechBegan` and `Utterance`; one per party."""

    def __init__(self, rules: EndpointingRules | None = None) -> None:
        self.rules = rules or EndpointingRules()
        self._pad = max(1, round(self.rules.pad_seconds / WINDOW_SECONDS))
        self._silence = max(1, round(self.rules.silence_seconds / WINDOW_SECONDS))
        # Not before the pad after the voice is whole: a draft is the utterance to the last sample, or none.
        self._pause = max(self._pad, round(self.rules.pause_seconds / WINDOW_SECONDS))
        self._shortest = max(1, round(self.rules.shortest_seconds / WINDOW_SECONDS))
        self._longest = int(self.rules.longest_seconds / WINDOW_SECONDS)
        self._before: deque[_Window] = deque(maxlen=self._pad)
        self._held: list[_Window] = []
        self._last_speech = -1
        self._speech_windows = 0
        self._is_announced = False
        self._next_index = 0

    @property
    def position_seconds(self) -> float:
        """How much of the stream has been fed."""
        return self._next_index * WINDOW_SECONDS

    @property
    def is_speaking(self) -> bool:
        return bool(self._held)

    @property
    def is_pausing(self) -> bool:
        """Tell whether a speaker has stopped and may have ended."""
        return self._speech_windows >= self._shortest and self._next_index - 1 - self._last_speech >= self._pause

    def draft(self) -> Utterance:
        """Return, in a pause, the utterance that it will be if nobody speaks on."""
        (utterance,) = self._emit(self._until_pad())
        return utterance

    def feed(self, pcm: Samples, probability: float) -> list[SpeechBegan | Utterance]:
        """Take the next window (512 samples) and return what it decides."""
        window = _Window(self._next_index, probability, pcm)
        self._next_index += 1
        if not self._held:
            if probability < self.rules.start_probability:
                self._before.append(window)
                return []
            self._held = [*self._before, window]
            self._before.clear()
        else:
            self._held.append(window)
        return self._judge(window)

    def flush(self) -> list[SpeechBegan | Utterance]:
        """End what is being said now: the stream is over, or the party was put on hold."""
        if not self._held:
            return []
        return self._finish()

    def skip(self, windows: int) -> list[SpeechBegan | Utterance]:
        """Pass over `windows` of silence without looking at them (a hold: no frames came)."""
        ended = self.flush() if windows >= self._silence else []
        if not self._held:
            self._before.clear()
            self._next_index += windows
            return ended
        for _ in range(windows):
            ended += self.feed(np.zeros(WINDOW_SAMPLES, np.float32), 0.0)
        return ended

    def _judge(self, window: _Window) -> list[SpeechBegan | Utterance]:
        decided: list[SpeechBegan | Utterance] = []
        threshold = self.rules.start_probability if self._last_speech < 0 else self.rules.stop_probability
        if window.probability >= threshold:
            self._last_speech = window.index
            self._speech_windows += 1
            if self._speech_windows >= self._shortest and not self._is_announced:
                self._is_announced = True
                decided.append(SpeechBegan(self._held[0].index * WINDOW_SECONDS))
        if window.index - self._last_speech >= self._silence:
            return decided + self._finish()
        if len(self._held) >= self._longest:
            return decided + self._cut()
        return decided

    def _until_pad(self) -> list[_Window]:
        return [w for w in self._held if w.index <= self._last_speech + self._pad]

    def _finish(self) -> list[SpeechBegan | Utterance]:
        kept = self._until_pad()
        rest = self._held[len(kept) :]
        decided: list[SpeechBegan | Utterance] = [*self._emit(kept)]
        self._reset()
        self._before.extend(rest[-self._pad :])
        return decided

    def _cut(self) -> list[SpeechBegan | Utterance]:
        """Force a cut at the weakest window of the last seconds; what follows begins the next utterance."""
        first = max(1, len(self._held) - round(self.rules.search_seconds / WINDOW_SECONDS))
        position = min(range(first, len(self._held)), key=lambda i: (self._held[i].probability, -i))
        kept, rest = self._held[:position], self._held[position:]
        speech_after = [w for w in rest if w.probability >= self.rules.stop_probability]
        last_kept = [w.index for w in kept if w.probability >= self.rules.stop_probability]
        last_speech = self._last_speech
        self._last_speech = last_kept[-1] if last_kept else kept[-1].index
        decided: list[SpeechBegan | Utterance] = [*self._emit(kept)]
        self._reset()
        if speech_after:
            self._held, self._last_speech, self._speech_windows = rest, last_speech, len(speech_after)
            self._is_announced = True  # it is the same breath: nobody begins to speak here
        else:
            self._before.extend(rest[-self._pad :])
        return decided

    def _emit(self, kept: list[_Window]) -> list[Utterance]:
        if self._speech_windows < self._shortest or not kept:
            return []
        return [
            Utterance(
                start_seconds=kept[0].index * WINDOW_SECONDS,
                end_seconds=(kept[-1].index + 1) * WINDOW_SECONDS,
                speech_end_seconds=(self._last_speech + 1) * WINDOW_SECONDS,
                pcm=np.concatenate([w.pcm for w in kept]),
            )
        ]

    def _reset(self) -> None:
        self._held = []
        self._last_speech = -1
        self._speech_windows = 0
        self._is_announced = False
