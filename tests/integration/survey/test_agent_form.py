"""The form an agent fills in while talking: each answer is kept at once, and only by the agent who asks."""

import uuid

import pytest
from werkzeug.test import TestResponse

from survey.service import demonstration
from survey.views import SurveyContext
from tests.fakes.browser import Browser
from tests.integration.survey.conftest import PASSWORD, Base


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


@pytest.fixture
def survey_id(base: Base) -> uuid.UUID:
    version_id = base.launched(demonstration("case_service"), "case_service")
    return base.service.offer("attempt:1", version_id, "callback", "agent", SurveyContext(matter="补办身份证", hall="市民中心"))


@pytest.fixture
def agent(client: Browser) -> Browser:
    client.log_in("agent", PASSWORD)
    return client


def test_answers_are_kept_one_by_one(agent: Browser, base: Base, survey_id: uuid.UUID) -> None:
    form = agent.get(f"/surveys/{survey_id}/form")
    assert "您在市民中心办理的“补办身份证”已经办结" in text(form)
    assert "<html" not in text(form)
    assert "不满意的主要原因" not in text(form)
    shown = agent.post(f"/surveys/{survey_id}/answers/satisfaction", data={"satisfaction": "2"})
    assert "不满意的主要原因" in text(shown)
    agent.post(f"/surveys/{survey_id}/answers/reason", data={"reason": ["slow", "unclear"]})
    agent.post(f"/surveys/{survey_id}/answers/words", data={"words": "排队太久"})
    assert base.service.view(survey_id).values == {"satisfaction": 2, "reason": ["slow", "unclear"], "words": "排队太久"}
    agent.post(f"/surveys/{survey_id}/answers/words", data={"words": ""})
    agent.post(f"/surveys/{survey_id}/answers/reason")
    assert base.service.view(survey_id).values == {"satisfaction": 2}


def test_bad_answers_are_refused_beside_the_question(agent: Browser, base: Base, survey_id: uuid.UUID) -> None:
    shown = agent.post(f"/surveys/{survey_id}/answers/recommend", data={"recommend": "11"})
    assert "这个数不在范围里" in text(shown)
    assert agent.post(f"/surveys/{survey_id}/answers/nothing", data={"nothing": "1"}).status_code == 400
    assert base.service.view(survey_id).values == {}


def test_an_ended_survey_is_shown_and_not_changed(agent: Browser, base: Base, survey_id: uuid.UUID) -> None:
    agent.post(f"/surveys/{survey_id}/answers/satisfaction", data={"satisfaction": "4"})
    base.service.finish(survey_id, "partial")
    shown = text(agent.get(f"/surveys/{survey_id}/form"))
    assert "没有答完，已答的都已保存" in shown
    assert '<fieldset class="sv-q" disabled>' in shown
    refused = agent.post(f"/surveys/{survey_id}/answers/satisfaction", data={"satisfaction": "1"}, headers={"HX-Request": "true"})
    assert refused.status_code == 409
    assert "已经结束" in refused.get_json()["error"]["message"]
    assert base.service.view(survey_id).values == {"satisfaction": 4}


def test_only_the_agent_who_asks(agent: Browser, base: Base, survey_id: uuid.UUID) -> None:
    version_id = base.service.view(survey_id).version_id
    others = base.service.offer("attempt:2", version_id, "callback", "agent", SurveyContext(agent_id=uuid.uuid4()))
    assert agent.get(f"/surveys/{others}/form").status_code == 403
    assert agent.post(f"/surveys/{others}/answers/satisfaction", data={"satisfaction": "5"}).status_code == 403
    web = base.offered(version_id)
    assert agent.post(f"/surveys/{web}/answers/satisfaction", data={"satisfaction": "5"}).status_code == 403
    assert agent.get(f"/surveys/{uuid.uuid4()}/form").status_code == 404
    agent.log_in("manager", PASSWORD)
    assert agent.post(f"/surveys/{survey_id}/answers/satisfaction", data={"satisfaction": "5"}).status_code == 403
