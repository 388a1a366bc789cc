"""Hears a short spoken answer: the engine, its spelling and the masking of numbers, as for live calls."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from telephony.ports import Pcm, Recognized
from telephony.speech.audio import read_wav
from telephony.speech.files import transcribe_file

AnswerRecognizer = Callable[[Pcm, str], list[Recognized]]
"""Hears 16 kHz audio, expecting some words, as a list divided by 、."""

_LOUD = 0.01  # of full scale, about -40 dB: the ten loudest milliseconds of a word lie far above it
_WINDOW_SECONDS = 0.01


class AnswerEars:
    """Loads its engine at the first answer, or beforehand; one answer at a time, for they are short and cores are few."""

    def __init__(self, load: Callable[[], AnswerRecognizer]) -> None:
        """Prepare; `load` may raise UnavailableError, and is then asked again with the next answer."""
        self._load = load
        self._lock = threading.Lock()
        self._recognizer: AnswerRecognizer | None = None

    def warm_up(self) -> None:
        """Load the engine; raises UnavailableError."""
        with self._lock:
            self._engine()

    def __call__(self, file: Path, expected: str = "") -> str:
        """Return what was said, masked; nothing for silence. One word alone is hardly heard unless it is `expected`.

        Raises:
            UnavailableError: no weights, or the engine does not answer.
            InvalidInputError: the file is not a sound.
        """
        if not is_loud(file):
            return ""
        with self._lock:
            hear = self._engine()
            return transcribe_file(file, "live", lambda pcm: hear(pcm, expected), is_masked=True).text

    def _engine(self) -> AnswerRecognizer:
        if self._recognizer is None:
            self._recognizer = self._load()
        return self._recognizer


def is_loud(file: Path) -> bool:
    """Say whether anything in a file is louder than a quiet line: silence costs no recognition."""
    audio = read_wav(file)
    step = max(1, int(audio.rate * _WINDOW_SECONDS))
    whole = len(audio.samples) // step * step
    if not whole:
        return False
    windows = audio.samples[:whole].reshape(-1, step)
    return bool(np.sqrt((windows**2).mean(axis=1)).max() > _LOUD)
