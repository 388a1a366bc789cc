"""Citizens who can be rung, as a program of its own: real SIP telephones behind one port, each with a number and a script.

Takes JSON: {"port": 5066, "pause": 0.35, "people": {"13800138000": {"answer_after": 0.3, "moves": ["1", "say:a.wav"]}}}; numbers
that are not there do not exist (404). Writes one JSON object a line for what happens.

Moves follow what is heard. When a prompt ends: keys (`12#`), `say:FILE`, `wait` (lets it pass), `hang up`. When one begins:
`barge:KEYS`, `cut` (hangs up in its middle). `keys_at` presses keys at times: [[1.5, "1"]]. `answer_after` null never picks up;
`is_busy` refuses; `hang_up_after` leaves so many seconds after picking up, whatever is said. With `calls` ("12345") the citizen
rings that number of the `hotline` by themselves.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
import wave
from typing import Any

import numpy as np
from baresip import Account, Config, Runtime, UserAgent
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError

_FRAME_SECONDS = 0.02
_LOUD = 250.0  # RMS of 16-bit samples
_BEGIN_FRAMES = 3


def say(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, "at": time.time(), **fields}) + "\n")
    sys.stdout.flush()


class Prompts:
    """Cuts what is heard into prompts: sound, and then a pause."""

    def __init__(self, pause_seconds: float) -> None:
        self._pause_frames = max(1, round(pause_seconds / _FRAME_SECONDS))
        self._loud = self._quiet = 0
        self.is_speaking = False

    def hear(self, frame: np.ndarray) -> str:
        """Return begun, ended, or nothing."""
        is_loud = bool(np.sqrt(np.mean(frame.astype(np.float64) ** 2)) > _LOUD)
        self._loud = self._loud + 1 if is_loud else 0
        self._quiet = 0 if is_loud else self._quiet + 1
        if not self.is_speaking and self._loud >= _BEGIN_FRAMES:
            self.is_speaking = True
            return "begun"
        if self.is_speaking and self._quiet >= self._pause_frames:
            self.is_speaking = False
            return "ended"
        return ""


class Person:
    """One number."""

    def __init__(self, number: str, script: dict[str, Any], pause_seconds: float) -> None:
        self.number = number
        self.script = script
        self._pause = pause_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self, call: Any) -> None:
        say("ringing", number=self.number, peer=call.peer)
        closed = asyncio.Event()
        call.on(lambda event: closed.set() if event.event.name == "CALL_CLOSED" else None)
        task = asyncio.get_running_loop().create_task(self._live(call, closed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def place(self, agent: UserAgent, hotline: str) -> None:
        """Ring the hotline."""
        established, closed = asyncio.Event(), asyncio.Event()

        def notice(event: Any) -> None:
            if event.event.name == "CALL_ESTABLISHED":
                established.set()
            elif event.event.name == "CALL_CLOSED":
                closed.set()
                established.set()

        agent.on(notice)
        call = await agent.dial(f"sip:{self.script['calls']}@{hotline}")
        await established.wait()
        say("connected", number=self.number)
        heard = await self._talk(call, closed)
        await closed.wait()
        say("closed", number=self.number, heard_seconds=round(heard, 2))

    async def _live(self, call: Any, closed: asyncio.Event) -> None:
        heard = 0.0
        try:
            if self.script.get("is_busy"):
                await call.reject()
            elif (wait := self.script.get("answer_after", 0.0)) is not None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(closed.wait(), wait)
                if not closed.is_set():
                    await call.answer()
                    say("answered", number=self.number)
                    heard = await self._talk(call, closed)
            await closed.wait()
        except BaresipError as error:
            say("failed", number=self.number, error=repr(error))
        say("closed", number=self.number, heard_seconds=round(heard, 2))

    async def _talk(self, call: Any, closed: asyncio.Event) -> float:
        moves, prompts, samples = list(self.script.get("moves", [])), Prompts(self._pause), bytearray()
        heard_at = time.monotonic()
        begun, taken, rate, keys_at = time.monotonic(), 0, 8000, list(self.script.get("keys_at", []))
        while not closed.is_set():
            await asyncio.sleep(_FRAME_SECONDS / 2)
            while keys_at and time.monotonic() - begun >= keys_at[0][0]:
                await call.send_dtmf(keys_at.pop(0)[1])
            leave = self.script.get("hang_up_after")
            if leave is not None and time.monotonic() - begun >= leave:
                await call.hangup()
                break
            try:
                info = call.audio.info()
                if info.rx_ready:
                    rate = info.rx_sample_rate
                    samples += call.audio.read(65536)
            except (AudioNotActive, AudioRestarted):
                continue
            size = int(rate * _FRAME_SECONDS) * 2
            if prompts.is_speaking and len(samples) - taken < size and time.monotonic() - heard_at > self._pause:
                # An exchange that only listens sends nothing at all.
                samples += bytes((round(self._pause / _FRAME_SECONDS) + 1) * size)
            while len(samples) - taken >= size and not closed.is_set():
                heard_at = time.monotonic()
                what = prompts.hear(np.frombuffer(samples[taken : taken + size], "<i2"))
                taken += size
                if what:
                    say(f"prompt_{what}", number=self.number)
                    await self._react(call, moves, what)
        self._save(samples, rate)
        return taken / 2 / rate

    async def _react(self, call: Any, moves: list[str], what: str) -> None:
        if not moves or (what == "begun") != (moves[0].startswith("barge:") or moves[0] == "cut"):
            return
        move = moves.pop(0)
        say("did", number=self.number, move=move)
        if move in ("hang up", "cut"):
            await call.hangup()
        elif move.startswith("say:"):
            await self._speak(call, move.removeprefix("say:"))
        elif move != "wait":
            await call.send_dtmf(move.removeprefix("barge:"))

    async def _speak(self, call: Any, path: str) -> None:
        with wave.open(path) as file:
            assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
            pcm, rate = file.readframes(file.getnframes()), file.getframerate()
        info = call.audio.info()
        if rate != info.tx_sample_rate:
            count = int(len(pcm) / 2 * info.tx_sample_rate / rate)
            values = np.frombuffer(pcm, "<i2")
            pcm = np.interp(np.linspace(0, len(values) - 1, count), np.arange(len(values)), values).astype("<i2").tobytes()
        position = 0
        while position < len(pcm):
            try:
                info = call.audio.info()
                room = int(info.tx_sample_rate * 0.12) * 2 - info.tx_buffered
                if room > 0:
                    position += call.audio.write(pcm[position : position + room // 2 * 2])
            except (AudioNotActive, AudioRestarted):
                return
            await asyncio.sleep(_FRAME_SECONDS)

    def _save(self, samples: bytearray, rate: int) -> None:
        if self.script.get("save"):
            with wave.open(self.script["save"], "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate)
                file.writeframes(bytes(samples))


async def listen(wanted: dict[str, Any]) -> None:
    address = f"127.0.0.1:{wanted['port']}"
    runtime = Runtime()
    await runtime.start(Config(net_interface="127.0.0.1", max_concurrent_calls=None, extra_config_text=f"sip_listen {address}\n"))
    people = []
    for number, script in wanted["people"].items():
        person = Person(number, script, wanted.get("pause", 0.35))
        agent = await UserAgent.create(runtime, Account(number, address, "", reg_interval=0, audio_codecs=("pcma", "pcmu")))
        agent.on_incoming(person.ring)
        people.append((agent, person))
    say("listening")
    placing = [
        asyncio.create_task(person.place(agent, wanted["hotline"])) for agent, person in people if person.script.get("calls")
    ]
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    for task in placing:
        task.cancel()
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("wanted", type=json.loads)
    asyncio.run(listen(parser.parse_args().wanted))
