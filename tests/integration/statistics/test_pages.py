"""What the pages show, and that an answer is there at once."""

import re
from datetime import date

import pytest
from flask import Flask

from tests.fakes.browser import Browser
from tests.integration.statistics.conftest import PASSWORD
from tests.integration.statistics.world import World, rated, solved

DEFINITION = {
    "title": {"zh": "办件回访"},
    "questions": [
        {"key": "satisfaction", "kind": "rating", "title": {"zh": "您对这次办理满意吗"}},
        {"key": "resolved", "kind": "yes_no", "title": {"zh": "事情解决了吗"}},
        {
            "key": "reason",
            "kind": "multiple",
            "title": {"zh": "哪里不满意"},
            "options": [{"key": "slow", "label": {"zh": "办得慢"}}, {"key": "rude", "label": {"zh": "态度差"}}],
        },
        {"key": "words", "kind": "text", "title": {"zh": "还想说什么"}},
    ],
}


@pytest.fixture
def answered(world: World) -> World:
    """Forty answers of one unit (36 满意 or better), ten of another; calls of the day before."""
    version = world.version("case_service", DEFINITION)
    for number in range(40):
        grade = 5 if number < 30 else 4 if number < 36 else 2
        extra = {"reason": ("multiple", ["slow"], None), "words": ("text", "窗口排队太久", None)} if grade == 2 else {}
        world.survey(
            version, "2026-03-17 15:00", {"satisfaction": rated(grade), "resolved": solved(grade > 2), **extra},
            unit="市医保局", region="城东区", matter="居民医保补缴", window="3 号窗口",
        )  # fmt: skip
    for _number in range(10):
        world.survey(version, "2026-03-17 15:00", {"satisfaction": rated(5)}, unit="市气象局")
    for second in range(8):
        world.call(
            f"2026-03-17 10:00:0{second}", wait=10, talk=120, category="医保", disposition="即时答复", caller=f"1380000000{second}"
        )
    world.call("2026-03-17 11:00", wait=40, outcome="abandoned")
    return world


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_overview(answered: World, manager: Browser) -> None:
    answer = manager.get("/statistics/")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    words = text_of(page)
    assert "88.9 %" in words  # 8 of 9 answered, all in time
    assert "8 / 9" in words
    assert "92.0 %" in words  # 46 of 50 satisfied
    assert "46 / 50" in words
    # Wilson of 46 of 50
    assert "81.2–96.8%" in words
    assert "样本不足" in words  # ten answers are not ranked
    assert page.index("市医保局") < page.index("市气象局")
    assert 'style="' not in page
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "等待不超过 15 秒即接听的来电 ÷ 呼入来电" in page


def test_an_answer_changes_the_page_at_once(answered: World, manager: Browser) -> None:
    before = text_of(manager.get("/statistics/").get_data(as_text=True))
    assert "46 / 50" in before
    answered.survey(answered.versions["case_service"], "2026-03-18 10:29", {"satisfaction": rated(1)}, unit="市医保局")
    figures = manager.get("/statistics/", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in figures
    assert "46 / 51" in text_of(figures)


def test_filters_narrow_what_they_can(answered: World, manager: Browser) -> None:
    page = text_of(manager.get("/statistics/?unit=市医保局").get_data(as_text=True))
    assert "36 / 40" in page
    assert "通话指标不按大厅、单位、区划和问卷区分" in page
    assert "8 / 9" in page  # calls know no unit, and the page says so
    page = text_of(manager.get("/statistics/?category=医保").get_data(as_text=True))
    assert "未接听的来电没有分类" in page
    page = text_of(manager.get("/statistics/?when=custom&from=2026-03-18&to=2026-03-18").get_data(as_text=True))
    assert "46 / 50" not in page
    for nonsense in ("when=x&from=31&to=y&by=z&compare=q", "when=custom&from=0001-01-01&to=9999-12-31", "queue=%00"):
        assert manager.get(f"/statistics/?{nonsense}").status_code == 200


def test_hostile_names_stay_text(answered: World, manager: Browser) -> None:
    answered.survey(
        answered.versions["case_service"], "2026-03-17 15:00", {"satisfaction": rated(5)}, unit="<script>alert(1)</script>"
    )
    page = manager.get("/statistics/").get_data(as_text=True)
    assert "<script>alert(1)" not in page


def test_questionnaires(answered: World, manager: Browser) -> None:
    page = text_of(manager.get("/statistics/questionnaires").get_data(as_text=True))
    assert "您对这次办理满意吗" in page
    assert "80.0% · 40" in page  # 40 of 50 非常满意
    assert "办得慢" in page
    assert re.search(r"窗口 4|排队 4", page)  # keywords, by people
    assert "市医保局" in page  # the cross-tab's default: by unit
    crossed = text_of(manager.get("/statistics/questionnaires?row=resolved&across=satisfaction").get_data(as_text=True))
    assert "不满意" in crossed
    assert manager.get("/statistics/questionnaires?questionnaire=nothing").status_code == 404


def test_versions_are_compared_where_the_question_is_the_same(answered: World, manager: Browser) -> None:
    changed = {
        **DEFINITION,
        "questions": [DEFINITION["questions"][0], {**DEFINITION["questions"][1], "title": {"zh": "问题办好了吗"}}],
    }
    second = answered.version("case_service", changed, number=2)
    for _number in range(30):
        answered.survey(second, "2026-03-17 16:00", {"satisfaction": rated(3), "resolved": solved(False)}, unit="市医保局")
    page = text_of(manager.get("/statistics/questionnaires?questionnaire=case_service").get_data(as_text=True))
    # Satisfaction is asked alike in both: 80 together, 30 and 50 apart.
    assert "n = 80" in page
    assert re.search(r"第 2 版 30 3.00", page)
    assert re.search(r"第 1 版 50 4.\d\d", page)
    # The other question was worded anew: the old answers are not mixed in.
    assert "问题办好了吗 n = 30" in page
    assert "其他版本的这道题措辞或选项不同" in page


def test_agents(answered: World, manager: Browser) -> None:
    version = answered.version("after_call")
    for state, answers in (("completed", {"satisfaction": rated(5)}), ("skipped", None)):
        answered.survey(version, "2026-03-17 10:05", answers, kind="after_call", state=state, agent_id=answered.agents["8001"])
    page = text_of(manager.get("/statistics/agents").get_data(as_text=True))
    assert re.search(r"陈敏 8001 8 0 .* 2 6 1 1 50\.0% 1 / 1", page)


def test_surveys_behind_a_number(answered: World, manager: Browser) -> None:
    page = text_of(manager.get("/statistics/surveys?question=satisfaction&scores=2,1").get_data(as_text=True))
    assert "共 4 条" in page
    assert "哪里不满意： 办得慢" in page
    assert "138" not in page
    assert manager.get("/statistics/surveys?question=x&scores=a,,nan,1e999").status_code == 200


def test_definitions(manager: Browser) -> None:
    page = text_of(manager.get("/statistics/definitions").get_data(as_text=True))
    assert "承诺时限内联系到市民的回访 ÷ 承诺时限到期的回访" in page
    assert "等待不足 5 秒即挂断的来电不计" in page


def test_only_who_may_read_statistics(app: Flask) -> None:
    client = app.test_client()
    assert isinstance(client, Browser)
    client.log_in("agent", PASSWORD)
    for path in (
        "/statistics/",
        "/statistics/agents",
        "/statistics/surveys",
        "/statistics/questionnaires",
        "/statistics/definitions",
    ):
        assert client.get(path).status_code == 403


def test_english(answered: World, manager: Browser) -> None:
    manager.post("/language", data={"language": "en", "next": "/statistics/"})
    page = manager.get("/statistics/").get_data(as_text=True)
    assert "Satisfaction" in page
    left = set(re.findall(r"[\u4e00-\u9fff]+", text_of(page))) - {
        "市医保局",
        "市气象局",
        "医保",
        "城东区",
        "办事咨询",
        "企业登记",
        "中",
        "同志",
        "问卷",  # of the questionnaire's own title
    }
    assert not left - {"云川市政务服务便民热线"}, left
    assert date(2026, 3, 17).isoformat()[:4] in page
