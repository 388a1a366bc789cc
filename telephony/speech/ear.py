"""Listens to one party: an unbroken stream in, the beginnings and ends of speech out, each with the moment it arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from telephony.speech.endpointing import SAMPLE_RATE, WINDOW_SAMPLES, Endpointer, EndpointingRules, Samples, SpeechBegan, Utterance
from telephony.speech.tap_buffer import Chunk

_FORGET_AFTER_SAMPLES: Final = SAMPLE_RATE  # after a longer gap the detector starts afresh


class SpeechDetector(Protocol):
    """Gives each window of 512 samples the probability that it is speech, remembering the windows before."""

    def probabilities(self, pcm: Samples) -> list[float]: ...

    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something decided, and when the audio that decided it arrived (the reader's clock)."""

    what: SpeechBegan | Utterance
    arrived_at: float
    last_sample_at: float


class Ear:
    """One party's detector and endpointer; used by one thread."""

    def __init__(self, detector: SpeechDetector, rules: EndpointingRules | None = None) -> None:
        self._detector = detector
        self._endpointer = Endpointer(rules)
        self._rest: Samples = np.zeros(0, np.float32)
        self._arrived_at = 0.0

    @property
    def is_pausing(self) -> bool:
        """Tell whether the party has stopped speaking and may have ended."""
        return self._endpointer.is_pausing

    def draft(self) -> Utterance:
        """Return, in a pause, the utterance that it will be if the party doesn't speak on."""
        return self._endpointer.draft()

    def hear(self, chunks: Iterable[Chunk]) -> list[Noticed]:
        """Take what arrived and return what it decides."""
        noticed: list[Noticed] = []
        sound: list[Samples] = []
        for chunk in chunks:
            self._arrived_at = chunk.arrived_at
            if chunk.pcm is not None:
                sound.append(chunk.pcm)
                continue
            noticed += self._listen(sound)
            sound = []
            noticed += self._skip(chunk.gap)
        return noticed + self._listen(sound)

    def pass_over(self, chunks: Iterable[Chunk]) -> list[Noticed]:
        """Take what arrived as silence, whatever it is: the party is on hold."""
        gaps = [Chunk(c.arrived_at, None, c.gap if c.pcm is None else len(c.pcm)) for c in chunks]
        return self.hear(gaps)

    def flush(self) -> list[Noticed]:
        """End what is being said: nothing more will come, or it is not meant for us."""
        return [self._noticed(what, 0) for what in self._endpointer.flush()]

    def _listen(self, sound: list[Samples]) -> list[Noticed]:
        pcm = np.concatenate([self._rest, *sound]) if sound else self._rest
        whole = len(pcm) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._rest = pcm[whole:]
        if not whole:
            return []
        noticed: list[Noticed] = []
        for index, probability in enumerate(self._detector.probabilities(pcm[:whole])):
            end = (index + 1) * WINDOW_SAMPLES
            decided = self._endpointer.feed(pcm[end - WINDOW_SAMPLES : end], probability)
            noticed += [self._noticed(what, len(pcm) - end) for what in decided]
        return noticed

    def _skip(self, gap: int) -> list[Noticed]:
        if gap >= _FORGET_AFTER_SAMPLES:
            self._detector.reset()
        fill = min(gap, -len(self._rest) % WINDOW_SAMPLES)
        noticed = self._listen([np.zeros(fill, np.float32)]) if fill else []
        windows, rest = divmod(gap - fill, WINDOW_SAMPLES)
        noticed += [self._noticed(what, rest) for what in self._endpointer.skip(windows)]
        if rest:
            self._rest = np.concatenate([self._rest, np.zeros(rest, np.float32)])
        return noticed

    def _noticed(self, what: SpeechBegan | Utterance, later_samples: int) -> Noticed:
        arrived_at = self._arrived_at - later_samples / SAMPLE_RATE
        end = what.speech_end_seconds if isinstance(what, Utterance) else what.start_seconds
        return Noticed(what, arrived_at, arrived_at - max(0.0, self._endpointer.position_seconds - end))
