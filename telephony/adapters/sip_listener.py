"""Citizens who can be rung: real SIP telephones behind one port, each with a number and a script. On baresip-python.

Moves follow what is heard. When a prompt ends: keys (`12#`), `say:FILE`, `wait` (lets it pass), `hang up`. When one begins:
`barge:KEYS`, `cut` (hangs up in its middle). One listener a process: the SIP stack has one event loop.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from baresip import Account, Config, Runtime, UserAgent
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError

from telephony.adapters.sip_citizen import TICK_SECONDS, save_heard, speech_at, write_ahead
from telephony.speech.audio import read_wav

_LOUD = 250.0  # RMS of 16-bit samples
_BEGIN_FRAMES = 3
Tell = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Script:
    """What a citizen does. Times are seconds.

    `answer_after` None never picks up; `is_busy` refuses; `hang_up_after` leaves so long after picking up, whatever is said;
    `keys_at` presses keys at times after picking up. With `calls` the citizen rings that number of the hotline by themselves.
    """

    moves: Sequence[str] = ()
    answer_after: float | None = 0.0
    is_busy: bool = False
    hang_up_after: float | None = None
    keys_at: Sequence[tuple[float, str]] = ()
    calls: str = ""
    save: str = ""


class Prompts:
    """Cuts what is heard into prompts: sound, and then a pause."""

    def __init__(self, pause_seconds: float) -> None:
        self._pause_frames = max(1, round(pause_seconds / TICK_SECONDS))
        self._loud = self._quiet = 0
        self.is_speaking = False

    def hear(self, frame: np.ndarray) -> str:
        """Return begun, ended, or nothing. `frame`: 20 ms of 16-bit samples."""
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


class _Telephone:
    """One number."""

    def __init__(self, number: str, script: Script, pause_seconds: float, tell: Tell) -> None:
        self._number = number
        self.script = script
        self._pause = pause_seconds
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self, call: Any) -> None:
        """A call comes in."""
        self._say("ringing", peer=call.peer)
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
        call = await agent.dial(f"sip:{self.script.calls}@{hotline}")
        await established.wait()
        self._say("connected")
        heard = await self._talk(call, closed)
        await closed.wait()
        self._say("closed", heard_seconds=round(heard, 2))

    async def _live(self, call: Any, closed: asyncio.Event) -> None:
        heard = 0.0
        try:
            if self.script.is_busy:
                await call.reject()
            elif self.script.answer_after is not None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(closed.wait(), self.script.answer_after)
                if not closed.is_set():
                    await call.answer()
                    self._say("answered")
                    heard = await self._talk(call, closed)
            await closed.wait()
        except BaresipError as error:
            self._say("failed", error=repr(error))
        self._say("closed", heard_seconds=round(heard, 2))

    async def _talk(self, call: Any, closed: asyncio.Event) -> float:
        moves, prompts, samples = list(self.script.moves), Prompts(self._pause), bytearray()
        heard_at = begun = time.monotonic()
        taken, rate, keys_at = 0, 8000, list(self.script.keys_at)
        while not closed.is_set():
            await asyncio.sleep(TICK_SECONDS / 2)
            while keys_at and time.monotonic() - begun >= keys_at[0][0]:
                await call.send_dtmf(keys_at.pop(0)[1])
            if self.script.hang_up_after is not None and time.monotonic() - begun >= self.script.hang_up_after:
                await call.hangup()
                break
            try:
                info = call.audio.info()
                if info.rx_ready:
                    rate = info.rx_sample_rate
                    samples += call.audio.read(65536)
            except (AudioNotActive, AudioRestarted):
                continue
            size = int(rate * TICK_SECONDS) * 2
            if prompts.is_speaking and len(samples) - taken < size and time.monotonic() - heard_at > self._pause:
                # An exchange that only listens sends nothing at all.
                samples += bytes((round(self._pause / TICK_SECONDS) + 1) * size)
            while len(samples) - taken >= size and not closed.is_set():
                heard_at = time.monotonic()
                what = prompts.hear(np.frombuffer(samples[taken : taken + size], "<i2"))
                taken += size
                if what:
                    self._say(f"prompt_{what}")
                    await self._react(call, moves, what)
        if self.script.save:
            save_heard(Path(self.script.save), samples, rate)
        return taken / 2 / rate

    async def _react(self, call: Any, moves: list[str], what: str) -> None:
        if not moves or (what == "begun") != (moves[0].startswith("barge:") or moves[0] == "cut"):
            return
        move = moves.pop(0)
        self._say("did", move=move)
        if move in ("hang up", "cut"):
            await call.hangup()
        elif move.startswith("say:"):
            await self._speak(call, move.removeprefix("say:"))
        elif move != "wait":
            await call.send_dtmf(move.removeprefix("barge:"))

    async def _speak(self, call: Any, path: str) -> None:
        speech = memoryview(speech_at(read_wav(Path(path)), call.audio.info().tx_sample_rate))
        position = 0
        while position < len(speech):
            try:
                position += write_ahead(call, speech[position:])
            except (AudioNotActive, AudioRestarted):
                return
            await asyncio.sleep(TICK_SECONDS)

    def _say(self, kind: str, **fields: object) -> None:
        self._tell(kind=kind, at=time.time(), number=self._number, **fields)


async def listen(port: int, scripts: Mapping[str, Script], tell: Tell, *, pause_seconds: float = 0.35, hotline: str = "") -> None:
    """Be rung on a UDP port of loopback until cancelled; numbers without a script do not exist (404).

    `tell` gets `kind` (listening, ringing, answered, connected, prompt_begun, prompt_ended, did, failed, closed), `at` (seconds
    since the epoch), `number` and what else belongs to it. A prompt ends with a pause of `pause_seconds`. `hotline`
    (host:port) is what those who call by themselves ring.
    """
    address = f"127.0.0.1:{port}"
    runtime = Runtime()
    await runtime.start(Config(net_interface="127.0.0.1", max_concurrent_calls=None, extra_config_text=f"sip_listen {address}\n"))
    async with asyncio.TaskGroup() as placing:
        for number, script in scripts.items():
            telephone = _Telephone(number, script, pause_seconds, tell)
            account = Account(number, address, "", reg_interval=0, audio_codecs=("pcma", "pcmu"))
            agent = await UserAgent.create(runtime, account)
            agent.on_incoming(telephone.ring)
            if script.calls:
                placing.create_task(telephone.place(agent, hotline))
        tell(kind="listening", at=time.time())
        await asyncio.Event().wait()
