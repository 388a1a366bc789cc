"""Who sees the hall screen: a display with its token and nobody else; and what it is sent."""

import json

import pytest

from tests.fakes.browser import Browser
from tests.integration.webui_wallboard.conftest import Hall
from webui.wallboard import displays as displays_module
from webui.wallboard.playlist import PageKind, PlaylistPage


def screen(hall: Hall) -> Browser:
    client = hall.app.test_client()
    assert isinstance(client, Browser)
    return client


def entered(hall: Hall, key: str = "hall") -> tuple[Browser, str]:
    _display, token = hall.display(key)
    client = screen(hall)
    assert client.get(f"/wall/{key}?token={token}").status_code == 302
    return client, token


def test_the_token_leaves_the_address_and_becomes_a_cookie_of_this_display(hall: Hall) -> None:
    _display, token = hall.display()
    client = screen(hall)
    answer = client.get(f"/wall/hall?token={token}")
    assert answer.headers["Location"] == "/wall/hall"
    cookie = answer.headers["Set-Cookie"]
    assert "Path=/wall/hall" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = client.get("/wall/hall")
    assert page.status_code == 200
    assert token not in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    assert client.get_cookie("tj_display", path="/") is None


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=tjd_wrong", "?token=" + "x" * 3000, "?token=%00"])
def test_without_a_good_token_nothing_is_shown(hall: Hall, query: str) -> None:
    hall.display()
    client = screen(hall)
    answer = client.get(f"/wall/hall{query}")
    assert answer.status_code == 403
    assert "没有授权" in answer.get_data(as_text=True)
    assert client.get("/wall/hall/feed").status_code == 403
    assert client.get("/wall/nothing").status_code == 403


def test_a_display_opens_itself_alone(hall: Hall) -> None:
    client, token = entered(hall)
    hall.display("other")
    assert client.get(f"/wall/other?token={token}").status_code == 403
    client.set_cookie("tj_display", token, path="/wall/other")
    assert client.get("/wall/other").status_code == 403
    assert client.get("/wall/other/feed").status_code == 403
    for address in ("/displays/", "/supervisor/", "/", "/stream?topics=board"):
        assert client.get(address).status_code in (302, 401)


def test_a_log_in_is_no_token_and_a_token_no_log_in(hall: Hall) -> None:
    hall.display()
    assert hall.browser("admin").get("/wall/hall").status_code == 403


def test_the_feed(hall: Hall) -> None:
    client, _token = entered(hall)
    answer = client.get("/wall/hall/feed?screen=1920x1080")
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["playlist"] == [{"page": kind.value, "seconds": 20} for kind in PageKind]
    assert 0 <= body["age_seconds"] < 8
    assert body["now"] == "2026-03-18T10:30:00.000+08:00"
    assert body["figures"]["at"] == "2026-03-18T02:30:00Z"
    assert f'data-version="{body["version"]}"' in client.get("/wall/hall").get_data(as_text=True)
    seen = hall.displays.list_displays()[0]
    assert seen.last_seen_at == hall.now
    assert seen.last_screen == "1920x1080"


def test_a_nonsense_screen_is_not_kept(hall: Hall) -> None:
    client, _token = entered(hall)
    client.get("/wall/hall/feed?screen=<script>")
    assert hall.displays.list_displays()[0].last_screen == ""


def test_a_revoked_token_opens_nothing_at_once_and_elsewhere_within_seconds(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    client, token = entered(hall)
    elsewhere = displays_module.DisplayService(hall.database, hall.clock)
    assert elsewhere.display_of_token(token) is not None
    display = hall.displays.list_displays()[0]
    hall.displays.revoke_token("setup", display.display_id, display.tokens[0].token_id)
    refused = client.get("/wall/hall/feed")
    assert refused.status_code == 403
    assert refused.get_json()["error"]["kind"] == "permission_denied"
    assert client.get("/wall/hall").status_code == 403
    monkeypatch.setattr(displays_module, "TOKEN_KEPT_SECONDS", 0.0)
    assert elsewhere.display_of_token(token) is None
    assert hall.audited("display.token_revoked") == 1


def test_a_removed_display_is_refused(hall: Hall) -> None:
    client, _token = entered(hall)
    hall.displays.remove_display("setup", hall.displays.list_displays()[0].display_id)
    assert client.get("/wall/hall/feed").status_code == 403


def test_a_changed_playlist_is_another_revision(hall: Hall) -> None:
    client, _token = entered(hall)
    display = hall.displays.list_displays()[0]
    before = client.get("/wall/hall/feed").get_json()["revision"]
    hall.displays.save_display("setup", display.display_id, "侧屏", "", [PlaylistPage(PageKind.TOPICS, 30)])
    after = client.get("/wall/hall/feed").get_json()
    assert after["revision"] == before + 1
    assert after["playlist"] == [{"page": "topics", "seconds": 30}]
    page = client.get("/wall/hall").get_data(as_text=True)
    assert 'data-page="topics"' in page
    assert 'data-page="operation"' not in page


def test_tokens_are_kept_as_hashes(hall: Hall) -> None:
    from sqlalchemy import text

    _display, token = hall.display()
    with hall.database.transaction() as session:
        rows = session.execute(text("SELECT * FROM display_token")).all()
        audit = session.execute(text("SELECT detail::text FROM audit_entry")).scalars().all()
    assert token not in str(rows)
    assert token not in str(audit)


def test_one_reading_serves_all(hall: Hall) -> None:
    client, _token = entered(hall)
    bodies = [client.get("/wall/hall/feed").get_json()["figures"] for _ in range(20)]
    assert all(body == bodies[0] for body in bodies)
    assert hall.snapshots._tries <= 3


# --- the same figures for programs


def test_the_api_takes_a_displays_token_or_a_programs(hall: Hall) -> None:
    _display, token = hall.display()
    program = hall.house.tokens.create_token("setup", "大厅多媒体", "supervisor")
    client = hall.app.test_client()
    for good in (token, program):
        answer = client.get("/api/v1/wallboard", headers={"Authorization": f"Bearer {good}"})
        assert answer.status_code == 200
        body = answer.get_json()
        assert set(body) >= {"at", "live", "today", "connect", "satisfaction", "topics", "callbacks", "age_seconds"}
    assert client.get("/api/v1/wallboard").status_code == 401
    assert client.get("/api/v1/wallboard", headers={"Authorization": "Bearer tjd_wrong"}).status_code == 401
    agent = hall.house.tokens.create_token("setup", "坐席程序", "agent")
    assert client.get("/api/v1/wallboard", headers={"Authorization": f"Bearer {agent}"}).status_code == 403
    assert client.get("/api/v1/wallboard?x=1", headers={"Authorization": f"Bearer {token}"}).status_code == 400


def test_a_displays_token_opens_nothing_else_of_the_api(hall: Hall) -> None:
    _display, token = hall.display()
    client = hall.app.test_client()
    walked = 0
    for rule in hall.app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and "GET" in (rule.methods or set()) and not rule.arguments:
            if rule.endpoint.startswith("openapi_documents") or rule.rule == "/api/v1/wallboard":
                continue
            assert client.get(rule.rule, headers={"Authorization": f"Bearer {token}"}).status_code == 403, rule.rule
            walked += 1
    assert walked > 3
    for page in ("/supervisor/", "/displays/", "/me/"):
        assert client.get(page, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_the_document_describes_what_is_sent(hall: Hall) -> None:
    _display, token = hall.display()
    client = hall.app.test_client()
    document = client.get("/api/v1/openapi.json").get_json()
    schema = document["paths"]["/api/v1/wallboard"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    described = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]["properties"]
    body = client.get("/api/v1/wallboard", headers={"Authorization": f"Bearer {token}"}).get_json()
    assert set(described) == set(body)
    assert json.dumps(body)
