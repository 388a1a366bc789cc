"""Campaigns and opt-outs, as a supervisor works with them."""

import io
from typing import Any

from callback.rule import Reason, Way
from tests.fakes.browser import Browser
from tests.integration.webui_callbacks.conftest import EVIL, PHONE, Owing
from tests.integration.webui_desk.conftest import Hotline

FORM: dict[str, Any] = {
    "name": "三月满意度",
    "people": f"{PHONE}，王女士，居住证\n13900139000\n12\n{PHONE}",
    "questionnaire": "case_service",
    "ways": ["ivr", "sms"],
    "share": "100",
    "ask_every_days": "0",
    "expires_after_days": "14",
}


def test_a_campaign_is_begun_reported_and_stopped(owing: Owing, hotline: Hotline, zhou: Browser) -> None:
    owing.questionnaire()
    assert zhou.post("/callbacks/campaigns/", data=FORM).status_code == 302
    page = zhou.get("/callbacks/campaigns/").get_data(as_text=True)
    assert "新增 2 人，已在名单 1 人，不能用 1 行" in page
    assert PHONE not in page
    owed = owing.all()
    assert {(one.reason, one.ways, one.campaign) for one in owed} == {(Reason.CAMPAIGN, (Way.IVR, Way.SMS), "三月满意度")}
    # The same list again adds nobody.
    zhou.post("/callbacks/campaigns/", data=FORM)
    assert len(owing.all()) == 2
    assert len(zhou.get("/callbacks/?campaign=三月满意度&state=all").get_data(as_text=True).split('<tr id="cb-')) == 3
    assert zhou.post("/callbacks/campaigns/stop", data={"name": "三月满意度"}).status_code == 302
    assert {one.state for one in owing.all()} == {"cancelled"}
    assert hotline.audited("campaign.stopped")[0]["cancelled"] == 2


def test_bad_campaigns_begin_nothing_and_lose_nothing(owing: Owing, hotline: Hotline, zhou: Browser) -> None:
    owing.questionnaire()
    bad: dict[str, dict[str, Any]] = {
        "name": {"name": " "},
        "people": {"people": ""},
        "questionnaire": {"questionnaire": ""},
        "ways": {"ways": ["fax"]},
        "share": {"share": "many"},
        "date": {"date": "soon"},
    }
    for field, change in bad.items():
        answer = zhou.post("/callbacks/campaigns/", data={**FORM, **change})
        page = answer.get_data(as_text=True)
        assert (answer.status_code, f'id="err-{field}"' in page) == (400, True), field
        if field != "people":
            assert PHONE in page, field
    file = {**FORM, "people": "", "file": (io.BytesIO(b"\xff\x00\xfe"), "list.csv")}
    assert zhou.post("/callbacks/campaigns/", data=file).status_code == 400
    assert owing.all() == []


def test_names_of_campaigns_are_hostile(owing: Owing, hotline: Hotline, zhou: Browser) -> None:
    owing.questionnaire()
    zhou.post("/callbacks/campaigns/", data={**FORM, "name": EVIL})
    assert len(owing.all()) == 2
    for address in ("/callbacks/campaigns/", "/callbacks/"):
        assert "<img src=x" not in zhou.get(address).get_data(as_text=True)


def test_opt_outs_are_listed_added_and_lifted_by_word(hotline: Hotline, zhou: Browser) -> None:
    hotline.callback.opt_out(PHONE, "ivr", EVIL)
    page = zhou.get("/callbacks/opt-outs/").get_data(as_text=True)
    assert "138****8000" in page
    assert PHONE not in page
    assert "<img src=x" not in page
    assert zhou.post("/callbacks/opt-outs/", data={"phone": "139 0013 9000", "note": "来信要求"}).status_code == 302
    wrong = zhou.post("/callbacks/opt-outs/", data={"phone": "12", "note": "留着"})
    assert (wrong.status_code, "留着" in wrong.get_data(as_text=True)) == (400, True)
    assert "139****9000" not in zhou.get("/callbacks/opt-outs/?q=8000").get_data(as_text=True)
    assert "请填后四位" in zhou.get("/callbacks/opt-outs/?q=%25").get_data(as_text=True)
    entries, _ = hotline.callback.list_opt_outs(PHONE)
    assert zhou.post(f"/callbacks/opt-outs/{entries[0].opt_out_id}/reveal").get_json() == {"number": PHONE}
    assert zhou.post(f"/callbacks/opt-outs/{entries[0].opt_out_id}/lift").status_code == 302
    assert hotline.callback.has_opted_out(PHONE) is False
    assert zhou.post(f"/callbacks/opt-outs/{entries[0].opt_out_id}/lift").status_code == 404
    for action in ("opt_out.added", "opt_out.lifted", "number.revealed"):
        assert [row["actor"] for row in hotline.audited(action)] == ["zhou"], action
    assert hotline.browser("chen").post(f"/callbacks/opt-outs/{entries[0].opt_out_id}/reveal").status_code == 404
