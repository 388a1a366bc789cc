"""The Mandarin voice that deploy/install_voice.sh installs, as PromptVoice: deploy/say.py in the voice's own Python."""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import structlog

from core.errors import UnavailableError
from core.settings import PROJECT_DIR, Settings
from survey.prompting import VOICE

log = structlog.get_logger()
_SAY = PROJECT_DIR / "deploy" / "say.py"
_SECONDS_A_TEXT = 120


class VoiceUnavailableError(UnavailableError):
    """The voice is not installed, or could not read a text."""


class KokoroVoice:
    """Starts one process for a batch; what that cannot read is tried text by text, so that one bad text stops no other."""

    def __init__(self, folder: Path | None) -> None:
        """Prepare; `folder` is what install_voice.sh printed, None where there is no voice."""
        self._folder = folder

    def render(self, texts: Mapping[str, str], folder: Path) -> None:
        """Write every text that can be read."""
        if not texts:
            return
        try:
            self._batch(texts, folder)
        except VoiceUnavailableError:
            if len(texts) == 1 or self._folder is None:
                raise
            failed: list[VoiceUnavailableError] = []
            for name, text in texts.items():
                try:
                    self._batch({name: text}, folder)
                except VoiceUnavailableError as error:
                    failed.append(error)
            if failed:
                raise failed[0] from None

    def _batch(self, texts: Mapping[str, str], folder: Path) -> None:
        python = self._folder / "venv" / "bin" / "python" if self._folder else None
        if python is None or not python.exists():
            raise VoiceUnavailableError("the Mandarin voice is not installed on this machine: run deploy/install_voice.sh")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".rendering-") as scratch:
            batch, made = Path(scratch) / "texts.tsv", Path(scratch) / "made"
            lines = [f"{name}\t{VOICE}\t{' '.join(text.split())}\n" for name, text in texts.items()]
            batch.write_text("".join(lines), encoding="utf-8")
            self._run([str(python), str(_SAY), "--batch", str(batch), "--out-dir", str(made)], len(texts))
            for name in texts:
                (made / f"{name}.wav").replace(folder / f"{name}.wav")

    @staticmethod
    def _run(command: list[str], count: int) -> None:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_A_TEXT * count, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise VoiceUnavailableError(f"the voice could not read: {error}") from error
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise VoiceUnavailableError(said[-1][:300] if said else "the voice failed without a word")


def voice_folder(settings: Settings) -> Path | None:
    """Return the folder of the voice: the one the settings name, else the newest in the cache; None when there is none."""
    if settings.voice_dir is not None:
        return settings.voice_dir
    found = sorted((settings.tingjian_cache / "voice").glob("kokoro-zh-*/venv/bin/python"), key=lambda path: path.lstat().st_mtime)
    return found[-1].parents[2] if found else None
