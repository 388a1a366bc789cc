"""(g) 40 simultaneous recorded calls with two AudioSocket taps each: frames, processor time a call, whole recordings.

`python -m bench.simultaneous_calls [--calls N] [--seconds S]`. SIPp rings as citizens and picks up as agents; the exchange, its
dialplan and queue, the bridge process with its TapServer, detectors and decoders are the product's. Recognition takes what
processor time is left and sheds the rest, as in production. Fails when a recording is not whole, or a tap did not come, came
late, or was garbled. TCP loses nothing: a frame that did not come Asterisk did not send, and it is counted as that. Frames that
came, but that the detectors had no time for, are counted as shed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import numpy as np
from sqlalchemy import func, select

from bench import counted_bridge
from bench.machine import write_result
from bench.processes import cpu_seconds_of, descendants
from bench.sipp import Sipp, agent_scenario, citizen_scenario, register_scenario, write_alaw
from core.clock import SystemClock
from core.database import Database
from core.logs import configure_logging
from core.migrate import upgrade
from core.settings import PROJECT_DIR
from telephony.door import TelephonyRules
from telephony.models import Agent, Call, Recording
from telephony.recordings import KEPT, RECORDING
from telephony.service import TelephonyService
from telephony.speech.audio import read_wav
from tests.asterisk_server import AsteriskServer, asterisk_server
from tests.servers import free_port, postgres_server, scratch_folder

CALLS, SECONDS = 40, 60
SPEECH = PROJECT_DIR / "tests" / "data" / "speech"
_RATE = 4
_FIRST_AGENT = 8001
_START_SECONDS = 180  # the recogniser loads its weights first
_SHORT_BY_AT_MOST = 1.0
"""Seconds that a recording may be shorter than its call: its first packets, and what the writer still held."""
_SILENT_AT_MOST = 3
"""Silent seconds in a recording: while it rang, and before the first packet."""
_TAP_LATE_AT_MOST = 2.0
_QUIET = 0.003
_RTP_PORT = 62_000  # above what the system gives away, and what SIPp takes for itself


def eventually(what: str, is_true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)


class Hall:
    """An exchange, a bridge in a process of its own, and a seat for each call."""

    def __init__(self, exits: ExitStack, calls: int, seconds: int) -> None:
        self.calls, self.seconds = calls, seconds
        self.folder = scratch_folder("simultaneous")
        self.database = Database(exits.enter_context(postgres_server()).new_database())
        exits.callback(self.database.close)
        upgrade(self.database.url)
        self.server: AsteriskServer = exits.enter_context(
            asterisk_server(
                rtp_port_start=_RTP_PORT,
                rtp_port_end=_RTP_PORT + 1999,
                ring_seconds=20,
                audiosocket_port=free_port(),
                agent_rtp_timeout_seconds=8,
                database_url=self.database.url,
            )
        )
        self.service = TelephonyService(
            self.database, SystemClock(), self.server.shared_switch(), TelephonyRules.of(self.server.settings)
        )
        self.service.ensure_queues(self.server.settings.queue_titles)
        self.taps_file = self.folder / "taps.jsonl"
        self.sipps: list[Sipp] = []
        exits.callback(self._stop_sipps)
        self.bridge = self._start_bridge()
        exits.callback(self._stop_bridge)
        eventually("the bridge is up", lambda: b"bridge_up" in (self.folder / "bridge.log").read_bytes(), _START_SECONDS)

    def _start_bridge(self) -> subprocess.Popen[bytes]:
        settings = self.server.settings
        names = (
            "ami_port", "sip_port", "audiosocket_port", "agent_phone", "database_url", "agent_rtp_timeout_seconds", "ring_seconds",
        )  # fmt: skip
        environment = {name.upper(): str(getattr(settings, name)) for name in names} | {
            "AMI_PASSWORD": settings.ami_password.get_secret_value(),
            "RECORDINGS_DIR": str(self.server.recordings),
            "STATE_DIR": str(self.folder),
            counted_bridge.FILE: str(self.taps_file),
        }
        with (self.folder / "bridge.log").open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "bench.counted_bridge"],
                cwd=PROJECT_DIR, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    def _stop_sipps(self) -> None:
        for sipp in self.sipps:
            sipp.stop()

    def _stop_bridge(self) -> None:
        self.bridge.terminate()
        try:
            self.bridge.wait(15)
        except subprocess.TimeoutExpired:
            self.bridge.kill()
            self.bridge.wait()

    def _sipp(self, name: str, scenario: str, *arguments: str) -> Sipp:
        sipp = Sipp(self.folder, name, scenario, list(arguments))
        self.sipps.append(sipp)
        return sipp.start()

    def seat_agents(self) -> None:
        """Make the seats, register their telephones and have all wait for calls."""
        seats = {
            str(_FIRST_AGENT + n): self.service.save_agent(str(_FIRST_AGENT + n), f"坐席{n}", ("consult",))
            for n in range(self.calls)
        }
        with self.database.transaction() as session:
            passwords = {agent.number: agent.sip_password for agent in session.scalars(select(Agent))}
        speech = write_alaw(SPEECH / "05_bdc.wav", self.folder / "agent.alaw")
        port = free_port()
        accounts = self.folder / "accounts.csv"
        rows = (f"{number};[authentication username={number} password={passwords[number]}]\n" for number in seats)
        accounts.write_text("SEQUENTIAL\n" + "".join(rows))
        # From the port where they pick up later: Asterisk takes the address that a registration came from.
        count = ("-inf", str(accounts), "-m", str(self.calls), "-r", "20", "-p", str(port))
        self._sipp("register", register_scenario(), self.server.sip, *count).wait(60)
        self._sipp("agents", agent_scenario(speech), "-p", str(port))
        eventually("every agent's telephone is known", lambda: self._agents(Agent.is_registered.is_(True)) == self.calls, 60)
        for agent_id in seats.values():
            self.service.log_in_agent(agent_id)
            self.service.ready_agent(agent_id)

    def ring(self) -> Sipp:
        """Have all citizens ring, one after the other; each hangs up when the last has talked long enough."""
        speech = write_alaw(SPEECH / "01_yyzz.wav", self.folder / "citizen.alaw")
        lasts = round((self.seconds + self.calls / _RATE + 8) * 1000)
        count = ("-m", str(self.calls), "-l", str(self.calls), "-r", str(_RATE), "-s", "12345", "-p", str(free_port()))
        return self._sipp("citizens", citizen_scenario(speech, lasts), self.server.sip, *count)

    def _agents(self, condition: Any) -> int:
        with self.database.transaction() as session:
            return session.scalar(select(func.count()).select_from(Agent).where(condition)) or 0

    def talking(self) -> int:
        """Return how many calls are answered and go on."""
        with self.database.transaction() as session:
            query = select(func.count()).select_from(Call).where(Call.answered_at.is_not(None), Call.ended_at.is_(None))
            return session.scalar(query) or 0

    def is_over(self) -> bool:
        """Whether every call has ended and every recording was judged by the bridge."""
        with self.database.transaction() as session:
            ended = session.scalar(select(func.count()).select_from(Call).where(Call.ended_at.is_not(None))) or 0
            open_files = session.scalar(select(func.count()).select_from(Recording).where(Recording.state == RECORDING)) or 0
        return ended >= self.calls and not open_files

    def processor_seconds(self) -> dict[str, float]:
        """Return what each part has used so far."""
        decoders = descendants(self.bridge.pid)
        return {
            "asterisk": cpu_seconds_of(self.server.pid()),
            "bridge": cpu_seconds_of(self.bridge.pid),
            "recognition": sum(map(cpu_seconds_of, decoders)),
            "callers": sum(cpu_seconds_of(sipp.process.pid) for sipp in self.sipps if sipp.process and sipp.process.poll() is None),
        }

    def recordings(self) -> list[dict[str, Any]]:
        """Return each recording's length beside its call's, and what the bridge said of it."""
        query = select(Recording, Call).join(Call, Call.id == Recording.call_id)
        with self.database.transaction() as session:
            return [
                {
                    "party": row.party,
                    "seconds": row.seconds or 0.0,
                    "silent_seconds": silent_seconds(self.server.recordings / row.path),
                    "call_seconds": (call.ended_at - call.started_at).total_seconds() if call.ended_at else float("inf"),
                    "talk_seconds": (call.ended_at - call.answered_at).total_seconds()
                    if call.ended_at and call.answered_at
                    else 0.0,
                    "state": row.state,
                }
                for row, call in session.execute(query)
            ]

    def complaints(self) -> dict[str, int]:
        """Return what the bridge's log says went wrong with taps, and how much recognition was shed."""
        log = (self.folder / "bridge.log").read_text(errors="replace")
        wrong = sum(log.count(name) for name in ("tap_garbled", "tap_refused", "tap_failed"))
        return {"taps_garbled_or_refused": wrong, "utterances_shed": log.count("utterance_shed")}

    def taps(self) -> list[dict[str, Any]]:
        """Return what the bridge counted on each tap."""
        return [json.loads(line) for line in self.taps_file.read_text().splitlines()] if self.taps_file.exists() else []


def silent_seconds(path: Path) -> int:
    """Return in how many whole seconds of a recording nothing at all is to be heard; our callers never pause for so long."""
    samples = read_wav(path).samples
    stretches = samples[: len(samples) // 8000 * 8000].reshape(-1, 8000)
    return int((np.abs(stretches).max(axis=1) < _QUIET).sum())


def judge(calls: int, recordings: list[dict[str, Any]], taps: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures: frames heard, missing and dropped, recordings whole and short."""
    short = [each["call_seconds"] - each["seconds"] for each in recordings]
    whole = [
        each
        for each, by in zip(recordings, short, strict=True)
        if by <= _SHORT_BY_AT_MOST and each["silent_seconds"] <= _SILENT_AT_MOST and each["state"] == KEPT
    ]
    expected = sum(tap["expected"] for tap in taps)
    frames = sum(tap["frames"] for tap in taps)
    shares = sorted(tap["frames"] / max(1, tap["expected"]) for tap in taps)
    return {
        "recordings": len(recordings),
        "recordings_whole": len(whole),
        "recording_short_by_most_seconds": round(max(short, default=0.0), 2),
        "recording_silent_most_seconds": max((each["silent_seconds"] for each in recordings), default=0),
        "shortest_talk_seconds": round(min((each["talk_seconds"] for each in recordings), default=0.0), 1),
        "shortest_tap_seconds": round(min((tap["seconds"] for tap in taps), default=0.0), 1),
        "taps": len(taps),
        "taps_expected": 2 * calls,
        "frames_expected": expected,
        "frames_heard": frames,
        "frames_not_sent_by_asterisk": max(0, expected - frames),
        "frames_shed_before_recognition": sum(tap["dropped"] for tap in taps),
        "share_heard_worst_tap": round(shares[0], 4) if shares else 0.0,
        "share_heard": round(frames / max(1, expected), 4),
        "longest_pause_seconds": round(max((tap["longest_pause"] for tap in taps), default=0.0), 2),
    }


@click.command()
@click.option("--calls", type=click.IntRange(1, 200), default=CALLS, show_default=True)
@click.option("--seconds", type=click.IntRange(5, 3600), default=SECONDS, show_default=True)
@click.option("--keep", is_flag=True, help="Keep the scratch folder: logs, scenarios, counts.")
def main(calls: int, seconds: int, keep: bool) -> None:
    """Measure, print and write bench/results/simultaneous_calls.json (a shorter or smaller run is a trial, and not kept)."""
    configure_logging("bench", "WARNING")
    with ExitStack() as exits:
        hall = Hall(exits, calls, seconds)
        exits.callback(lambda: print("kept in", hall.folder) if keep else shutil.rmtree(hall.folder, ignore_errors=True))
        hall.seat_agents()
        print(f"{calls} agents are ready; the citizens ring", flush=True)
        citizens = hall.ring()
        eventually("all calls stand together", lambda: hall.talking() >= calls, calls / _RATE + 40)
        time.sleep(1)
        began, before = time.monotonic(), hall.processor_seconds()
        time.sleep(seconds)
        took, after, standing = time.monotonic() - began, hall.processor_seconds(), hall.talking()
        citizens.wait(60)
        eventually("every call has ended and its recordings were judged", hall.is_over, 60)
        eventually("every tap has ended", lambda: len(hall.taps()) >= 2 * calls, 20)
        figures = judge(calls, hall.recordings(), hall.taps()) | hall.complaints()
    used = {part: (after[part] - before[part]) / took for part in before}
    result = {
        "calls": calls,
        "standing_together_at_the_end": standing,
        "seconds": round(took, 1),
        **figures,
        "cores": {part: round(cores, 3) for part, cores in used.items()},
        "core_percent_a_call": {part: round(cores / calls * 100, 2) for part, cores in used.items()},
    }
    show(result)
    if calls >= CALLS and seconds >= SECONDS:
        print("written to", write_result("simultaneous_calls", result))
    if problems := wrong_with(result):
        sys.exit("; ".join(problems))


def show(result: dict[str, Any]) -> None:
    """Print the figures as a table."""
    for name, value in result.items():
        if not isinstance(value, dict):
            print(f"{name.replace('_', ' '):40} {value}")
    print(f"{'processor':40} {'cores':>8} {'% of a core a call':>20}")
    for part, cores in result["cores"].items():
        print(f"{part:40} {cores:8.2f} {result['core_percent_a_call'][part]:20.2f}")


def wrong_with(result: dict[str, Any]) -> list[str]:
    """Return what breaks the promise; frames that Asterisk did not send are no loss of ours."""
    problems = []
    if result["standing_together_at_the_end"] < result["calls"]:
        problems.append(f"only {result['standing_together_at_the_end']} calls stood to the end")
    if result["recordings_whole"] < 2 * result["calls"]:
        problems.append(f"{2 * result['calls'] - result['recordings_whole']} recordings are not whole")
    if result["taps"] < result["taps_expected"]:
        problems.append(f"{result['taps_expected'] - result['taps']} taps did not come")
    if result["shortest_tap_seconds"] < result["shortest_talk_seconds"] - _TAP_LATE_AT_MOST:
        problems.append("a tap began late or ended early")
    if result["taps_garbled_or_refused"]:
        problems.append(f"{result['taps_garbled_or_refused']} taps were garbled or refused")
    return problems


if __name__ == "__main__":
    main()
