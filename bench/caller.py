"""Citizens for a benchmark: SIP calls in one process that speak recorded questions and say when each was sent.

Commands come as JSON lines on standard input: {"do": "dial", "number": …}, {"do": "speak", "numbers": […], "seconds": …,
"phase": …}, {"do": "end"}. What happens goes out as JSON lines: established, said, quiet, closed. Times are seconds since the
epoch. A sample counts as sent at the last look at which its frame had not gone yet, so a wait is never understated.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from baresip import Account, Config, Runtime, UserAgent
from baresip.errors import AudioNotActive, AudioRestarted
from baresip.events import Event, StackEvent

from telephony.speech.audio import read_wav, to_pcm16

_TICK_SECONDS = 0.01
_AHEAD_SECONDS = 0.1
_FRAME_SECONDS = 0.01
_SOUNDING = 0.01  # of the loudest frame: 40 dB below it is silence
_TAIL_SECONDS = 0.3


class Question:
    """A recorded question at a telephone's rate, with where it begins and ends to sound."""

    def __init__(self, file: Path, rate: int) -> None:
        audio = read_wav(file)
        samples = audio.samples
        if audio.rate != rate:
            samples = np.asarray(soxr.resample(samples, audio.rate, rate), dtype=np.float32)
        frame = int(rate * _FRAME_SECONDS)
        power = np.sqrt(np.mean(np.square(samples[: len(samples) // frame * frame].reshape(-1, frame)), axis=1))
        sounding = np.flatnonzero(power > power.max() * _SOUNDING)
        self.name = file.name
        self.first = int(sounding[0]) * frame
        self.last = (int(sounding[-1]) + 1) * frame
        self.pcm = to_pcm16(np.concatenate([samples, np.zeros(int(rate * _TAIL_SECONDS), np.float32)]))


class Citizen:
    """One call."""

    call: Any

    def __init__(self, number: str, files: list[Path], seed: int) -> None:
        self.number = number
        self._is_answered = asyncio.Event()
        self._random = random.Random(seed)  # the same questions at the same distances in every run
        self._files = itertools.cycle(self._random.sample(files, len(files)))
        self._questions: dict[tuple[Path, int], Question] = {}

    async def dial(self, runtime: Runtime, server: str, extension: str) -> None:
        """Ring the hotline; returns when it has answered."""
        account = Account(self.number, server, "", reg_interval=0, audio_codecs=("pcma", "pcmu")).aor()
        agent = await UserAgent.create(runtime, account)
        # Before dial(), and not `wait_established`: a hotline that answers at once does so before dial() returns.
        agent.on(self._notice)
        self.call = await agent.dial(f"sip:{extension}@{server}")
        await asyncio.wait_for(self._is_answered.wait(), 20)

    def _notice(self, event: StackEvent) -> None:
        if event.event is Event.CALL_ESTABLISHED:
            self._is_answered.set()
        elif event.event is Event.CALL_CLOSED:
            tell(what="closed", number=self.number)

    async def listen(self) -> None:
        """Take what is heard, so that no buffer fills."""
        while True:
            await asyncio.sleep(0.1)
            try:
                if self.call.audio.info().rx_ready:
                    self.call.audio.read(1 << 16)
            except (AudioNotActive, AudioRestarted):
                continue

    async def speak(self, seconds: float, every: float, phase: str) -> None:
        """Ask one question after another, about `every` seconds from one beginning to the next."""
        end = time.monotonic() + seconds
        begin = time.monotonic() + self._random.uniform(0, every)
        while begin < end:
            await asyncio.sleep(max(0.0, begin - time.monotonic()))
            rate = self.call.audio.info().tx_sample_rate
            key = (next(self._files), rate)
            if key not in self._questions:
                self._questions[key] = Question(*key)
            question = self._questions[key]
            began = time.monotonic()
            first, last = await self._say(question)
            tell(what="said", number=self.number, phase=phase, file=question.name, first=first, last=last)
            begin = began + every * self._random.uniform(0.9, 1.1)

    async def _say(self, question: Question) -> tuple[float, float]:
        audio, written, pcm = self.call.audio, 0, memoryview(question.pcm)
        moments: list[float] = []
        looked_at = time.time()
        while True:
            info, now = audio.info(), time.time()
            gone = (written - info.tx_buffered) // 2
            places = (question.first, question.last)[len(moments) :]
            moments += [looked_at for place in places if gone >= place]
            looked_at = now
            if written == len(pcm) and len(moments) == 2:
                return moments[0], moments[1]
            room = int(info.tx_sample_rate * _AHEAD_SECONDS) * 2 - info.tx_buffered
            if room > 0 and written < len(pcm):
                written += audio.write(pcm[written : written + room // 2 * 2])
            await asyncio.sleep(_TICK_SECONDS)


def tell(**fact: Any) -> None:
    """Write one fact."""
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


async def run(server: str, extension: str, every: float, files: list[Path]) -> None:
    """Do what standard input asks for, until it says end."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    runtime = Runtime()
    await runtime.start(Config(net_interface="127.0.0.1", max_concurrent_calls=None))
    citizens: dict[str, Citizen] = {}
    listening = []
    try:
        while line := await reader.readline():
            command = json.loads(line)
            if command["do"] == "dial":
                number = command["number"]
                citizens[number] = Citizen(number, files, seed=len(citizens))
                await citizens[number].dial(runtime, server, extension)
                listening.append(asyncio.create_task(citizens[number].listen()))
                tell(what="established", number=number)
            elif command["do"] == "speak":
                speaking = [citizens[number].speak(command["seconds"], every, command["phase"]) for number in command["numbers"]]
                await asyncio.gather(*speaking)
                tell(what="quiet", phase=command["phase"])
            else:
                break
        for citizen in citizens.values():
            await citizen.call.hangup()
        await asyncio.sleep(0.5)
    finally:
        for task in listening:
            task.cancel()
        await runtime.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], float(sys.argv[3]), [Path(name) for name in sys.argv[4:]]))
