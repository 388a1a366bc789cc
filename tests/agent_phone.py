"""An agent's SIP phone as a program of its own: reads one command a line, writes one JSON object a line for what happens.

Commands: answer, hold, resume, hangup, reject, transfer URI, die. `--auto` picks up by itself after so many seconds.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import struct
import sys
import time
from typing import Any

from baresip import Account, Config, Runtime, UserAgent
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError

SETTLE_SECONDS = 0.5


def say(kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"kind": kind, "at": time.time(), **fields}) + "\n")
    sys.stdout.flush()


def tone(rate: int, seconds: float, hertz: float) -> bytes:
    count = int(rate * seconds)
    return b"".join(struct.pack("<h", int(8000 * math.sin(2 * math.pi * hertz * n / rate))) for n in range(count))


class Phone:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.calls: list[Any] = []
        self.answered_at = -math.inf

    async def run(self) -> None:
        runtime = Runtime()
        await runtime.start(Config(net_interface="127.0.0.1", max_concurrent_calls=None))
        agent = await UserAgent.create(
            runtime, Account(self.options.number, self.options.server, self.options.password, reg_interval=60)
        )
        agent.on_incoming(self.ring)
        try:
            await agent.register()
        except BaresipError as error:
            say("register_failed", error=str(error))
            os._exit(1)
        say("registered")
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode().split():
            await self.obey(*line)
        # Leave in order: a telephone that is only killed counts as there for some seconds, and disturbs the next test.
        with contextlib.suppress(BaresipError):
            await agent.unregister(timeout=1.5)
        os._exit(0)

    def ring(self, call: Any) -> None:
        self.calls.append(call)
        say("ringing", peer=call.peer)
        call.on(lambda event: say(event.event.name.lower(), text=event.text))
        if self.options.auto is not None:
            self.soon = asyncio.get_running_loop().create_task(self.pick_up(call))

    async def pick_up(self, call: Any) -> None:
        await asyncio.sleep(self.options.auto)
        await self.answer(call)

    async def answer(self, call: Any) -> None:
        try:
            await call.answer()
        except BaresipError as error:
            say("answer_failed", error=str(error))
            return
        self.answered_at = time.monotonic()
        say("answered")
        self.playing = asyncio.get_running_loop().create_task(self.play(call))

    async def play(self, call: Any) -> None:
        heard = 0
        while call.state.name != "CLOSED":
            await asyncio.sleep(0.02)
            try:
                info = call.audio.info()
                if info.tx_ready and info.tx_buffered < info.tx_sample_rate // 5:
                    call.audio.write(tone(info.tx_sample_rate, 0.1, self.options.tone))
                heard += len(call.audio.read(65536))
            except (AudioNotActive, AudioRestarted):
                continue
        say("closed", heard_bytes=heard)

    async def obey(self, command: str, *arguments: str) -> None:
        if command == "die":
            os._exit(9)
        call = self.calls[-1]
        try:
            if command == "answer":
                await self.answer(call)
            elif command == "transfer":
                await call.transfer(*arguments)
            else:
                # No person is faster; this telephone renews its offer just after answering, and would undo a hold before that.
                await asyncio.sleep(max(0.0, self.answered_at + SETTLE_SECONDS - time.monotonic()))
                await getattr(call, command)()
            say("done", command=command)
        except BaresipError as error:
            say("failed", command=command, error=repr(error))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("number")
    parser.add_argument("password")
    parser.add_argument("server")
    parser.add_argument("--auto", type=float)
    parser.add_argument("--tone", type=float, default=440)
    asyncio.run(Phone(parser.parse_args()).run())
