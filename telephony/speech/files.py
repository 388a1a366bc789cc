"""Transcribes WAV files as a call would be, live or after it; behind `manage.py transcribe`, the bench and the tests.

Nothing is stored and nothing is sent to a call. Text is what was heard unless masking is asked for.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from telephony.ports import Recognized, SpeechToText
from telephony.speech import short_window
from telephony.speech.audio import read_wav
from telephony.speech.ear import Ear, Noticed, SpeechDetector
from telephony.speech.endpointing import SAMPLE_RATE, EndpointingRules, Samples, Utterance
from telephony.speech.normalization import normalize
from telephony.speech.redaction import redact_segments
from telephony.speech.short_window import WindowDecoder
from telephony.speech.tap_buffer import Chunk

Mode = Literal["live", "final"]
_FEED_SECONDS: Final = 0.32  # the detector takes what came together; a live stream comes in smaller pieces


@dataclass(frozen=True)
class FileTranscript:
    """What was heard in one file, and what it cost (`cpu_seconds` of this process only)."""

    file: str
    mode: Mode
    seconds: float
    took_seconds: float
    cpu_seconds: float
    text: str
    segments: list[Recognized]

    def as_json(self) -> dict[str, Any]:
        """Return a JSON-ready dict, times and confidences rounded."""
        rounded = {name: round(getattr(self, name), 3) for name in ("seconds", "took_seconds", "cpu_seconds")}
        segments = [{k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(s).items()} for s in self.segments]
        return {"file": self.file, "mode": self.mode, **rounded, "text": self.text, "segments": segments}


Recognizer = Callable[[Samples], list[Recognized]]


def live_recognizer(
    detector: Callable[[], SpeechDetector], decoder: WindowDecoder, *, beam: int = 1, hotwords: str = ""
) -> Recognizer:
    """Return what hears a whole file by the live path: detector, endpointing, short windows."""

    def recognize(pcm: Samples) -> list[Recognized]:
        heard = []
        for utterance in utterances(pcm, detector()):
            found = short_window.decode(decoder, utterance.pcm, beam=beam, prompt=hotwords)
            if found.text:
                heard.append(Recognized(utterance.start_seconds, utterance.end_seconds, found.text, found.confidence))
        return heard

    return recognize


def final_recognizer(engine: SpeechToText, hotwords: str = "") -> Recognizer:
    """Return what hears a whole file as the job after the call does."""
    return lambda pcm: engine.transcribe(pcm, hotwords)


def transcribe_file(path: Path, mode: Mode, recognizer: Recognizer, *, is_masked: bool = False) -> FileTranscript:
    """Transcribe one WAV file.

    Raises:
        InvalidInputError: no such file, or not a 16-bit PCM WAV.
        UnavailableError: the engine's weights are missing or damaged, or it does not answer.
    """
    audio = read_wav(path)
    began, cpu = time.perf_counter(), cpu_seconds()
    heard = recognizer(audio.at_16k())
    texts = [normalize(recognized.text) for recognized in heard]
    if is_masked:
        texts = redact_segments(texts)
    segments = [
        Recognized(recognized.start_seconds, recognized.end_seconds, text, recognized.confidence)
        for recognized, text in zip(heard, texts, strict=True)
        if text
    ]
    took, spent = time.perf_counter() - began, cpu_seconds() - cpu
    return FileTranscript(str(path), mode, audio.seconds, took, spent, join(s.text for s in segments), segments)


def utterances(pcm: Samples, detector: SpeechDetector, rules: EndpointingRules | None = None) -> Iterator[Utterance]:
    """Yield the utterances that the live path would cut `pcm` (16 kHz) into."""
    ear = Ear(detector, rules)
    step = int(_FEED_SECONDS * SAMPLE_RATE)
    noticed: list[Noticed] = []
    for start in range(0, len(pcm), step):
        noticed += ear.hear([Chunk(start / SAMPLE_RATE, pcm[start : start + step])])
    noticed += ear.hear([Chunk(len(pcm) / SAMPLE_RATE, None, SAMPLE_RATE)]) + ear.flush()
    for each in noticed:
        if isinstance(each.what, Utterance):
            yield each.what


def join(texts: Iterator[str]) -> str:
    """Return texts as one line: a comma where one ends without a mark."""
    line = ""
    for text in texts:
        line += ("，" if line and line[-1].isalnum() else "") + text
    return line


def cpu_seconds() -> float:
    """Return the processor time that this process has used, all its threads together."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
