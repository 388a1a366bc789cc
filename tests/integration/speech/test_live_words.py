"""The model that has only the words of Mandarin hears what the whole one hears."""

from pathlib import Path

import pytest

from core.settings import PROJECT_DIR
from telephony.adapters.whisper_engine import WhisperWindow, load_model, load_window
from telephony.adapters.whisper_words import MandarinWords
from telephony.speech.audio import read_wav

QUESTIONS = sorted((PROJECT_DIR / "tests/data/speech").glob("*.wav"))
HOTWORDS = "营业执照 户口迁移 居住证 异地就医备案 不动产登记 公积金提取"


@pytest.fixture(scope="module")
def cut(weights: Path) -> WhisperWindow:
    return load_window(weights)


@pytest.fixture(scope="module")
def whole(weights: Path) -> WhisperWindow:
    return WhisperWindow(load_model(weights), MandarinWords(range(51865)))


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_the_same_text_is_written(cut: WhisperWindow, whole: WhisperWindow, question: Path) -> None:
    pcm = read_wav(question).at_16k()
    for hotwords in ("", HOTWORDS):
        heard, expected = cut(pcm, 1000, 1, hotwords), whole(pcm, 1000, 1, hotwords)
        assert heard.text == expected.text != ""
        assert heard.no_speech_probability == pytest.approx(expected.no_speech_probability, abs=0.01)
