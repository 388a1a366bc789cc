"""Bench (a): from the last sounding sample that a caller sent to the segment, and to the suggestion, on the agent's page.

    python -m bench.call_latency [--minutes 10] [--quick]

The whole program with its real parts, Chromium agents who answer by click, and SIP callers, all on this machine. Calls are
added (1, then 4, for the given minutes, then 6) and never end while it measures, so nothing is transcribed after a call. Both
parties speak: a citizen about every 9 s, the agent's microphone every 15 s, 0.18 utterances a second and call. The browsers,
which have machines of their own in a hall, have the server's priority here: they compete with it, and don't wait behind it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
from playwright.sync_api import Browser, sync_playwright
from psycopg.rows import dict_row

from bench.call_figures import Measured, figures, targets
from bench.machine import write_result, yardstick
from bench.program import Callers, microphone_file, new_desk, wait_for
from core.database import libpq_url
from core.settings import Settings
from launcher.children import set_niceness
from launcher.up import AHEAD
from tests.e2e.people import SPEECH, Desk, launch
from tests.program import Program, running_program

CITIZEN_EVERY, AGENT_EVERY = 9.0, 15.0
_SETTLE_SECONDS = 3.0
_TAIL_SECONDS = 5.0
_LOOK_SECONDS = 2.0
_SEGMENTS = """
SELECT s.id::text, c.caller_number AS number, s.party, extract(epoch FROM s.started_at)::float8 AS start,
       extract(epoch FROM s.started_at)::float8 + s.end_seconds - s.start_seconds AS "end",
       floor(extract(epoch FROM s.started_at) * 1000)::bigint AS stamp, s.text, s.hops
FROM segment s JOIN call c ON c.id = s.call_id WHERE s.kind = 'live'
"""
_SUGGESTIONS = "SELECT id::text, segment_id::text FROM suggestion WHERE segment_id IS NOT NULL AND is_current"
PACKAGES = ("faster-whisper", "ctranslate2", "playwright", "baresip-python", "asterisk-ami", "psycopg", "gunicorn")


def main() -> int:
    """Run the bench and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long four calls are measured")
    parser.add_argument("--quick", action="store_true", help="a trial of one minute in all; its figures are not kept")
    arguments = parser.parse_args()
    phases = [(1, 270.0), (4, arguments.minutes * 60), (6, 150.0)]
    if arguments.quick:
        phases = [(1, 10.0), (4, 25.0), (6, 25.0)]
    with tempfile.TemporaryDirectory(prefix="tingjian-bench-") as folder, running_program(LOGIN_FAILURES="50") as program:
        microphone = microphone_file(Path(folder), sorted(SPEECH.glob("*.wav"))[:4], AGENT_EVERY)
        with sync_playwright() as playwright:
            browser = launch(playwright, microphone)
            set_niceness(_browser_pid(), AHEAD)
            bench = _Bench(program, browser)
            measured = bench.run(phases)
            browser.close()
    phase_figures = figures(measured)
    missed = targets(phase_figures)
    settings = Settings()
    result: dict[str, Any] = {"live_workers": settings.live_workers, "beam": settings.live_beam, "missed": missed}
    result |= {"minutes_at_4": arguments.minutes, "yardsticks": bench.yardsticks, "phases": phase_figures}
    _show(result)
    if not arguments.quick:
        print("written:", write_result("call_latency", result, *PACKAGES))
    print("targets:", "; ".join(missed) if missed else "all met")
    return 1 if missed else 0


class _Bench:
    """One run."""

    def __init__(self, program: Program, browser: Browser) -> None:
        self._program = program
        self._browser = browser
        self._desks: list[Desk] = []
        self._numbers: list[str] = []
        self._pairs: set[tuple[str, str]] = set()
        self.yardsticks: dict[int, list[float]] = {}
        self._callers = Callers(program, sorted(SPEECH.glob("*.wav")), CITIZEN_EVERY)
        self._database = psycopg.connect(libpq_url(program.endpoints["database_url"]), autocommit=True, row_factory=dict_row)

    def run(self, phases: list[tuple[int, float]]) -> Measured:
        """Go through the phases and return what was seen."""
        loads = {}
        try:
            for calls, seconds in phases:
                while len(self._desks) < calls:
                    self._add_call()
                self._pause(_SETTLE_SECONDS)
                self.yardsticks[calls] = [yardstick()]
                loads[calls] = self._speak(calls, seconds)
                self.yardsticks[calls].append(yardstick())
                print(f"{calls} calls: {sum(said['phase'] == str(calls) for said in self._callers.said)} utterances", flush=True)
            assert not self._callers.closed, f"calls ended while measuring: {self._callers.closed}"
            return self._gather(loads)
        finally:
            self._callers.end()
            self._database.close()

    def _add_call(self) -> None:
        """Bring one more agent and one more citizen together."""
        number = len(self._desks) + 1
        desk = new_desk(self._browser, self._program, number)
        self._desks.append(desk.ready())
        self._numbers.append(f"1390013800{number}")
        self._callers.ask(do="dial", number=self._numbers[-1])
        desk.answer()
        wait_for(lambda: self._callers.has("established"), desk, 30)

    def _speak(self, calls: int, seconds: float) -> dict[str, float]:
        load = _Load(self._program, _browser_pid(), self._callers.process.pid)
        self._callers.ask(do="speak", numbers=self._numbers[:calls], seconds=seconds, phase=str(calls))
        deadline = time.monotonic() + seconds + 60
        while not self._callers.has("quiet"):
            assert time.monotonic() < deadline, "the citizens did not stop speaking"
            self._pause(_LOOK_SECONDS)
            self._look()
        self._pause(_TAIL_SECONDS)
        self._look()
        return load.cores()

    def _look(self) -> None:
        """Note which segment brought which card: a card that comes back is given to its newest segment."""
        self._pairs |= {(row["id"], row["segment_id"]) for row in self._database.execute(_SUGGESTIONS).fetchall()}

    def _pause(self, seconds: float) -> None:
        self._desks[0].page.wait_for_timeout(seconds * 1000)

    def _gather(self, loads: dict[int, dict[str, float]]) -> Measured:
        appeared = {
            number: desk.page.evaluate("() => window.appeared") for number, desk in zip(self._numbers, self._desks, strict=True)
        }
        rows: list[dict[str, Any]] = self._database.execute(_SEGMENTS).fetchall()
        log = (self._program.folder / "logs" / "bridge.log").read_text(encoding="utf-8", errors="replace")
        return Measured(self._callers.said, rows, self._pairs, appeared, loads, log.count("utterance_shed"))


def _browser_pid() -> int:
    mine = psutil.Process().children(recursive=True)
    return int(next(one.pid for one in mine if "chrom" in one.name() and "--type=" not in " ".join(one.cmdline())))


class _Load:
    """How many cores each part took over a stretch of time, and how many the rest of the machine did."""

    def __init__(self, program: Program, browser: int, callers: int) -> None:
        self._roots = {"browser": browser, "callers": callers}
        self._program = program
        self._before, self._total, self._since = self._times(), _busy(), time.monotonic()

    def _times(self) -> dict[int, tuple[str, float]]:
        times: dict[int, tuple[str, float]] = {}
        mine = {process.pid for process in psutil.Process(self._program.process.pid).children(recursive=True)}
        # Servers left the launcher's tree; their command lines name the program's folder.
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if process.pid in mine or str(self._program.folder) in line:
                _note(times, process, _name(line))
        for name, pid in self._roots.items():
            root = psutil.Process(pid)
            for process in [root, *root.children(recursive=True)]:
                _note(times, process, name)
        return times

    def cores(self) -> dict[str, float]:
        """Return cores by part since the beginning."""
        seconds = time.monotonic() - self._since
        used: dict[str, float] = {}
        for pid, (name, spent) in self._times().items():
            used[name] = used.get(name, 0.0) + (spent - self._before.get(pid, (name, 0.0))[1]) / seconds
        used["anything else"] = max(0.0, (_busy() - self._total) / seconds - sum(used.values()))
        return {name: round(cores, 3) for name, cores in sorted(used.items(), key=lambda item: -item[1]) if cores >= 0.005}


def _note(times: dict[int, tuple[str, float]], process: psutil.Process, name: str) -> None:
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:
        return
    times[process.pid] = (name, spent.user + spent.system)


def _name(line: str) -> str:
    if "whisper_child" in line:
        return "recogniser"
    parts = ("bridge", "web", "worker", "dispatcher", "postgres", "elasticsearch", "asterisk")
    return next((part for part in parts if f"manage.py {part}" in line or f"/{part}" in line), "launcher")


def _busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times[:3]) + sum(times[5:8]))


def _show(result: dict[str, Any]) -> None:
    print("yardstick before and after each:", result["yardsticks"])
    for calls, phase in result["phases"].items():
        print(f"\n{calls} calls: {phase['utterances']} utterances, {phase['lost']} lost, {phase['clipped']} clipped", end="; ")
        print(f"{phase['shed']} shed in all" if "shed" in phase else "")
        print(f"  {'seconds':<28}{'n':>5}{'p50':>8}{'p95':>8}{'max':>8}")
        for name, row in {**phase["waits"], **phase["hops"]}.items():
            print(f"  {name:<28}{row['n']:>5}{row['p50']:>8.3f}{row['p95']:>8.3f}{row['max']:>8.3f}")
        print("  cores:", ", ".join(f"{name} {cores:.2f}" for name, cores in phase["cores"].items()))
        if "trend" in phase:
            print("  median of thirds:", phase["trend"])


if __name__ == "__main__":
    sys.exit(main())
