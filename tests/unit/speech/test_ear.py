import numpy as np
import pytest

from telephony.speech.ear import Ear, Noticed
from telephony.speech.endpointing import SAMPLE_RATE, SpeechBegan, Utterance
from telephony.speech.tap_buffer import Chunk
from tests.fakes.speech import FakeDetector


def stream(*stretches: tuple[float, float], frame_seconds: float = 0.02) -> list[Chunk]:
    pcm = np.concatenate([np.full(round(seconds * SAMPLE_RATE), level, np.float32) for seconds, level in stretches])
    step = round(frame_seconds * SAMPLE_RATE)
    return [Chunk(100 + min(len(pcm), at + step) / SAMPLE_RATE, pcm[at : at + step]) for at in range(0, len(pcm), step)]


def utterances(noticed: list[Noticed]) -> list[Noticed]:
    return [each for each in noticed if isinstance(each.what, Utterance)]


@pytest.mark.parametrize("frame_seconds", [0.02, 0.03, 0.5, 5.0])
def test_what_is_heard_does_not_depend_on_how_it_came(frame_seconds: float) -> None:
    ear = Ear(FakeDetector())
    noticed = ear.hear(stream((1, 0), (2, 0.5), (1, 0), frame_seconds=frame_seconds))
    (heard,) = utterances(noticed)
    assert isinstance(heard.what, Utterance)
    assert heard.what.speech_end_seconds == pytest.approx(3.0, abs=0.04)
    assert heard.last_sample_at == pytest.approx(103.0, abs=0.04 if frame_seconds < 1 else 0.2)
    assert heard.arrived_at == pytest.approx(103.5, abs=0.05)
    assert sum(isinstance(each.what, SpeechBegan) for each in noticed) == 1


def test_a_gap_ends_speech_and_keeps_the_time() -> None:
    detector = FakeDetector()
    ear = Ear(detector)
    noticed = ear.hear([*stream((1, 0.5)), Chunk(131.0, None, 30 * SAMPLE_RATE + 123)])
    assert len(utterances(noticed)) == 1
    assert detector.resets == 1
    (second,) = utterances(ear.hear(stream((1, 0.5), (0.7, 0))))
    assert isinstance(second.what, Utterance)
    assert second.what.speech_end_seconds == pytest.approx(32.0, abs=0.05)


def test_what_comes_during_a_hold_is_not_heard_but_counts() -> None:
    ear = Ear(FakeDetector())
    ear.hear(stream((1, 0.5)))
    assert len(utterances(ear.flush())) == 1
    assert ear.pass_over(stream((10, 0.5))) == []
    (second,) = utterances(ear.hear(stream((1, 0.5), (0.7, 0))))
    assert isinstance(second.what, Utterance)
    assert second.what.speech_end_seconds == pytest.approx(12.0, abs=0.05)
