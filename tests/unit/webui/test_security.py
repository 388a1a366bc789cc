"""The policy stands on every answer, pages keep to it, and a change without its token is refused."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webui.languages import PACKAGE_DIR
from webui.redirects import safe_target

TEMPLATES = sorted((PACKAGE_DIR / "templates").rglob("*.html"))


@pytest.mark.parametrize("address", ["/login", "/nowhere", "/static/plain/app.css"])
def test_policy_is_strict(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


PRINTED = {"report.html"}


def test_the_nonce_changes(client: FlaskClient) -> None:
    nonces = {re.search(r"'nonce-([^']+)'", client.get("/login").headers["Content-Security-Policy"])[1] for _ in range(2)}  # type: ignore[index]
    assert len(nonces) == 2


def test_only_the_softphone_may_be_connected_to(client: FlaskClient) -> None:
    policy = client.get("/login").headers["Content-Security-Policy"]
    assert "connect-src 'self' ws://127.0.0.1:8088/ws;" in policy


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_nothing_inline(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text), "a style attribute breaks style-src 'self'"
    # A page that fetches no file has one block with the page's nonce; a printed report meets no browser.
    blocks = re.findall(r"<style([^>]*)>", text)
    assert blocks in ([], [' nonce="{{ g.csp_nonce }}"']) or template.name in PRINTED
    assert not re.search(r"\son\w+\s*=\s*[\"']", text), "a handler attribute breaks script-src 'self'"
    for opening, body in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.S):
        assert "src=" in opening or "application/json" in opening or "nonce=" in opening, body[:60]
    assert "|safe" not in text, "what is put on a page is escaped, always"
    assert "http://" not in text
    assert "https://" not in text


def test_a_change_without_token_is_refused(app: Flask) -> None:
    client = FlaskClient(app, app.response_class)
    answer = client.post("/login", data={"username": "chenmin", "password": "x"})
    assert answer.status_code == 400
    assert "安全口令已失效" in answer.get_data(as_text=True)
    assert client.post("/language", data={"language": "en"}).status_code == 400


def test_the_cookie_is_out_of_reach_of_scripts(client: FlaskClient) -> None:
    cookie = client.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "",
        "evil",
        "\\\\evil",
    ],
)
def test_redirects_stay_here(target: str) -> None:
    assert safe_target(target) == "/"


def test_redirects_keep_a_path() -> None:
    assert safe_target("/users/?q=a&page=2") == "/users/?q=a&page=2"


def test_unknown_address_is_a_page_of_ours(client: FlaskClient) -> None:
    answer = client.get("/<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert "没有找到" in answer.get_data(as_text=True)


def test_attempts_are_limited_by_address(client: FlaskClient) -> None:
    answers = {client.post("/login/code").status_code for _ in range(31)}
    assert 429 in answers
