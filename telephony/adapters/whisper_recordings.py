"""`SpeechToText` in a process of its own, so that a worker killed in mid-recording leaves nothing running and no memory held."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from telephony.adapters.whisper_process import ChildConfig, WhisperProcess
from telephony.ports import Recognized
from telephony.speech.endpointing import SAMPLE_RATE, Samples

_PATIENCE: Final = 8.0  # times the length of the recording; a loaded machine is slow, a hung one is slower
_LEAST_PATIENCE_SECONDS: Final = 180.0
POLITE: Final = 10  # below the live recogniser, which is below Asterisk


class WhisperRecordings:
    """Runs faster-whisper or openai-whisper in a child that is started at the first recording and ended by `close`."""

    def __init__(self, engine: str, model: Path | None, *, device: str = "cpu", threads: int = 1, nice: int = POLITE) -> None:
        self.name = engine
        self.process = WhisperProcess(
            ChildConfig("final", model, engine=engine, device=device, workers=threads, nice=nice), is_kept=False
        )

    def transcribe(self, audio: Samples, hotwords: str = "") -> list[Recognized]:
        """Return what was said in `audio` (16 kHz, −1..1)."""
        if not len(audio):
            return []
        patience = max(_LEAST_PATIENCE_SECONDS, _PATIENCE * len(audio) / SAMPLE_RATE)
        answer = self.process.ask(audio, hotwords, patience)
        return [Recognized(**segment) for segment in answer["segments"]]

    def close(self) -> None:
        """End the child."""
        self.process.close()
