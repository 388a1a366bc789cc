"""Searching and suggesting over the API, and judging what was suggested, on the demonstration knowledge base."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.database import Database
from kb.models import Suggestion
from kb.service import KnowledgeService
from tests.integration.webui_api.conftest import Client, add_call
from tests.integration.webui_api.services import FailingIndex

As = Callable[[str], Client]
QUESTION = "孩子刚出生上户口要带什么材料"


@pytest.fixture(scope="module", autouse=True)
def _demonstration(house: Any) -> None:
    kb: KnowledgeService = house.kb
    assert kb.load_demonstration("setup") >= 120
    kb.reindex()


def test_a_question_finds_its_article(client_as: As) -> None:
    found = client_as("agent").get("/search", q=QUESTION, limit=5).get_json()
    assert found["is_degraded"] is False
    assert 1 <= len(found["items"]) <= 5
    first = found["items"][0]
    assert "户" in first["title"]
    assert 0 <= first["confidence"] <= 100
    confidences = [row["confidence"] for row in found["items"]]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= start < end <= len(first["excerpt"]) for start, end in first["marks"])


def test_filters_and_the_day(client_as: As) -> None:
    agent = client_as("agent")
    unit = agent.get("/search", q=QUESTION).get_json()["items"][0]["unit"]
    assert {row["unit"] for row in agent.get("/search", q=QUESTION, unit=unit).get_json()["items"]} == {unit}
    assert agent.get("/search", q=QUESTION, unit="没有这个单位").get_json()["items"] == []
    assert agent.get("/search", q=QUESTION, on="1971-01-01").get_json()["items"] == [], "no article was valid then"
    assert agent.get("/search", q=QUESTION, on="0001-01-01").status_code == 200


def test_only_what_is_sure_is_suggested(client_as: As) -> None:
    sure = client_as("agent").ask("POST", "/suggest", json={"text": f"你好，我想问一下，{QUESTION}"}).get_json()
    assert 1 <= len(sure["items"]) <= 3
    assert all(row["confidence"] >= sure["threshold"] for row in sure["items"])
    unsure = client_as("agent").ask("POST", "/suggest", json={"text": "今天晚上的足球比赛几点开始"}).get_json()
    assert unsure["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "字" * 201}, "q"),
        ({"q": "a\0"}, "q"),
        ({"q": "户口", "limit": "0"}, "limit"),
        ({"q": "户口", "limit": "51"}, "limit"),
        ({"q": "户口", "limit": "9" * 99}, "limit"),
        ({"q": "户口", "on": "tomorrow"}, "on"),
    ],
)
def test_a_search_that_can_not_be(client_as: As, query: dict[str, str], field: str) -> None:
    answer = client_as("agent").get("/search", **query)
    assert answer.status_code == 400
    assert [wrong["field"] for wrong in answer.get_json()["error"]["fields"]] == [field]


ODD = ["？！", " ", "😀" * 50, "%' OR 1=1 --", "<script>", "\u202e\u200b", "a" * 20_000, '{"query": {"match_all": {}}}']


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_text_finds_nothing_or_something_but_never_fails(client_as: As, text: str) -> None:
    assert client_as("agent").ask("POST", "/suggest", json={"text": text}).status_code == 200
    assert client_as("agent").get("/search", q=text[:200]).status_code == 200


@pytest.fixture
def away(index: FailingIndex) -> Iterator[None]:
    index.is_away = True
    yield
    index.is_away = False


@pytest.fixture
def suggestion(database: Database, agent_id: uuid.UUID, house: Any) -> tuple[uuid.UUID, uuid.UUID]:
    """Return a call and a suggestion that was made in it."""
    call_id = add_call(database, agent_id)
    hit = house.kb.search(QUESTION).hits[0]
    with database.transaction() as session:
        row = Suggestion(
            call_id=call_id, article_id=hit.article_id, revision_id=hit.revision_id, rank=1, score=hit.score,
            confidence=hit.confidence, query=QUESTION, excerpt=hit.excerpt, marks=[],
        )  # fmt: skip
        session.add(row)
        session.flush()
        return call_id, row.id


def test_adopted_ignored_wrong_and_taken_back(
    client_as: As, suggestion: tuple[uuid.UUID, uuid.UUID], audit_rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    (call_id, suggestion_id), supervisor = suggestion, client_as("supervisor")
    where, before = f"/suggestions/{suggestion_id}", len(audit_rows("suggestion.judged"))
    assert supervisor.ask("POST", f"{where}/adoption").get_json()["verdict"] == "adopted"
    (adopted,) = supervisor.get(f"/calls/{call_id}").get_json()["adoptions"]
    assert adopted["suggestion_id"] == str(suggestion_id)
    assert supervisor.ask("POST", f"{where}/ignoring").get_json()["verdict"] == "ignored"
    assert supervisor.get(f"/calls/{call_id}").get_json()["adoptions"] == []
    wrong = supervisor.ask("POST", f"{where}/wrong", json={"reason": "地区不对"}).get_json()
    assert (wrong["verdict"], wrong["reason"]) == ("wrong", "地区不对")
    (shown,) = supervisor.get(f"/calls/{call_id}").get_json()["suggestions"]
    assert shown["verdict"] == "wrong"
    assert supervisor.ask("DELETE", f"{where}/judgement").get_json()["verdict"] is None
    verdicts = [row["detail"]["verdict"] for row in audit_rows("suggestion.judged")[before:]]
    assert verdicts == ["adopted", "ignored", "wrong", "undone"]


@pytest.mark.parametrize("reason", ["", "   ", "\0", "\ud800", None, "x" * 201])
def test_wrong_needs_a_reason(client_as: As, suggestion: tuple[uuid.UUID, uuid.UUID], reason: object) -> None:
    answer = client_as("supervisor").ask("POST", f"/suggestions/{suggestion[1]}/wrong", json={"reason": reason})
    assert answer.status_code == 400
    assert [wrong["field"] for wrong in answer.get_json()["error"]["fields"]] == ["reason"]


def test_who_may_not_act_for_agents_may_not_judge(client_as: As, suggestion: tuple[uuid.UUID, uuid.UUID]) -> None:
    for role in ("agent", "manager", "kb_editor"):
        assert client_as(role).ask("POST", f"/suggestions/{suggestion[1]}/adoption").status_code == 403


@pytest.mark.usefixtures("away")
def test_without_the_search_server_memory_answers_and_says_so(client_as: As) -> None:
    found = client_as("agent").get("/search", q=QUESTION).get_json()
    assert found["is_degraded"] is True
    assert "户" in found["items"][0]["title"]
