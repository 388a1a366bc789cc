"""What goes wrong at a hotline, done to the whole running program: no citizen is lost, and the desk says what is the matter."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from core.embedded_postgres import start_embedded_postgres
from tests.e2e.people import Desk, citizen, eventually, expect
from tests.e2e.raw_sip import RawCaller
from tests.program import Program
from tests.servers import DEPLOY

Ask = Callable[..., Any]
QUESTION, WORD = "10_jiehun.wav", "结婚"
_FREED_WITHIN = 15_000


def part(script: str, folder: Path, *arguments: str) -> None:
    """Run one of deploy's start scripts on a part of the running program."""
    command = ["bash", str(DEPLOY / script), str(folder), *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def test_a_browser_that_is_closed_in_mid_call(
    program: Program, agent: Desk, desks: Callable[[str], Desk], chromium: Browser, api: Ask
) -> None:
    leaver = Desk(chromium, program, "agent2").log_in()
    agent.pause("会议")
    leaver.ready()
    with citizen(program, QUESTION, seconds=60) as caller:
        leaver.answer()
        call_id = leaver.call_id()
        agent.resume()
        leaver.close()
        agent.answer(timeout=_FREED_WITHIN + 5_000)
        assert caller.is_on_the_line
        assert agent.call_id() == call_id
        freed = next(row for row in api("/agents")["items"] if row["number"] == "8002")
        assert freed["state"] in {"faulty", "offline", "wrapup"}
        assert freed["call_id"] is None
        agent.hang_up()
        caller.wait(10)
    agent.finish()
    assert "agent_lost" in [row["kind"] for row in api(f"/calls/{call_id}")["events"]]
    # The page that was closed comes back, and the agent works on.
    desks("agent2").leave()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('"><script>document.title="owned"</script>', "><script>document.title="),
        ("<img src=x onerror=document.title=1>\u2028Channel: x", "<img src=x onerror=document.title=1> Channel: x"),
    ],
    ids=["script", "image"],
)
def test_a_hostile_display_name_is_text_on_the_desk(
    program: Program, agent: Desk, desks: Callable[[str], Desk], name: str, shown: str
) -> None:
    with RawCaller(program.endpoints["sip"], name):
        agent.answer()
        expect(agent.page.locator("#caller-name")).to_contain_text(shown)
        call_id = agent.call_id()
        agent.hang_up()
        agent.finish()
    supervisor = desks("monitor").page
    supervisor.goto(f"/calls/{call_id}")
    expect(supervisor.locator("dl.dl").first).to_contain_text(shown)
    for page in (agent.page, supervisor):
        assert "听见" in page.title()
        assert page.locator("#caller-name script, #caller-name img, dl.dl img, dl.dl script").count() == 0


def test_asterisk_goes_away_and_comes_back(program: Program, agent: Desk) -> None:
    folder = program.folder / "asterisk"
    os.kill(int((folder / "asterisk.pid").read_text().split()[0]), signal.SIGKILL)
    expect(agent.banner("phone")).to_contain_text("软电话没有连上", timeout=15_000)
    part("start_asterisk.sh", folder, "start")
    expect(agent.banner("phone")).to_have_count(0, timeout=20_000)
    agent.expect_state("就绪")
    with citizen(program, QUESTION, seconds=60):
        agent.answer()
        agent.hang_up()
    agent.finish()


def test_elasticsearch_goes_away_and_comes_back(program: Program, agent: Desk) -> None:
    folder = program.folder / "elasticsearch"
    port = program.endpoints["elasticsearch"]["url"].rsplit(":", 1)[1]
    os.kill(int((folder / "run/pid").read_text()), signal.SIGKILL)
    with citizen(program, QUESTION, seconds=60):
        agent.answer()
        expect(agent.cards.filter(has_text="结婚").first).to_be_visible(timeout=20_000)
        expect(agent.page.locator("#notice")).to_contain_text("检索降级")
        agent.hang_up()
    agent.finish()
    subprocess.run(
        ["bash", str(DEPLOY / "start_elasticsearch.sh"), str(folder), port],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "ES_JVM": "-XX:TieredStopAtLevel=1", "ES_TRANSPORT_PORT": _transport_port(folder)},
    )
    ask = "async () => (await window.tingjian.send('/desk/search?q=结婚登记', {}, 'GET')).degraded"
    eventually(lambda: agent.page.evaluate(ask) is False, agent.page)


def test_postgresql_goes_away_for_ten_seconds(program: Program, agent: Desk, api: Ask) -> None:
    data = program.folder / "postgres"
    with citizen(program, QUESTION, seconds=60) as caller:
        agent.answer()
        call_id = agent.call_id()
        # In the middle of a sentence.
        expect(agent.page.locator("#said .say.now.cit")).to_be_visible()
        with _stopped_postgres(data) as begun:
            agent.page.wait_for_timeout(10_000 - (time.monotonic() - begun) * 1000)
            assert caller.is_on_the_line
            expect(agent.state).to_contain_text("通话中")
        # What was said meanwhile was heard, and is written now.
        expect(agent.said().filter(has_text=WORD).first).to_be_visible(timeout=15_000)
        agent.hang_up()
        caller.wait(10)
    agent.finish()
    eventually(lambda: {row["state"] for row in api(f"/calls/{call_id}")["recordings"]} == {"kept"})
    call = api(f"/calls/{call_id}")
    assert (call["state"], call["outcome"]) == ("ended", "answered")
    assert call["talking_seconds"] > 10


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is too small")
def test_a_full_disk_for_recordings(program: Program, agent: Desk, desks: Callable[[str], Desk]) -> None:
    with (
        _tiny_disk(program.folder / "recordings" / datetime.now(UTC).strftime("%Y/%m/%d")),
        citizen(program, QUESTION, seconds=60) as caller,
    ):
        agent.answer()
        call_id = agent.call_id()
        expect(agent.banner("recording")).to_contain_text("录音没有保存", timeout=20_000)
        assert caller.is_on_the_line
        # The call goes on: what is said after the disk was full is still heard.
        expect(agent.said().filter(has_text=WORD).first).to_be_visible(timeout=15_000)
        agent.hang_up()
        caller.wait(10)
    agent.finish()
    supervisor = desks("monitor").page
    supervisor.goto(f"/calls/{call_id}")
    expect(supervisor.get_by_text("的录音丢失").first).to_be_visible()


@contextmanager
def _stopped_postgres(data: Path) -> Iterator[float]:
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGINT)
    begun = time.monotonic()
    eventually(lambda: not (data / "postmaster.pid").exists())
    try:
        yield begun
    finally:
        start_embedded_postgres(data, stop_with_process=False)


@contextmanager
def _tiny_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tingjian-test", str(folder)], check=True)
    try:
        yield
    finally:
        # Asterisk closes its files a moment after the call.
        eventually(lambda: subprocess.run(["umount", str(folder)], check=False, capture_output=True).returncode == 0)


def _transport_port(folder: Path) -> str:
    lines = (folder / "config/elasticsearch.yml").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith("transport.port"))
