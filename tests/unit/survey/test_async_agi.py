"""Calls that wait in AGI(agi:async): commands, results, ends, lost connections, and values that callers chose."""

import threading
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from core.errors import ConflictError, InvalidInputError, UnavailableError
from survey.adapters.async_agi import AgiRefusedError, AsyncAgiLines
from survey.ports import Line, LineGoneError, LineLostError
from telephony.ami_protocol import AmiMessage

CHANNEL, UNIQUE_ID = "PJSIP/carrier-00000001", "node1-1795411181.0"


class Exchange:
    """A manager connection of values: answers each command at once with what `answers` holds for its first words."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.answers: dict[str, str] = {}
        self.waiting: list[AmiMessage] = []
        self.error: Exception | None = None
        self.is_closed = False

    def subscribe(self, on_event: Callable[[AmiMessage], None], on_up: Callable[[], None], on_down: Callable[[], None]) -> None:
        self.on_event, self.on_up, self.on_down = on_event, on_up, on_down

    def start(self) -> None:
        self.on_up()

    def close(self) -> None:
        self.is_closed = True

    def request(self, name: str, keys: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None) -> Any:
        assert name == "AGI"
        assert keys is not None
        if self.error is not None:
            raise self.error
        self.commands.append(keys["Command"])
        answer = next((text for words, text in self.answers.items() if keys["Command"].startswith(words)), None)
        if answer is not None:
            result = quote(answer + "\n")
            self.tell("AsyncAGIExec", CommandID=keys["CommandID"], Result=result)

    def request_list(self, name: str, keys: Mapping[str, str] | None = None) -> list[AmiMessage]:
        return self.waiting

    def tell(self, name: str, **headers: str) -> None:
        self.on_event(AmiMessage((("Event", name), ("Channel", CHANNEL), ("Uniqueid", UNIQUE_ID), *headers.items())))


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def line(exchange: Exchange) -> Line:
    taken: list[Line] = []
    there = threading.Event()

    def on_call(line: Line) -> None:
        taken.append(line)
        there.set()

    AsyncAgiLines(exchange).start(on_call)
    exchange.tell("AsyncAGIStart", Env=quote("agi_callerid: 1\nagi_calleridname: x\r\nAction: Originate\n"))
    assert there.wait(2)
    return taken[0]


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return path


def test_a_prompt_is_played_to_its_end_or_to_a_key(exchange: Exchange, line: Line, prompt: Path) -> None:
    exchange.answers = {"STREAM FILE": "200 result=0 endpos=800"}
    assert line.play(prompt, "12*#") == ""
    exchange.answers = {"STREAM FILE": "200 result=42 endpos=300"}
    assert line.play(prompt, "12*#") == "*"
    assert exchange.commands[0] == f'STREAM FILE "{prompt.with_suffix("")}" "12*#"'


def test_keys(exchange: Exchange, line: Line) -> None:
    exchange.answers = {"WAIT FOR DIGIT 2500": "200 result=49"}
    assert line.wait_for_key(2.5) == "1"
    for odd in ("200 result=0", "200 result=7", "200 result=65", "200 result=9999"):
        exchange.answers = {"WAIT FOR DIGIT": odd}
        assert line.wait_for_key(1) == ""


def test_what_was_said_is_a_file_only_when_there_is_sound(exchange: Exchange, line: Line, prompt: Path, tmp_path: Path) -> None:
    exchange.answers = {"RECORD FILE": "200 result=0 (timeout) endpos=800"}
    assert line.record(prompt, 8, 2.4, "#").file == prompt
    assert exchange.commands[-1].endswith('wav "#" 8000 s=2')
    assert line.record(tmp_path / "none.wav", 8, 2.4, "#", beep=True).file is None
    assert exchange.commands[-1].endswith('wav "#" 8000 BEEP s=2')
    (tmp_path / "torn.wav").write_bytes(b"RIFF")
    exchange.answers = {"RECORD FILE": "200 result=35 (dtmf) endpos=0"}
    recorded = line.record(tmp_path / "torn.wav", 8, 2.4, "#")
    assert (recorded.key, recorded.file) == ("#", None)


def test_what_was_said_before_a_hang_up_is_kept(exchange: Exchange, line: Line, prompt: Path) -> None:
    exchange.answers = {"RECORD FILE": "200 result=-1 (hangup) endpos=800"}
    assert line.record(prompt, 8, 2.4, "#").file == prompt
    with pytest.raises(LineGoneError):
        line.wait_for_key(1)


def test_a_hang_up_without_a_word_ends_the_recording(exchange: Exchange, line: Line, tmp_path: Path) -> None:
    exchange.answers = {"RECORD FILE": "200 result=-1 (hangup) endpos=0"}
    with pytest.raises(LineGoneError):
        line.record(tmp_path / "none.wav", 8, 2.4, "#")


@pytest.mark.parametrize("value", ["x", "", "a) b", "()", "line\r\nAction: Originate", "200 result=-1", "张三\u2028"])
def test_a_variable_holds_anything(exchange: Exchange, line: Line, value: str) -> None:
    exchange.answers = {"GET VARIABLE TJ_KIND": f"200 result=1 ({value})"}
    assert line.variable("TJ_KIND") == value
    exchange.answers = {"GET VARIABLE TJ_KIND": "200 result=0"}
    assert line.variable("TJ_KIND") == ""


@pytest.mark.parametrize("name", ["X) Y", "x\n", "", "A" * 50])
def test_a_strange_variable_is_not_asked_for(exchange: Exchange, line: Line, name: str) -> None:
    with pytest.raises(InvalidInputError):
        line.variable(name)
    assert exchange.commands == []


@pytest.mark.parametrize("name", ['a" "0', "a\nHANGUP", "a\\"])
def test_a_path_ends_no_quotes(exchange: Exchange, line: Line, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError):
        line.record(tmp_path / f"{name}.wav", 1, 1, "#")
    with pytest.raises(InvalidInputError):
        line.play(Path("relative.wav"), "")
    with pytest.raises(InvalidInputError):
        line.play(tmp_path / "nothing.wav", "")
    with pytest.raises(InvalidInputError):
        line.record(tmp_path / "x.wav", 1, 1, '#" evil')
    assert exchange.commands == []


@pytest.mark.parametrize(
    "answer", ["200 result=-1", "200 result=-1 endpos=0", "511 Command Not Permitted on a dead channel or intercept routine"]
)
def test_a_hang_up_shows_in_the_result(exchange: Exchange, line: Line, answer: str) -> None:
    exchange.answers = {"WAIT": answer}
    with pytest.raises(LineGoneError):
        line.wait_for_key(1)


def test_a_hang_up_ends_the_waiting_at_once(exchange: Exchange, line: Line) -> None:
    soon = threading.Timer(0.1, lambda: exchange.tell("AsyncAGIEnd"))
    soon.start()
    with pytest.raises(LineGoneError):
        line.wait_for_key(60)
    exchange.commands.clear()
    with pytest.raises(LineGoneError):
        line.wait_for_key(1)
    line.hang_up()
    assert exchange.commands == []


def test_a_lost_connection_leaves_the_call_to_the_next(exchange: Exchange, line: Line) -> None:
    threading.Timer(0.1, exchange.on_down).start()
    with pytest.raises(LineLostError):
        line.wait_for_key(60)


def test_refusals_of_the_exchange(exchange: Exchange, line: Line) -> None:
    exchange.error = ConflictError("Channel does not exist")
    with pytest.raises(LineGoneError):
        line.wait_for_key(1)
    exchange.error = UnavailableError("not connected")
    with pytest.raises(LineLostError):
        line.wait_for_key(1)
    exchange.error = None
    exchange.answers = {"WAIT": "510 Invalid or unknown command"}
    with pytest.raises(AgiRefusedError):
        line.wait_for_key(1)


def test_results_of_others_are_nobodys(exchange: Exchange, line: Line) -> None:
    exchange.tell("AsyncAGIExec", CommandID="another", Result="200%20result%3D49")
    exchange.answers = {"WAIT": "200 result=50"}
    assert line.wait_for_key(1) == "2"
    exchange.tell("AsyncAGIExec", CommandID="late", Result="200%20result%3D49")


def test_calls_that_have_been_waiting_are_taken_once() -> None:
    exchange, taken, there = Exchange(), [], threading.Semaphore(0)
    waits = (("Event", "CoreShowChannel"), ("Channel", CHANNEL), ("Uniqueid", UNIQUE_ID), ("ApplicationData", "agi:async"))
    talks = (("Event", "CoreShowChannel"), ("Channel", "PJSIP/8001-1"), ("Uniqueid", "2"), ("ApplicationData", "consult"))
    exchange.waiting = [AmiMessage(waits), AmiMessage(talks)]

    def on_call(line: Line) -> None:
        taken.append(line.unique_id)
        there.release()

    lines = AsyncAgiLines(exchange)
    lines.start(on_call)
    assert there.acquire(timeout=2)
    exchange.on_up()
    exchange.tell("AsyncAGIStart")
    assert taken == [UNIQUE_ID]
    # After a cut it is taken up again.
    exchange.on_down()
    exchange.on_up()
    assert there.acquire(timeout=2)
    assert taken == [UNIQUE_ID, UNIQUE_ID]
    lines.close()
    exchange.tell("AsyncAGIStart")
    assert taken == [UNIQUE_ID, UNIQUE_ID]
    assert exchange.is_closed
