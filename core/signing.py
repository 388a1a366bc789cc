"""Signed JSON between programs: HMAC-SHA256 over a time and the exact bytes of the body; no forging, no keeping for later.

The header `X-Tingjian-Timestamp` carries the time in seconds, `X-Tingjian-Signature` the signature in hexadecimal.
"""

import hashlib
import hmac
from datetime import datetime

TIMESTAMP_HEADER = "X-Tingjian-Timestamp"
SIGNATURE_HEADER = "X-Tingjian-Signature"
KEY_HEADER = "X-Tingjian-Key"
TOLERANCE_SECONDS = 300


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body sent at a time."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(secret: str, moment: datetime, body: bytes) -> dict[str, str]:
    """Return the two headers that go with a body."""
    timestamp = str(int(moment.timestamp()))
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature(secret, timestamp, body)}


def is_signed(secret: str, timestamp: str, given: str, body: bytes, now: datetime) -> bool:
    """Say whether a body carries our secret's signature of about now. Without a secret nothing is signed."""
    if not secret or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    return hmac.compare_digest(signature(secret, timestamp, body).encode(), given.strip().lower().encode("utf-8", "replace"))
