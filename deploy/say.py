"""Renders Mandarin speech as 8 kHz mono 16-bit WAV; run it with the Python that install_voice.sh made.

    VOICE=$(deploy/install_voice.sh)
    $VOICE/venv/bin/python deploy/say.py --voice zf_xiaoxiao --out OUT.wav TEXT
    $VOICE/venv/bin/python deploy/say.py --batch texts.tsv --out-dir DIR      name<TAB>voice<TAB>text, `#` starts a comment

A batch keeps rendered.json in DIR: a line whose text, voice and file are as they were is not rendered again.
"""

import argparse
import csv
import hashlib
import json
import re
import sys
import wave
from pathlib import Path
from typing import NoReturn

from spoken_numbers import spoken

RENDERING = 1  # raise it when the same text would sound different
MODEL_RATE, RATE = 24_000, 8_000
LOUDNESS, PEAK = 0.11, 0.8  # RMS of the voiced parts and the highest sample, of full scale
SILENCE = 0.01
PAUSE_SECONDS, EDGE_SECONDS = 0.25, 0.08
MAX_TOKENS = 508


def die(message: str) -> NoReturn:
    sys.exit(f"say: {message}")


class Voice:
    """The model and its pronunciation; loaded once, speaks with any of the voices."""

    def __init__(self, folder: Path):
        try:
            import jieba
            import numpy
            import onnxruntime
            from misaki import zh
        except ImportError as error:
            die(f"{error.name} is missing: run this with venv/bin/python of the folder that deploy/install_voice.sh prints")
        if not (folder / "model.onnx").is_file():
            die(f"{folder} holds no voice: run this with venv/bin/python of the folder that deploy/install_voice.sh prints")
        self._np, self._folder = numpy, folder
        jieba.setLogLevel("WARNING")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._model = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self._vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self._pronounce = zh.ZHG2P()

    def names(self) -> list[str]:
        return sorted(path.stem for path in (self._folder / "voices").glob("*.bin"))

    def say(self, text: str, voice: str, speed: float = 1.0):
        """Return 24 kHz float32 samples, sentence by sentence: long inputs make the model hurry."""
        np = self._np
        style = np.fromfile(self._folder / "voices" / f"{voice}.bin", np.float32).reshape(-1, 256)
        edge, pause = int(EDGE_SECONDS * MODEL_RATE), np.zeros(int(PAUSE_SECONDS * MODEL_RATE), np.float32)
        pieces = []
        for sentence in filter(str.strip, re.split(r"(?<=[。！？；\n])", spoken(text))):
            sounds = self._pronounce(sentence.strip())
            sounds = sounds[0] if isinstance(sounds, tuple) else sounds
            tokens = [self._vocabulary[sound] for sound in sounds if sound in self._vocabulary]
            if not tokens or len(tokens) > MAX_TOKENS:
                die(f"a sentence must have 1 to {MAX_TOKENS} sounds, this one has {len(tokens)}: {sentence[:40]}")
            inputs = {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": style[min(len(tokens), len(style)) - 1].reshape(1, 256),
                "speed": np.array([speed], np.float32),
            }
            samples = self._model.run(None, inputs)[0].ravel()
            loud = np.where(np.abs(samples) > SILENCE)[0]
            if not len(loud):
                die(f"the voice {voice} stayed silent on: {sentence[:40]}")
            pieces += [samples[max(0, loud[0] - edge) : loud[-1] + edge], pause]
        if not pieces:
            die("there is no text to say")
        return np.concatenate(pieces[:-1])

    def write(self, path: Path, text: str, voice: str, speed: float) -> float:
        """Render to a file, at the loudness all prompts share; returns its seconds."""
        import soxr

        np = self._np
        if voice not in self.names():
            die(f"there is no voice {voice!r}: choose one of {', '.join(self.names())}")
        samples = soxr.resample(self.say(text, voice, speed), MODEL_RATE, RATE, quality="VHQ")
        voiced = samples[np.abs(samples) > SILENCE]
        gain = min(PEAK / np.abs(samples).max(), LOUDNESS / np.sqrt(np.mean(voiced**2)))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with wave.open(str(partial), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((np.clip(samples * gain, -1, 1) * 32767).astype("<i2").tobytes())
        partial.replace(path)
        return len(samples) / RATE


def fingerprint(text: str, voice: str, speed: float) -> str:
    return hashlib.sha256(f"{RENDERING}\n{voice}\n{speed}\n{text}".encode()).hexdigest()


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def read_batch(path: Path) -> list[tuple[str, str, str]]:
    """The lines to render, each name once and inside the output folder."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError) as error:
        die(f"cannot read {path}: {error}")
    lines: list[tuple[str, str, str]] = []
    for number, row in enumerate(rows, start=1):
        if not row or not row[0].strip() or row[0].startswith("#"):
            continue
        if len(row) != 3 or not all(cell.strip() for cell in row):
            die(f"{path} line {number}: expected name, voice and text with tabs between")
        if not re.fullmatch(r"[a-z0-9_-]+(/[a-z0-9_-]+)*", row[0]):
            die(f"{path} line {number}: a name is of a-z, 0-9, - and _, with / for a folder; got {row[0]!r}")
        if row[0] in {name for name, _, _ in lines}:
            die(f"{path} line {number}: the name {row[0]} is there twice")
        lines.append((row[0], row[1], row[2]))
    return lines


def write_manifest(path: Path, known: dict[str, dict[str, str]]) -> None:
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def render_batch(folder: Path, batch: Path, out: Path, speed: float) -> None:
    lines = read_batch(batch)
    manifest = out / "rendered.json"
    known = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    names = {name for name, _, _ in lines}
    voice, rendered = None, 0
    if gone := known.keys() - names:
        known = {name: entry for name, entry in known.items() if name in names}
        write_manifest(manifest, known)
        print(f"say: no longer in {batch.name}, delete their files: {', '.join(sorted(gone))}", file=sys.stderr)
    for name, voice_name, text in lines:
        path, wanted = out / f"{name}.wav", fingerprint(text, voice_name, speed)
        entry = known.get(name, {})
        if entry.get("text") == wanted and entry.get("wav") == sha256_of(path):
            continue
        voice = voice or Voice(folder)
        seconds = voice.write(path, text, voice_name, speed)
        known[name] = {"text": wanted, "wav": sha256_of(path)}
        rendered += 1
        print(f"say: {path} {seconds:.1f} s", file=sys.stderr)
        write_manifest(manifest, known)  # after each file, so that a run broken off loses nothing
    print(f"{rendered} rendered, {len(lines) - rendered} as they were")


def main() -> None:
    parser = argparse.ArgumentParser(description="Render Mandarin speech as 8 kHz mono 16-bit WAV.")
    parser.add_argument("text", nargs="?", help="what to say")
    parser.add_argument("--voice", default="zf_xiaoxiao")
    parser.add_argument("--speed", type=float, default=1.0, help="0.5 (slow) to 2")
    parser.add_argument("--out", type=Path, help="the WAV file of TEXT")
    parser.add_argument("--batch", type=Path, help="a file of name<TAB>voice<TAB>text")
    parser.add_argument("--out-dir", type=Path, help="the folder of the batch's WAV files")
    options = parser.parse_args()
    if not 0.5 <= options.speed <= 2:
        parser.error("--speed must lie between 0.5 and 2")
    folder = Path(sys.prefix).parent
    if options.batch and options.out_dir and not (options.text or options.out):
        render_batch(folder, options.batch, options.out_dir, options.speed)
    elif options.text and options.out and not (options.batch or options.out_dir):
        Voice(folder).write(options.out, options.text, options.voice, options.speed)
        print(options.out)
    else:
        parser.error("give either --out and TEXT, or --batch and --out-dir")


if __name__ == "__main__":
    main()
