"""The people of a benchmark: agents at real browsers, each page noting when a line or a card appears on it."""

from __future__ import annotations

import json
import queue
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from playwright.sync_api import Browser

from core.settings import PROJECT_DIR
from telephony.speech.audio import read_wav, to_pcm16
from tests.e2e.people import Desk
from tests.program import Program

_MICROPHONE_RATE = 48_000
# The page's own clock: page and caller are on one machine.
_NOTE_WHAT_APPEARS = """
(() => {
  const seen = (window.appeared = { lines: {}, cards: [] });
  new MutationObserver((records) => {
    const now = Date.now() / 1000;
    let cards = false;
    for (const record of records) {
      if (record.target.id === "cards") cards = true;
      for (const node of record.addedNodes) {
        if (node.nodeType !== 1 || !node.matches(".say:not(.now)")) continue;
        const key = `${node.matches(".cit") ? "citizen" : "agent"} ${Date.parse(node.dataset.at)}`;
        seen.lines[key] ??= now;
      }
    }
    if (!cards) return;
    seen.cards.push([now, [...document.querySelectorAll("#cards [data-card]")].map((card) => card.dataset.card)]);
  }).observe(document, { childList: true, subtree: true });
})();
"""


def microphone_file(folder: Path, files: list[Path], every: float) -> Path:
    """Make what the agents say: one utterance every so many seconds, over and over."""
    said = []
    for file in files:
        audio = read_wav(file)
        samples = np.asarray(soxr.resample(audio.samples, audio.rate, _MICROPHONE_RATE), dtype=np.float32)
        said.append(np.pad(samples, (0, int(every * _MICROPHONE_RATE) - len(samples))))
    path = folder / "agent.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_MICROPHONE_RATE)
        out.writeframes(to_pcm16(np.concatenate(said)))
    return path


def new_desk(browser: Browser, program: Program, number: int) -> Desk:
    """Make an agent and log them in at a browser context of their own."""
    username, password = f"bench{number}", secrets.token_urlsafe(18)
    program.run(
        *("user", "add", username, "--name", f"坐席 {number}", "--role", "agent", "--agent", str(8100 + number)),
        *("--queue", "consult", "--password", password),
    )
    program.endpoints["logins"].append({"username": username, "password": password, "roles": ["agent"]})
    desk = Desk(browser, program, username)
    desk.context.add_init_script(_NOTE_WHAT_APPEARS)
    return desk.log_in()


class Callers:
    """The citizens' process."""

    def __init__(self, program: Program, files: list[Path], every: float) -> None:
        sip = program.endpoints["sip"]
        command = [
            *(sys.executable, "-m", "bench.caller", f"{sip['host']}:{sip['port']}", str(sip["number"]), str(every)),
            *(str(file) for file in files),
        ]
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.process = subprocess.Popen(
            command, cwd=PROJECT_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, text=True
        )
        self._facts: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.said: list[dict[str, Any]] = []
        self.closed: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                fact = json.loads(line)
                if fact["what"] == "said":
                    self.said.append(fact)
                elif fact["what"] == "closed":
                    self.closed.append(fact["number"])
                else:
                    self._facts.put(fact)

    def ask(self, **command: Any) -> None:
        """Give the process a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def has(self, what: str) -> bool:
        """Return whether a fact of this kind has come; every fact is taken once."""
        assert self.process.poll() is None, f"the callers' process ended: {self._last_words()}"
        try:
            return bool(self._facts.get_nowait()["what"] == what)
        except queue.Empty:
            return False

    def _last_words(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read()[-2000:]

    def end(self) -> None:
        """Hang up."""
        if self.process.poll() is None:
            self.ask(do="end")
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_for(what: Any, desk: Desk, seconds: float) -> None:
    """Wait until something is true; the pages live on meanwhile."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        desk.page.wait_for_timeout(100)
