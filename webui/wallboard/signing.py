"""How pushed figures are signed, and when a push that failed is tried again. Pure."""

import hmac
from hashlib import sha256

TIMESTAMP_HEADER = "X-Tingjian-Timestamp"
SIGNATURE_HEADER = "X-Tingjian-Signature"
_LONGEST_PAUSE_SECONDS = 300
_MOST_DOUBLINGS = 8


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return HMAC-SHA256 in hexadecimal over "<timestamp>.<body>", with the scheme before it.

    The receiver computes the same over the bytes that came, compares in constant time, and refuses old timestamps.
    """
    return "sha256=" + hmac.new(secret.encode(), b"%d." % timestamp + body, sha256).hexdigest()


def signed_headers(secret: str, timestamp: int, body: bytes, delivery_id: str) -> dict[str, str]:
    """Return the headers of a push."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Tingjian-Wallboard/1",
        "X-Tingjian-Delivery": delivery_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: signature(secret, timestamp, body),
    }


def pause_seconds(every_seconds: int, failures: int) -> int:
    """Return how long to wait for the next push: doubled with each failure in a row, at most five minutes (or the usual pause)."""
    return min(every_seconds << min(failures, _MOST_DOUBLINGS), max(_LONGEST_PAUSE_SECONDS, every_seconds))
