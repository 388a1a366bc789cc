"""Signed JSON between programs."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, TOLERANCE_SECONDS, is_signed, signature, signed_headers

NOW = datetime(2026, 3, 18, 2, 32, 18, tzinfo=UTC)
BODY = '{"figures": "大厅"}'.encode()


def test_the_receiver_can_check_it() -> None:
    headers = signed_headers("s" * 64, NOW, BODY)
    stamp = str(int(NOW.timestamp()))
    expected = hmac.new(b"s" * 64, stamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    assert headers == {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: expected}
    assert is_signed("s" * 64, stamp, expected, BODY, NOW)


def test_another_time_body_or_secret_is_another_signature() -> None:
    made = {signature("a", "1", b"x"), signature("a", "2", b"x"), signature("a", "1", b"y"), signature("b", "1", b"x")}
    assert len(made) == 4


def test_what_was_kept_for_later_is_refused() -> None:
    headers = signed_headers("s", NOW, BODY)
    later = NOW + timedelta(seconds=TOLERANCE_SECONDS + 1)
    assert not is_signed("s", headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER], BODY, later)
    assert not is_signed("", headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER], BODY, NOW)
