import wave
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInputError
from telephony.speech.audio import Audio, from_pcm16, read_wav, to_pcm16, write_wav

TONE = (0.5 * np.sin(np.arange(8000) * 2 * np.pi * 400 / 8000)).astype(np.float32)


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(write_wav(TONE, 8000))
    audio = read_wav(path)
    assert (audio.rate, audio.seconds) == (8000, 1.0)
    assert np.abs(audio.samples - TONE).max() < 1e-4
    assert len(audio.at_16k()) == 16000


def test_channels_are_mixed(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.array([[1000, 3000]] * 80, "<i2").tobytes())
    assert read_wav(path).samples == pytest.approx(np.full(80, 2000 / 32768))


def test_a_recording_whose_writer_was_killed_is_read_by_its_length(tmp_path: Path) -> None:
    path = tmp_path / "killed.wav"
    data = bytearray(write_wav(TONE, 8000))
    data[4:8] = data[40:44] = bytes(4)
    path.write_bytes(data)
    assert read_wav(path).seconds == 1.0
    path.write_bytes(write_wav(TONE, 8000)[:-333])
    assert read_wav(path).seconds == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "not a WAV"), (b"ID3 an mp3 file, really", "not a WAV"), (b"RIFF\x00\x00\x00\x00WAVE", "not a WAV")],
)
def test_what_is_no_wav_is_refused_with_its_name(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=rf"voice\.wav is {sentence}"):
        read_wav(path)


def test_other_widths_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "eight.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    with pytest.raises(InvalidInputError, match="8 bits"):
        read_wav(path)
    with pytest.raises(InvalidInputError, match="no file"):
        read_wav(tmp_path / "none.wav")


def test_parts_stay_inside() -> None:
    audio = Audio(TONE, 8000)
    assert audio.part(0.25, 0.75).seconds == 0.5
    assert audio.part(0.9, 5).seconds == pytest.approx(0.1)
    assert audio.part(3, 5).seconds == 0


def test_loud_samples_are_clipped_not_wrapped() -> None:
    assert from_pcm16(to_pcm16(np.array([2.0, -2.0], np.float32))) == pytest.approx([1.0, -1.0], abs=1e-3)
