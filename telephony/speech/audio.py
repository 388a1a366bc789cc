"""Reads telephone recordings into samples; knows WAV files and sample rates, nothing of speech."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from core.errors import InvalidInputError
from telephony.speech.endpointing import SAMPLE_RATE, Samples

_HEADER_BYTES: Final = 44
_LOWEST_RATE: Final = 4_000
_HIGHEST_RATE: Final = 192_000


@dataclass(frozen=True, slots=True)
class Audio:
    """Mono samples in −1..1 and their rate."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def at_16k(self) -> Samples:
        """Return the samples at 16 kHz, what every recogniser takes."""
        return resample(self.samples, self.rate)

    def part(self, start_seconds: float, end_seconds: float) -> Audio:
        """Return what lies between the two times, as far as there is any."""
        first = max(0, round(start_seconds * self.rate))
        return Audio(self.samples[first : max(first, round(end_seconds * self.rate))], self.rate)


def resample(samples: Samples, rate: int) -> Samples:
    """Return `samples` at 16 kHz."""
    if rate == SAMPLE_RATE or not len(samples):
        return samples
    return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE), dtype=np.float32)


def from_pcm16(data: bytes) -> Samples:
    """Return little-endian 16-bit samples as −1..1."""
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768.0


def to_pcm16(samples: Samples) -> bytes:
    """Return samples as little-endian 16-bit."""
    return (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()


def read_wav(path: Path) -> Audio:
    """Read a 16-bit PCM WAV file; several channels are mixed into one.

    A recording whose writer was killed says in its header that it is empty or cut; then the file's length decides.

    Raises:
        InvalidInputError: no such file, or not a 16-bit PCM WAV.
    """
    try:
        with wave.open(io.BytesIO(_mended(path.read_bytes()))) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except FileNotFoundError as error:
        raise InvalidInputError(f"there is no file {path}") from error
    except (OSError, EOFError, wave.Error) as error:
        raise InvalidInputError(f"{path} is not a WAV file that can be read: {error}") from error
    if width != 2 or not _LOWEST_RATE <= rate <= _HIGHEST_RATE or not 1 <= channels <= 8:
        raise InvalidInputError(f"{path} is not 16-bit PCM ({8 * width} bits, {channels} channels, {rate} Hz): convert it first")
    values: NDArray[np.int16] = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], "<i2")
    samples = values.astype(np.float32) / 32768.0
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)
    return Audio(samples, rate)


def _mended(content: bytes) -> bytes:
    """Return a WAV file whose plain header tells the length that it has, not the one that a killed writer left there."""
    if content[:4] != b"RIFF" or content[36:40] != b"data" or int.from_bytes(content[40:44], "little"):
        return content
    sizes = [(len(content) - skipped).to_bytes(4, "little") for skipped in (8, _HEADER_BYTES)]
    return content[:4] + sizes[0] + content[8:40] + sizes[1] + content[_HEADER_BYTES:]


def write_wav(samples: Samples, rate: int = SAMPLE_RATE) -> bytes:
    """Return a WAV file of mono 16-bit samples."""
    import io

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(to_pcm16(samples))
    return buffer.getvalue()
