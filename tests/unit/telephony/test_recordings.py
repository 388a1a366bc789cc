"""When a recording counts as lost, and when its growing stopped."""

import uuid
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from telephony.recordings import CUT, MISSING, STALLED, RecordingWatch, RunningFile, seconds_of, verdict

NOW = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("file_seconds", "expected", "reason"),
    [
        (None, 10, MISSING),
        (10, 10, None),
        (8, 10, None),
        (6, 10, CUT),
        (0, 2, None),
        (580, 600, None),
        (560, 600, CUT),
        (11, 10, None),
    ],
)
def test_verdicts(file_seconds: float | None, expected: float, reason: str | None) -> None:
    assert verdict(file_seconds, expected) == reason


def write(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(seconds * 8000) * 2))


def test_length_of_a_file(tmp_path: Path) -> None:
    whole, killed, broken = tmp_path / "whole.wav", tmp_path / "killed.wav", tmp_path / "broken.wav"
    write(whole, 2)
    write(killed, 0)
    with killed.open("ab") as file:
        file.write(bytes(32000))
    broken.write_bytes(b"no wav")
    assert [seconds_of(path) for path in (whole, killed, broken, tmp_path / "none.wav")] == [2, 2, None, None]


def test_a_file_that_stops_growing_is_noticed_once_patience_is_over(tmp_path: Path) -> None:
    watch, first = RecordingWatch(tmp_path, timedelta(seconds=6)), uuid.uuid4()
    files = [RunningFile(first, "a.wav", NOW)]
    (tmp_path / "a.wav").write_bytes(b"x" * 100)
    assert watch.look(files, NOW + timedelta(seconds=1)) == {}
    assert watch.look(files, NOW + timedelta(seconds=6)) == {}
    (tmp_path / "a.wav").write_bytes(b"x" * 200)
    assert watch.look(files, NOW + timedelta(seconds=12)) == {}
    assert watch.look(files, NOW + timedelta(seconds=19)) == {first: STALLED}


def test_a_file_that_never_comes_is_noticed(tmp_path: Path) -> None:
    watch, first = RecordingWatch(tmp_path, timedelta(seconds=6)), uuid.uuid4()
    files = [RunningFile(first, "a.wav", NOW)]
    assert watch.look(files, NOW + timedelta(seconds=5)) == {}
    assert watch.look(files, NOW + timedelta(seconds=7)) == {first: MISSING}
