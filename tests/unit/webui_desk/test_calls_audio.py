"""Two recordings played as one file, by any range."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from webui.calls_audio import BUCKETS, HEADER_BYTES, CallAudio, Lane, levels, open_lane, peaks_of


def recorded(path: Path, samples: np.ndarray, rate: int = 8000) -> Lane:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    lane = open_lane(path)
    assert lane is not None
    return lane


@pytest.fixture
def audio(tmp_path: Path) -> CallAudio:
    random = np.random.default_rng(1)
    citizen = recorded(tmp_path / "c.wav", random.integers(-9000, 9000, 40_000))
    return CallAudio(citizen, recorded(tmp_path / "a.wav", random.integers(-9000, 9000, 33_333)))


def whole(audio: CallAudio) -> bytes:
    return b"".join(audio.read(0, audio.size))


def test_the_whole_is_a_stereo_file_with_each_party_in_its_channel(audio: CallAudio) -> None:
    with wave.open(io.BytesIO(whole(audio))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, 40_000)
        frames = np.frombuffer(file.readframes(40_000), "<i2").reshape(-1, 2)
    assert audio.citizen is not None
    assert audio.agent is not None
    assert (frames[:, 0] == audio.citizen.samples()).all()
    assert (frames[:33_333, 1] == audio.agent.samples()).all()
    assert not frames[33_333:, 1].any(), "the shorter one ends in silence"


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, 44), (43, 46), (44, 48), (45, 47), (1001, 99_999), (131_100, 131_127), (160_000, 160_044)]
)
def test_any_range_is_what_the_whole_has_there(audio: CallAudio, start: int, stop: int) -> None:
    assert b"".join(audio.read(start, stop)) == whole(audio)[start:stop]


def test_a_missing_party_is_silence_and_no_file_is_none(tmp_path: Path, audio: CallAudio) -> None:
    alone = CallAudio(None, audio.agent)
    assert alone.frames == 33_333
    assert not np.frombuffer(whole(alone)[HEADER_BYTES:], "<i2")[0::2].any()
    assert open_lane(tmp_path / "nothing.wav") is None
    (tmp_path / "text.wav").write_text("RIFF but not at all a recording, whatever the name says it is here")
    assert open_lane(tmp_path / "text.wav") is None
    (tmp_path / "short.wav").write_bytes(b"RIFF")
    assert open_lane(tmp_path / "short.wav") is None


def test_a_writer_that_was_killed_left_the_length_at_zero(tmp_path: Path) -> None:
    path = tmp_path / "killed.wav"
    recorded(path, np.ones(800))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 40, 0)
    path.write_bytes(data)
    lane = open_lane(path)
    assert lane is not None
    assert lane.frames == 800


def test_levels_show_speech_and_not_line_noise(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).normal(0, 20, 36_000)
    samples[:18_000] += 8000 * np.sin(np.arange(18_000))
    found = levels(recorded(tmp_path / "x.wav", samples), 36_000)
    assert len(found) == BUCKETS
    assert min(found[: BUCKETS // 2 - 1]) > 60
    assert max(found[BUCKETS // 2 + 1 :]) < 8


def test_levels_are_kept_until_the_file_changes(tmp_path: Path, audio: CallAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "peaks" / "call.json"
    first = peaks_of(audio, cache)
    monkeypatch.setattr(CallAudio, "peaks", lambda self: pytest.fail("worked out again"))
    assert peaks_of(audio, cache) == first
    monkeypatch.undo()
    changed = CallAudio(recorded(tmp_path / "c.wav", np.zeros(40_000)), audio.agent)
    assert peaks_of(changed, cache)[0] == [0] * BUCKETS
    cache.write_text("{broken")
    assert peaks_of(changed, cache)[0] == [0] * BUCKETS
