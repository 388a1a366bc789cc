"""Calls as programs see them: masked, whole only when revealed and audited, and never somebody else's."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from core.database import Database
from tests.integration.webui_api.conftest import CALLER, Client, add_call

As = Callable[[str], Client]
Rows = Callable[[str], list[dict[str, Any]]]


def test_a_call_with_all_that_is_kept_of_it(client_as: As, call_id: uuid.UUID) -> None:
    answer = client_as("supervisor").get(f"/calls/{call_id}")
    assert answer.status_code == 200
    call = answer.get_json()
    assert (call["call_id"], call["agent_number"], call["queue_title"]) == (str(call_id), "8001", "办事咨询")
    assert (call["started_at"], call["waiting_seconds"], call["talking_seconds"]) == ("2026-03-18T02:00:00Z", 9.0, 90.0)
    assert [(row["party"], row["text"]) for row in call["segments"]] == [
        ("citizen", "孩子上户口要带什么材料"),
        ("agent", "您好，请带出生医学证明"),
    ], "the final words, not the live ones that they replaced"
    assert call["segments"][0]["start_seconds"] == 10.0
    assert call["events"] == [{"at": "2026-03-18T02:00:09Z", "kind": "answered"}]
    assert [(row["party"], row["state"], row["loss_reason"]) for row in call["recordings"]] == [
        ("citizen", "kept", ""),
        ("agent", "lost", "disk full"),
    ]
    assert call["note"]["note"] == "问新生儿落户"


def test_the_callers_number_is_nowhere_whole(client_as: As, call_id: uuid.UUID) -> None:
    for path in (f"/calls/{call_id}", "/calls"):
        text = client_as("supervisor").get(path).get_data(as_text=True)
        assert CALLER not in text
        assert "138****8000" in text
        assert "2026/03/18" not in text, "where a recording lies is nobody's business"


def test_a_whole_number_is_audited(client_as: As, call_id: uuid.UUID, audit_rows: Rows) -> None:
    before = len(audit_rows("number.revealed"))
    call = client_as("supervisor").get(f"/calls/{call_id}", reveal=1).get_json()
    assert call["caller_number"] == CALLER
    assert call["is_number_masked"] is False
    entries = audit_rows("number.revealed")[before:]
    assert [(row["actor"], row["subject"]) for row in entries] == [("token:program of a supervisor", f"call:{call_id}")]


def test_who_may_not_reveal_is_told_so(client_as: As, call_id: uuid.UUID, audit_rows: Rows) -> None:
    before = len(audit_rows("number.revealed"))
    answer = client_as("manager").get(f"/calls/{call_id}", reveal="true")
    assert answer.status_code == 403
    assert CALLER not in answer.get_data(as_text=True)
    assert len(audit_rows("number.revealed")) == before


def test_a_confidential_number_is_never_told(client_as: As, database: Database, agent_id: uuid.UUID) -> None:
    secret = add_call(database, agent_id, is_confidential=True)
    for reveal in ("0", "1"):
        call = client_as("supervisor").get(f"/calls/{secret}", reveal=reveal).get_json()
        assert call["caller_number"] == ""


def test_a_token_has_no_seat_and_so_no_calls_of_its_own(client_as: As, call_id: uuid.UUID) -> None:
    agent = client_as("agent")
    answers = [agent.get("/calls"), agent.get(f"/calls/{call_id}"), agent.get(f"/calls/{call_id}", reveal=1)]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.fixture
def missed(database: Database, call_id: uuid.UUID) -> uuid.UUID:
    return add_call(
        database, None, outcome="abandoned", queue_name=None, answered_at=None, talking_seconds=None, caller_number="02112345678"
    )


def test_filters(client_as: As, call_id: uuid.UUID, missed: uuid.UUID) -> None:
    def found(**query: Any) -> set[str]:
        answer = client_as("supervisor").get("/calls", size=200, **query)
        assert answer.status_code == 200, answer.get_json()
        return {row["call_id"] for row in answer.get_json()["items"]}

    both, one, other = {str(call_id), str(missed)}, str(call_id), str(missed)
    assert both <= found()
    assert both <= found(since="2026-03-18", until="2026-03-18")
    assert not found(until="2026-03-17")
    assert not found(since="2026-03-19")
    assert both <= found(since="0001-01-01", until="9999-12-31"), "days beyond any calendar are no error"
    assert other in found(outcome="abandoned")
    assert one not in found(outcome="abandoned")
    assert other not in found(queue="consult")
    assert other not in found(agent="8001")
    assert found(caller_tail="5678") == {other}
    # Longer and longer tails would spell out a number that is shown masked.
    assert found(caller_tail="95678") == found(caller_tail="45678") == {other}
    assert one in found(text="出生医学证明")
    assert not found(text="%")


def test_an_agent_that_does_not_exist(client_as: As, call_id: uuid.UUID) -> None:
    assert client_as("supervisor").get("/calls", agent="9999").status_code == 404


def test_pages_follow_each_other_and_end(client_as: As, call_id: uuid.UUID, missed: uuid.UUID) -> None:
    supervisor = client_as("supervisor")
    first = supervisor.get("/calls", size=1).get_json()
    second = supervisor.get("/calls", size=1, page=2).get_json()
    assert first["total"] == second["total"] >= 2
    assert first["items"][0]["call_id"] != second["items"][0]["call_id"]
    assert supervisor.get("/calls", page=100_000).get_json()["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": "0"}, "page"),
        ({"page": "9" * 4000}, "page"),
        ({"size": "1e3"}, "size"),
        ({"since": "yesterday"}, "since"),
        ({"outcome": "lost"}, "outcome"),
        ({"text": "a\0b"}, "text"),
        ({"queue": "字" * 201}, "queue"),
        ({"quene": "consult"}, "quene"),
        ({"page": ["1", "2"]}, "page"),
    ],
)
def test_bad_input_names_its_field(client_as: As, query: dict[str, Any], field: str) -> None:
    answer = client_as("supervisor").get("/calls", **query)
    assert answer.status_code == 400
    error = answer.get_json()["error"]
    assert error["kind"] == "invalid_input"
    assert [wrong["field"] for wrong in error["fields"]] == [field]


@pytest.mark.parametrize("written", ["1", "x" * 5000, "%00", "%ED%A0%80", "..%2f..", "01890a5d-ac96-774b-bcce-b302099a805g"])
def test_what_is_no_id_is_refused_and_an_unknown_one_not_found(client_as: As, written: str) -> None:
    assert client_as("supervisor").get(f"/calls/{written}").status_code in (400, 404)
    assert client_as("supervisor").get(f"/calls/{uuid.uuid4()}").status_code == 404
