"""Whose word on the visitor's address the web believes."""

import pytest
from flask import Flask, request

from core.settings import Settings
from webui import security

CLAIMED = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        (0, "127.0.0.1 http localhost"),
        (1, "198.51.100.7 https localhost"),
        (2, "203.0.113.9 http localhost"),  # the first proxy of two said nothing of the scheme
    ],
)
def test_visitor_address_comes_from_as_many_proxies_as_are_there(proxies: int, seen: str) -> None:
    app = Flask(__name__)
    app.secret_key = "x" * 32
    security.install(app, Settings(_env_file=None, trusted_proxies=proxies))  # type: ignore[call-arg]
    app.get("/who")(lambda: f"{request.remote_addr} {request.scheme} {request.host}")

    assert app.test_client().get("/who", headers=CLAIMED).get_data(as_text=True) == seen
