"""The citizen's page: small, without script or cookie, and each link that does not open says why."""

import gzip
import re
import uuid
from html.parser import HTMLParser

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from survey.events import SurveyFinished
from survey.service import demonstration
from tests.fakes.browser import Browser
from tests.integration.survey.conftest import PHONE, Base
from tests.unit.survey.made import question, questionnaire, when

KIBI = 1024
WEEK = 7 * 24 * 3600


@pytest.fixture
def case(base: Base) -> uuid.UUID:
    return base.launched(demonstration("case_service"), "case_service")


@pytest.fixture
def survey_id(base: Base, case: uuid.UUID) -> uuid.UUID:
    return base.offered(case, callback_id=uuid.uuid4(), case_id=uuid.uuid4(), matter="补办身份证", hall="市民中心", unit="市公安局")


@pytest.fixture
def link(base: Base, survey_id: uuid.UUID) -> str:
    return f"/s/{base.service.link(survey_id)}"


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(text(answer))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def values(self, wanted: str) -> list[str | None]:
        return [value for _tag, name, value in self.attributes if name == wanted]


FIRST = {"asked": "satisfaction,resolved,recommend", "passed": "", "satisfaction": "5", "resolved": "yes"}


def test_a_survey_from_the_link_to_the_thanks(phone: Browser, base: Base, survey_id: uuid.UUID, link: str) -> None:
    first = phone.get(link)
    assert first.status_code == 200
    assert "您在市民中心办理的“补办身份证”已经办结" in text(first)
    assert "您要办的事办成了吗" in text(first)
    assert "不满意的主要原因" not in text(first)
    assert "checked" not in Page(first).values("checked"), "nothing is chosen beforehand"
    assert base.service.view(survey_id).state == "offered", "looking is not answering: telephones fetch links by themselves"
    on = phone.post(link, data=FIRST)
    assert (on.status_code, on.headers["Location"]) == (303, f"{link}?p=recommend")
    second = phone.get(on.headers["Location"])
    assert "您还有什么想说的" in text(second)
    assert "您对这次办事" not in text(second)
    assert ">提交</button>" in text(second)
    done = phone.post(link, data={"asked": "words", "passed": "recommend", "words": "谢谢 <b>各位</b>"})
    assert "提交成功" in text(done)
    assert "我们会据此改进" in text(done)
    survey = base.service.view(survey_id)
    assert survey.state == "completed"
    assert survey.values == {"satisfaction": 5, "resolved": "yes", "words": "谢谢 <b>各位</b>"}
    assert base.events(SurveyFinished) == [SurveyFinished(survey_id=survey_id, state="completed")]


def test_a_bad_grade_asks_why(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    on = phone.post(link, data={**FIRST, "satisfaction": "1", "recommend": "0"})
    second = phone.get(on.headers["Location"])
    assert "不满意的主要原因" in text(second)
    phone.post(link, data={"asked": "reason,words", "passed": "", "reason": ["slow", "attitude"], "words": ""})
    assert base.service.view(survey_id).values["reason"] == ["slow", "attitude"]
    assert base.service.view(survey_id).state == "completed"


def test_what_is_missing_is_said_and_nothing_is_lost(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    answer = phone.post(
        link, data={"asked": "satisfaction,resolved,recommend", "passed": "", "recommend": "99", "satisfaction": "4"}
    )
    assert answer.status_code == 400
    assert text(answer).count("这一题要请您回答") == 1
    assert text(answer).count("这个数不在范围里") == 1
    assert base.service.view(survey_id).values == {"satisfaction": 4}
    assert re.search(r'name="satisfaction" value="4" checked', text(answer)), "what was chosen stays chosen"
    assert base.service.view(survey_id).state == "started"


def test_a_changed_form_passes_over_nothing_required(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    on = phone.post(link, data={"asked": "", "passed": "satisfaction,resolved,recommend,words,nonsense"})
    assert on.status_code == 303
    assert "您对这次办事" in text(phone.get(on.headers["Location"]))
    assert base.service.view(survey_id).state == "started"


def test_the_page_is_small_and_needs_nothing_else(phone: Browser, link: str) -> None:
    answer = phone.get(link)
    page = Page(answer)
    assert len(answer.data) < 20 * KIBI
    assert len(gzip.compress(answer.data)) < 5 * KIBI
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.tags.count("style") == 1
    assert not [name for _tag, name, _value in page.attributes if name == "style" or name.startswith("on")]
    assert page.tags.count("fieldset") == page.tags.count("legend") == 3
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    nonce = re.search(r"style-src 'nonce-([^']+)'", policy)
    assert nonce is not None
    assert f'<style nonce="{nonce[1]}">' in text(answer)


def test_the_largest_questionnaire_stays_under_20_kb(phone: Browser, base: Base) -> None:
    options = [{"key": f"o{n}", "label": {"zh": f"{n}" + "很长的选项" * 11}} for n in range(10)]
    many = [question(f"q{n}", "multiple", title={"zh": "题" * 200}, options=options, required=False) for n in range(30)]
    version_id = base.launched(questionnaire(*many, opening={"zh": "开" * 500}))
    survey_id = base.offered(version_id)
    link = f"/s/{base.service.link(survey_id)}"
    passed: list[str] = []
    for _ in range(31):
        answer = phone.get(link, query_string={"p": ",".join(passed)})
        assert len(answer.data) < 20 * KIBI
        asked = re.search(r'name="asked" value="([^"]+)"', text(answer))
        if asked is None:
            break
        passed += asked[1].split(",")
    assert len(passed) == 30


def test_a_link_is_handed_in_once(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    phone.post(link, data=FIRST)
    phone.post(link, data={"asked": "words", "passed": "recommend", "words": ""})
    kept = base.service.view(survey_id)
    assert kept.state == "completed"
    again = phone.get(link)
    assert again.status_code == 200
    assert "已经提交过了" in text(again)
    changed = phone.post(link, data={**FIRST, "satisfaction": "1"})
    assert "已经提交过了" in text(changed)
    assert base.service.view(survey_id) == kept


def test_a_forged_link(phone: Browser, link: str) -> None:
    for forged in (link[:-2] + "AA", "/s/x", "/s/" + "A" * 50):
        answer = phone.get(forged)
        assert answer.status_code == 404
        assert "链接不对" in text(answer)
        assert "链接不对" in text(phone.post(forged, data=FIRST))
        assert "链接不对" in text(phone.get(f"{forged}/opt-out"))


def test_an_expired_link(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    base.clock.advance(WEEK + 60)
    answer = phone.get(link)
    assert answer.status_code == 410
    assert "链接已过期" in text(answer)
    assert "2026-03-25" in text(answer)
    late = phone.post(link, data=FIRST)
    assert late.status_code == 303, "the page was open when the time ran out"
    assert all(one.is_late for one in base.service.view(survey_id).answers)
    base.clock.advance(2 * 24 * 3600)
    assert "链接已过期" in text(phone.post(link, data=FIRST))


def test_a_link_when_enough_have_answered(phone: Browser, base: Base) -> None:
    version_id = base.launched(questionnaire(question("a"), quotas=[{"field": "", "value": "", "most": 1}]))
    first, second = (f"/s/{base.service.link(base.offered(version_id))}" for _ in range(2))
    assert phone.get(second).status_code == 200
    phone.post(first, data={"asked": "a", "passed": "", "a": "5"})
    for answer in (phone.get(second), phone.post(second, data={"asked": "a", "passed": "", "a": "5"})):
        assert answer.status_code == 410
        assert "评价已经收满" in text(answer)


def test_a_withdrawn_survey(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    base.service.withdraw(survey_id, "fang")
    answer = phone.get(link)
    assert answer.status_code == 410
    assert "已经撤回" in text(answer)


def test_opting_out(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    assert f"{link}/opt-out" in text(phone.get(link))
    asked = phone.get(f"{link}/opt-out")
    assert base.callbacks.opted_out == [], "only the button does it"
    assert "以后不再邀请您评价" in text(asked)
    done = phone.post(f"{link}/opt-out")
    assert "今后不再邀请您评价" in text(done)
    assert PHONE not in text(done)
    assert base.callbacks.opted_out == [(PHONE, "survey_page")]
    assert base.service.view(survey_id).state == "refused"
    assert "已经提交过了" in text(phone.get(link))


def test_a_survey_that_was_not_called_for_has_nobody_to_leave_alone(phone: Browser, case: uuid.UUID, base: Base) -> None:
    link = f"/s/{base.service.link(base.offered(case))}"
    assert "opt-out" not in text(phone.get(link))


def test_english_by_the_telephones_language_and_by_the_switch(phone: Browser, link: str, base: Base, survey_id: uuid.UUID) -> None:
    english = phone.get(link, headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert '<html lang="en">' in text(english)
    assert "How satisfied are you" in text(english)
    assert "Required" in text(english)
    assert "中文" in text(english)
    switched = phone.get(f"{link}?lang=en")
    assert "How satisfied are you" in text(switched)
    assert '<html lang="zh-CN">' in text(phone.get(link, headers={"Accept-Language": "fr"}))
    phone.post(f"{link}?lang=en", data=FIRST)
    assert base.service.view(survey_id).language == "en"
    chinese = set(re.findall(r"[\u4e00-\u9fff]+", text(switched).split("</style>")[1]))
    assert chinese <= {"云川市", "补办身份证", "市民中心", "中文"}


def test_hostile_words_stay_words(phone: Browser, base: Base) -> None:
    sly = '"><script>alert(1)</script>'
    version_id = base.launched(questionnaire(question("a", "text", title={"zh": sly}), question("b", "text", show_if=when("a"))))
    link = f"/s/{base.service.link(base.offered(version_id, matter=sly))}"
    assert "<script>" not in text(phone.get(link))
    answer = phone.post(link, data={"asked": "a", "passed": sly, "a": sly * 30})
    assert answer.status_code == 400
    assert "<script>" not in text(answer)


def test_guessing_is_slowed_down(app: Flask, phone: Browser, link: str) -> None:
    app.config["RATELIMIT_ENABLED"] = True
    statuses = {phone.get(f"{link}/opt-out").status_code for _ in range(130)}
    assert statuses <= {200, 429}
