"""Rules, whom they have rung, and the calendar, as a supervisor works with them."""

import io
from typing import Any

import pytest

from callback.rule import Reason, ShareSampled
from tests.fakes.browser import Browser
from tests.integration.webui_callbacks.conftest import EVIL, PHONE, Owing
from tests.integration.webui_desk.conftest import Hotline

FORM: dict[str, Any] = {
    "key": "cases",
    "title": "办件办结后回访",
    "reason": "case_closed",
    "when": "next_day",
    "at": "09:00",
    "working_days": "1",
    "ways": ["agent", "", ""],
    "sampling": "all",
    "share": "10",
    "by": "unit",
    "other": "0",
    "expires_after_days": "14",
    "sms_wait_days": "3",
    "ask_every_days": "7",
}


def test_a_rule_is_made_changed_in_versions_and_paused(hotline: Hotline, zhou: Browser) -> None:
    assert "还没有规则" in zhou.get("/callbacks/rules/").get_data(as_text=True)
    assert zhou.post("/callbacks/rules/new", data={**FORM, "title": EVIL}).status_code == 302
    assert zhou.post("/callbacks/rules/new", data=FORM).status_code == 409
    assert zhou.post("/callbacks/rules/new", data={**FORM, "key": "preview"}).status_code == 409
    assert zhou.post("/callbacks/rules/new", data={**FORM, "key": "Bad key"}).status_code == 400
    for address in ("/callbacks/rules/", "/callbacks/rules/cases"):
        assert "<img src=x" not in zhou.get(address).get_data(as_text=True)
    sampled = {**FORM, "sampling": "share", "share": "25", "seed": "三月", "based_on": "1"}
    assert zhou.post("/callbacks/rules/cases", data=sampled).status_code == 302
    rule = hotline.callback.get_rule("cases")
    assert (rule.version_no, rule.definition.sampling, rule.author) == (2, ShareSampled(share=0.25, seed="三月"), "zhou")
    # Somebody who still looks at version 1 is told, and loses nothing that they typed.
    stale = zhou.post("/callbacks/rules/cases", data={**FORM, "title": "另一个名称", "based_on": "1"})
    page = stale.get_data(as_text=True)
    assert (stale.status_code, "第 2 版" in page, "另一个名称" in page) == (409, True, True)
    assert hotline.callback.get_rule("cases").version_no == 2
    assert "这是旧的第 1 版" in zhou.get("/callbacks/rules/cases?version=1").get_data(as_text=True)
    assert zhou.post("/callbacks/rules/cases/pause").status_code == 302
    assert hotline.callback.get_rule("cases").is_active is False
    assert zhou.post("/callbacks/rules/cases/activate").status_code == 302
    assert [row["subject"] for row in hotline.audited("callback_rule.saved")] == ["cases", "cases"]
    assert [row["is_active"] for row in hotline.audited("callback_rule.switched")] == [False, True]
    assert zhou.get("/callbacks/rules/nothing").status_code == 404


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(hotline: Hotline, zhou: Browser) -> None:
    answer = zhou.post(
        "/callbacks/rules/new", data={**FORM, "units": "市人社局", "expires_after_days": "long", "ways": ["agent", "agent"]}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'id="err-expires_after_days"' in page
    assert 'id="err-ways"' in page
    assert "市人社局" in page
    assert hotline.callback.list_rules() == []


def test_a_rule_is_tried_before_it_is_saved(owing: Owing, hotline: Hotline, zhou: Browser) -> None:
    hotline.seat("8001")
    unique = hotline.queue(PHONE)
    hotline.answer(unique)
    hotline.hang_up(unique)
    tried = {**FORM, "reason": "call_answered", "when": "at_once", "act": "try", "ways": ["agent"]}
    page = zhou.post("/callbacks/rules/new", data=tried).get_data(as_text=True)
    assert 'id="tried"' in page
    assert "会联系 1" in page
    assert "138****8000" in page
    assert PHONE not in page
    assert hotline.callback.list_rules() == []
    assert owing.all() == []
    asked = zhou.post("/callbacks/rules/new", data={**tried, "reason": "asked_time", "ask_every_days": "0"})
    assert (asked.status_code, 'id="err-reason"' in asked.get_data(as_text=True)) == (400, True)


def test_who_is_rung_today_and_why_not(owing: Owing, hotline: Hotline, zhou: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    owing.owe()
    key = owing.questionnaire()
    owing.owe("13900139000", Reason.CASE_CLOSED, questionnaire=key, person=EVIL)
    hotline.callback.opt_out("13900139000", "agent")
    page = zhou.get("/callbacks/rules/preview").get_data(as_text=True)
    assert "会联系 1" in page
    assert "市民要求不再打扰" in page
    assert "139****9000" in page
    assert "<img src=x" not in page
    only = zhou.get("/callbacks/rules/preview?why=opted_out").get_data(as_text=True)
    assert "139****9000" in only
    assert "138****8000" not in only
    for address in ("?day=nonsense", "?day=9999-99-99", "?day=2027-01-01&why=x"):
        assert zhou.get(f"/callbacks/rules/preview{address}").status_code == 200
    assert "只推算了一部分" not in page
    monkeypatch.setattr("callback.previewing._MOST", 1)
    assert "只推算了一部分" in zhou.get("/callbacks/rules/preview").get_data(as_text=True)


def test_days_of_the_calendar_are_imported(hotline: Hotline, zhou: Browser) -> None:
    def send(content: bytes) -> Any:
        return zhou.post("/callbacks/rules/calendar", data={"file": (io.BytesIO(content), "days.csv")})

    assert send("日期,安排,名称\n2026-03-21,班,补班\n2026-03-23,休,<b>节</b>\n".encode()).status_code == 302
    page = zhou.get("/callbacks/rules/calendar?year=2026").get_data(as_text=True)
    assert "2026-03-21" in page
    assert "&lt;b&gt;节" in page
    assert hotline.audited("calendar.imported")[0]["days"] == 2
    partly = send("2026-03-28,班\n2026-99-99,班\n2026-03-29,也许\n".encode())
    assert "2 行没有导入" in partly.get_data(as_text=True)
    assert send(b"\x00\x01\x02").status_code == 400
    assert zhou.post("/callbacks/rules/calendar", data={}).status_code == 400
    assert zhou.get("/callbacks/rules/calendar?year=99999999").status_code == 200
