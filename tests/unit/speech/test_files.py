import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInputError
from telephony.speech.audio import write_wav
from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.files import final_recognizer, join, live_recognizer, transcribe_file
from telephony.speech.guards import Decoded
from tests.fakes.speech import FakeDetector, FakeSpeechToText


@pytest.fixture
def two_sentences(tmp_path: Path) -> Path:
    """Loud from 1 to 3 s and from 5 to 6 s of 8 s, at 8 kHz."""
    pcm = np.zeros(8 * 8000, np.float32)
    pcm[8000 : 3 * 8000] = pcm[5 * 8000 : 6 * 8000] = 0.3
    path = tmp_path / "voice.wav"
    path.write_bytes(write_wav(pcm, 8000))
    return path


def speak(*texts: str):  # type: ignore[no-untyped-def]
    waiting = list(texts)

    def decode(pcm: Samples, window_frames: int, beam: int, prompt: str) -> Decoded:
        return Decoded(waiting.pop(0))

    return decode


def test_a_file_is_cut_decoded_and_written_as_a_call_would_be(two_sentences: Path) -> None:
    heard = transcribe_file(two_sentences, "live", live_recognizer(FakeDetector, speak("我想辦居住證", "在哪里")))
    assert heard.text == "我想办居住证，在哪里"
    assert [(round(s.start_seconds, 1), round(s.end_seconds, 1)) for s in heard.segments] == [(0.8, 3.2), (4.8, 6.2)]
    written = json.loads(json.dumps(heard.as_json(), ensure_ascii=False))
    assert written["seconds"] == 8
    assert written["segments"][1]["text"] == "在哪里"
    assert set(written) == {"file", "mode", "seconds", "took_seconds", "cpu_seconds", "text", "segments"}


def test_masking_reaches_across_segments(two_sentences: Path) -> None:
    hear = final_recognizer(FakeSpeechToText(["号码一三八零零", "一三八零零零"]))
    assert transcribe_file(two_sentences, "final", hear, is_masked=True).text == "号码〔电话号〕〔电话号〕"
    assert transcribe_file(two_sentences, "final", hear).text == "号码一三八零零，一三八零零零"


def test_speech_up_to_the_last_sample_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(write_wav(np.full(2 * SAMPLE_RATE, 0.3, np.float32)))
    assert transcribe_file(path, "live", live_recognizer(FakeDetector, speak("到最后"))).text == "到最后"


def test_an_empty_file_is_no_text_and_a_missing_one_an_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.write_bytes(write_wav(np.zeros(0, np.float32)))
    assert transcribe_file(path, "live", live_recognizer(FakeDetector, speak())).text == ""
    with pytest.raises(InvalidInputError):
        transcribe_file(tmp_path / "none.wav", "live", live_recognizer(FakeDetector, speak()))


def test_joining_puts_a_comma_only_where_no_mark_stands() -> None:
    assert join(iter(["一", "二。", "三"])) == "一，二。三"
