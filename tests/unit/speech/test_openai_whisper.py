"""The openai-whisper adapter against a stand-in for the library; the contract suite runs the real one where weights are given."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from core.errors import UnavailableError
from telephony.adapters.openai_whisper_speech import OpenAIWhisperSpeech

SECOND = np.zeros(16000, np.float32)


class Model:
    def __init__(self) -> None:
        self.options: dict[str, Any] = {}

    def transcribe(self, audio: object, **options: Any) -> dict[str, Any]:
        self.options = options
        common = {"avg_logprob": -0.1, "no_speech_prob": 0.1}
        return {
            "segments": [
                {"start": 0.1, "end": 9.0, "text": " 居住证怎么办 "} | common,
                {"start": 0.9, "end": 1.0, "text": "感谢观看"} | common,
            ]
        }


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("whisper")
    module.model = Model()  # type: ignore[attr-defined]
    module.load_model = lambda path, device: module.model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "whisper", module)
    return module


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "base.pt"
    path.touch()
    return path


def test_segments_come_back_guarded_and_inside_the_audio(library: ModuleType, checkpoint: Path) -> None:
    (heard,) = OpenAIWhisperSpeech(checkpoint).transcribe(SECOND, "居住证 社保")
    assert (heard.start_seconds, heard.end_seconds, heard.text) == (0.1, 1.0, "居住证怎么办")
    assert heard.confidence == pytest.approx(0.905, abs=0.01)
    options = library.model.options
    assert (options["language"], options["condition_on_previous_text"], options["fp16"]) == ("zh", False, False)
    assert options["initial_prompt"] == "居住证 社保"


def test_a_missing_library_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, checkpoint: Path) -> None:
    monkeypatch.setitem(sys.modules, "whisper", None)
    with pytest.raises(UnavailableError, match=r"requirements/openai-whisper\.txt"):
        OpenAIWhisperSpeech(checkpoint).transcribe(SECOND)


def test_a_damaged_checkpoint_is_said_with_what_to_do(library: ModuleType, checkpoint: Path) -> None:
    def fail(path: str, device: str) -> None:
        raise RuntimeError("invalid magic number")

    library.load_model = fail  # type: ignore[attr-defined]
    with pytest.raises(UnavailableError, match=r"damaged \(invalid magic number\).*SPEECH_MODEL"):
        OpenAIWhisperSpeech(checkpoint).transcribe(SECOND)
