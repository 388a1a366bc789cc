"""The page on which displays are looked after: by whom, and that bad input changes nothing."""

import re

import pytest

from tests.integration.webui_wallboard.conftest import Hall

FORM = {"key": "hall-1", "name": "一楼大厅", "title": "", "kind": ["operation", "topics"], "seconds": ["20", "30"]}


def test_only_those_who_may(hall: Hall) -> None:
    display, _token = hall.display()
    for who, status in (("admin", 200), ("supervisor", 200), ("manager", 200), ("agent", 403), ("auditor", 403)):
        browser = hall.browser(who)
        for address in (
            "/displays/",
            "/displays/new",
            f"/displays/{display.display_id}",
            f"/displays/{display.display_id}/preview",
        ):
            assert browser.get(address).status_code == status, (who, address)
        assert browser.get(f"/displays/{display.display_id}/feed").status_code == status
    assert hall.browser("agent").post("/displays/new", data=FORM).status_code == 403
    assert "大屏" in hall.browser("admin").get("/displays/").get_data(as_text=True)


def test_a_new_display_shows_its_address_once_and_it_opens(hall: Hall) -> None:
    browser = hall.browser("admin")
    answer = browser.post("/displays/new", data=FORM)
    assert answer.status_code == 302
    page = browser.get(answer.headers["Location"]).get_data(as_text=True)
    found = re.search(r'id="new-address">(http://[^<]+)<', page)
    assert found
    assert "new-address" not in browser.get(answer.headers["Location"]).get_data(as_text=True)
    stranger = hall.app.test_client()
    address = found[1].removeprefix("http://localhost")
    assert stranger.get(address, follow_redirects=True).status_code == 200
    display = hall.displays.list_displays()[0]
    assert [(page.kind.value, page.seconds) for page in display.playlist] == [("operation", 20), ("topics", 30)]
    assert hall.audited("display.created") == hall.audited("display.token_made") == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"key": "大厅"}, "地址名只含小写字母"),
        ({"key": ""}, "地址名只含小写字母"),
        ({"key": "-x"}, "地址名只含小写字母"),
        ({"key": "a" * 33}, "地址名只含小写字母"),
        ({"name": " "}, "请填写名称"),
        ({"name": "长" * 41}, "请填写名称"),
        ({"title": "长" * 41}, "标题最多"),
        ({"kind": ["", ""]}, "播放单有 1–6 页"),
        ({"kind": ["operation", "whatever"]}, "播放单有 1–6 页"),
        ({"seconds": ["20", "4"]}, "播放单有 1–6 页"),
    ],
)
def test_bad_input_is_named_and_nothing_is_lost(hall: Hall, changes: dict[str, object], words: str) -> None:
    answer = hall.browser("admin").post("/displays/new", data=FORM | changes)
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert words in page
    assert 'value="30"' in page or "seconds" in changes
    assert hall.displays.list_displays() == []


def test_an_address_is_given_once(hall: Hall) -> None:
    browser = hall.browser("admin")
    browser.post("/displays/new", data=FORM)
    answer = browser.post("/displays/new", data=FORM)
    assert answer.status_code == 409
    assert "已经有屏幕在用" in answer.get_data(as_text=True)


def test_hostile_names_are_text(hall: Hall) -> None:
    browser = hall.browser("admin")
    answer = browser.post("/displays/new", data=FORM | {"name": "<script>alert(1)</script>", "title": "</title><img src=x>"})
    for address in ("/displays/", answer.headers["Location"], answer.headers["Location"] + "/preview"):
        page = browser.get(address).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_change_tokens_and_removal(hall: Hall) -> None:
    browser = hall.browser("manager")
    display, token = hall.display()
    address = f"/displays/{display.display_id}"
    assert browser.post(address, data=FORM | {"name": "二楼"}).status_code == 302
    assert hall.displays.get_display(display.display_id).name == "二楼"
    assert browser.post(f"{address}/tokens").status_code == 302
    assert hall.displays.get_display(display.display_id).usable_tokens == 2
    first = hall.displays.get_display(display.display_id).tokens[-1]
    assert browser.post(f"{address}/tokens/{first.token_id}/revoke").status_code == 302
    assert hall.displays.display_of_token(token) is None
    other, _other_token = hall.display("other")
    wrong = browser.post(f"/displays/{other.display_id}/tokens/{first.token_id}/revoke")
    assert wrong.status_code == 404
    assert browser.post(f"{address}/remove").status_code == 302
    assert browser.get(address).status_code == 404
    assert browser.post(f"{address}/tokens").status_code == 404


def test_the_preview_may_stand_in_our_own_frame_only(hall: Hall) -> None:
    display, _token = hall.display()
    browser = hall.browser("admin")
    policy = browser.get(f"/displays/{display.display_id}/preview").headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "frame-ancestors 'none'" in browser.get(f"/displays/{display.display_id}").headers["Content-Security-Policy"]


def test_last_seen_is_shown(hall: Hall) -> None:
    display, token = hall.display()
    screen = hall.app.test_client()
    screen.get(f"/wall/hall?token={token}")
    screen.get("/wall/hall/feed?screen=3840x1080")
    browser = hall.browser("admin")
    page = browser.get("/displays/").get_data(as_text=True)
    assert "在线" in page
    assert "3840×1080" in page
    hall.clock.advance(60)
    assert "离线" in browser.get("/displays/").get_data(as_text=True)
    assert browser.get(f"/displays/{display.display_id}").status_code == 200


def test_the_demonstration_is_made_once(hall: Hall) -> None:
    token = "tjd_" + "d" * 40
    made = [hall.displays.ensure_demonstration("setup", "大厅主屏", token) for _ in range(2)]
    assert made[0].display_id == made[1].display_id
    assert len(made[1].playlist) == 3
    assert made[1].usable_tokens == 1
    assert hall.app.test_client().get(f"/wall/hall?token={token}").status_code == 302
    hall.displays.revoke_token("setup", made[0].display_id, made[0].tokens[0].token_id)
    # Revoked by a person: the next start does not bring it back.
    assert hall.displays.ensure_demonstration("setup", "大厅主屏", token).usable_tokens == 0
