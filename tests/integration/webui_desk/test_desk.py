"""What the desk reads and does, and what it refuses."""

import uuid

import pytest

from core.errors import UnavailableError
from tests.fakes.browser import Browser
from tests.integration.webui_desk.conftest import Hotline

EVIL = '<img src=x onerror=alert(1)>"\u2028'


def test_the_page_is_for_agents_and_says_so_to_who_has_no_number(hotline: Hotline) -> None:
    assert 'id="state"' in hotline.browser("chen").get("/desk/").get_data(as_text=True)
    assert "还没有坐席号" in hotline.browser("newcomer").get("/desk/").get_data(as_text=True)
    assert hotline.browser("zhou").get("/desk/").status_code == 403
    assert hotline.browser("newcomer").get("/desk/state").status_code == 409


@pytest.mark.parametrize("address", ["/desk/", "/desk/state", "/desk/softphone", "/desk/idle", "/desk/search?q=x", "/stream"])
def test_nobody_comes_in_without_a_log_in(hotline: Hotline, address: str) -> None:
    answer = hotline.app.test_client().get(address, headers={"Accept": "application/json"})
    assert answer.status_code in {302, 401}


def test_ready_logs_in_first_and_pause_takes_a_reason_of_the_site(hotline: Hotline) -> None:
    chen = hotline.browser("chen")
    hotline.seat()  # nobody yet
    answer = chen.post("/desk/agent/ready", json={})
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["agent"]["logged_in"]
    assert ("log_in", "8001", "consult") in hotline.switch.asked
    hotline.seat("8001")
    paused = chen.post("/desk/agent/pause", json={"reason": "用餐"}).json
    assert paused is not None
    assert (paused["agent"]["state"], paused["agent"]["reason"]) == ("paused", "用餐")
    assert chen.post("/desk/agent/pause", json={"reason": "打游戏"}).status_code == 400
    assert chen.post("/desk/agent/pause", json=["用餐"]).status_code == 400
    assert chen.post("/desk/agent/logout", json={}).status_code == 200


def test_an_exchange_that_is_away_changes_nothing_and_says_so(hotline: Hotline) -> None:
    hotline.seat("8001")
    hotline.switch.is_away = True
    answer = hotline.browser("chen").post("/desk/agent/pause", json={"reason": "用餐"})
    assert answer.status_code == UnavailableError.status
    agent = hotline.telephony.board.agent(hotline.agents["8001"])
    assert agent is not None
    assert agent.state == "ready"


def test_a_page_that_is_opened_in_mid_call_shows_the_call_again(hotline: Hotline) -> None:
    hotline.seat("8001")
    chen = hotline.browser("chen")
    assert (chen.get("/desk/state").json or {})["call"] is None
    unique = hotline.queue(name=EVIL)
    hotline.clock.advance(11)
    hotline.ring(unique)
    state = chen.get("/desk/state").json or {}
    assert (state["agent"]["state"], state["call"]["state"], state["call"]["agent_id"]) == ("ringing", "ringing", None)
    call_id = hotline.answer(unique)
    hotline.say(call_id, "我的居住证到期了，身份证是〔证件号〕")
    state = chen.get("/desk/state").json or {}
    assert state["call"]["caller"] == {"shown": "138****8000", "kind": "number"}
    assert state["call"]["name"].startswith("<img"), "a hostile name travels as a value"
    assert state["call"]["waiting_seconds"] == 11
    assert [segment["text"] for segment in state["segments"]] == ["我的居住证到期了，身份证是〔证件号〕"]
    assert "13800138000" not in chen.get("/desk/state").get_data(as_text=True)
    hotline.hang_up(unique)
    state = chen.get("/desk/state").json or {}
    assert (state["agent"]["state"], state["call"]["id"]) == ("wrapup", str(call_id)), (
        "after-call work shows the call that just ended"
    )


def test_the_record_is_kept_as_typed_and_finished_with_a_result(hotline: Hotline) -> None:
    hotline.seat("8001")
    chen = hotline.browser("chen")
    unique = hotline.queue()
    call_id = hotline.answer(unique)
    address = f"/desk/calls/{call_id}"
    assert chen.post(f"{address}/note", json={"note": f"问签注{EVIL}", "kind": "咨询", "category": "居住证"}).status_code == 200
    assert chen.post(f"{address}/finish", json={"disposition": "即时答复"}).status_code == 409, "the call goes on"
    hotline.hang_up(unique)
    assert chen.post(f"{address}/finish", json={"note": "x"}).status_code == 400, "a result is asked for"
    assert chen.post(f"{address}/note", json={"disposition": "随便"}).status_code == 400
    assert chen.post(f"{address}/note", json={"note": "长" * 4001}).status_code == 400
    done = chen.post(f"{address}/finish", json={"note": "已答复", "kind": "咨询", "category": "", "disposition": "即时答复"})
    assert (done.json or {})["agent"]["state"] == "ready"
    note = hotline.telephony.get_call(call_id).note
    assert (note.note, note.disposition, note.finished_at is not None) == ("已答复", "即时答复", True)


def test_finish_may_lead_to_a_pause(hotline: Hotline) -> None:
    hotline.seat("8001")
    chen = hotline.browser("chen")
    unique = hotline.queue()
    call_id = hotline.answer(unique)
    hotline.hang_up(unique)
    assert (chen.post("/desk/agent/extend", json={}).json or {})["agent"]["state"] == "wrapup"
    done = chen.post(f"/desk/calls/{call_id}/finish", json={"disposition": "转接", "pause_reason": "饮水"})
    assert ((done.json or {})["agent"]["state"], (done.json or {})["agent"]["reason"]) == ("paused", "饮水")


def test_another_agent_s_call_is_nobody_else_s(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    call_id = hotline.answer(hotline.queue())
    li = hotline.browser("li")
    for verb, body in [("note", {"note": "x"}), ("reveal", {}), ("finish", {"disposition": "转接"}), ("adopt", {})]:
        assert li.post(f"/desk/calls/{call_id}/{verb}", json=body).status_code == 404, verb
    for verb, body in [("transfer", {"extension": "12340"}), ("hangup", {})]:
        assert li.post(f"/desk/calls/{call_id}/{verb}", json=body).status_code == 409, verb
    assert li.get(f"/desk/calls/{call_id}/history").status_code == 404
    assert li.get(f"/desk/calls/{call_id}/draft").status_code == 404
    assert hotline.telephony.get_call(call_id).note.note == ""


def test_every_reveal_is_an_audit_row(hotline: Hotline) -> None:
    hotline.seat("8001")
    chen = hotline.browser("chen")
    call_id = hotline.answer(hotline.queue())
    assert (chen.post(f"/desk/calls/{call_id}/reveal", json={}).json or {})["number"] == "13800138000"
    chen.post(f"/desk/calls/{call_id}/reveal", json={})
    rows = hotline.audited("number.revealed")
    assert [(row["actor"], row["subject"]) for row in rows] == [("chen", f"call:{call_id}")] * 2
    assert "13800138000" not in str(rows), "the audit names the call, not the number"


def test_a_withheld_number_has_nothing_to_reveal(hotline: Hotline) -> None:
    hotline.seat("8001")
    call_id = hotline.answer(hotline.queue(number=""))
    chen = hotline.browser("chen")
    assert chen.post(f"/desk/calls/{call_id}/reveal", json={}).status_code == 404
    assert (chen.get(f"/desk/calls/{call_id}/history").json or {}) == {"calls": [], "total": 0}
    assert hotline.audited("number.revealed") == []


def test_history_is_of_the_same_number_without_this_call(hotline: Hotline) -> None:
    hotline.seat("8001")
    first = hotline.queue()
    first_id = hotline.answer(first)
    hotline.hang_up(first)
    hotline.telephony.save_note(first_id, hotline.agents["8001"], note="问签注。已答复", disposition="即时答复")
    hotline.telephony.ready_agent(hotline.agents["8001"])
    other = hotline.queue(number="13900139000")
    hotline.answer(other)
    hotline.hang_up(other)
    hotline.clock.advance(60)
    second_id = hotline.answer(hotline.queue())
    history = hotline.browser("chen").get(f"/desk/calls/{second_id}/history").json or {}
    assert [(row["id"], row["topic"], row["disposition"]) for row in history["calls"]] == [(str(first_id), "问签注", "即时答复")]


def test_who_takes_a_call_over_writes_beside_the_first_agent(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    chen, li = hotline.browser("chen"), hotline.browser("li")
    unique = hotline.queue()
    call_id = hotline.answer(unique)

    def write(client: Browser, **note: str) -> None:
        assert client.post(f"/desk/calls/{call_id}/note", json=note).status_code == 200

    write(chen, note="问居住证", category="居住证", disposition="")
    assert hotline.answer(unique, "8002") == call_id
    taken = (li.get("/desk/state").json or {})["note"]
    assert (taken["note"], taken["others"], taken["category"]) == ("", "问居住证", "居住证")
    write(li, note="已告知材料", category="签注", disposition="即时答复")
    write(chen, note="问居住证，转二线", category="居住证", disposition="转接")
    kept = hotline.telephony.reads.get_call(call_id).note
    assert (kept.note, kept.category, kept.disposition) == ("问居住证，转二线\n已告知材料", "签注", "即时答复")
    write(li, note="", category="签注", disposition="即时答复")
    assert hotline.telephony.reads.get_call(call_id).note.note == "问居住证，转二线"


def test_transfer_and_hang_up_ask_the_exchange(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    chen = hotline.browser("chen")
    call_id = hotline.answer(hotline.queue())
    targets = chen.get("/desk/transfer-targets").json or []
    assert {target["extension"] for target in targets} == {"12345", "12340", "8002"}
    assert chen.post(f"/desk/calls/{call_id}/transfer", json={"extension": "9999"}).status_code == 400
    assert chen.post(f"/desk/calls/{call_id}/transfer", json={"extension": "1\r\nAction: x"}).status_code == 400
    assert chen.post(f"/desk/calls/{call_id}/transfer", json={"extension": "12340"}).status_code == 200
    assert chen.post(f"/desk/calls/{call_id}/hangup", json={}).status_code == 200
    assert {"transfer", "hang_up"} <= {asked[0] for asked in hotline.switch.asked}


def test_suggestions_are_adopted_taken_back_and_called_wrong(hotline: Hotline) -> None:
    hotline.seat("8001", "8002")
    article_id = hotline.publish_article()
    call_id = hotline.answer(hotline.queue())
    chen, li = hotline.browser("chen"), hotline.browser("li")
    adopted = chen.post(f"/desk/calls/{call_id}/adopt", json={"article_id": str(article_id), "query": "居住证"}).json or {}
    card = adopted["cards"][0]
    assert (card["title"], card["judged"], card["revision_no"]) == ("居住证满一年怎么签注", "adopted", 1)
    assert li.post(f"/desk/suggestions/{card['id']}/undo", json={}).status_code == 404
    assert chen.post(f"/desk/suggestions/{uuid.uuid4()}/adopt", json={}).status_code == 404
    assert chen.post(f"/desk/suggestions/{card['id']}/wrong", json={}).status_code == 400, "a reason is asked for"
    assert chen.post(f"/desk/suggestions/{card['id']}/explode", json={}).status_code == 404
    hotline.say(call_id, "居住证到期了怎么补办？")
    draft = (chen.get(f"/desk/calls/{call_id}/draft").json or {})["text"]
    assert draft == "市民：居住证到期了怎么补办。\n已答复：居住证满一年怎么签注"
    again = chen.post(f"/desk/suggestions/{card['id']}/undo", json={}).json or {}
    assert again["cards"] == [], "found by search and taken back: off the desk"


def test_search_finds_words_and_initials_and_shows_the_whole_text(hotline: Hotline) -> None:
    article_id = hotline.publish_article()
    chen = hotline.browser("chen")
    found = (chen.get("/desk/search?q=居住证签注").json or {})["cards"]
    assert found[0]["article_id"] == str(article_id)
    assert not found[0]["suggestion"]
    assert (chen.get("/desk/search?q=jzz").json or {})["cards"][0]["article_id"] == str(article_id)
    assert (chen.get("/desk/search?q=").json or {})["cards"] == []
    whole = chen.get(f"/desk/articles/{article_id}?revision={found[0]['revision_id']}").json or {}
    assert whole["materials"] == ["居住证", "在住证明"]
    assert chen.get(f"/desk/articles/{uuid.uuid4()}").status_code == 404


def test_between_calls_the_day_is_told_as_it_was(hotline: Hotline) -> None:
    hotline.seat("8001")
    chen = hotline.browser("chen")
    for waited in (5, 30):
        unique = hotline.queue()
        hotline.clock.advance(waited)
        hotline.answer(unique)
        hotline.clock.advance(100)
        hotline.hang_up(unique)
        hotline.clock.advance(20)
        hotline.telephony.finish_wrapup(hotline.agents["8001"])
    idle = chen.get("/desk/idle").json or {}
    day = idle["day"]
    assert (day["answered"], day["in_time"], day["talking"], day["wrapup"]) == (2, 1, 100.0, 20.0)
    assert len(idle["unwritten"]) == len(idle["recent"]) == 2
    assert idle["hot"] == []
    assert (chen.get("/desk/state").json or {})["answered_today"] == 2


def test_a_softphone_account_is_one_s_own(hotline: Hotline) -> None:
    mine = hotline.browser("chen").get("/desk/softphone")
    assert (mine.json or {})["number"] == "8001"
    assert mine.headers["Cache-Control"] == "no-store"
    assert hotline.browser("zhou").get("/desk/softphone").status_code == 403


def test_changes_need_the_page_s_token(hotline: Hotline) -> None:
    chen = hotline.browser("chen")
    forged = chen.post("/desk/agent/logout", json={}, headers={"X-CSRFToken": "forged"})
    assert forged.status_code == 400
