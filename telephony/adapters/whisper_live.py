"""`LiveDecoder` by a recogniser process of its own: short windows, one-thread workers, no part in any recording."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from telephony.adapters.whisper_process import ChildConfig, WhisperProcess
from telephony.speech.endpointing import Samples

_LONGEST_DECODE_SECONDS: Final = 30.0


class WhisperLiveDecoder:
    """Decodes one utterance a call; as many calls at once as it has workers."""

    def __init__(self, model: Path | None, *, device: str = "cpu", workers: int = 2, beam: int = 1, nice: int = 0) -> None:
        self.workers = workers
        self.process = WhisperProcess(ChildConfig("live", model, device=device, workers=workers, beam=beam, nice=nice))

    def start(self) -> None:
        """Load the weights now; UnavailableError says what is wrong with them."""
        self.process.start()

    def decode(self, pcm: Samples, hotwords: str = "") -> str:
        """Return the text of one utterance (16 kHz, −1..1), "" when it was no speech.

        Raises:
            UnavailableError: the process is away; it is being started again.
        """
        return str(self.process.ask(pcm, hotwords, _LONGEST_DECODE_SECONDS)["text"])

    def close(self) -> None:
        """End the process."""
        self.process.close()
