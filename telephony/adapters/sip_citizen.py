"""Rings the hotline as a citizen does: a real SIP call that speaks a recorded file and keeps what it hears.

On baresip-python. One call a process: run it as a subprocess where other loops or calls run.
"""

import asyncio
import contextlib
import re
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from baresip import Account, Config, Runtime, UserAgent
from baresip.errors import AudioNotActive, AudioRestarted, BaresipError, CallFailed
from baresip.events import Event, StackEvent

from core.errors import InvalidInputError, UnavailableError
from telephony.speech.audio import Audio, read_wav, to_pcm16

TICK_SECONDS = 0.02
_AHEAD_SECONDS = 0.12
_ASK_SECONDS = 0.25
_BREATH_SECONDS = 0.7
_NUMBER = re.compile(r"^[0-9+*#A-Za-z._-]{1,40}$")
_UNQUOTABLE = re.compile(r"[\r\n\0\"\\<>]")


class CallRefusedError(UnavailableError):
    """The hotline did not take the call."""


@dataclass(frozen=True)
class CitizenCall:
    """What a citizen does.

    `speak_after` is how many seconds after the hotline picked up the file is played. A telephone cannot tell a prompt or music
    from an agent: `is_answered`, asked a few times a second, says that an agent is on the line, and then the file is played a
    moment later, or after `patience_seconds` at the latest. `stay_seconds` is the longest time on the line; None means until
    two seconds after the file. `ring_seconds` is how long it lets the hotline ring.
    """

    file: Path
    server: str
    extension: str = "12345"
    number: str = "13800138000"
    display_name: str = ""
    speak_after: float = 0.0
    is_answered: Callable[[], bool] | None = None
    patience_seconds: float = 60.0
    stay_seconds: float | None = None
    ring_seconds: float = 20.0
    save: Path | None = None
    interface: str | None = "127.0.0.1"


@dataclass
class CallReport:
    """What came of it. Times are seconds since the epoch."""

    answered_at: float | None = None
    connected_at: float | None = None
    speaking_from: float | None = None
    speaking_until: float | None = None
    ended_at: float | None = None
    ended_by: str = ""
    heard_seconds: float = 0.0


def place_call(wanted: CitizenCall) -> CallReport:
    """Ring, speak, listen, hang up.

    Raises:
        InvalidInputError: the file, number or name cannot be used.
        CallRefusedError: nobody took the call.
    """
    audio = read_wav(wanted.file)
    return asyncio.run(_Citizen(wanted, audio).call())


def _address(wanted: CitizenCall) -> str:
    if not _NUMBER.match(wanted.number) or not _NUMBER.match(wanted.extension):
        raise InvalidInputError(f"not a number: {wanted.number!r}")
    if _UNQUOTABLE.search(wanted.display_name):
        raise InvalidInputError("a display name holds no quotes, brackets, backslashes or line ends")
    account = Account(wanted.number, wanted.server, "", reg_interval=0, audio_codecs=("pcma", "pcmu")).aor()
    return f'"{wanted.display_name}" {account}' if wanted.display_name else account


def speech_at(audio: Audio, rate: int) -> bytes:
    """Return 16-bit samples at the rate (Hz) that a call sends."""
    samples = audio.samples
    if audio.rate != rate:
        samples = np.asarray(soxr.resample(samples, audio.rate, rate), dtype=np.float32)
    return to_pcm16(samples)


def write_ahead(call: Any, speech: memoryview) -> int:
    """Give a call what it can send soon; returns how many bytes it took."""
    info = call.audio.info()
    room = int(info.tx_sample_rate * _AHEAD_SECONDS) * 2 - info.tx_buffered
    return int(call.audio.write(speech[: room // 2 * 2])) if room > 0 else 0


def save_heard(path: Path, samples: bytes | bytearray, rate: int) -> None:
    """Write what a citizen heard to a WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(samples))


class _Citizen:
    def __init__(self, wanted: CitizenCall, audio: Audio) -> None:
        self._wanted = wanted
        self._audio = audio
        self._report = CallReport()
        self._heard = bytearray()
        self._heard_rate = 8000
        self._answered = asyncio.Event()
        self._closed = asyncio.Event()
        self._close_reason = ""

    async def call(self) -> CallReport:
        address = _address(self._wanted)
        runtime = Runtime()
        await runtime.start(Config(net_interface=self._wanted.interface, max_concurrent_calls=None))
        try:
            agent = await UserAgent.create(runtime, address)
            # Not `call.on` and `wait_established`: a hotline that answers at once does so before dial() returns, and they miss it.
            agent.on(self._notice)
            call = await agent.dial(f"sip:{self._wanted.extension}@{self._wanted.server}")
            await self._wait_for_answer(call)
            watching = asyncio.create_task(self._watch_for_agent())
            await self._talk(call)
            watching.cancel()
            if not self._closed.is_set():
                self._report.ended_by = "citizen"
                await call.hangup()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), 2)
        except CallFailed as error:
            # The far end's hang-up may show as a failed question before it shows as an event.
            if self._report.answered_at is None:
                raise CallRefusedError(f"the hotline did not take the call: {error}") from error
            self._report.ended_by = self._report.ended_by or "hotline"
        except BaresipError as error:
            raise CallRefusedError(f"the call could not be placed: {error}") from error
        finally:
            self._report.ended_at = time.time()
            with contextlib.suppress(BaresipError):
                await runtime.close()
            self._save()
        return self._report

    def _notice(self, event: StackEvent) -> None:
        if event.event is Event.CALL_ESTABLISHED:
            self._report.answered_at = time.time()
            self._answered.set()
        elif event.event is Event.CALL_CLOSED:
            self._report.ended_by = self._report.ended_by or "hotline"
            self._close_reason = event.text or ""
            self._closed.set()
            self._answered.set()

    async def _wait_for_answer(self, call: Any) -> None:
        try:
            await asyncio.wait_for(self._answered.wait(), self._wanted.ring_seconds)
        except TimeoutError:
            with contextlib.suppress(BaresipError):
                await call.hangup()
            raise CallFailed(f"no answer within {self._wanted.ring_seconds:g} s") from None
        if self._closed.is_set():
            raise CallFailed.from_close_reason(self._close_reason)

    async def _talk(self, call: Any) -> None:
        wanted, report = self._wanted, self._report
        answered = time.monotonic()
        speech: memoryview | None = None
        position = 0
        while not self._closed.is_set():
            await asyncio.sleep(TICK_SECONDS)
            on_line = time.monotonic() - answered
            if wanted.stay_seconds is not None and on_line >= wanted.stay_seconds:
                return
            if wanted.stay_seconds is None and report.speaking_until is not None and time.time() > report.speaking_until + 2:
                return
            try:
                info = call.audio.info()
                self._listen(call, info)
                if speech is None:
                    if not self._may_speak(on_line) or not info.tx_ready:
                        continue
                    speech = memoryview(speech_at(self._audio, info.tx_sample_rate))
                    report.speaking_from = time.time()
                if position < len(speech):
                    position += write_ahead(call, speech[position:])
                elif report.speaking_until is None and info.tx_buffered == 0:
                    report.speaking_until = time.time()
            except (AudioNotActive, AudioRestarted):
                continue

    def _may_speak(self, on_line: float) -> bool:
        wanted, connected_at = self._wanted, self._report.connected_at
        if wanted.is_answered is None:
            return on_line >= wanted.speak_after
        return on_line >= wanted.patience_seconds or (connected_at is not None and time.time() >= connected_at + _BREATH_SECONDS)

    async def _watch_for_agent(self) -> None:
        """Note when an agent is on the line; the asking may block, so it has a thread."""
        is_answered = self._wanted.is_answered
        while is_answered is not None and not self._closed.is_set() and self._report.connected_at is None:
            try:
                if await asyncio.to_thread(is_answered):
                    self._report.connected_at = time.time()
            except UnavailableError:
                return
            await asyncio.sleep(_ASK_SECONDS)

    def _listen(self, call: Any, info: Any) -> None:
        if info.rx_ready:
            self._heard_rate = info.rx_sample_rate
            heard = call.audio.read(1 << 16)
            self._report.heard_seconds += len(heard) / 2 / info.rx_sample_rate
            if self._wanted.save is not None:
                self._heard += heard

    def _save(self) -> None:
        if self._wanted.save is not None:
            save_heard(self._wanted.save, self._heard, self._heard_rate)
