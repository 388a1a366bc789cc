"""What the pages show, and that an answer is there at once."""

import io
import re
import uuid
from datetime import date

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from core.audit import AuditEntry
from core.database import Database
from core.outbox import OutboxEvent
from tests.fakes.browser import Browser
from tests.integration.statistics.conftest import PASSWORD
from tests.integration.statistics.world import World, rated, solved
from webui.statistics.counting import Counting
from webui.statistics.handlers import StatisticsHandlers

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
    for state, answers in (("completed", {"satisfaction": rated(5)}), ("skipped", None), ("hung_up", None), ("hung_up", None)):
        answered.survey(version, "2026-03-17 10:05", answers, kind="after_call", state=state, agent_id=answered.agents["8001"])
    page = text_of(manager.get("/statistics/agents").get_data(as_text=True))
    assert re.search(r"陈敏 8001 8 0 .* 4 4 1 1 2 25\.0% 4\.6–69\.9% 1 / 1", page)


def test_surveys_behind_a_number(answered: World, manager: Browser) -> None:
    page = text_of(manager.get("/statistics/surveys?question=satisfaction&scores=2,1").get_data(as_text=True))
    assert "共 4 条" in page
    assert "哪里不满意： 办得慢" in page
    assert "138" not in page
    assert manager.get("/statistics/surveys?question=x&scores=a,,nan,1e999").status_code == 200


def test_a_survey_is_withdrawn(answered: World, app: Flask, manager: Browser, database: Database, counting: Counting) -> None:
    behind = manager.get("/statistics/surveys?question=satisfaction&scores=2").get_data(as_text=True)
    found = re.search(r'href="(/statistics/surveys/[0-9a-f-]{36})"', behind)
    assert found is not None
    page = manager.get(found[1]).get_data(as_text=True)
    assert "您对这次办理满意吗" in page
    assert "不满意" in page
    assert manager.post(f"{found[1]}/withdraw", data={"reason": " "}).status_code == 400
    assert manager.post(f"{found[1]}/withdraw", data={"reason": "市民来电要求撤回"}).status_code == 302
    page = manager.get(found[1]).get_data(as_text=True)
    assert "已撤回" in page
    assert "withdraw" not in page
    with database.transaction() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "survey.withdrawn")).all()
        (event,) = session.scalars(select(OutboxEvent).where(OutboxEvent.name == "SurveyFinished")).all()
        finished = event.event()
        assert (entry.actor, entry.detail) == ("manager", {"reason": "市民来电要求撤回"})
    StatisticsHandlers(database, counting, lambda: None).on_survey_finished(finished)
    words = text_of(manager.get("/statistics/").get_data(as_text=True))
    assert "46 / 49" in words
    assert "撤回 1" in words
    assert manager.get(f"/statistics/surveys/{uuid.uuid4()}").status_code == 404
    other = app.test_client()
    assert isinstance(other, Browser)
    other.log_in("kb_editor", PASSWORD)
    assert other.post(f"{found[1]}/withdraw", data={"reason": "x"}).status_code == 403


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


def test_what_a_condition_does_not_apply_to_is_not_said(answered: World, manager: Browser) -> None:
    answered.state("8001", "ready", "2026-03-17 08:00", "2026-03-17 12:00")
    whole = text_of(manager.get("/statistics/").get_data(as_text=True))
    assert re.search(r"坐席利用率 \S+ %", whole)
    assert "中位 10 秒" in whole
    by_queue = text_of(manager.get("/statistics/?queue=consult").get_data(as_text=True))
    assert "坐席利用率 – 不按队列和分类统计" in by_queue
    assert "中位 10 秒" in by_queue  # waits know their queue
    by_category = text_of(manager.get("/statistics/?category=医保").get_data(as_text=True))
    assert "坐席利用率 – 不按队列和分类统计" in by_category
    assert "转写延迟 – 不按分类统计" in by_category
    assert "中位 – 秒，P95 – 秒" in by_category
    assert "选了分类就没有接通率" in by_category
    agents = manager.get("/statistics/agents?queue=enterprise").get_data(as_text=True)
    assert 'name="queue"' not in agents
    assert "队列：" not in agents


def test_every_rate_has_its_interval(answered: World, manager: Browser) -> None:
    answered.callback("2026-03-17 09:00", contacted_at="2026-03-17 10:00")
    page = text_of(manager.get("/statistics/").get_data(as_text=True))
    assert "8 / 9 95% 区间 56.5–98.0%" in page  # Wilson of 8 of 9
    assert "接触到 1 件（100.0%，95% 区间 20.7–100.0%）" in page
    crossed = text_of(manager.get("/statistics/questionnaires").get_data(as_text=True))
    assert "75.0% 30 59.8–85.8%" in crossed  # 30 of the unit's 40 are 非常满意


def test_the_three_rates_over_time(answered: World, manager: Browser, counting: Counting) -> None:
    for _number in range(30):
        answered.survey(answered.versions["case_service"], "2026-01-20 15:00", {"satisfaction": rated(2)})
    counting.refresh()
    page = text_of(manager.get("/statistics/?from=2026-03-16&to=2026-03-17").get_data(as_text=True))
    assert "03-17 二 – 90.0% 40 76.9–96.0% 92.0% 50 81.2–96.8%" in page
    # Over many days by month; the first month lies in the span by half, and its days are there all the same.
    page = text_of(manager.get("/statistics/?from=2026-01-16&to=2026-03-18&by=week").get_data(as_text=True))
    assert "按月" not in page  # 62 days: by week as was asked
    page = text_of(manager.get("/statistics/?from=2026-01-15&to=2026-03-18&by=week").get_data(as_text=True))
    assert "；超过 62 天按月" in page
    assert "2026-01 – – 0.0% 30 0.0–11.4%" in page


def test_questions_with_other_bounds_are_not_the_same(answered: World, manager: Browser) -> None:
    def asking(lowest: int, highest: int) -> dict[str, object]:
        return {
            "questions": [
                {"key": "again", "kind": "scale", "title": {"zh": "愿意推荐吗"}, "lowest": lowest, "highest": highest},
                DEFINITION["questions"][1],
            ]
        }

    for number, bounds in ((1, (1, 5)), (2, (0, 10))):
        version = answered.version("service", asking(*bounds), number=number)
        for _one in range(30):
            score = bounds[1]
            answered.survey(version, "2026-03-17 15:00", {"again": ("scale", score, float(score)), "resolved": solved(number == 1)})
    page = text_of(manager.get("/statistics/questionnaires?questionnaire=service").get_data(as_text=True))
    assert "愿意推荐吗 n = 30" in page
    assert "事情解决了吗 n = 60" in page
    # One question across the other: only where both are the same; and of the version that was chosen.
    address = "/statistics/questionnaires?questionnaire={}&row=resolved&across=again"
    page = text_of(manager.get(address.format("service")).get_data(as_text=True))
    assert re.search(r"是 否 10 30 0\.0% 0 .* 100\.0% 30", page)
    page = text_of(manager.get(address.format("service:1")).get_data(as_text=True))
    assert re.search(r"是 否 5 30 100\.0% 30", page)


def test_a_cross_tab_is_weighted_like_its_distribution(answered: World, manager: Browser) -> None:
    version = answered.version("sampled", DEFINITION)
    for number in range(40):
        grade, weight = (5, 3.0) if number < 20 else (2, 1.0)
        answered.survey(
            version, "2026-03-17 15:00", {"satisfaction": rated(grade), "resolved": solved(True)}, unit="市医保局", weight=weight
        )
    for across in ("unit", "resolved"):
        page = text_of(manager.get(f"/statistics/questionnaires?questionnaire=sampled&across={across}").get_data(as_text=True))
        # 20 × 3 ÷ (20 × 3 + 20): three quarters, twice.
        assert page.count("75.0%") == 2, across


def test_exports_of_questionnaires_and_agents(answered: World, manager: Browser) -> None:
    answer = manager.get("/statistics/questionnaires/export?questionnaire=case_service&row=resolved&across=satisfaction&form=x")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    assert book.sheet_names == ["答案分布", "交叉表", "关键词"]
    rows = book.get_sheet_by_name("答案分布").to_python()
    assert ["您对这次办理满意吗", "非常满意", 40.0, 50.0, 0.8, "67.0–88.8%", 4.64] in rows
    assert any("问卷：" in str(row[0]) for row in rows)
    agents = CalamineWorkbook.from_filelike(io.BytesIO(manager.get("/statistics/agents/export").data))
    assert agents.sheet_names == ["坐席", "坐席利用率走势"]
    assert any(row[0] == "陈敏 8001" and row[1] == 8 for row in agents.get_sheet_by_name("坐席").to_python())
    page = manager.get("/statistics/agents").get_data(as_text=True)
    assert "/statistics/agents/export" in page
    assert "全部坐席合计" in page
