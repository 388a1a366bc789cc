"""A callback rung from the desk in a real browser: read, dialled by key, picked up by itself, filled in, reported, finished."""

import re

from playwright.sync_api import Page, expect

from callback.disposition import Disposition
from callback.rule import Reason
from tests.integration.webui_callbacks.conftest import EVIL, PHONE, Owing
from tests.integration.webui_callbacks.test_desk import talk
from tests.integration.webui_desk.conftest import Hotline
from tests.integration.webui_desk.test_desk_page import address, chromium, context, desk  # noqa: F401 - fixtures


def test_a_callback_by_keys(hotline: Hotline, owing: Owing, desk: Page) -> None:  # noqa: F811
    made = owing.owe(reason=Reason.BAD_RATING, questionnaire=owing.questionnaire(), person=EVIL, matter=EVIL)
    # It comes by the stream, without a reload.
    expect(desk.locator("#todo-rows tr")).to_have_count(1)
    desk.keyboard.press("Alt+c")
    expect(desk.locator("#callback-left")).to_contain_text(EVIL)
    expect(desk.locator("#callback-right ol li")).to_have_count(5)
    expect(desk.locator("#answers")).to_be_hidden()
    assert hotline.callback.get(made.callback_id).held_by == owing.agent()
    desk.keyboard.press("Alt+c")
    expect(desk.locator("#callback-result")).to_be_visible()
    brief = hotline.callback.attempt_of_agent(owing.agent())
    assert brief is not None
    # The agent's own telephone rings and is picked up by itself; then the citizen's.
    desk.evaluate("telephone.ring()")
    expect(desk.locator("#state")).to_contain_text("外呼中")
    talk(hotline, brief.attempt.attempt_id)
    expect(desk.locator("#state")).to_contain_text("通话中")
    expect(desk.locator("#call-mid")).to_be_visible()
    expect(desk.locator("#callback-left")).to_contain_text("通话中")
    desk.locator("#callback-left [data-reveal]").click()
    expect(desk.locator("#callback-left [data-number]")).to_have_text(PHONE)
    form = desk.locator("#survey-form")
    form.get_by_label("满意", exact=True).check()
    form.get_by_label("办成了", exact=True).check()
    expect(form).to_contain_text("必答题都已回答")
    # The answers and the search stay within reach, and the form is as it was when one comes back.
    desk.locator("[data-act=answers]").click()
    expect(desk.locator("#answers")).to_be_visible()
    desk.locator("#callback-back").click()
    expect(form.get_by_label("办成了", exact=True)).to_be_checked()
    # Written to the end and reported without leaving the field: nothing of it is lost.
    form.locator("textarea").fill("窗口的同志很耐心")
    desk.locator("#cb-disposition").select_option("completed")
    form.locator("textarea").fill("窗口的同志很耐心，谢谢")
    desk.locator("#callback-result .btn.pri").click()
    expect(desk.locator("#callback-right")).to_be_hidden()
    done = hotline.callback.get(made.callback_id)
    assert (done.state, done.disposition) == ("done", "completed")
    assert brief.questionnaire_version_id is not None
    survey_id = hotline.callback.brief(brief.attempt.attempt_id).attempt.survey_id
    assert survey_id is not None
    assert hotline.survey.view(survey_id).values["words"] == "窗口的同志很耐心，谢谢"
    assert hotline.audited("callback.dialled")[0]["actor"] == "chen"


def test_a_citizen_who_rings_goes_before(hotline: Hotline, owing: Owing, desk: Page) -> None:  # noqa: F811
    made = owing.owe()
    expect(desk.locator("#todo-rows button")).to_have_text("外呼")
    desk.locator("#todo-rows button").click()
    expect(desk.locator("#callback-right")).to_be_visible()
    unique = hotline.queue("13900139000", "李先生")
    hotline.ring(unique)
    desk.evaluate("telephone.ring()")
    expect(desk.locator("#state")).to_contain_text("振铃")
    expect(desk.locator("#caller-number")).to_contain_text("139****9000")
    expect(desk.locator("#callback-right")).to_be_hidden()
    desk.evaluate("telephone.session.end('remote')")
    hotline.hang_up(unique)
    # Afterwards it stands there as before, still in hand.
    expect(desk.locator("#callback-right")).to_be_visible()
    with desk.expect_response("**/release"):
        desk.locator("#callback-right [data-act=close]").click()
    expect(desk.locator("#callback-right")).to_be_hidden()
    assert hotline.callback.get(made.callback_id).held_by is None


def test_the_list_changes_without_a_jump(hotline: Hotline, owing: Owing, desk: Page, address: str) -> None:  # noqa: F811
    first = owing.owe()
    desk.goto(f"{address}/callbacks/")
    row = desk.locator(f"#cb-{first.callback_id}")
    expect(row).to_contain_text("外呼")
    owing.owe("13900139000")
    expect(desk.locator("#newer")).to_be_visible()
    expect(desk.locator("#callback-rows tr")).to_have_count(1)
    owing.dialled(first.callback_id)
    hotline.callback.report(first.callback_id, owing.agent(), Disposition.NO_ANSWER)
    expect(row).to_contain_text("无人接听")
    desk.locator("#newer").click()
    expect(desk.locator("#callback-rows tr")).to_have_count(2)
    row.get_by_role("link", name=re.compile("外呼|查看|继续")).click()
