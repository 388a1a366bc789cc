"""`make run` itself: what it starts it stops, and nothing else; a kill -9 leaves nothing that the next start does not clear away.

The same program also shows what happens without weights, for no other test may go without live text.
"""

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser

from tests.e2e.people import Desk, citizen, eventually, expect
from tests.program import Program, start_program
from tests.servers import scratch_folder

Alive = set[tuple[int, float]]
# A machine that is busy with tests is no place to time a start; beyond this something hangs.
_LONGEST_START_SECONDS = 150


def alive() -> Alive:
    """Return every process of the machine that is no zombie, by id and start time."""
    return {
        (process.pid, process.create_time())
        for process in psutil.process_iter(["status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
    }


def of_folder(folder: Path) -> list[psutil.Process]:
    """Return the processes that were started for a state folder: it stands in their command line or their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            text = " ".join(process.cmdline()) + process.environ().get("STATE_DIR", "") + process.cwd()
            if str(folder) in text and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A state folder that outlives its programs."""
    made = scratch_folder("restarted")
    yield made
    for process in of_folder(made):
        process.kill()
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def half_weights(folder: Path, weights: Path) -> Path:
    """Weights whose download broke off."""
    broken = folder / "weights"
    shutil.copytree(weights, broken)
    (broken / "model.bin").write_bytes((weights / "model.bin").read_bytes()[:1_000_000])
    return broken


@pytest.fixture(scope="module")
def started(folder: Path, half_weights: Path) -> Program:
    """The first start on this folder, with broken weights."""
    return start_program(folder, SPEECH_MODEL=str(half_weights))


def test_broken_weights_cost_the_text_and_not_the_call(started: Program, chromium: Browser) -> None:
    desk = Desk(chromium, started, "agent1").log_in()
    expect(desk.banner("live-text")).to_contain_text("实时转写没有开", timeout=15_000)
    desk.ready()
    with citizen(started, "10_jiehun.wav", seconds=60) as caller:
        desk.answer()
        call_id = desk.call_id()
        desk.page.wait_for_timeout(1000)
        desk.hang_up()
        caller.wait(10)
    desk.finish()
    desk.leave()
    desk.close()
    headers = {"Authorization": f"Bearer {started.endpoints['api_token']}"}

    def kept() -> bool:
        call = httpx.get(f"{started.endpoints['api']}/calls/{call_id}", headers=headers).json()
        return call["outcome"] == "answered" and {row["state"] for row in call["recordings"]} == {"kept"}

    eventually(kept)
    health = httpx.get(f"{started.web}/health").json()
    assert health["status"] == "degraded"
    # In words that say what to do.
    assert "install_weights.sh" in " ".join(health["parts"]["bridge"]["problems"])


def test_ctrl_c_ends_what_was_started_and_nothing_else(
    started: Program, folder: Path, chromium: Browser, program: Program, desks: Callable[[str], Desk]
) -> None:
    desks("agent1")  # the other program of this session is at work, with everything of the same names
    mine = {(process.pid, process.create_time()) for process in of_folder(folder)}
    names = {process.name() for process in of_folder(folder)}
    assert {"java", "postgres"} <= names, names
    others = alive() - mine
    started.stop(signal.SIGINT)
    assert of_folder(folder) == []
    assert not (folder / "endpoints.json").exists()
    assert {pid for pid, _ in others} >= {program.process.pid}
    ended = others - alive()
    assert not {pid for pid, _ in ended if pid in {process.pid for process in of_folder(program.folder)}}
    assert httpx.get(f"{program.web}/health").status_code == 200
    assert "已停止" in started.said()


def test_after_a_kill_the_next_start_clears_up_and_is_quick(started: Program, folder: Path) -> None:
    if started.process.poll() is None:
        started.stop()
    killed = start_program(folder, SPEECH_MODEL=str(folder / "nowhere"))
    assert seconds_to_start(killed) < _LONGEST_START_SECONDS
    killed.process.kill()
    killed.process.wait()
    left = {(process.pid, process.create_time()) for process in of_folder(folder)}
    assert len(left) > 4, "nothing was left to clear up"
    again = start_program(folder, SPEECH_MODEL=str(folder / "nowhere"))
    assert "上次没有正常停止" in again.said()
    assert seconds_to_start(again) < _LONGEST_START_SECONDS
    # PostgreSQL may be taken over as it is: its data is whole. Everything else was started anew.
    kept = {psutil.Process(pid).name() for pid, _ in left & alive()}
    assert kept <= {"postgres"}
    # What was there before is there still.
    assert httpx.get(f"{again.web}/health").json()["parts"]["database"]["status"] == "ok"
    again.stop()
    assert of_folder(folder) == []


def seconds_to_start(program: Program) -> float:
    """Return what the launcher says of its own start."""
    found = re.search(r"已就绪，用时 (\d+) 秒", program.said())
    assert found, program.said()
    return float(found[1])
