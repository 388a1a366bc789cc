"""Articles over the API: written, revised, published, retired; and what those who only read may see of it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.webui_api.conftest import Client

As = Callable[[str], Client]
WORDS = {
    "title": "餐饮店办理食品经营许可证",
    "alternatives": ["开饭馆要办什么证", "小餐馆的食品许可怎么申请"],
    "unit": "市场监督管理局",
    "region": "全市",
    "category": "食品经营",
    "answer": "开餐馆须先取得食品经营许可证，在政务服务大厅三楼市场监管窗口申请，材料齐全的十个工作日内办结。",
    "materials": ["营业执照复印件", "经营场所平面图"],
    "valid_from": "2026-01-01",
}


@pytest.fixture
def words() -> dict[str, Any]:
    return {"key": f"demo-{uuid.uuid4().hex[:8]}", **WORDS}


def created(editor: Client, words: dict[str, Any]) -> dict[str, Any]:
    answer = editor.ask("POST", "/articles", json=words)
    assert answer.status_code == 201, answer.get_json()
    article: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/articles/{article['article_id']}"
    return article


def test_the_life_of_an_article(client_as: As, words: dict[str, Any]) -> None:
    editor, reader = client_as("kb_editor"), client_as("agent")
    article = created(editor, words)
    where = f"/articles/{article['article_id']}"
    assert (article["status"], article["revision_no"], article["author"]) == ("draft", 1, "token:program of a kb_editor")
    assert {name: article[name] for name in words} == words
    assert reader.get(where).status_code == 404, "a draft is nobody's answer yet"

    assert editor.ask("POST", f"{where}/publish", json={}).get_json()["status"] == "published"
    assert reader.get(where).get_json()["title"] == words["title"]

    revised = editor.ask("POST", f"{where}/revisions", json={**WORDS, "answer": "五个工作日内办结。", "based_on": 1})
    assert revised.status_code == 201
    assert revised.get_json()["revision_no"] == 2
    assert editor.get(where).get_json()["answer"] == "五个工作日内办结。"
    assert reader.get(where).get_json()["answer"] == words["answer"], "until it is published too, the old words are told"
    assert reader.get(where, revision=2).status_code == 404
    listed = reader.get("/articles", q=words["key"]).get_json()["items"]
    assert [row["answer"] for row in listed] == [words["answer"]]

    editor.ask("POST", f"{where}/publish", json={"revision": 2})
    assert reader.get(where).get_json()["answer"] == "五个工作日内办结。"
    assert reader.get(where, revision=1).get_json()["answer"] == words["answer"]

    assert editor.ask("POST", f"{where}/retire").get_json()["status"] == "retired"
    assert reader.get("/articles", q=words["key"]).get_json()["total"] == 0
    assert editor.get("/articles", q=words["key"], status="retired").get_json()["total"] == 1


def test_a_unit_writes_and_an_editor_publishes(client_as: As, words: dict[str, Any]) -> None:
    article = created(client_as("unit"), words)
    assert client_as("unit").ask("POST", f"/articles/{article['article_id']}/publish", json={}).status_code == 403
    assert client_as("kb_editor").ask("POST", f"/articles/{article['article_id']}/publish", json={}).status_code == 200


def test_two_editors_do_not_write_over_each_other(client_as: As, words: dict[str, Any]) -> None:
    editor = client_as("kb_editor")
    where = f"/articles/{created(editor, words)['article_id']}"
    assert editor.ask("POST", f"{where}/revisions", json={**WORDS, "fee": "不收费", "based_on": 1}).status_code == 201
    late = editor.ask("POST", f"{where}/revisions", json={**WORDS, "fee": "一百元", "based_on": 1})
    assert late.status_code == 409
    assert editor.get(where).get_json()["fee"] == "不收费"


def test_a_key_is_taken_once(client_as: As, words: dict[str, Any]) -> None:
    created(client_as("kb_editor"), words)
    assert client_as("kb_editor").ask("POST", "/articles", json=words).status_code == 409


def test_without_another_question_nothing_is_published(client_as: As, words: dict[str, Any]) -> None:
    editor = client_as("kb_editor")
    article = created(editor, {**words, "alternatives": []})
    answer = editor.ask("POST", f"/articles/{article['article_id']}/publish", json={})
    assert answer.status_code == 400
    assert answer.get_json()["error"]["fields"][0]["field"] == "alternatives"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": " \u200b "}, "title"),
        ({"title": 5}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"answer": "字" * 20_001}, "answer"),
        ({"alternatives": ["开饭馆", "\ud800"]}, "alternatives.1"),
        ({"alternatives": "开饭馆"}, "alternatives"),
        ({"alternatives": ["x y"] * 51}, "alternatives"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"valid_from": 20260101}, "valid_from"),
        ({"valid_to": "2025-12-31"}, "valid_to"),
        ({"key": "a\nb"}, "key"),
        ({"key": "k" * 101}, "key"),
        ({"colour": "red"}, "colour"),
        ({"unit": None}, "unit"),
    ],
)
def test_bad_words_name_their_field_and_nothing_is_kept(
    client_as: As, words: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    editor = client_as("kb_editor")
    before = editor.get("/articles").get_json()["total"]
    answer = editor.ask("POST", "/articles", json=words | change)
    assert answer.status_code == 400, answer.get_json()
    assert [wrong["field"] for wrong in answer.get_json()["error"]["fields"]] == [field]
    assert editor.get("/articles").get_json()["total"] == before


@pytest.mark.parametrize("revision", [0, -1, 2**31, 2**63, 10**400, True, "1", 1.5])
def test_a_revision_that_can_not_be(client_as: As, words: dict[str, Any], revision: object) -> None:
    editor = client_as("kb_editor")
    where = f"/articles/{created(editor, words)['article_id']}"
    assert editor.ask("POST", f"{where}/publish", json={"revision": revision}).status_code == 400
    assert editor.ask("POST", f"{where}/publish", json={"revision": 7}).status_code == 404


def test_what_does_not_exist(client_as: As) -> None:
    editor, nothing = client_as("kb_editor"), uuid.uuid4()
    assert editor.get(f"/articles/{nothing}").status_code == 404
    assert editor.ask("POST", f"/articles/{nothing}/revisions", json=WORDS).status_code == 404
    assert editor.ask("POST", f"/articles/{nothing}/publish", json={}).status_code == 404
    assert editor.ask("POST", f"/articles/{nothing}/retire").status_code == 404


def test_pages_end(client_as: As, words: dict[str, Any]) -> None:
    created(client_as("kb_editor"), words)
    first = client_as("kb_editor").get("/articles", size=1).get_json()
    assert len(first["items"]) == 1
    beyond = client_as("kb_editor").get("/articles", size=1, page=first["total"] + 1).get_json()
    assert (beyond["items"], beyond["total"]) == ([], first["total"])
