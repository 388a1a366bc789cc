"""After the case closes: the hotline asks by keys, by voice and in writing, and an agent asks; every answer is counted at once."""

import csv
import io
import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from bootstrap.house import House, build
from callback.rule import AtOnce, Way
from core.clock import local_date
from core.settings import PROJECT_DIR, Settings
from survey.views import SurveyContext
from tests.asterisk_server import Program as Talker
from tests.e2e.people import Desk, eventually, expect
from tests.fakes.smpp_carrier import SmppCarrier
from tests.program import Program

ANSWERS = PROJECT_DIR / "tests/data/speech/answers"
BY_KEYS, BY_VOICE, ABSENT, UNWILLING, BY_AGENT = (f"139000100{at:02}" for at in range(1, 6))
_FIGURES_WITHIN = 5_000
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def house(program: Program) -> Iterator[House]:
    """The services on the program's own database; the rule asks at once, on any day."""
    settings = Settings(_env_file=None, database_url=program.endpoints["database_url"], state_dir=program.folder)
    house = build(settings)
    today = local_date(datetime.now(UTC))
    house.working_days.import_csv(f"{today},班,测试\n{today + timedelta(days=1)},班,测试\n".encode(), "test")
    rule = house.callback.get_rule("case_closed")
    house.callback.save_rule("case_closed", rule.definition.model_copy(update={"when": AtOnce()}), "test")
    # The sample of answered calls would ring citizens of the other tests.
    for other in house.callback.list_rules():
        if other.key != "case_closed":
            house.callback.set_rule_active(other.key, False, "test")
    _five_answers(house)
    yield house
    house.exits.close()


def _five_answers(house: House) -> None:
    """Below five a rating is shown to nobody."""
    version_id = house.survey.launched_version("case_service")
    assert version_id
    for at in range(5):
        survey_id = house.survey.offer(f"test:{at}", version_id, "callback", "web", SurveyContext(unit="市公安局"))
        house.survey.answer(survey_id, "satisfaction", 4)
        house.survey.answer(survey_id, "resolved", "yes")
        house.survey.finish(survey_id, "completed")


def close_case(program: Program, phone: str) -> str:
    """Import a closed case as an office does, and return its number."""
    number = f"YC-{phone[-4:]}-{uuid.uuid4().hex[:6]}"
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["办件编号", "事项名称", "承办单位", "大厅", "联系电话", "申请人", "办理结果", "办结时间"])
    closed_at = local_date(datetime.now(UTC)).isoformat()
    rows.writerow([number, "居住证申领", "市公安局", "市政务服务大厅", phone, "王芳", "办结", closed_at])
    path = program.folder / f"{number}.csv"
    path.write_text(file.getvalue(), encoding="utf-8")
    assert "1" in program.run("case", "import", str(path))
    return number


@pytest.fixture
def telephones(program: Program) -> Iterator[Callable[..., Talker]]:
    """Citizens' telephones behind the trunk, by number and script."""
    running: list[Talker] = []

    def start(people: dict[str, Any], pause: float = 0.35) -> Talker:
        port = int(program.environment["OUTBOUND_TRUNK"].rpartition(":")[2])
        talker = Talker(
            "-m", "tests.citizen_listener", json.dumps({"port": port, "people": people, "pause": pause}), patience_seconds=3
        )
        talker.wait_for("listening")
        running.append(talker)
        return talker

    yield start
    for talker in running:
        talker.close()


@pytest.fixture
def figures(program: Program, chromium: Browser) -> Iterator[tuple[Page, Page]]:
    """The manager's page and the hall screen, as they stand open all day."""
    login = program.login("manager")
    context = chromium.new_context(base_url=program.web, locale="zh-CN", viewport={"width": 1366, "height": 768})
    manager = context.new_page()
    manager.goto("/login")
    manager.get_by_label("账号").fill(login["username"])
    manager.get_by_label("密码").fill(login["password"])
    manager.get_by_role("button", name="登录").click()
    manager.wait_for_url(lambda url: "/login" not in url)
    manager.goto("/statistics/")
    hall = chromium.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    hall.goto(program.endpoints["wall"])
    yield manager, hall
    hall.context.close()
    context.close()


def owed(rows: Ask, phone: str) -> dict[str, Any]:
    """Return what is owed to a number."""
    found = rows("SELECT id, state, disposition, attempt_count, way_no, next_at FROM callback WHERE phone = %s", phone)
    return found[0] if found else {}


def answers(rows: Ask, phone: str) -> dict[str, Any]:
    """Return what a number answered, by question."""
    query = """
        SELECT answer.question_key, answer.score, answer.heard, survey.way, survey.state FROM answer
        JOIN survey ON survey.id = answer.survey_id JOIN callback ON callback.id = survey.callback_id WHERE callback.phone = %s
    """
    return {row["question_key"]: row for row in rows(query, phone)}


def rated(rows: Ask) -> int:
    """Return how many ratings callbacks gave so far."""
    query = """
        SELECT count(*) AS n FROM answer JOIN survey ON survey.id = answer.survey_id
        WHERE answer.question_key = 'satisfaction' AND survey.kind = 'callback'
    """
    return int(rows(query)[0]["n"])


def expect_rating_count(pages: tuple[Page, Page], count: int) -> None:
    """Both pages show the new number of ratings by themselves, within five seconds."""
    manager, hall = pages
    expect(manager.locator("#figures")).to_contain_text(f"/ {count}", timeout=_FIGURES_WITHIN)
    expect(hall.locator("body")).to_contain_text(f"/ {count} 份", timeout=_FIGURES_WITHIN)


def test_a_closed_case_is_asked_by_keys_and_counted_at_once(
    program: Program, house: House, telephones: Any, figures: tuple[Page, Page], rows: Ask
) -> None:
    before = rated(rows)
    expect_rating_count(figures, before)
    # 2 ends the greeting and answers nothing; then 非常满意, 办成了, 9 分, and nothing to add.
    telephones({BY_KEYS: {"answer_after": 0.5, "moves": ["barge:2", "barge:1", "barge:1", "barge:9#", "#"]}})
    close_case(program, BY_KEYS)
    eventually(lambda: "satisfaction" in answers(rows, BY_KEYS), timeout=40)
    expect_rating_count(figures, before + 1)
    eventually(lambda: owed(rows, BY_KEYS)["state"] == "done", timeout=40)
    given = answers(rows, BY_KEYS)
    assert {key: given[key]["score"] for key in ("satisfaction", "resolved", "recommend")} == {
        "satisfaction": 5,
        "resolved": 1,
        "recommend": 9,
    }
    assert (given["satisfaction"]["way"], given["satisfaction"]["state"]) == ("ivr", "completed")
    assert owed(rows, BY_KEYS)["disposition"] == "completed"


def test_a_citizen_answers_by_voice(program: Program, house: House, telephones: Any, rows: Ask) -> None:
    moves = ["barge:#", f"say:{ANSWERS / 'very-satisfied.wav'}", f"say:{ANSWERS / 'not-solved.wav'}", "barge:8#", "#"]
    # Between two sentences the voice pauses for a third of a second: only longer is the end of a prompt.
    telephones({BY_VOICE: {"answer_after": 0.5, "moves": moves}}, pause=0.9)
    close_case(program, BY_VOICE)
    eventually(lambda: {"satisfaction", "resolved"} <= set(answers(rows, BY_VOICE)), timeout=90)
    given = answers(rows, BY_VOICE)
    assert (given["satisfaction"]["score"], given["resolved"]["score"]) == (5, 0)
    assert given["satisfaction"]["heard"]


def test_who_does_not_answer_is_tried_again_then_written_to_and_answers_in_a_browser(
    program: Program, house: House, carrier: SmppCarrier, telephones: Any, chromium: Browser, rows: Ask
) -> None:
    talker = telephones({ABSENT: {"is_busy": True}})
    close_case(program, ABSENT)
    for attempt in (1, 2, 3):
        eventually(lambda attempt=attempt: owed(rows, ABSENT).get("attempt_count") == attempt, timeout=40)
        eventually(lambda: rows("SELECT 1 FROM callback_attempt WHERE phone = %s AND state <> 'ended'", ABSENT) == [])
        assert owed(rows, ABSENT)["next_at"] > datetime.now(UTC) + timedelta(minutes=20) or attempt == 3
        # Half an hour goes by.
        rows("UPDATE callback SET next_at = now() WHERE phone = %s AND way_no = 0 RETURNING id", ABSENT)
    assert [line["number"] for line in talker.lines if line["kind"] == "ringing"] == [ABSENT] * 3
    text = eventually(lambda: next((text for text in carrier.joined() if "http" in text), None), timeout=40)
    assert text.startswith("【")
    (link,) = re.findall(r"http[!-~]+", text)
    carrier.receipt(carrier.ids[-1])

    context = chromium.new_context(viewport={"width": 375, "height": 667}, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(link)
    expect(page.locator("fieldset").first).to_be_visible()
    page.get_by_text("基本满意", exact=True).click()
    page.get_by_text("没有办成").click()
    page.get_by_role("button").first.click()
    for _ in range(3):
        if page.get_by_role("status").count():
            break
        page.get_by_role("button").first.click()
    expect(page.get_by_role("status")).to_contain_text("谢谢")
    context.close()
    given = answers(rows, ABSENT)
    assert (given["satisfaction"]["score"], given["resolved"]["score"], given["resolved"]["way"]) == (3, 0, "web")
    eventually(lambda: owed(rows, ABSENT)["state"] == "done")


def test_who_refuses_is_not_rung_again(program: Program, house: House, telephones: Any, rows: Ask) -> None:
    talker = telephones({UNWILLING: {"answer_after": 0.5, "moves": ["barge:9"]}})
    close_case(program, UNWILLING)
    eventually(lambda: owed(rows, UNWILLING).get("state") == "given_up", timeout=40)
    assert owed(rows, UNWILLING)["disposition"] == "opted_out"
    assert house.callback.has_opted_out(UNWILLING)
    close_case(program, UNWILLING)
    eventually(lambda: len(rows("SELECT id FROM callback WHERE phone = %s", UNWILLING)) == 2, timeout=20)
    eventually(lambda: not rows("SELECT 1 FROM callback WHERE phone = %s AND state = 'owed'", UNWILLING), timeout=80)
    assert [line["kind"] for line in talker.lines].count("ringing") == 1


def test_an_agent_rings_from_the_list_and_fills_the_same_questionnaire_in(
    program: Program, house: House, telephones: Any, agent: Desk, rows: Ask
) -> None:
    rule = house.callback.get_rule("case_closed")
    house.callback.save_rule("case_closed", rule.definition.model_copy(update={"ways": [Way.AGENT]}), "test")
    talker = telephones({BY_AGENT: {"answer_after": 0.5}})
    number = close_case(program, BY_AGENT)
    callback = eventually(lambda: owed(rows, BY_AGENT), timeout=20)
    agent.page.goto(f"/desk/#callback={callback['id']}")
    agent.page.locator("#callback-left").get_by_text(number).wait_for()
    agent.expect_state("就绪")
    agent.page.locator('#callback-right [data-act="dial"]').click()
    # The agent's own telephone picks up by itself.
    talker.wait_for("answered")
    agent.expect_state("通话中")
    form = agent.page.locator("#survey-form")
    form.get_by_text("非常满意", exact=True).click()
    form.get_by_text("办成了", exact=True).click()
    eventually(lambda: {"satisfaction", "resolved"} <= set(answers(rows, BY_AGENT)), agent.page)
    agent.hang_up()
    agent.page.locator("#cb-disposition").select_option("completed")
    agent.page.locator("#callback-result button.pri").click()
    eventually(lambda: owed(rows, BY_AGENT)["state"] == "done", agent.page)
    given = answers(rows, BY_AGENT)
    assert (given["satisfaction"]["score"], given["satisfaction"]["way"]) == (5, "agent")
    (call,) = rows("SELECT direction, outcome FROM call WHERE caller_number = %s", BY_AGENT)
    assert (call["direction"], call["outcome"]) == ("out", "answered")
