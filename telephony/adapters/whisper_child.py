"""The recogniser's own process: `python -m telephony.adapters.whisper_child`, fed over its standard input.

A message is 4 bytes of length (big endian), a JSON header of that length, then `header["size"]` bytes of 16-bit samples. The
first message configures; every other one is a request, answered by its `id`. It ends when its parent does, however that died.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import TingjianError, UnavailableError
from telephony.adapters.faster_whisper_speech import FasterWhisperSpeech
from telephony.adapters.openai_whisper_speech import OpenAIWhisperSpeech
from telephony.adapters.whisper_engine import load_window
from telephony.speech import short_window
from telephony.speech.audio import from_pcm16
from telephony.speech.endpointing import Samples

_PR_SET_PDEATHSIG: Final = 1
Message = tuple[dict[str, Any], bytes]


def write_message(stream: BinaryIO, header: dict[str, Any], payload: bytes = b"") -> None:
    """Write one message and flush it."""
    encoded = json.dumps(header | {"size": len(payload)}, ensure_ascii=False).encode()
    stream.write(struct.pack(">I", len(encoded)) + encoded)
    stream.write(payload)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Read one message; None at the end of the stream."""
    length = stream.read(4)
    if len(length) < 4:
        return None
    header = json.loads(stream.read(struct.unpack(">I", length)[0]))
    payload = stream.read(header["size"])
    return (header, payload) if len(payload) == header["size"] else None


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent goes, even by kill -9."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux: the end of standard input does it, a decode later
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


class _Live:
    """Answers with the text of one utterance each."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._window = load_window(_folder(config), device=config["device"], workers=config["workers"])
        self._beam = int(config["beam"])

    def answer(self, pcm: Samples, hotwords: str) -> dict[str, Any]:
        return asdict(short_window.decode(self._window, pcm, beam=self._beam, prompt=hotwords))


class _Final:
    """Answers with the segments of one recording each."""

    def __init__(self, config: dict[str, Any]) -> None:
        folder = _folder(config)
        if config["engine"] == OpenAIWhisperSpeech.name:
            self._engine: FasterWhisperSpeech | OpenAIWhisperSpeech = OpenAIWhisperSpeech(folder, device=config["device"])
        else:
            self._engine = FasterWhisperSpeech(folder, device=config["device"], threads=config["workers"])
        self._engine.load()

    def answer(self, pcm: Samples, hotwords: str) -> dict[str, Any]:
        return {"segments": [asdict(recognized) for recognized in self._engine.transcribe(pcm, hotwords)]}


def _folder(config: dict[str, Any]) -> Path | None:
    return Path(config["model"]) if config["model"] else None


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Load what the first message asks for, say so, and answer until the input ends."""
    first = read_message(requests)
    if first is None:
        return
    config = first[0]
    os.nice(int(config["nice"]))
    lock = threading.Lock()

    def reply(header: dict[str, Any]) -> None:
        with lock:
            write_message(replies, header)

    try:
        worker = _Live(config) if config["task"] == "live" else _Final(config)
    except UnavailableError as error:
        reply({"ready": False, "error": str(error)})
        return
    reply({"ready": True})

    def answer(header: dict[str, Any], payload: bytes) -> None:
        try:
            reply({"id": header["id"]} | worker.answer(from_pcm16(payload), header["hotwords"]))
        except TingjianError as error:
            reply({"id": header["id"], "error": str(error)})
        except Exception as error:  # the outermost loop of this process: the asker must hear of it, and the next may work
            reply({"id": header["id"], "error": f"{type(error).__name__}: {error}"})

    workers = int(config["workers"]) if config["task"] == "live" else 1
    with ThreadPoolExecutor(workers) as pool:
        while (message := read_message(requests)) is not None:
            pool.submit(answer, *message)


def main() -> None:
    """Run as a child of the process whose id is the argument."""
    die_with(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the messages
    serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
