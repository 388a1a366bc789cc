"""`SpeechToText` by faster-whisper in this process: stock 30 s windows behind the voice detector, for whole recordings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from telephony.adapters.whisper_engine import load_model
from telephony.ports import Recognized
from telephony.speech import short_window
from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.guards import (
    COMPRESSION_LIMIT,
    LOG_PROBABILITY_LIMIT,
    NO_SPEECH_LIMIT,
    Decoded,
    is_invented,
)

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

FINAL_BEAM: Final = 5
_SLICE_SECONDS: Final = 600.0  # bounds the memory that the features of a long call take


class FasterWhisperSpeech:
    """Loads the weights at the first recording and keeps them."""

    name = "faster-whisper"

    def __init__(self, model_folder: Path | None, *, device: str = "cpu", threads: int = 1, beam: int = FINAL_BEAM) -> None:
        self._folder = model_folder
        self._device = device
        self._threads = threads
        self._beam = beam
        self._model: WhisperModel | None = None

    def load(self) -> WhisperModel:
        """Return the loaded model; UnavailableError says what is wrong with the weights."""
        if self._model is None:
            self._model = load_model(self._folder, device=self._device, threads=self._threads)
        return self._model

    def transcribe(self, audio: Samples, hotwords: str = "") -> list[Recognized]:
        """Return what was said in `audio` (16 kHz, −1..1)."""
        model = self.load()
        heard: list[Recognized] = []
        offset = 0.0
        for piece in short_window.cut(audio, _SLICE_SECONDS):
            heard += self._transcribe_slice(model, piece, hotwords, offset)
            offset += len(piece) / SAMPLE_RATE
        return heard

    def _transcribe_slice(self, model: WhisperModel, audio: Samples, hotwords: str, offset: float) -> Iterable[Recognized]:
        if not len(audio):
            return
        segments, _ = model.transcribe(
            audio,
            language="zh",
            beam_size=self._beam,
            condition_on_previous_text=False,
            vad_filter=True,
            vad_parameters={"min_silence_duration_ms": 500, "speech_pad_ms": 200},
            compression_ratio_threshold=COMPRESSION_LIMIT,
            log_prob_threshold=LOG_PROBABILITY_LIMIT,
            no_speech_threshold=NO_SPEECH_LIMIT,
            hotwords=hotwords or None,
        )
        for segment in segments:
            recognized = believe(segment, offset, len(audio) / SAMPLE_RATE, hotwords)
            if recognized is not None:
                yield recognized


def believe(segment: Any, offset: float, limit: float, hotwords: str) -> Recognized | None:
    """Return a library segment (faster-whisper's fields) as ours, or None when nobody said it."""
    start, end = max(0.0, float(segment.start)), min(limit, float(segment.end))
    decoded = Decoded(segment.text.replace("\ufffd", "").strip(), float(segment.avg_logprob), float(segment.no_speech_prob))
    if is_invented(decoded, max(0.2, end - start), hotwords):
        return None
    confidence = min(1.0, math.exp(min(0.0, decoded.mean_log_probability)))
    return Recognized(offset + start, offset + max(start, end), decoded.text, confidence)
