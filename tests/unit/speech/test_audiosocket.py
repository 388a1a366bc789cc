import uuid

import pytest

from telephony.speech.audiosocket import AudioArrived, AudioSocketError, AudioSocketProtocol, Message, TapEnded, TapNamed

TAP = uuid.UUID("0f6a1b2c-3d4e-4f50-8123-456789abcdef")
SAMPLES = bytes(range(256)) * 2 + bytes(128)


def frame(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


STREAM = frame(1, TAP.bytes) + frame(0x12, SAMPLES) + frame(3, b"5") + frame(0x10, b"\x01\x00") + frame(0x77, b"new") + frame(0)
MESSAGES: list[Message] = [TapNamed(TAP), AudioArrived(16000, SAMPLES), AudioArrived(8000, b"\x01\x00"), TapEnded()]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_messages_do_not_depend_on_how_the_stream_was_cut(size: int) -> None:
    protocol = AudioSocketProtocol()
    heard: list[Message] = []
    for start in range(0, len(STREAM), size):
        heard += protocol.receive(STREAM[start : start + size])
    assert heard == MESSAGES


def test_a_connection_that_does_not_begin_with_a_uuid_is_refused_before_it_sends_more() -> None:
    with pytest.raises(AudioSocketError, match="0x47"):
        AudioSocketProtocol().receive(b"GET / HTTP/1.1\r\n")
    with pytest.raises(AudioSocketError):
        AudioSocketProtocol().receive(frame(1, b"short"))


def test_a_second_name_and_half_a_sample_are_refused() -> None:
    protocol = AudioSocketProtocol()
    protocol.receive(frame(1, TAP.bytes))
    with pytest.raises(AudioSocketError, match="half a sample"):
        protocol.receive(frame(0x12, b"odd"))
    again = AudioSocketProtocol()
    with pytest.raises(AudioSocketError, match="twice"):
        again.receive(frame(1, TAP.bytes) * 2)


def test_an_error_of_the_far_side_keeps_its_code() -> None:
    protocol = AudioSocketProtocol()
    assert protocol.receive(frame(1, TAP.bytes) + frame(0xFF, b"\x04"))[1:] == [TapEnded(4)]
    assert protocol.receive(frame(0xFF)) == [TapEnded(0)]


def test_an_empty_audio_frame_is_no_audio_and_no_error() -> None:
    protocol = AudioSocketProtocol()
    assert protocol.receive(frame(1, TAP.bytes) + frame(0x12)) == [TapNamed(TAP), AudioArrived(16000, b"")]
