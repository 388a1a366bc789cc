"""Agents over the API: their states, and changing what the person does but not what the line does."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from core.database import Database
from tests.integration.webui_api.conftest import Client, add_call
from tests.integration.webui_api.services import QuietSwitch

As = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _at_rest(database: Database, agent_id: uuid.UUID, switch: QuietSwitch) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "UPDATE agent SET logged_in_at = NULL, pause_reason = NULL, wrapup_until = NULL, is_registered = true,"
                " line_state = 'idle', state = 'offline', call_id = NULL"
            )
        )
    switch.told.clear()
    switch.is_away = False


def put(client: Client, state: str, reason: str = "", number: str = "8001") -> Any:
    return client.ask("PUT", f"/agents/{number}/state", json={"state": state, "reason": reason})


def test_the_list_says_who_and_what_but_no_password(client_as: As, agent_id: uuid.UUID) -> None:
    answer = client_as("supervisor").get("/agents")
    (agent,) = answer.get_json()["items"]
    assert (agent["agent_id"], agent["number"], agent["name"], agent["state"]) == (str(agent_id), "8001", "陈敏", "offline")
    assert agent["queues"] == ["consult"]
    assert "secret-of-8001" not in answer.get_data(as_text=True)


def test_a_day_of_an_agent(client_as: As, switch: QuietSwitch, audit_rows: Callable[[str], list[dict[str, Any]]]) -> None:
    supervisor, before = client_as("supervisor"), len(audit_rows("agent.state_set"))
    states = [put(supervisor, *step).get_json()["state"] for step in (("ready",), ("paused", "用餐"), ("ready",), ("offline",))]
    assert states == ["ready", "paused", "ready", "offline"]
    assert [words[0] for words in switch.told] == ["log_in", "unpause", "pause", "unpause", "log_out"]
    assert supervisor.get("/agents/8001").get_json()["state"] == "offline"
    entries = audit_rows("agent.state_set")[before:]
    assert [row["detail"]["state"] for row in entries] == ["ready", "paused", "ready", "offline"]
    assert {row["subject"] for row in entries} == {"agent:8001"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "paused"}, "reason"),
        ({"state": "paused", "reason": "偷懒"}, "reason"),
        ({"state": "paused", "reason": "\0"}, "reason"),
        ({"state": "paused", "reason": "\ud800"}, "reason"),
        ({"state": "talking"}, "state"),
        ({"state": None}, "state"),
        ({}, "state"),
        ({"state": "ready", "number": "8002"}, "number"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_bad_input_changes_nothing(client_as: As, switch: QuietSwitch, body: object, field: str) -> None:
    answer = client_as("supervisor").ask("PUT", "/agents/8001/state", json=body)
    assert answer.status_code == 400
    assert [wrong["field"] for wrong in answer.get_json()["error"]["fields"]] == [field]
    assert switch.told == []


@pytest.mark.parametrize("sent", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"state": ' + b"9" * 5000 + b"}", b'{"state": "ready"'])
def test_what_is_no_json_is_refused(client_as: As, sent: bytes) -> None:
    answer = client_as("supervisor").ask("PUT", "/agents/8001/state", data=sent, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["fields"]


def test_a_body_that_is_too_large(client_as: As) -> None:
    answer = client_as("supervisor").ask("PUT", "/agents/8001/state", json={"state": "ready", "reason": "x" * 1_100_000})
    assert answer.status_code == 413
    assert answer.get_json()["error"]["kind"] == "too_large"


def test_who_is_in_a_call_can_not_be_logged_out(client_as: As, database: Database, agent_id: uuid.UUID) -> None:
    assert put(client_as("supervisor"), "ready").status_code == 200
    call_id = add_call(database, agent_id, state="talking", ended_at=None, outcome=None)
    with database.transaction() as session:
        session.execute(text("UPDATE agent SET line_state = 'talking', call_id = :call"), {"call": call_id})
    answer = put(client_as("supervisor"), "offline")
    assert answer.status_code == 409
    assert answer.get_json()["error"]["kind"] == "conflict"


def test_without_the_exchange_nothing_is_written(client_as: As, switch: QuietSwitch) -> None:
    switch.is_away = True
    answer = put(client_as("supervisor"), "ready")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["kind"] == "unavailable"
    assert client_as("supervisor").get("/agents/8001").get_json()["is_logged_in"] is False


@pytest.mark.parametrize("number", ["9999", "x", "%00", "%F0%9F%8D%B5", "8001%0A", "9" * 300])
def test_an_agent_that_does_not_exist(client_as: As, number: str) -> None:
    for answer in (client_as("supervisor").get(f"/agents/{number}"), put(client_as("supervisor"), "ready", number=number)):
        assert answer.status_code in (400, 404)


def test_queues_say_who_waits(client_as: As, database: Database, agent_id: uuid.UUID) -> None:
    waiting = {"state": "queued", "ended_at": None, "answered_at": None, "outcome": None, "talking_seconds": None}
    call_id = add_call(database, None, **waiting)
    try:
        (queue,) = client_as("manager").get("/queues").get_json()["items"]
        assert (queue["name"], queue["title"], queue["waiting"]) == ("consult", "办事咨询", 1)
        assert queue["longest_since"] == "2026-03-18T02:00:00Z"
        assert queue["count"]["answered"] >= 0
    finally:
        with database.transaction() as session:
            session.execute(text("UPDATE call SET state = 'ended', ended_at = now() WHERE id = :id"), {"id": call_id})
