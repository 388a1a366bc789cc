"""Who gets in: with a token and nothing else, and as far as its role reaches."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.integration.webui_api.conftest import Client
from webui.permissions import ROLE_PERMISSIONS, Role, access_rule

As = Callable[[str], Client]
UNKNOWN = str(uuid.UUID(int=5))
OPEN_TO_ALL = {"/api/v1/openapi.json", "/api/v1/docs", "/api/v1/docs/start.js", "/api/v1/docs/<path:name>"}
OPEN_TO_ALL |= {"/api/v1/sms/receipts"}  # a signature takes the token's place: test_sms_receipts


def routes(app: Flask) -> list[tuple[str, str, object]]:
    """Return (method, address, mark) of every view of the API that is not public."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.rule not in OPEN_TO_ALL:
            address = rule.rule.removeprefix("/api/v1")
            for name in rule.arguments:
                address = address.replace(f"<{name}>", "9999" if name == "number" else UNKNOWN)
            mark = access_rule(app.view_functions[rule.endpoint])
            found += [(method, address, mark) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return found


STRANGE = [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi", "bearer", "Bearer \xff\xfe", "Bearer " + "x" * 9000]


@pytest.mark.parametrize("given", STRANGE)
def test_without_a_good_token_nothing_opens(app: Flask, given: str | None) -> None:
    stranger, walked = app.test_client(), 0
    for method, address, _mark in routes(app):
        headers = {} if given is None else {"Authorization": given}
        answer = stranger.open(f"/api/v1{address}", method=method, headers=headers, json={} if method != "GET" else None)
        assert answer.status_code == 401, (method, address)
        assert answer.get_json()["error"]["kind"] == "unauthorized"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        walked += 1
    assert walked >= 15


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_its_permissions_say(app: Flask, client_as: As, role: Role) -> None:
    for method, address, mark in routes(app):
        assert isinstance(mark, frozenset)
        answer = client_as(role).ask(method, address, **({"json": {}} if method != "GET" else {}))
        allowed = bool(mark & ROLE_PERMISSIONS[role])
        assert (answer.status_code != 403) == allowed, (role, method, address, answer.status_code)
        assert answer.status_code < 500, (method, address, answer.get_json())


def test_a_persons_cookie_is_no_key(app: Flask, house: SimpleNamespace) -> None:
    facts = {"display_name": "周启明", "password": "Hotline-2026", "roles": ["supervisor"], "must_change_password": False}
    house.accounts.create_user("setup", username="monitor", **facts)
    browser = app.test_client()
    log_in(browser, "monitor", "Hotline-2026")
    assert browser.get("/me/").status_code == 200
    assert browser.get("/api/v1/agents").status_code == 401
    assert browser.get("/api/v1/agents", headers={"Authorization": "Bearer wrong"}).status_code == 401


def log_in(browser: FlaskClient, username: str, password: str) -> None:
    page = browser.get("/login").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert browser.post("/login", data={"csrf_token": token, "username": username, "password": password}).status_code == 302


def test_a_revoked_and_an_expired_token_stop_at_once(app: Flask, house: SimpleNamespace, client_as: As) -> None:
    service = house.tokens
    short = Client(app.test_client(), service.create_token("setup", "for a day", "supervisor", days=1))
    other = Client(app.test_client(), service.create_token("setup", "to be revoked", "supervisor"))
    assert short.get("/agents").status_code == other.get("/agents").status_code == 200
    service.revoke_token("setup", next(row.token_id for row in service.list_tokens() if row.name == "to be revoked"))
    assert other.get("/agents").status_code == 401
    house.clock.advance(timedelta(days=1).total_seconds())
    try:
        assert short.get("/agents").status_code == 401
        assert client_as("supervisor").get("/agents").status_code == 200
    finally:
        house.clock.advance(-timedelta(days=1).total_seconds())


def test_too_many_requests_of_one_token_hinder_no_other(app: Flask, client_as: As, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = app.extensions["house"].settings
    monkeypatch.setattr(settings, "api_requests_per_minute", 3)
    limiter = next(iter(app.extensions["limiter"]))
    monkeypatch.setattr(limiter, "enabled", True)
    statuses = [client_as("supervisor").get("/agents").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = client_as("supervisor").get("/agents")
    assert refused.get_json()["error"]["kind"] == "too_many_requests"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert client_as("manager").get("/agents").status_code == 200


def test_the_documents_are_open_and_keep_to_this_site(app: Flask) -> None:
    stranger = app.test_client()
    document = stranger.get("/api/v1/openapi.json").get_json()
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    page = stranger.get("/api/v1/docs")
    assert "unsafe" not in page.headers["Content-Security-Policy"].split("script-src")[1].split(";")[0]
    assert "http://" not in page.get_data(as_text=True)
    assert "https://" not in page.get_data(as_text=True)
    for line in page.get_data(as_text=True).split('"'):
        if line.startswith("docs/"):
            assert stranger.get(f"/api/v1/{line}").status_code == 200, line
    assert stranger.get("/api/v1/docs/../__init__.py").status_code == 404
    assert stranger.get("/api/v1/nothing").get_json()["error"]["kind"] == "not_found"
    assert client_error(stranger, "DELETE", "/api/v1/calls") == (405, "method_not_allowed")
    assert client_error(stranger, "POST", "/api/v1/agents") == (405, "method_not_allowed")


def client_error(browser: FlaskClient, method: str, path: str) -> tuple[int, str]:
    answer = browser.open(path, method=method)
    assert answer.headers["Allow"]
    return answer.status_code, answer.get_json()["error"]["kind"]
