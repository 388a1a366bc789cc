"""The product's bridge as a process, with a line written for each tap that ended: frames heard, expected and dropped.

Only counting is added. A frame is expected every 20 ms from a tap's first to its last; TCP loses none, so those that
are missing in between Asterisk did not send. Dropped are frames that came and were given up before the listener took them.
"""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

from bootstrap import processes, speech
from commands.processes import begin, stopping_event
from telephony.speech.tap_buffer import TapBuffer
from telephony.speech.tap_server import TapServer

FILE = "BENCH_TAPS_FILE"
FRAMES_A_SECOND = 50


class CountedBuffer(TapBuffer):
    """A tap's buffer that also notes when frames came."""

    first_at = last_at = longest_pause = 0.0

    def receive(self, samples: bytes, rate: int, now: float) -> None:
        if self.counters.frames:
            self.longest_pause = max(self.longest_pause, now - self.last_at)
        else:
            self.first_at = now
        self.last_at = now
        super().receive(samples, rate, now)

    def line(self) -> dict[str, float]:
        """Return the counts."""
        expected = round((self.last_at - self.first_at) * FRAMES_A_SECOND) + 1 if self.counters.frames else 0
        return {
            "frames": self.counters.frames,
            "expected": expected,
            "dropped": self.counters.dropped_frames,
            "seconds": round(self.last_at - self.first_at, 3),
            "longest_pause": round(self.longest_pause, 3),
        }


class CountedTapServer(TapServer):
    """A tap server that writes a line for each tap that ended."""

    def expect(self, tap_id: uuid.UUID) -> TapBuffer:
        super().expect(tap_id)
        buffer = self._expected[tap_id] = CountedBuffer()
        return buffer

    def closed(self, tap_id: uuid.UUID, buffer: TapBuffer) -> None:
        super().closed(tap_id, buffer)
        assert isinstance(buffer, CountedBuffer)
        with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(buffer.line()) + "\n")


if __name__ == "__main__":
    vars(speech)["TapServer"] = CountedTapServer
    processes.run_bridge(begin("bridge"), stopping_event())
