"""What every `SpeechToText` promises: the fake always, each engine where its weights are given."""

import http.server
import io
import json
import os
import threading
import wave
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnavailableError
from telephony.adapters.faster_whisper_speech import FasterWhisperSpeech
from telephony.adapters.http_speech import HttpSpeech
from telephony.adapters.openai_whisper_speech import OpenAIWhisperSpeech
from telephony.adapters.whisper_engine import load_window
from telephony.adapters.whisper_recordings import WhisperRecordings
from telephony.ports import Pcm, SpeechToText
from telephony.speech.audio import from_pcm16, read_wav
from telephony.speech.endpointing import SAMPLE_RATE
from telephony.speech.normalization import normalize
from tests.fakes.speech import FakeSpeechToText

QUESTION = Path(__file__).parents[1] / "data/speech/05_bdc.wav"


class RemoteEngine(http.server.BaseHTTPRequestHandler):
    """A speech server of the documented form that recognises with the fake; checks what it is sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = list(BytesParser(_class=EmailMessage, policy=HTTP).parsebytes(head + body).iter_parts())
        fields: dict[str, bytes] = {
            str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True)) for part in parts
        }
        with wave.open(io.BytesIO(fields["file"])) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
            pcm = from_pcm16(file.readframes(file.getnframes()))
        assert (fields["language"], fields["response_format"]) == (b"zh", b"verbose_json")
        heard = FakeSpeechToText().transcribe(pcm)
        segments = [{"id": n, "start": r.start_seconds, "end": r.end_seconds, "text": r.text} for n, r in enumerate(heard)]
        answer = json.dumps({"segments": segments}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Broken(http.server.BaseHTTPRequestHandler):
    """Answers what the path names: /500, /html or /shape."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500 if self.path == "/500" else 200)
        self.end_headers()
        self.wfile.write({"/html": b"<html>", "/shape": b'{"segments": [{"start": "soon"}]}'}.get(self.path, b""))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def served(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=["fake", "faster-whisper", "faster-whisper in a child", "openai-whisper", "http"])
def engine(request: pytest.FixtureRequest) -> Iterator[SpeechToText]:
    match request.param:
        case "fake":
            yield FakeSpeechToText()
        case "faster-whisper":
            yield FasterWhisperSpeech(request.getfixturevalue("weights"))
        case "faster-whisper in a child":
            child = WhisperRecordings("faster-whisper", request.getfixturevalue("weights"), nice=0)
            yield child
            child.close()
        case "openai-whisper":
            checkpoint = os.environ.get("TINGJIAN_OPENAI_WHISPER")
            if not checkpoint:
                pytest.skip("set TINGJIAN_OPENAI_WHISPER to a .pt file to run openai-whisper in this suite")
            pytest.importorskip("whisper", reason="openai-whisper is not installed: requirements/openai-whisper.txt")
            yield OpenAIWhisperSpeech(Path(checkpoint))
        case _:
            server = served(RemoteEngine)
            yield HttpSpeech(next(server))
            next(server, None)


@pytest.fixture(scope="module")
def question() -> Pcm:
    return read_wav(QUESTION).at_16k()


def silence(seconds: float) -> Pcm:
    return np.zeros(int(seconds * SAMPLE_RATE), np.float32)


def test_speech_is_heard_with_times_inside_the_audio(engine: SpeechToText, question: Pcm) -> None:
    heard = engine.transcribe(np.concatenate([silence(2), question, silence(2)]))
    assert heard
    assert all(0 <= each.start_seconds <= each.end_seconds <= 4 + len(question) / SAMPLE_RATE for each in heard)
    assert [each.start_seconds for each in heard] == sorted(each.start_seconds for each in heard)
    assert all(0 <= each.confidence <= 1 and each.text.strip() for each in heard)
    assert heard[0].start_seconds == pytest.approx(2.2, abs=1.0)
    assert heard[-1].end_seconds == pytest.approx(2 + len(question) / SAMPLE_RATE, abs=1.5)


def test_silence_is_no_text(engine: SpeechToText) -> None:
    assert engine.transcribe(silence(5)) == []


def test_no_audio_is_no_text(engine: SpeechToText) -> None:
    assert engine.transcribe(silence(0)) == []


def test_hotwords_are_taken(engine: SpeechToText, question: Pcm) -> None:
    assert engine.transcribe(question, "不动产登记 二手房")


def test_real_engines_hear_the_words(engine: SpeechToText, question: Pcm) -> None:
    if engine.name in {"fake", "http"}:
        pytest.skip("hears no words")
    text = normalize("".join(each.text for each in engine.transcribe(question)))
    assert "窗口" in text
    assert "二手房" in text


@pytest.mark.parametrize("build", [FasterWhisperSpeech, OpenAIWhisperSpeech])
@pytest.mark.parametrize("where", [None, Path("/nonexistent/weights")])
def test_no_weights_is_said_with_what_to_do(build: type[FasterWhisperSpeech | OpenAIWhisperSpeech], where: Path | None) -> None:
    with pytest.raises(UnavailableError, match="SPEECH_MODEL"):
        build(where).transcribe(silence(1))


def test_a_folder_without_a_model_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UnavailableError, match=r"lacks model\.bin, tokenizer\.json, vocabulary\.txt.*install_weights"):
        FasterWhisperSpeech(tmp_path).transcribe(silence(1))


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.txt"])
def test_a_truncated_file_is_said_with_what_to_do(weights: Path, tmp_path: Path, name: str) -> None:
    for file in weights.iterdir():
        if file.name == name:
            (tmp_path / name).write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        else:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(UnavailableError, match=r"damaged.*install_weights"):
        FasterWhisperSpeech(tmp_path).transcribe(silence(1))
    with pytest.raises(UnavailableError, match=r"damaged.*install_weights"):
        load_window(tmp_path)
    child = WhisperRecordings("faster-whisper", tmp_path)
    try:
        with pytest.raises(UnavailableError, match=r"damaged.*install_weights"):
            child.transcribe(silence(1))
    finally:
        child.close()


@pytest.mark.parametrize(
    ("path", "sentence"), [("/500", "answered 500"), ("/html", "documented form"), ("/shape", "documented form")]
)
def test_a_remote_engine_that_fails_is_unavailable(path: str, sentence: str) -> None:
    server = served(Broken)
    with pytest.raises(UnavailableError, match=sentence):
        HttpSpeech(next(server) + path).transcribe(silence(1))
    next(server, None)


def test_a_remote_engine_that_is_away_or_not_set_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        HttpSpeech("http://127.0.0.1:9").transcribe(silence(1))
    with pytest.raises(UnavailableError, match="SPEECH_URL"):
        HttpSpeech(None).transcribe(silence(1))
