"""The AudioSocket protocol as bytes in, messages out; owns no socket and no clock.

Frame: 1 byte kind, 2 bytes length (big endian), payload. The first frame names the connection with a UUID; audio is 16-bit
signed linear in little-endian order; an orderly end is a plain EOF or kind 0x00.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

HEADER_BYTES: Final = 3
KIND_HANG_UP: Final = 0x00
KIND_ID: Final = 0x01
KIND_DIGIT: Final = 0x03
KIND_ERROR: Final = 0xFF
# The protocol's table of signed-linear kinds; ours is slin16, the others are refused by name instead of misheard.
SAMPLE_RATES: Final = {0x10: 8000, 0x11: 12000, 0x12: 16000, 0x13: 24000, 0x14: 32000, 0x15: 44100, 0x16: 48000}


@dataclass(frozen=True, slots=True)
class TapNamed:
    """The connection said which tap it is."""

    tap_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class AudioArrived:
    """Signed 16-bit little-endian samples at `rate`."""

    rate: int
    samples: bytes


@dataclass(frozen=True, slots=True)
class TapEnded:
    """The far side hung up or reported an error (then `error_code` is set)."""

    error_code: int | None = None


Message = TapNamed | AudioArrived | TapEnded


class AudioSocketError(ValueError):
    """The far side does not speak AudioSocket; the connection is of no further use."""


class AudioSocketProtocol:
    """Split a byte stream into messages, however the network cut it."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_named = False

    def receive(self, data: bytes) -> list[Message]:
        """Return the messages that `data` completes.

        Raises:
            AudioSocketError: the first frame is no UUID, or a frame cannot be what its kind says.
        """
        self._buffer += data
        messages: list[Message] = []
        offset = 0
        while len(self._buffer) - offset >= HEADER_BYTES:
            kind = self._buffer[offset]
            end = offset + HEADER_BYTES + int.from_bytes(self._buffer[offset + 1 : offset + HEADER_BYTES], "big")
            if not self._is_named and (kind != KIND_ID or end - offset != HEADER_BYTES + 16):
                raise AudioSocketError(f"the first frame is of kind 0x{kind:02x}, not a UUID of 16 bytes")
            if end > len(self._buffer):
                break
            message = self._message(kind, bytes(self._buffer[offset + HEADER_BYTES : end]))
            if message is not None:
                messages.append(message)
            offset = end
        del self._buffer[:offset]
        return messages

    def _message(self, kind: int, payload: bytes) -> Message | None:
        if kind in SAMPLE_RATES:
            if len(payload) % 2:
                raise AudioSocketError(f"an audio frame of {len(payload)} bytes holds half a sample")
            return AudioArrived(SAMPLE_RATES[kind], payload)
        if kind == KIND_ID:
            if self._is_named:
                raise AudioSocketError("the connection named itself twice")
            self._is_named = True
            return TapNamed(uuid.UUID(bytes=payload))
        if kind == KIND_HANG_UP:
            return TapEnded()
        if kind == KIND_ERROR:
            return TapEnded(error_code=payload[0] if payload else 0)
        return None  # digits, and kinds that a later Asterisk may add, say nothing about speech
