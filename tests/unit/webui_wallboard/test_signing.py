"""Signed pushes, and when they are tried again."""

import hashlib
import hmac

from webui.wallboard.signing import pause_seconds, signature, signed_headers


def test_the_receiver_can_check_it() -> None:
    secret, body = "s" * 64, '{"figures": "大厅"}'.encode()
    headers = signed_headers(secret, 1773801138, body, "d-1")
    expected = hmac.new(secret.encode(), b"1773801138." + body, hashlib.sha256).hexdigest()
    assert headers["X-Tingjian-Signature"] == f"sha256={expected}"
    assert headers["X-Tingjian-Timestamp"] == "1773801138"
    assert headers["X-Tingjian-Delivery"] == "d-1"


def test_another_time_body_or_secret_is_another_signature() -> None:
    made = {signature("a", 1, b"x"), signature("a", 2, b"x"), signature("a", 1, b"y"), signature("b", 1, b"x")}
    assert len(made) == 4


def test_failures_make_it_slower_up_to_five_minutes() -> None:
    assert [pause_seconds(10, failures) for failures in (0, 1, 2, 3, 4, 5, 6, 1000)] == [10, 20, 40, 80, 160, 300, 300, 300]
    assert pause_seconds(3600, 5) == 3600
