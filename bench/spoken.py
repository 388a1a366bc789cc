"""Questions as they are heard on the telephone: the demonstration voice, 8 kHz µ-law, the product's live path.

Renderings are kept in the cache, by voice and text: about real time on two free cores, once. `python -m bench.spoken` only renders.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.character_errors import comparable, distance, error_rate, interval
from bench.knowledge import Question
from bench.speech_accuracy import telephone
from core.settings import PROJECT_DIR, Settings, get_settings
from telephony.adapters.silero_vad import SileroModel, SileroStream
from telephony.adapters.whisper_engine import load_window
from telephony.adapters.whisper_weights import live_model_folder
from telephony.speech.audio import read_wav
from telephony.speech.files import join, live_recognizer
from telephony.speech.normalization import normalize
from telephony.speech.redaction import redact_segments

VOICES = ("zf_xiaoxiao", "zm_yunjian", "zf_xiaobei", "zm_yunxi", "zf_xiaoni", "zm_yunyang")
"""Women and men by turns; a question's place in its file decides who asks it."""
_NICENESS = 10


@dataclass(frozen=True)
class Hearing:
    """What was heard of a set of questions: text by id, and how many characters were wrong."""

    texts: dict[str, str]
    character_error_rate: float
    low: float
    high: float

    def __str__(self) -> str:
        rates = (self.character_error_rate, self.low, self.high)
        return "character error rate {:.1f} % (95 %: {:.1f}–{:.1f})".format(*(100 * rate for rate in rates))


def voice_folder() -> Path | None:
    """Return where the demonstration voice is installed, None where it is not: nothing is downloaded for a benchmark."""
    found = sorted((get_settings().tingjian_cache / "voice").glob("kokoro-zh-*/venv/bin/python"))
    return found[-1].parents[2] if found else None


def rendered(questions: Sequence[Question], voice: Path) -> dict[str, Path]:
    """Return an 8 kHz WAV for each question by id; those that are not in the cache yet are rendered."""
    folder = get_settings().tingjian_cache / "bench-speech" / "questions"
    folder.mkdir(parents=True, exist_ok=True)
    lines, files = [], {}
    for at, question in enumerate(questions):
        speaker = VOICES[at % len(VOICES)]
        name = f"{speaker}-{hashlib.sha256(question.text.encode()).hexdigest()[:16]}"
        lines.append(f"{name}\t{speaker}\t{question.text}\n")
        files[question.id] = folder / f"{name}.wav"
    batch = folder / "batch.tsv"
    batch.write_text("".join(lines), encoding="utf-8")
    say = [str(voice / "venv" / "bin" / "python"), str(PROJECT_DIR / "deploy" / "say.py")]
    subprocess.run(["nice", "-n", str(_NICENESS), *say, "--batch", str(batch), "--out-dir", str(folder)], check=True)
    return files


def heard_live(files: Mapping[str, Path], settings: Settings, hotwords: str) -> dict[str, str]:
    """Return what the live path hears in each file: what the desk would show as the citizen's words, numbers masked.

    Raises:
        UnavailableError: the weights are missing or damaged.
    """
    model = SileroModel()
    window = load_window(live_model_folder(settings), device=settings.speech_device, threads=settings.live_workers)
    recognize = live_recognizer(lambda: SileroStream(model), window, beam=settings.live_beam, hotwords=hotwords)
    heard = {}
    for question_id, path in files.items():
        segments = recognize(telephone(read_wav(path).at_16k()))
        heard[question_id] = join(text for text in redact_segments([normalize(each.text) for each in segments]) if text)
    return heard


def compare(questions: Iterable[Question], heard: dict[str, str]) -> Hearing:
    """Return the texts with their error rate; a question that was not heard at all counts with every character."""
    pairs = []
    for question in questions:
        wanted = comparable(question.text)
        pairs.append((distance(wanted, comparable(heard.get(question.id, ""))), len(wanted)))
    return Hearing(heard, error_rate(pairs), *interval(pairs))


if __name__ == "__main__":
    from bench.knowledge import load_questions
    from bench.questions import QUESTIONS

    if (installed := voice_folder()) is None:
        sys.exit("the demonstration voice is not installed: run deploy/install_voice.sh")
    rendered(load_questions(QUESTIONS), installed)
