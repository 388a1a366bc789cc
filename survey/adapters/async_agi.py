"""Calls that wait in the dialplan's AGI(agi:async), as Lines: commands and their results over the exchange's manager connection.

What a caller may have chosen (names, numbers, variables) is data here: it is never part of a command.
"""

import itertools
import re
import threading
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

import structlog

from core.errors import ConflictError, InvalidInputError, TingjianError
from survey.ports import Line, LineGoneError, LineLostError, Recorded
from telephony.ami_protocol import AmiMessage

log = structlog.get_logger()
_RESULT = re.compile(r"^200 result=(-?\d+)(?: ?(.*))?$", re.DOTALL)
_KEYS = re.compile(r"^[0-9*#]*$")
_VARIABLE = re.compile(r"^[A-Z_]{1,40}$")
_PATH = re.compile(r'^[^"\\\x00-\x1f\x7f]+$')
_MARGIN_SECONDS = 10.0
_ANSWER_SECONDS = 5.0
_WAITING = "agi:async"


class AgiRefusedError(ConflictError):
    """The exchange does not know the command: a fault of ours."""


class AmiConnection(Protocol):
    """The manager connection, as far as calls that wait need it."""

    def subscribe(self, on_event: Callable[[AmiMessage], None], on_up: Callable[[], None], on_down: Callable[[], None]) -> None:
        """Say who hears events; before `start`."""
        ...

    def start(self) -> None:
        """Connect, and stay connected."""
        ...

    def close(self) -> None:
        """Disconnect for good."""
        ...

    def request(self, name: str, keys: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None) -> Any:
        """Send an action and wait for its response; ConflictError when it is refused, UnavailableError without a connection."""
        ...

    def request_list(self, name: str, keys: Mapping[str, str] | None = None) -> list[AmiMessage]:
        """Send an action that answers with a list."""
        ...


class AgiLine:
    """One waiting call. One command at a time; whoever speaks with it has a thread of their own."""

    def __init__(self, connection: AmiConnection, channel: str, unique_id: str) -> None:
        self._connection = connection
        self._channel = channel
        self._unique_id = unique_id
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._results: dict[str, str] = {}
        self._is_gone = self._is_lost = False

    @property
    def unique_id(self) -> str:
        """The citizen's channel."""
        return self._unique_id

    def variable(self, name: str) -> str:
        """Ask for a variable of the channel; its value may hold anything."""
        if not _VARIABLE.match(name):
            raise InvalidInputError(name)
        number, rest = self._run(f"GET VARIABLE {name}", _ANSWER_SECONDS)
        return rest[1 : rest.rfind(")")] if number == 1 and rest.startswith("(") else ""

    def play(self, file: Path, stop_keys: str) -> str:
        """Play a WAV file; InvalidInputError when there is none."""
        command = f'STREAM FILE "{_stem(file)}" "{_keys(stop_keys)}"'
        number, _ = self._run(command, _seconds_of(file) + _MARGIN_SECONDS)
        return _key(number)

    def wait_for_key(self, seconds: float) -> str:
        """Wait for one key."""
        number, _ = self._run(f"WAIT FOR DIGIT {int(seconds * 1000)}", seconds + _MARGIN_SECONDS)
        return _key(number)

    def record(self, file: Path, seconds: float, silence_seconds: float, stop_keys: str, *, beep: bool = False) -> Recorded:
        """Record what the citizen says; a file in which nothing is recorded is none."""
        options = f"{'BEEP ' if beep else ''}s={max(1, round(silence_seconds))}"
        command = f'RECORD FILE "{_stem(file)}" wav "{_keys(stop_keys)}" {int(seconds * 1000)} {options}'
        try:
            number, _ = self._run(command, seconds + _MARGIN_SECONDS)
        except LineGoneError:
            # What was said before the hang-up is an answer too; whatever comes next finds the line gone.
            if not _holds_sound(file):
                raise
            self.gone()
            return Recorded(file=file)
        return Recorded(_key(number), file if _holds_sound(file) else None)

    def hang_up(self) -> None:
        """End the call."""
        try:
            self._run("HANGUP", _ANSWER_SECONDS)
        except LineGoneError:
            return

    # --- what the connection tells

    def take_result(self, command_id: str, result: str) -> None:
        """Take the result of a command; of one that nobody waits for nothing is kept."""
        with self._changed:
            if command_id in self._results:
                self._results[command_id] = result
                self._changed.notify_all()

    def gone(self) -> None:
        """The call is over."""
        with self._changed:
            self._is_gone = True
            self._changed.notify_all()

    def lost(self) -> None:
        """The connection is down: what becomes of the call, whoever comes next will see."""
        with self._changed:
            self._is_lost = True
            self._changed.notify_all()

    def _run(self, command: str, patience: float) -> tuple[int, str]:
        command_id = f"{self._unique_id}:{next(self._numbers)}:{id(self)}"
        with self._changed:
            self._check()
            self._results[command_id] = ""
        try:
            self._ask(command, command_id)
            with self._changed:
                self._changed.wait_for(lambda: self._results[command_id] or self._is_gone or self._is_lost, patience)
                result = self._results[command_id]
                if not result:
                    self._check()
                    raise LineLostError(f"no answer to {command.split(' ', 1)[0]} within {patience:g} s")
        finally:
            with self._changed:
                del self._results[command_id]
        return self._read(command, result)

    def _ask(self, command: str, command_id: str) -> None:
        try:
            self._connection.request("AGI", {"Channel": self._channel, "Command": command, "CommandID": command_id})
        except ConflictError as error:
            # There is no such channel any more, or it no longer waits for us.
            raise LineGoneError(str(error)) from error
        except TingjianError as error:
            raise LineLostError(str(error)) from error

    def _check(self) -> None:
        if self._is_gone:
            raise LineGoneError(self._unique_id)
        if self._is_lost:
            raise LineLostError(self._unique_id)

    def _read(self, command: str, result: str) -> tuple[int, str]:
        found = _RESULT.match(result.strip())
        if found is None:
            if result.startswith("511"):
                raise LineGoneError(self._unique_id)
            raise AgiRefusedError(f"{command.split(' ', 1)[0]}: {result[:80]}")
        number = int(found[1])
        if number < 0:
            raise LineGoneError(self._unique_id)
        return number, found[2] or ""


class AsyncAgiLines:
    """Every waiting call of one exchange."""

    def __init__(self, connection: AmiConnection) -> None:
        self._connection = connection
        self._lines: dict[str, AgiLine] = {}
        self._lock = threading.Lock()
        self._on_call: Callable[[Line], None] | None = None

    def start(self, on_call: Callable[[Line], None]) -> None:
        """Take calls from now on."""
        self._on_call = on_call
        self._connection.subscribe(self._on_event, self._on_up, self._on_down)
        self._connection.start()

    def close(self) -> None:
        """Leave every call as it is."""
        self._on_call = None
        self._on_down()
        self._connection.close()

    def _on_event(self, event: AmiMessage) -> None:
        unique_id = event.get("Uniqueid")
        if event.name == "AsyncAGIStart":
            self._begin(event.get("Channel"), unique_id)
        elif event.name == "AsyncAGIExec" and (line := self._line(unique_id)) is not None:
            line.take_result(event.get("CommandID"), unquote(event.get("Result")))
        elif event.name == "AsyncAGIEnd":
            with self._lock:
                ended = self._lines.pop(unique_id, None)
            if ended is not None:
                ended.gone()
        elif event.name == "FullyBooted":
            self._on_up()

    def _on_up(self) -> None:
        """Take up calls that began to wait while nobody was there."""
        try:
            channels = self._connection.request_list("CoreShowChannels")
        except TingjianError as error:
            log.warning("waiting_calls_unknown", error=str(error)[:200])
            return
        for channel in channels:
            if channel.get("ApplicationData") == _WAITING:
                self._begin(channel.get("Channel"), channel.get("Uniqueid"))

    def _on_down(self) -> None:
        with self._lock:
            lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            line.lost()

    def _begin(self, channel: str, unique_id: str) -> None:
        on_call = self._on_call
        if on_call is None or not channel or not unique_id:
            return
        with self._lock:
            if unique_id in self._lines:
                return
            line = self._lines[unique_id] = AgiLine(self._connection, channel, unique_id)
        threading.Thread(target=on_call, args=(line,), name=f"ivr-{unique_id}", daemon=True).start()

    def _line(self, unique_id: str) -> AgiLine | None:
        with self._lock:
            return self._lines.get(unique_id)


def _stem(file: Path) -> str:
    """The file as Asterisk wants it, without its ending; what would end the quotes is refused."""
    text = str(file.with_suffix(""))
    if not _PATH.match(text) or not file.is_absolute():
        raise InvalidInputError(f"{text!r} cannot be given to the exchange")
    return text


def _keys(keys: str) -> str:
    if not _KEYS.match(keys):
        raise InvalidInputError(keys)
    return keys


def _key(number: int) -> str:
    return chr(number) if 0 < number < 128 and _KEYS.match(chr(number)) else ""


def _seconds_of(file: Path) -> float:
    try:
        with wave.open(str(file)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
        raise InvalidInputError(f"{file} cannot be played") from error


def _holds_sound(file: Path) -> bool:
    try:
        return _seconds_of(file) > 0
    except InvalidInputError:
        return False
