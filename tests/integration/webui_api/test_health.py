"""/health and /metrics: true on a real database, quiet to strangers, quick when something is away."""

import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from core.database import Database, new_id
from core.heartbeat import beat
from core.jobs import enqueue
from core.outbox import Event, publish
from tests.integration.webui_api.conftest import Client, add_call
from tests.integration.webui_api.services import FailingIndex
from webui.app import create_app

As = Callable[[str], Client]
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}


class BellRang(Event):
    """An event of these tests, that nobody handles."""


@pytest.fixture(autouse=True)
def _all_well(app: Flask, house: Any, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process beats, the index is built, nothing waits; and each question is answered afresh."""
    monkeypatch.setattr("webui.health._KEEP_SECONDS", 0.0)
    house.kb.reindex()
    with database.transaction() as session:
        for table in ("process_heartbeat", "job", "outbox_event"):
            session.execute(text(f"DELETE FROM {table}"))
        for number, name in enumerate(("bridge", "dispatcher", "worker", "dialer", "ivr")):
            beat(session, name, "node1", pid=100 + number)


def asked(app: Flask, **environment: str) -> tuple[int, dict[str, Any]]:
    answer = app.test_client().get("/health", environ_overrides=environment)
    return answer.status_code, answer.get_json()


def run(database: Database, statement: str) -> None:
    with database.transaction() as session:
        session.execute(text(statement))


def test_all_is_well(app: Flask) -> None:
    status, health = asked(app)
    assert (status, health["status"]) == (200, "ok")
    assert {name: part["status"] for name, part in health["parts"].items()} == dict.fromkeys(
        ("database", "elasticsearch", "bridge", "dispatcher", "worker", "dialer", "ivr"), "ok"
    )
    assert health["parts"]["worker"]["processes"] == 1


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("DELETE FROM process_heartbeat WHERE name = 'bridge'", "bridge"),
        ("UPDATE process_heartbeat SET at = at - interval '1 minute' WHERE name = 'worker'", "worker"),
        ("DELETE FROM process_heartbeat WHERE name = 'dialer'", "dialer"),
        ("UPDATE process_heartbeat SET detail = '{\"problem\": \"Asterisk does not answer\"}' WHERE name = 'bridge'", "bridge"),
    ],
)
def test_a_process_that_is_gone_or_in_trouble(app: Flask, database: Database, change: str, part: str) -> None:
    run(database, change)
    status, health = asked(app)
    assert (status, health["status"]) == (200, "degraded"), "the web itself still serves"
    assert [name for name, told in health["parts"].items() if told["status"] != "ok"] == [part]


def test_work_that_lies_about(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        publish(session, BellRang())
        enqueue(session, "transcription", "transcribe_call")
    assert asked(app)[1]["status"] == "ok", "work that has just come is no trouble"
    run(database, "UPDATE outbox_event SET created_at = created_at - interval '1 minute'")
    run(database, "UPDATE job SET run_at = run_at - interval '1 hour'")
    health = asked(app)[1]
    assert [name for name, told in health["parts"].items() if told["status"] != "ok"] == ["dispatcher", "worker"]
    assert health["parts"]["dispatcher"]["oldest_seconds"] >= 60
    assert health["parts"]["worker"]["waiting"] == 1


def test_without_the_search_server_the_web_serves(app: Flask, index: FailingIndex) -> None:
    index.is_away = True
    try:
        status, health = asked(app)
    finally:
        index.is_away = False
    assert (status, health["status"]) == (200, "degraded")
    assert health["parts"]["elasticsearch"] == {"status": "degraded"}


def test_without_the_database_it_does_not(house: Any) -> None:
    away = Database("postgresql://nobody:hush-hush@127.0.0.1:9/nothing")
    app = create_app(SimpleNamespace(**{**vars(house), "database": away}))  # type: ignore[arg-type]
    status, health = asked(app)
    assert (status, health) == (503, {"status": "down", "parts": {"database": {"status": "degraded"}}})
    metrics = app.test_client().get("/metrics")
    assert metrics.status_code == 200
    assert "tingjian_database_up 0.0" in metrics.get_data(as_text=True)
    assert "hush-hush" not in metrics.get_data(as_text=True)


@pytest.mark.parametrize(
    "environment",
    [STRANGER, {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, {"HTTP_FORWARDED": "for=203.0.113.9"}, {"HTTP_X_REAL_IP": "203.0.113.9"}],
)
def test_strangers_learn_how_it_is_but_no_figures(app: Flask, environment: dict[str, str]) -> None:
    status, health = asked(app, **environment)
    assert status == 200
    assert all(part == {"status": "ok"} for part in health["parts"].values())
    assert app.test_client().get("/metrics", environ_overrides=environment).status_code == 403


def test_a_token_or_the_site_lets_strangers_see(app: Flask, client_as: As, house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def metrics(token: str = "") -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return app.test_client().get("/metrics", environ_overrides=STRANGER, headers=headers).status_code

    assert metrics("wrong") == 403
    assert metrics(client_as("manager").token) == 200
    monkeypatch.setattr(house.settings, "metrics_public", True)
    assert metrics() == 200


def figures(app: Flask) -> dict[str, float]:
    answer = app.test_client().get("/metrics")
    assert answer.content_type.startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(answer.get_data(as_text=True)):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_figures_are_those_of_the_tables(app: Flask, database: Database, agent_id: uuid.UUID, client_as: As) -> None:
    before = figures(app)
    call_id = add_call(database, agent_id, state="talking", ended_at=None, outcome=None)
    with database.transaction() as session:
        for _ in range(3):
            publish(session, BellRang(call_id=new_id()))
        enqueue(session, "transcription", "transcribe_call")
    run(database, "UPDATE outbox_event SET parked_at = now() WHERE id = (SELECT min(id) FROM outbox_event)")
    run(database, f"UPDATE segment SET lag_seconds = 4.5 WHERE call_id = '{call_id}'")
    client_as("manager").get("/search", q="营业执照")
    after = figures(app)

    def change(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert (after["tingjian_outbox_waiting"], after["tingjian_outbox_parked"]) == (2, 1)
    assert (after["tingjian_jobs_ready"], after["tingjian_jobs_dead"]) == (1, 0)
    assert change("tingjian_calls{state=talking}") == 1
    assert sum(value for name, value in after.items() if name.startswith("tingjian_agents{")) == 1
    assert after["tingjian_transcript_lag_seconds"] == 4.5
    assert change("tingjian_recordings_lost") == 1
    assert change("tingjian_searches_total{is_degraded=false}") == 1
    assert change("tingjian_request_seconds_count{method=GET,status=200,view=api_search.search}") == 1
    assert after["tingjian_process_heartbeat_seconds{node=node1,pid=100,process=bridge}"] < 60
    assert "tingjian_open_streams" in after


def test_addresses_make_no_series(app: Flask) -> None:
    for name in ("/a", "/b", "/api/v1/x", "/calls/" + "9" * 300):
        app.test_client().get(name)
    assert not any("/a" in name or "999" in name for name in figures(app))
