"""The hall screen for hours: is its memory flat over 3,600 updates in ten minutes, with the server cut off four times on the way?

    python -m bench.wallboard [--minutes 10] [--cuts 4] [--displays 500]

A display asks every two seconds, so 3,600 updates are two hours: here the page's own timers run 24 times as fast, everything
else is the product's. The heap is measured after forced collections, over Chromium's debugging protocol. Each cut ends gunicorn,
waits until the page says that its news is old, and starts gunicorn again; the page comes back by itself, never loaded anew. At the
end 500 displays ask one server at the product's own pace.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import click
import httpx
import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.machine import write_result
from core.clock import SystemClock
from core.database import Database, new_id
from core.embedded_postgres import start_embedded_postgres
from core.migrate import upgrade
from core.settings import PROJECT_DIR, get_settings
from telephony.models import Call, CallNote
from tests import servers
from webui.accounts import AccountService
from webui.app import create_app
from webui.tokens import TokenService
from webui.wallboard.compose import WallReader
from webui.wallboard.displays import DisplayService
from webui.wallboard.snapshot import Snapshots

PACKAGES = ("gunicorn", "flask", "playwright")
SPEED = 24
UPDATES = 3600
GROWTH_KIB = 128
"""By what the heap may grow from warm to the end; a leak of 100 bytes an update would be some 200 KiB."""
_TOPICS = ("居民医保补缴", "居住证签注", "公积金提取", "食品经营许可", "新生儿落户", "不动产登记", "社保转移")
# Timers alone are quicker; then every reading that the page takes is counted by its "data as of".
_QUICK = f"""
(() => {{
  const real = window.setTimeout.bind(window);
  window.setTimeout = (run, wait, ...more) => real(run, (wait || 0) / {SPEED}, ...more);
  window.taken = 0;
  let last = "";
  const read = Response.prototype.json;
  Response.prototype.json = async function () {{
    const body = await read.call(this);
    if (body.figures && body.figures.at !== last) {{ last = body.figures.at; window.taken += 1; }}
    return body;
  }};
}})();
"""


def application() -> Any:
    """Return the web application on the bench's database, for gunicorn; figures are read as often as the quick page asks."""
    settings = get_settings()
    assert settings.database_url
    database, clock = Database(settings.database_url, pool_size=10, max_overflow=20), SystemClock()
    house = SimpleNamespace(
        settings=settings, clock=clock, database=database, telephony=SimpleNamespace(), kb=SimpleNamespace(),
        accounts=AccountService(database, clock), tokens=TokenService(database, clock),
    )  # fmt: skip
    app = create_app(house)  # type: ignore[arg-type]
    every = float(os.environ.get("BENCH_EVERY_SECONDS", "1"))
    wallboard = app.extensions["wallboard"]
    app.extensions["wallboard"] = replace(wallboard, snapshots=Snapshots(WallReader(database, clock, settings).read, every))
    return app


@dataclass
class Server:
    """gunicorn on a port that stays, which goes and comes."""

    url: str
    folder: Path
    every_seconds: float
    port: int = field(default_factory=servers.free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        own = {"DATABASE_URL": self.url, "STATE_DIR": str(self.folder), "LOG_LEVEL": "WARNING", "PYTHONPATH": str(PROJECT_DIR)}
        own["BENCH_EVERY_SECONDS"] = str(self.every_seconds)
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", "64"]
        # As `manage.py web` starts it.
        command += ["--timeout", "0", "--graceful-timeout", "2", "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"]
        command += ["--keep-alive", "30", "--worker-tmp-dir", "/dev/shm"]
        with (self.folder / "gunicorn.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "bench.wallboard:application()"], env={**os.environ, **own}, stdout=log, stderr=log, cwd=PROJECT_DIR
            )
        for _ in range(240):
            with suppress(httpx.HTTPError):
                httpx.get(f"{self.address}/login", timeout=2)
                return
            time.sleep(0.25)
        raise RuntimeError((self.folder / "gunicorn.log").read_text()[-2000:])

    def stop(self) -> None:
        """End it."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the processor time of gunicorn and its worker."""
        assert self.process
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        return sum(sum(member.cpu_times()[:2]) for member in family)


def keep_calling(database: Database, stopping: threading.Event) -> None:
    """Let calls come in all the time, so that every figure and list changes."""
    number = 0
    while not stopping.wait(0.3):
        number += 1
        now = SystemClock().now()
        call_id, is_answered = new_id(), number % 9 != 0
        with database.transaction() as session:
            session.add(
                Call(
                    id=call_id,
                    number=f"B{number:06}",
                    node="bench",
                    linkedid=str(number),
                    caller_number="",
                    queue_name="consult",
                    state="ended",
                    outcome="answered" if is_answered else "abandoned",
                    started_at=now - timedelta(minutes=number % 300),
                    queued_at=now,
                    answered_at=now if is_answered else None,
                    ended_at=now,
                    waiting_seconds=float(number % 40),
                )
            )
            session.flush()
            session.add(CallNote(call_id=call_id, category=_TOPICS[number * number % len(_TOPICS)], updated_at=now))


def heap(session: CDPSession) -> dict[str, int]:
    """Return what the page holds after everything that can go is gone."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
        time.sleep(0.2)
    rows = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    return {
        "heap_kib": round(rows["JSHeapUsedSize"] / 1024),
        "nodes": int(rows["Nodes"]),
        "listeners": int(rows["JSEventListeners"]),
        "documents": int(rows["Documents"]),
    }


def watch(page: Page, server: Server, minutes: float, cuts: int) -> dict[str, Any]:
    """Let the page run, cut it off, and measure it once a minute."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.enable")
    page.evaluate("window.first = true")
    began, samples, outages = time.monotonic(), [], []
    cut_at = [60 * minutes * (number + 1) / (cuts + 1) for number in range(cuts)]
    next_sample = min(60.0, 6 * minutes)
    while (gone := time.monotonic() - began) < 60 * minutes or (
        page.evaluate("taken") < UPDATES * min(1.0, minutes / 10) and gone < 90 * minutes
    ):
        page.wait_for_timeout(1000)
        if cut_at and gone > cut_at[0]:
            cut_at.pop(0)
            outages.append(cut(page, server))
        if gone > next_sample:
            next_sample += min(60.0, 6 * minutes)
            samples.append({"seconds": round(gone), "updates": page.evaluate("taken"), **heap(session)})
            print(samples[-1], flush=True)
    return {
        "seconds": round(time.monotonic() - began),
        "updates": page.evaluate("taken"),
        "page_was_loaded_once": page.evaluate("window.first === true"),
        "samples": samples,
        "cuts": outages,
    }


def cut(page: Page, server: Server) -> dict[str, float]:
    """Take the server away until the page says so, give it back, and wait until the page shows news again."""
    server.stop()
    since = time.monotonic()
    page.wait_for_selector("html.is-stale", timeout=30_000)
    stale = time.monotonic() - since
    words = page.inner_text("#fresh")
    page.wait_for_timeout(3000)
    server.start()
    since = time.monotonic()
    page.wait_for_selector("html.is-fresh", timeout=30_000)
    outage = {"stale_after_seconds": round(stale, 1), "back_after_seconds": round(time.monotonic() - since, 1)}
    print("cut:", words, outage, flush=True)
    return outage


def verdict(result: dict[str, Any]) -> bool:
    """Say whether the heap stayed flat once the page was warm, and was never loaded anew.

    Warm is from the second fifth of the run to its half: by then every page was shown and the first cut was mended, so that the
    code for it is compiled. The medians of that and of the last third are compared, for single readings differ by some 50 KiB.
    """
    samples = result["samples"]
    warm = samples[len(samples) // 5 : max(1, len(samples) // 2)]
    last = samples[-max(1, len(samples) // 3) :]
    for name in ("heap_kib", "nodes", "documents"):
        result[f"{name}_growth"] = round(median(row[name] for row in last) - median(row[name] for row in warm))
    is_flat = result["heap_kib_growth"] <= GROWTH_KIB and result["nodes_growth"] <= 20 and result["documents_growth"] <= 0
    return bool(is_flat and result["page_was_loaded_once"])


async def many(server: Server, key: str, cookie: str, displays: int, seconds: float) -> dict[str, Any]:
    """Let many displays ask every two seconds, each on its own connection."""
    head = f"GET /wall/{key}/feed?screen=1920x1080 HTTP/1.1\r\nHost: bench\r\nCookie: tj_display={cookie}\r\n\r\n".encode()
    waits: list[float] = []
    failed = 0

    async def display(number: int, until: float) -> None:
        nonlocal failed
        await asyncio.sleep(2 * number / displays)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        while time.perf_counter() < until:
            began = time.perf_counter()
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            size = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
            failed += b" 200 " not in answer.split(b"\r\n")[0]
            waits.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(max(0.0, 2 - (time.perf_counter() - began)))
        writer.close()

    spent, began = server.cpu_seconds(), time.perf_counter()
    ended = await asyncio.gather(*(display(number, began + seconds) for number in range(displays)), return_exceptions=True)
    elapsed = time.perf_counter() - began
    waits.sort()
    shares = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {
        "displays": displays,
        "asked": len(waits),
        "failed": failed + sum(isinstance(end, Exception) for end in ended),
        "answer_ms": {name: round(waits[min(len(waits) - 1, int(len(waits) * share))], 1) for name, share in shares.items()},
        "web_process_cores": round((server.cpu_seconds() - spent) / elapsed, 3),
    }


@click.command()
@click.option("--minutes", type=float, default=10.0, show_default=True, help="Less is a trial: not kept.")
@click.option("--cuts", type=int, default=4, show_default=True)
@click.option("--displays", type=int, default=500, show_default=True)
def main(minutes: float, cuts: int, displays: int) -> None:
    """Measure, print and write bench/results/wallboard.json."""
    with tempfile.TemporaryDirectory(prefix="tingjian-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        url = start_embedded_postgres(folder / "postgres")
        upgrade(url)
        database, stopping = Database(url), threading.Event()
        service = DisplayService(database, SystemClock())
        token = service.make_token("bench", service.create_display("bench", "hall", "bench"))
        caller = threading.Thread(target=keep_calling, args=(database, stopping))
        caller.start()
        server = Server(url, folder, every_seconds=0.1)
        try:
            server.start()
            result = run(server, token, minutes, cuts)
            server.stop()
            server.every_seconds = 1.0
            server.start()
            result["many_displays"] = asyncio.run(many(server, "hall", token, displays, min(20.0, 6 * minutes)))
            server.stop()
        finally:
            if server.process and server.process.poll() is None:
                server.stop()
            stopping.set()
            caller.join()
            database.close()
    is_enough = minutes < 10 or result["updates"] >= UPDATES
    passed = verdict(result) and is_enough and result["many_displays"]["failed"] == 0
    print({name: value for name, value in result.items() if name != "samples"})
    if minutes >= 10:
        print("written:", write_result("wallboard", {"passed": passed, **result}, *PACKAGES))
    print("flat over", result["updates"], "updates, with", len(result["cuts"]), "cuts:", "PASS" if passed else "FAIL")
    sys.exit(0 if passed else 1)


def run(server: Server, token: str, minutes: float, cuts: int) -> dict[str, Any]:
    """Open the display's page in Chromium and watch it."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path=servers.installed("install_chromium.sh"), args=flags)
        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        page.add_init_script(_QUICK)
        page.goto(f"{server.address}/wall/hall?token={token}")
        page.wait_for_selector("html.is-fresh")
        result = watch(page, server, minutes, cuts)
        browser.close()
    return result


if __name__ == "__main__":
    main()
