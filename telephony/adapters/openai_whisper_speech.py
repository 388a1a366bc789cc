"""`SpeechToText` by openai-whisper, for sites that run its weights.

torch and the library come from requirements/openai-whisper.txt.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from core.errors import UnavailableError
from telephony.adapters.faster_whisper_speech import believe
from telephony.ports import Recognized
from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.guards import COMPRESSION_LIMIT, LOG_PROBABILITY_LIMIT, NO_SPEECH_LIMIT

_HINT: Final = "set SPEECH_MODEL to a .pt file of openai-whisper"


class OpenAIWhisperSpeech:
    """Loads a `.pt` checkpoint at the first recording and keeps it."""

    name = "openai-whisper"

    def __init__(self, checkpoint: Path | None, *, device: str = "cpu", beam: int = 5) -> None:
        self._checkpoint = checkpoint
        self._device = device
        self._beam = beam
        self._model: Any = None

    def load(self) -> Any:
        """Return the loaded model; UnavailableError says what is missing."""
        if self._model is not None:
            return self._model
        if self._checkpoint is None or not self._checkpoint.is_file():
            # By a bare name the library would download; a server without internet must say so at once instead.
            raise UnavailableError(f"there is no openai-whisper checkpoint {self._checkpoint or '(none set)'}: {_HINT}")
        try:
            import whisper
        except ImportError as error:
            raise UnavailableError(
                f"openai-whisper is not installed ({error}): pip install -r requirements/openai-whisper.txt"
            ) from error
        try:
            self._model = whisper.load_model(str(self._checkpoint), device=self._device)
        except Exception as error:  # torch's unpickler raises whatever it meets in a damaged file
            raise UnavailableError(
                f"the checkpoint {self._checkpoint} cannot be loaded, it may be damaged ({error}): {_HINT}"
            ) from error
        return self._model

    def transcribe(self, audio: Samples, hotwords: str = "") -> list[Recognized]:
        """Return what was said in `audio` (16 kHz, −1..1)."""
        model = self.load()
        if not len(audio):
            return []
        result = model.transcribe(
            audio,
            language="zh",
            beam_size=self._beam,
            temperature=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
            condition_on_previous_text=False,
            compression_ratio_threshold=COMPRESSION_LIMIT,
            logprob_threshold=LOG_PROBABILITY_LIMIT,
            no_speech_threshold=NO_SPEECH_LIMIT,
            initial_prompt=hotwords or None,
            fp16=self._device != "cpu",
            verbose=None,
        )
        limit = len(audio) / SAMPLE_RATE
        found = (believe(SimpleNamespace(**segment), 0.0, limit, hotwords) for segment in result["segments"])
        return [recognized for recognized in found if recognized is not None]
