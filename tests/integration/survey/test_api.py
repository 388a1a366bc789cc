"""Questionnaires and surveys as programs read them."""

import uuid
from typing import Any

import pytest
from flask import Flask

from survey.service import demonstration
from tests.integration.survey.conftest import Base


def ask(app: Flask, path: str, role: str = "manager", status: int = 200) -> Any:
    token = app.extensions["house"].tokens.create_token("setup", uuid.uuid4().hex, role)
    answer = app.test_client(use_cookies=False).get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


@pytest.fixture
def survey_id(base: Base) -> uuid.UUID:
    version_id = base.launched(demonstration("case_service"), "case_service")
    made = base.offered(version_id, unit="市公安局", matter="补办身份证", case_id=uuid.UUID(int=5))
    base.service.answer(made, "satisfaction", 2)
    base.service.answer(made, "reason", ["slow"])
    base.service.finish(made, "partial")
    base.clock.advance(86400)
    base.offered(version_id)
    return made


def test_questionnaires_with_versions(app: Flask, survey_id: uuid.UUID) -> None:
    (one,) = ask(app, "/questionnaires")["items"]
    assert (one["key"], one["title"]) == ("case_service", "办件回访")
    (version,) = one["versions"]
    assert (version["version_no"], version["state"], version["offered"], version["answered"]) == (1, "launched", 2, 1)
    assert [question["key"] for question in version["definition"]["questions"]][:2] == ["satisfaction", "resolved"]


def test_surveys_with_answers(app: Flask, survey_id: uuid.UUID) -> None:
    everything = ask(app, "/surveys")
    assert everything["total"] == 2
    (first,) = ask(app, "/surveys?state=partial&questionnaire=case_service&offered_to=2026-03-18")["items"]
    assert first["survey_id"] == str(survey_id)
    assert (first["unit"], first["kind"], first["way"], first["case_id"]) == ("市公安局", "callback", "web", str(uuid.UUID(int=5)))
    assert [(a["question_key"], a["value"], a["score"], a["is_late"]) for a in first["answers"]] == [
        ("satisfaction", 2, 2.0, False),
        ("reason", ["slow"], None, False),
    ]
    assert ask(app, "/surveys?offered_from=2026-03-19")["total"] == 1
    assert ask(app, "/surveys?size=1&page=2")["items"][0]["survey_id"] == str(survey_id)


def test_an_answer_is_withdrawn(app: Flask, survey_id: uuid.UUID) -> None:
    def withdraw(reason: str, role: str) -> Any:
        token = app.extensions["house"].tokens.create_token("setup", uuid.uuid4().hex, role)
        path, bearer = f"/api/v1/surveys/{survey_id}/withdrawal", {"Authorization": f"Bearer {token}"}
        return app.test_client(use_cookies=False).post(path, headers=bearer, json={"reason": reason})

    assert withdraw("市民要求", "agent").status_code == 403
    assert withdraw(" ", "supervisor").status_code == 400
    told = withdraw("市民要求", "supervisor")
    assert told.status_code == 200
    assert told.get_json()["withdrawn_at"]
    (version,) = ask(app, "/questionnaires")["items"][0]["versions"]
    assert (version["offered"], version["answered"]) == (1, 0)


@pytest.mark.parametrize("path", ["/questionnaires", "/surveys"])
def test_only_who_may_read_questionnaires(app: Flask, survey_id: uuid.UUID, path: str) -> None:
    ask(app, path, "agent", 403)
    ask(app, path, "supervisor")


@pytest.mark.parametrize("query", ["state=gone", "way=letter", "offered_from=yesterday", "size=0", "call_id=1", "nonsense=1"])
def test_misspelt_filters_are_refused(app: Flask, query: str) -> None:
    ask(app, f"/surveys?{query}", status=400)
