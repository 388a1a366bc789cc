"""Character error rate and CPU of the recogniser, live and after the call, beside stock faster-whisper in the same run.

`python -m bench.speech_accuracy [--limit N]`. CPU-RTF is processor seconds ÷ audio seconds of this process, one decoding thread
everywhere. Data: `speech/tts` and `speech/aishell` under TINGJIAN_SHARED (or `../shared`); without them it says so and ends.
"""

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import soxr

from bench.character_errors import comparable, distance, error_rate, interval, paired_bootstrap
from bench.machine import shared_folder, write_result
from core.errors import UnavailableError
from core.settings import get_settings
from telephony.adapters.faster_whisper_speech import FINAL_BEAM, FasterWhisperSpeech
from telephony.adapters.silero_vad import SileroModel, SileroStream
from telephony.adapters.whisper_engine import WhisperWindow, load_window
from telephony.adapters.whisper_weights import live_model_folder, model_folder
from telephony.ports import Recognized
from telephony.speech import short_window
from telephony.speech.audio import read_wav
from telephony.speech.ear import Ear, Noticed
from telephony.speech.endpointing import SAMPLE_RATE, WINDOW_SAMPLES, Samples, Utterance
from telephony.speech.files import Recognizer, cpu_seconds, final_recognizer
from telephony.speech.tap_buffer import Chunk

STOCK_BEAM = 5
LIVE_CPU_LIMIT = 0.4
_PAUSE_SECONDS = 1.0

Spoken = tuple[str, str, Samples]


def telephone(pcm: Samples) -> Samples:
    """Return 16 kHz speech as a G.711 line would bring it: 8 kHz, 8-bit µ-law, and back."""
    narrow = np.clip(soxr.resample(pcm, SAMPLE_RATE, 8000), -1, 1)
    squeezed = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log1p(255)
    coded = np.round(squeezed * 127) / 127
    decoded = np.sign(coded) * (np.exp(np.abs(coded) * np.log1p(255)) - 1) / 255
    return np.asarray(soxr.resample(decoded, 8000, SAMPLE_RATE), dtype=np.float32)


def read_set(folder: Path, table: str, limit: int | None, change: Callable[[Samples], Samples] = lambda pcm: pcm) -> list[Spoken]:
    """Return (name, text, 16 kHz samples) of a folder's utterances."""
    with (folder / table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[:limit]
    return [(row["file"], row["text"], change(read_wav(folder / row["file"]).at_16k())) for row in rows]


def measure(recognizer: Recognizer, utterances: list[Spoken]) -> dict[str, Any]:
    """Return errors, lengths and processor time of one recogniser over one set, each utterance by itself."""
    pairs, spent, seconds = [], 0.0, 0.0
    for _, text, pcm in utterances:
        began = cpu_seconds()
        heard = "".join(segment.text for segment in recognizer(pcm))
        spent += cpu_seconds() - began
        seconds += len(pcm) / SAMPLE_RATE
        reference = comparable(text)
        pairs.append((distance(reference, comparable(heard)), len(reference)))
    low, high = interval(pairs)
    rates = {"cer": error_rate(pairs), "cer_low": low, "cer_high": high, "cpu_rtf": spent / seconds, "seconds": seconds}
    # Counts only: what was said in a borrowed set is not ours to keep.
    return rates | {"pairs": pairs}


def drafting_recognizer(model: SileroModel, window: WhisperWindow, beam: int) -> Recognizer:
    """Return the live path with each pause's draft decoded: the most it spends, for in a call drafts wait for a free worker."""

    def recognize(pcm: Samples) -> list[Recognized]:
        ear = Ear(SileroStream(model))
        heard: list[Recognized] = []
        draft: tuple[float, Recognized] | None = None

        def decode(utterance: Utterance) -> Recognized:
            found = short_window.decode(window, utterance.pcm, beam=beam)
            return Recognized(utterance.start_seconds, utterance.end_seconds, found.text, found.confidence)

        def keep(noticed: list[Noticed]) -> None:
            ended = [each.what for each in noticed if isinstance(each.what, Utterance)]
            heard.extend(draft[1] if draft and draft[0] == what.end_seconds else decode(what) for what in ended)

        for start in range(0, len(pcm), WINDOW_SAMPLES):
            keep(ear.hear([Chunk(start / SAMPLE_RATE, pcm[start : start + WINDOW_SAMPLES])]))
            if not ear.is_pausing:
                draft = None
            elif draft is None:
                utterance = ear.draft()
                draft = utterance.end_seconds, decode(utterance)
        keep(ear.hear([Chunk(len(pcm) / SAMPLE_RATE, None, SAMPLE_RATE)]) + ear.flush())
        return [found for found in heard if found.text]

    return recognize


def joined(utterances: list[Spoken]) -> list[Spoken]:
    """Return the set as one recording with pauses, as a call is."""
    pause = np.zeros(int(_PAUSE_SECONDS * SAMPLE_RATE), np.float32)
    pcm = np.concatenate([part for _, _, each in utterances for part in (each, pause)])
    return [("joined", "".join(text for _, text, _ in utterances), pcm)]


@click.command()
@click.option("--limit", type=int, help="Only so many utterances of each set: a trial, whose figures are not kept.")
def main(limit: int | None) -> None:
    """Measure and write bench/results/speech_accuracy.json."""
    shared = shared_folder()
    if shared is None or not (shared / "data/speech/aishell").is_dir():
        click.echo("skipped: no test speech (data/speech) in TINGJIAN_SHARED or ../shared")
        return
    settings = get_settings()
    try:
        engine = FasterWhisperSpeech(model_folder(settings), threads=1)
        model = engine.load()
        window = load_window(live_model_folder(settings))
    except UnavailableError as error:
        click.echo(f"skipped: {error}")
        return
    detector = SileroModel()

    def stock(pcm: Samples) -> list[Any]:
        return list(model.transcribe(pcm, language="zh", beam_size=STOCK_BEAM, condition_on_previous_text=False)[0])

    ways: dict[str, Recognizer] = {
        f"stock, beam {STOCK_BEAM}": stock,
        f"live, beam {settings.live_beam}": drafting_recognizer(detector, window, settings.live_beam),
        f"final, beam {FINAL_BEAM}": final_recognizer(engine),
    }
    folder = shared / "data/speech"
    sets = {
        "tts, 8 kHz": read_set(folder / "tts", "samples.tsv", limit),
        "aishell, 16 kHz": read_set(folder / "aishell", "utterances.tsv", limit),
        "aishell, 8 kHz µ-law": read_set(folder / "aishell", "utterances.tsv", limit, telephone),
    }
    stock_name, live_name, final_name = ways
    for recognizer in ways.values():
        recognizer(sets["tts, 8 kHz"][0][2])  # the first run allocates
    results: dict[str, Any] = {}
    click.echo(f"{'set':22} {'recogniser':16} {'CER %':>6} {'95 %':>13} {'CPU-RTF':>8} {'of stock':>8}  CER − stock, points (95 %)")
    for title, utterances in sets.items():
        measured = {name: measure(recognizer, utterances) for name, recognizer in ways.items()}
        for name, found in measured.items():
            found["cpu_of_stock"] = found["cpu_rtf"] / measured[stock_name]["cpu_rtf"]
            found["against_stock"] = paired_bootstrap(found["pairs"], measured[stock_name]["pairs"])
            _show(title, name, found)
        results[title] = measured
    whole = measure(ways[final_name], joined(sets["aishell, 8 kHz µ-law"]))
    click.echo(f"{'aishell 8 kHz, joined':22} {final_name:16} {whole['cer'] * 100:6.1f} {'':13} {whole['cpu_rtf']:8.3f}")
    verdict = _verdict(results, stock_name, live_name)
    click.echo(f"{verdict}")
    if limit:
        return
    path = write_result(
        "speech_accuracy",
        {"model": model_folder(settings).name, "hotwords": "", "sets": results, "final_joined": whole, "verdict": verdict},
        "faster-whisper", "ctranslate2", "onnxruntime", "numpy",
    )  # fmt: skip
    click.echo(f"written to {path}")
    if not verdict["holds"]:
        sys.exit(1)


def _show(title: str, name: str, found: dict[str, Any]) -> None:
    against = found["against_stock"]
    click.echo(
        f"{title:22} {name:16} {found['cer'] * 100:6.1f} {found['cer_low'] * 100:5.1f}–{found['cer_high'] * 100:<7.1f}"
        f" {found['cpu_rtf']:8.3f} {found['cpu_of_stock']:8.2f}"
        f"  {against['difference'] * 100:+.1f} ({against['low'] * 100:+.1f} … {against['high'] * 100:+.1f})"
    )


def _verdict(results: dict[str, Any], stock: str, live: str) -> dict[str, Any]:
    """Return whether live keeps its promise: at most 0.4 of stock's processor time, and not worse on all utterances together."""
    mine = [pair for measured in results.values() for pair in measured[live]["pairs"]]
    other = [pair for measured in results.values() for pair in measured[stock]["pairs"]]
    spent = {name: sum(m[name]["cpu_rtf"] * m[name]["seconds"] for m in results.values()) for name in (stock, live)}
    share = spent[live] / spent[stock]
    against = paired_bootstrap(mine, other)
    return {"cpu_of_stock": share, "cer_against_stock": against, "holds": share <= LIVE_CPU_LIMIT and against["low"] <= 0}


if __name__ == "__main__":
    main()
