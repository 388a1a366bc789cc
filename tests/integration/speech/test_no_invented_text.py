"""Two minutes of silence, of noise and of hold music: no text, and faster than they last."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.settings import PROJECT_DIR
from telephony.adapters.faster_whisper_speech import FasterWhisperSpeech
from telephony.adapters.silero_vad import SileroModel, SileroStream
from telephony.adapters.whisper_engine import WhisperWindow, load_window
from telephony.ports import Recognized
from telephony.speech import short_window
from telephony.speech.audio import read_wav
from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.files import final_recognizer, live_recognizer
from telephony.speech.normalization import normalize

SECONDS = 120
MUSIC = sorted((PROJECT_DIR / "telephony/asterisk/moh").rglob("*.wav"))


def silence() -> Samples:
    return np.zeros(SECONDS * SAMPLE_RATE, np.float32)


def noise() -> Samples:
    """Line noise with crackles, swelling and fading."""
    random = np.random.default_rng(18)
    count = SECONDS * SAMPLE_RATE
    hiss = random.normal(0, 1, count) * (0.01 + 0.05 * np.sin(np.arange(count) / SAMPLE_RATE) ** 2)
    crackle = (random.random(count) < 2e-4) * random.normal(0, 0.5, count)
    return np.clip(hiss + crackle, -1, 1).astype(np.float32)


def hum() -> Samples:
    """Mains hum and a dial tone."""
    at = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    return (0.1 * np.sin(at * 100 * np.pi) + 0.2 * np.sin(at * 900 * np.pi) * (at % 5 < 1)).astype(np.float32)


def tune() -> Samples:
    """Notes of a plucked string, which the detector takes for a voice now and then."""
    random = np.random.default_rng(4)
    played = np.zeros(SECONDS * SAMPLE_RATE, np.float32)
    at = 0.0
    while at < SECONDS - 1:
        duration = float(random.choice([0.25, 0.5, 1.0]))
        time_of = np.arange(int(duration * SAMPLE_RATE)) / SAMPLE_RATE
        pitch = 220 * 2 ** (random.choice([0, 2, 4, 7, 9, 12, 14, 16]) / 12)
        note = sum(np.sin(2 * np.pi * pitch * h * time_of + 0.2 * h * np.sin(10 * np.pi * time_of)) / h for h in (1, 2, 3, 4))
        start = int(at * SAMPLE_RATE)
        played[start : start + len(note)] += (0.2 * note * np.exp(-2 * time_of)).astype(np.float32)
        at += 0.9 * duration
    return played


def music() -> Samples:
    if not MUSIC:
        pytest.fail("the project's hold music is missing")
    played = np.concatenate([read_wav(path).at_16k() for path in MUSIC])
    return np.resize(played, SECONDS * SAMPLE_RATE)


@pytest.fixture(scope="module")
def engine(weights: Path) -> FasterWhisperSpeech:
    return FasterWhisperSpeech(weights)


@pytest.fixture(scope="module")
def window(weights: Path) -> WhisperWindow:
    return load_window(weights)


@pytest.mark.parametrize("mode", ["live", "final"])
@pytest.mark.parametrize("sound", [silence, noise, hum, tune, music])
def test_nobody_speaks(engine: FasterWhisperSpeech, window: WhisperWindow, sound: Callable[[], Samples], mode: str) -> None:
    if mode == "live":
        detector = SileroModel()
        recognize = live_recognizer(lambda: SileroStream(detector), window)
    else:
        recognize = final_recognizer(engine)
    pcm = sound()
    began = time.monotonic()
    heard: list[Recognized] = recognize(pcm)
    took = time.monotonic() - began
    assert [normalize(each.text) for each in heard] == []
    assert took < SECONDS / 4


@pytest.mark.parametrize("hotwords", ["", "营业执照 户口迁移 居住证 异地就医备案 不动产登记 公积金提取"])
@pytest.mark.parametrize("sound", [silence, noise, tune])
def test_what_gets_past_the_detector_is_caught_by_the_guards(
    window: WhisperWindow, sound: Callable[[], Samples], hotwords: str
) -> None:
    pcm = sound()
    for start, seconds in ((3, 1), (20, 4)):
        piece = pcm[start * SAMPLE_RATE : (start + seconds) * SAMPLE_RATE]
        assert short_window.decode(window, piece, prompt=hotwords).text == ""
