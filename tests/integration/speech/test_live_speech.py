"""Real taps, the real detector and the real decoder in its own process."""

import csv
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.character_errors import comparable, distance
from core.errors import UnavailableError
from core.settings import PROJECT_DIR
from telephony.adapters.silero_vad import SileroModel, SileroStream
from telephony.adapters.whisper_live import WhisperLiveDecoder
from telephony.speech.audio import read_wav, to_pcm16
from telephony.speech.endpointing import SAMPLE_RATE
from telephony.speech.live import LiveTranscriber
from telephony.speech.tap_server import TapServer
from tests.fakes.speech import FakeSink

SPEECH = PROJECT_DIR / "tests/data/speech"


@pytest.fixture(scope="module")
def decoder(weights: Path) -> Iterator[WhisperLiveDecoder]:
    made = WhisperLiveDecoder(weights)
    made.start()
    yield made
    made.close()


@pytest.fixture
def live(decoder: WhisperLiveDecoder) -> Iterator[tuple[LiveTranscriber, FakeSink]]:
    model, sink = SileroModel(), FakeSink()
    made = LiveTranscriber(TapServer("127.0.0.1", 0), decoder, lambda: SileroStream(model), sink)
    made.start()
    yield made, sink
    made.stop()


def play(files: list[Path], addresses: list[tuple[uuid.UUID, str]]) -> None:
    """Send every file to its tap at the pace of speech, then silence until its end is known."""
    connections = []
    for tap_id, address in addresses:
        host, port = address.split(":")
        connections.append(socket.create_connection((host, int(port))))
        connections[-1].sendall(b"\x01\x00\x10" + tap_id.bytes)
    frames = []
    for file in files:
        data = to_pcm16(read_wav(file).at_16k()) + bytes(2 * SAMPLE_RATE)
        frames.append([data[at : at + 640] for at in range(0, len(data) - 639, 640)])
    began = time.monotonic()
    for index in range(max(map(len, frames))):
        for connection, mine in zip(connections, frames, strict=True):
            if index < len(mine):
                connection.sendall(b"\x12\x02\x80" + mine[index])
        time.sleep(max(0.0, began + (index + 1) * 0.02 - time.monotonic()))
    for connection in connections:
        connection.close()


def test_two_parties_speaking_at_once_are_written_down_soon(live: tuple[LiveTranscriber, FakeSink]) -> None:
    transcriber, sink = live
    call_id = uuid.uuid4()
    names = {"citizen": "05_bdc.wav", "agent": "11_jindu.wav"}
    addresses = []
    for party in names:
        tap_id = uuid.uuid4()
        addresses.append((tap_id, transcriber.open(call_id, party, tap_id, datetime.now(UTC))))
    play([SPEECH / name for name in names.values()], addresses)
    deadline = time.monotonic() + 5
    while transcriber.totals()["taps_closed"] < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert transcriber.drain(10)
    with (SPEECH / "samples.tsv").open(encoding="utf-8") as file:
        texts = {row["file"]: comparable(row["text"]) for row in csv.DictReader(file, delimiter="\t")}
    for party, name in names.items():
        heard = comparable("".join(segment.text for segment in sink.segments if segment.party == party))
        assert distance(texts[name], heard) <= 0.3 * len(texts[name])
    assert {party for _, party, _ in sink.started} == {"citizen", "agent"}
    # Beside other tests on two cores: the bench measures it, here it must only not be absurd.
    assert max(segment.lag_seconds for segment in sink.segments) < 8
    assert transcriber.totals()["dropped_seconds"] == 0


def test_a_killed_decoder_comes_back(decoder: WhisperLiveDecoder) -> None:
    pcm = read_wav(SPEECH / "05_bdc.wav").at_16k()
    killed = decoder.process.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while decoder.process.pid in {killed, None}:
        assert time.monotonic() < deadline, "it was not started again"
        time.sleep(0.05)
    assert "窗口" in decoder.decode(pcm)


def test_what_a_dying_decoder_was_asked_is_answered_by_an_error_not_by_silence(decoder: WhisperLiveDecoder) -> None:
    pcm = read_wav(SPEECH / "05_bdc.wav").at_16k()
    with ThreadPoolExecutor(2) as pool:
        asked: list[Future[str]] = [pool.submit(decoder.decode, pcm) for _ in range(2)]
        time.sleep(0.1)
        assert decoder.process.pid is not None
        os.kill(decoder.process.pid, signal.SIGKILL)
        for each in asked:
            with pytest.raises(UnavailableError):
                each.result(10)


PARENT = """
import sys, time
from pathlib import Path
from telephony.adapters.whisper_live import WhisperLiveDecoder
decoder = WhisperLiveDecoder(Path(sys.argv[1]))
decoder.start()
sys.stdout.write(f"child {decoder.process.pid}\\n")
sys.stdout.flush()
time.sleep(60)
"""


def test_the_decoder_dies_with_a_parent_that_is_killed(weights: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(weights)], cwd=PROJECT_DIR, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        # Its log goes the same way, and may stand before the word on the same line.
        child = next(int(found[1]) for line in parent.stdout if (found := re.search(rb"child (\d+)", line)))
        assert Path(f"/proc/{child}").exists()
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 5
    while is_running(child):
        assert time.monotonic() < deadline, "the decoder outlived its parent"
        time.sleep(0.05)


def test_weights_that_come_later_are_taken(weights: Path, tmp_path: Path) -> None:
    decoder = WhisperLiveDecoder(tmp_path / "model")
    try:
        with pytest.raises(UnavailableError, match="install_weights"):
            decoder.start()
        (tmp_path / "model").symlink_to(weights)
        pcm = read_wav(SPEECH / "05_bdc.wav").at_16k()
        deadline = time.monotonic() + 20
        while True:
            try:
                assert "窗口" in decoder.decode(pcm)
                break
            except UnavailableError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        decoder.close()


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
