"""A call's two recordings as one: the citizen in the left channel, the agent in the right. Any part can be read without the rest.

Also the levels that the player draws, kept beside the data once they are worked out.
"""

import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

log = structlog.get_logger()
HEADER_BYTES = 44
BUCKETS = 360
_FRAME_BYTES = 4
_CHUNK_FRAMES = 32_768
_RATE = 8000


@dataclass(frozen=True)
class Lane:
    """One party's file: where its samples begin and how many there are."""

    path: Path
    offset: int
    frames: int
    rate: int

    def samples(self) -> npt.NDArray[np.int16]:
        """Return the samples without reading them all into memory."""
        return np.memmap(self.path, "<i2", "r", self.offset, (self.frames,)) if self.frames else np.zeros(0, "<i2")


def open_lane(path: Path) -> Lane | None:
    """Return a mono 16-bit WAV file, also one whose writer was killed before it could tell the length; None for anything else."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return None
    if len(head) < HEADER_BYTES or head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, rate = 12, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt ":
            kind, channels, rate = struct.unpack_from("<HHI", head, at + 8)
            if kind != 1 or channels != 1 or struct.unpack_from("<H", head, at + 22)[0] != 16:
                return None
        if name == b"data":
            # The file's own length decides: the header of one that is still written says nothing, or less.
            return Lane(path, at + 8, max(0, size - at - 8) // 2, rate) if rate else None
        at += 8 + length + length % 2
    return None


@dataclass(frozen=True)
class CallAudio:
    """Both parties' recordings; a missing one is silence."""

    citizen: Lane | None
    agent: Lane | None

    @property
    def rate(self) -> int:
        """Samples a second."""
        return next((lane.rate for lane in (self.citizen, self.agent) if lane), _RATE)

    @property
    def frames(self) -> int:
        """The longer one counts."""
        return max((lane.frames for lane in self._lanes() if lane), default=0)

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.frames / self.rate

    @property
    def size(self) -> int:
        """Bytes of the whole WAV file."""
        return HEADER_BYTES + self.frames * _FRAME_BYTES

    def header(self) -> bytes:
        """Return the head of a stereo WAV file."""
        data = self.frames * _FRAME_BYTES
        form = struct.pack("<HHIIHH", 1, 2, self.rate, self.rate * _FRAME_BYTES, _FRAME_BYTES, 16)
        return (
            b"RIFF" + struct.pack("<I", 36 + data) + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", data)
        )

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `stop` of the WAV file."""
        if start < HEADER_BYTES:
            yield self.header()[start : min(stop, HEADER_BYTES)]
        at = max(start, HEADER_BYTES) - HEADER_BYTES
        end = stop - HEADER_BYTES
        while at < end:
            first = at // _FRAME_BYTES
            last = min(first + _CHUNK_FRAMES, -(-end // _FRAME_BYTES))
            body = self._frames(first, last)
            skip = at - first * _FRAME_BYTES
            yield body[skip : end - first * _FRAME_BYTES]
            at = last * _FRAME_BYTES

    def _frames(self, first: int, last: int) -> bytes:
        mixed = np.zeros((last - first, 2), "<i2")
        for channel, lane in enumerate(self._lanes()):
            if lane is not None and lane.frames > first:
                part = lane.samples()[first : min(last, lane.frames)]
                mixed[: len(part), channel] = part
        return mixed.tobytes()

    def _lanes(self) -> tuple[Lane | None, Lane | None]:
        # Two rates in one file cannot be: the citizen's decides.
        citizen, agent = self.citizen, self.agent
        if citizen and agent and citizen.rate != agent.rate:
            return citizen, None
        return citizen, agent

    def peaks(self) -> list[list[int]]:
        """Return both parties' levels, 0…100, in BUCKETS equal parts of the call."""
        return [levels(lane, self.frames) for lane in self._lanes()]


def levels(lane: Lane | None, frames: int) -> list[int]:
    """Return the loudest sample of each part on a scale of decibels, on which speech is seen and line noise is not."""
    if lane is None or not lane.frames or not frames:
        return [0] * BUCKETS
    samples = lane.samples()
    found: list[int] = []
    for bucket in range(BUCKETS):
        part = samples[bucket * frames // BUCKETS : (bucket + 1) * frames // BUCKETS]
        loudest = float(np.abs(part.astype(np.int32)).max()) / 32768 if len(part) else 0.0
        decibels = 20 * np.log10(loudest) if loudest > 0 else -100.0
        found.append(int(np.clip((decibels + 48) / 48, 0, 1) * 100))
    return found


def peaks_of(audio: CallAudio, cache: Path) -> list[list[int]]:
    """Return the levels, worked out once for as long as the files stay the same."""
    stamp = [[lane.frames, lane.path.stat().st_mtime_ns] if lane else None for lane in (audio.citizen, audio.agent)]
    try:
        kept: Any = json.loads(cache.read_text())
        if kept["stamp"] == stamp:
            return list(kept["peaks"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    peaks = audio.peaks()
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        fresh = cache.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps({"stamp": stamp, "peaks": peaks}))
        fresh.replace(cache)
    except OSError as error:
        log.warning("peaks_not_kept", error=type(error).__name__)
    return peaks
