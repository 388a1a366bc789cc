"""Call history: who sees which calls, what a hostile caller can do to the page (nothing), late records, the export."""

import csv
import io
import uuid

import pytest
from sqlalchemy import update

from telephony.models import Call
from tests.integration.webui_desk.conftest import EVIL_NAME, Hotline


def page(answer: object) -> str:
    return str(answer.get_data(as_text=True))  # type: ignore[attr-defined]


def talked(
    hotline: Hotline, agent: str = "8001", number: str = "13800138000", words: str = "居住证到期了怎么办", **note: str
) -> uuid.UUID:
    unique = hotline.queue(number=number, name=EVIL_NAME)
    hotline.clock.advance(8)
    call_id = hotline.answer(unique, agent)
    hotline.say(call_id, words)
    hotline.clock.advance(60)
    hotline.hang_up(unique, agent)
    hotline.telephony.finish_wrapup(hotline.agents[agent])
    if note:
        hotline.telephony.save_note(call_id, hotline.agents[agent], **note)  # type: ignore[arg-type]
    return call_id


def test_agents_see_their_own_calls_and_supervisors_all(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    mine, other = talked(hotline, note="问签注"), talked(hotline, "8002", number="13900139000", note="问社保")
    chen, zhou = hotline.browser("chen"), hotline.browser("zhou")
    assert "问签注" in page(chen.get("/calls/"))
    assert "问社保" not in page(chen.get("/calls/"))
    assert "问社保" not in page(chen.get(f"/calls/?agent={hotline.agents['8002']}"))
    assert "问社保" in page(zhou.get("/calls/"))
    assert chen.get(f"/calls/{mine}").status_code == 200
    assert chen.get(f"/calls/{other}").status_code == 403
    assert zhou.get(f"/calls/{other}").status_code == 200
    assert zhou.get(f"/calls/{uuid.uuid4()}").status_code == 404
    assert hotline.browser("editor").get("/calls/").status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=签注", True),
        ("q=居住证到期", True),
        ("q=8000", True),
        ("q=13800138000", True),
        ("q=9999", False),
        ("q=%25", False),
        ("q=_", False),
        ("result=即时答复", True),
        ("result=unwritten", False),
        ("result=abandoned", False),
        ("queue=consult", True),
        ("queue=enterprise", False),
        ("when=yesterday", False),
        ("when=all", True),
        ("from=2026-03-18&to=2026-03-18", True),
        ("from=2026-03-19", False),
        ("min=1", True),
        ("min=2", False),
        ("lost=1", False),
        ("page=9", False),
    ],
)
def test_every_condition_finds_what_it_says(hotline: Hotline, query: str, found: bool) -> None:
    hotline.seat("8001")
    call_id = talked(hotline, note="问签注", disposition="即时答复")
    answer = page(hotline.browser("zhou").get(f"/calls/?{query}"))
    assert (str(call_id) in answer) is found


def test_a_whole_number_needs_the_right(hotline: Hotline) -> None:
    assert hotline.browser("manager").get("/calls/?q=13800138000").status_code == 403
    assert hotline.browser("manager").get("/calls/?q=8000").status_code == 200


def test_a_hostile_caller_is_only_text(hotline: Hotline) -> None:
    hotline.seat("8001")
    call_id = talked(hotline, words=f"我的证件是〔证件号〕{EVIL_NAME}", note=f"{EVIL_NAME}。", category=EVIL_NAME)
    zhou = hotline.browser("zhou")
    for address in ("/calls/", f"/calls/{call_id}", "/calls/?q=<script>alert(1)</script>"):
        shown = page(zhou.get(address))
        assert "<img src=x" not in shown
        assert "<script>alert" not in shown
    shown = page(zhou.get(f"/calls/{call_id}"))
    assert "&lt;img src=x" in shown
    assert '<span class="hide">证件号已隐去</span>' in shown
    assert "13800138000" not in shown


def test_a_call_tells_its_story_and_the_revision_shown_then(hotline: Hotline) -> None:
    hotline.seat("8001")
    article_id = hotline.publish_article()
    unique = hotline.queue()
    call_id = hotline.answer(unique)
    hotline.browser("chen").post(f"/desk/calls/{call_id}/adopt", json={"article_id": str(article_id), "query": "居住证"})
    hotline.hang_up(unique)
    content = hotline.kb.get_article(article_id).content.model_copy(update={"title": "改过的标题"})
    hotline.kb.revise_article("setup", article_id, content)
    hotline.kb.publish_article("setup", article_id)
    shown = page(hotline.browser("zhou").get(f"/calls/{call_id}"))
    assert "居住证满一年怎么签注" in shown
    assert "第 1 版" in shown
    assert "改过的标题" not in shown
    for words in ("进入办事咨询队列", "振铃 8001", "8001 接听", "通话结束"):
        assert words in shown


def test_a_record_may_be_written_afterwards_by_who_took_the_call(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    call_id = talked(hotline)
    chen = hotline.browser("chen")
    assert "还没有写处理结果" in page(chen.get(f"/calls/{call_id}"))
    assert "还没有写处理结果" not in page(hotline.browser("zhou").get(f"/calls/{call_id}"))
    form = {"disposition": "即时答复", "kind": "咨询", "note": "补记"}
    assert hotline.browser("li").post(f"/calls/{call_id}/record", data=form).status_code == 403
    assert chen.post(f"/calls/{call_id}/record", data={**form, "disposition": ""}).status_code == 400
    assert chen.post(f"/calls/{call_id}/record", data=form).status_code == 302
    note = hotline.telephony.get_call(call_id).note
    assert (note.note, note.disposition) == ("补记", "即时答复")


def test_reveal_is_audited_and_only_for_who_may_see_the_call(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    call_id = talked(hotline)
    assert (hotline.browser("zhou").post(f"/calls/{call_id}/reveal", json={}).json or {})["number"] == "13800138000"
    assert hotline.browser("li").post(f"/calls/{call_id}/reveal", json={}).status_code == 403
    assert hotline.browser("manager").post(f"/calls/{call_id}/reveal", json={}).status_code == 403
    assert [row["actor"] for row in hotline.audited("number.revealed")] == ["zhou"]


def test_the_export_is_masked_audited_and_runs_no_formula(hotline: Hotline) -> None:
    hotline.seat("8001")
    talked(hotline, note="=HYPERLINK(1)\n第二行,逗号", category="@SUM(1)", disposition="转接")
    assert hotline.browser("chen").get("/calls/export").status_code == 403
    answer = hotline.browser("zhou").get("/calls/export?q=HYPERLINK")
    rows = list(csv.reader(io.StringIO(page(answer).removeprefix("\ufeff"))))
    assert len(rows) == 2
    assert rows[1][2] == "138****8000"
    assert rows[1][9:11] == ["'@SUM(1)", "'=HYPERLINK(1)\n第二行,逗号"]
    assert hotline.audited("call.exported")[0]["count"] == 1


@pytest.mark.parametrize(
    ("asked", "kept"),
    [("13800138000", "138****8000"), ("他说 139 0013 9000", "他说 〔电话号〕"), ("8000", "8000"), ("医保", "医保")],
)
def test_the_audit_of_an_export_keeps_no_whole_number(hotline: Hotline, asked: str, kept: str) -> None:
    assert hotline.browser("zhou").get("/calls/export", query_string={"q": asked, "when": "all"}).status_code == 200
    assert hotline.audited("call.exported")[0]["conditions"] == {"q": kept}


def test_a_confidential_caller_has_no_name(hotline: Hotline) -> None:
    hotline.seat("8001")
    call_id = hotline.answer(hotline.queue(name="王女士"))
    chen = hotline.browser("chen")
    assert chen.get("/desk/state").get_json()["call"]["name"] == "王女士"
    with hotline.database.transaction() as session:
        session.execute(update(Call).where(Call.id == call_id).values(is_confidential=True))
    assert chen.get("/desk/state").get_json()["call"]["name"] == ""
    assert "王女士" not in page(chen.get(f"/calls/{call_id}"))


def test_fifty_a_page(hotline: Hotline) -> None:
    for n in range(53):
        hotline.queue(number=f"139{n:08d}")
    zhou = hotline.browser("zhou")
    assert page(zhou.get("/calls/")).count("139****") == 50
    second = page(zhou.get("/calls/?page=2&queue=consult"))
    assert second.count("139****") == 3
    assert "第 51–53 条，共 53 条" in second
    assert 'href="/calls/?queue=consult&amp;page=1"' in second
