import numpy as np
import pytest

from telephony.speech.endpointing import SAMPLE_RATE
from telephony.speech.tap_buffer import Chunk, TapBuffer

FRAME = (np.ones(320) * 8000).astype("<i2").tobytes()
QUIET = np.ones(320).astype("<i2").tobytes()


def seconds(chunks: list[Chunk]) -> float:
    return sum(chunk.gap if chunk.pcm is None else len(chunk.pcm) for chunk in chunks) / SAMPLE_RATE


def send(buffer: TapBuffer, start: float, duration: float, frame: bytes = FRAME) -> float:
    """Send a frame every 20 ms and return the time after the last."""
    for index in range(round(duration * 50)):
        buffer.receive(frame, 16000, start + (index + 1) * 0.02)
    return start + duration


def test_an_even_stream_comes_out_as_it_went_in() -> None:
    buffer = TapBuffer()
    send(buffer, 100.0, 3.0)
    chunks = buffer.take(103.0)
    assert seconds(chunks) == pytest.approx(3.0)
    assert all(chunk.pcm is not None for chunk in chunks)
    assert buffer.counters.inserted_seconds == 0
    assert buffer.began_at == pytest.approx(100.0)


def test_jitter_is_no_gap() -> None:
    buffer = TapBuffer()
    now = send(buffer, 0, 1.0)
    for _ in range(20):
        buffer.receive(FRAME, 16000, now + 0.4)
    send(buffer, now + 0.4, 1.0)
    assert seconds(buffer.take(2.4)) == pytest.approx(2.4, abs=0.05)
    assert buffer.counters.inserted_seconds == 0


def test_a_hold_becomes_silence_of_its_length_while_it_lasts_and_after() -> None:
    buffer = TapBuffer()
    send(buffer, 0, 1.0)
    assert seconds(buffer.take(1.0)) == pytest.approx(1.0)
    assert buffer.take(1.3) == []
    (silence,) = buffer.take(1.8)
    assert silence.pcm is None
    assert silence.gap / SAMPLE_RATE == pytest.approx(0.7, abs=0.01)
    send(buffer, 60.0, 1.0)
    assert 1.7 + seconds(buffer.take(61.0)) == pytest.approx(61.0, abs=0.05)


def test_a_burst_after_a_stall_gives_the_silence_back_when_nobody_speaks() -> None:
    buffer = TapBuffer()
    send(buffer, 0, 1.0)
    buffer.take(2.0)
    for _ in range(50):
        buffer.receive(FRAME, 16000, 2.0)
    send(buffer, 2.0, 2.0, QUIET)
    send(buffer, 4.0, 1.0)
    buffer.take(5.0)
    counters = buffer.counters
    assert buffer._position / SAMPLE_RATE == pytest.approx(5.0, abs=0.3)
    assert counters.frames == 50 * 5


def test_a_listener_that_never_comes_costs_memory_for_some_seconds_only_and_no_time() -> None:
    buffer = TapBuffer(longest_backlog_seconds=2.0)
    send(buffer, 0, 60.0)
    chunks = buffer.take(60.0)
    heard = sum(len(chunk.pcm) for chunk in chunks if chunk.pcm is not None) / SAMPLE_RATE
    assert heard <= 2.0
    assert seconds(chunks) == pytest.approx(60.0, abs=0.05)
    assert chunks[0].pcm is None
    assert buffer.counters.dropped_seconds == pytest.approx(58.0, abs=0.1)
    assert buffer.counters.frames == 3000


def test_narrow_audio_is_widened() -> None:
    buffer = TapBuffer()
    buffer.receive(bytes(320), 8000, 1.0)
    (chunk,) = buffer.take(1.0)
    assert chunk.pcm is not None
    assert len(chunk.pcm) == 320


def test_an_ended_tap_grows_no_more_silence() -> None:
    buffer = TapBuffer()
    send(buffer, 0, 1.0)
    buffer.end()
    assert seconds(buffer.take(100.0)) == pytest.approx(1.0)


def test_a_tap_that_never_came_gives_nothing() -> None:
    buffer = TapBuffer()
    assert buffer.take(100.0) == []
    assert buffer.began_at is None
