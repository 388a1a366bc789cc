"""A text message gateway that speaks JSON over HTTP, each request signed; docs/sms.md is the protocol."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from core.clock import Clock
from core.errors import InvalidInputError
from core.signing import KEY_HEADER, signed_headers
from workorder.ports import Outcome, OutgoingSms, SubmitResult, TakenPart
from workorder.sms_state import WHOLE

NAME = "http"
_CONNECT_SECONDS = 5.0
_LONGEST_ID = 200
_LARGEST_ANSWER = 100_000
# Ours to mend, or busy: the message was surely not taken and waits.
_LATER = {401, 403, 404, 405, 408, 425, 429, 503}


class HttpSmsGateway:
    """Posts each message once and believes only a clear answer."""

    name = NAME

    def __init__(self, url: str, key: str, secret: str, clock: Clock, timeout_seconds: float) -> None:
        if not url or not secret:
            raise InvalidInputError("SMS_GATEWAY=http 还需要 SMS_HTTP_URL 和 SMS_HTTP_SECRET")
        self._url = url
        self._key = key
        self._secret = secret
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        timeout = httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds))
        self._client = httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False)
        self._problem = ""

    @property
    def problem(self) -> str:
        return self._problem

    def close(self) -> None:
        """Give back connections."""
        self._client.close()

    def submit(self, message: OutgoingSms) -> SubmitResult:
        sent = {
            "reference": str(message.message_id),
            "phone": message.phone,
            "text": message.text.text,
            "parts": len(message.text.parts),
        }
        body = json.dumps(sent, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", KEY_HEADER: self._key}
        headers |= signed_headers(self._secret, self._clock.now(), body)
        try:
            result = self._post(body, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            result = SubmitResult(Outcome.LATER, error=type(error).__name__)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The request went out, at least in part: only the gateway knows.
            result = SubmitResult(Outcome.UNKNOWN, error=type(error).__name__)
        self._problem = result.error if result.outcome in {Outcome.LATER, Outcome.UNKNOWN} else ""
        return result

    def _post(self, body: bytes, headers: dict[str, str]) -> SubmitResult:
        with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            text, until = b"", time.monotonic() + self._timeout_seconds
            for piece in response.iter_bytes():
                text += piece
                # An answer that drips is cut off: what has come decides.
                if len(text) > _LARGEST_ANSWER or time.monotonic() > until:
                    break
        told = _read(text)
        gateway_id = told.get("id")
        # 409: it has this reference already, and tells under which name.
        if response.status_code in {200, 201, 202, 409} and isinstance(gateway_id, str | int) and str(gateway_id):
            return SubmitResult(Outcome.TAKEN, (TakenPart(WHOLE, str(gateway_id)[:_LONGEST_ID]),))
        error = f"HTTP {response.status_code} {str(told.get('error') or '')[:100]}".strip()
        if response.status_code in {400, 422}:
            return SubmitResult(Outcome.REFUSED, error=error)
        if response.status_code in _LATER:
            return SubmitResult(Outcome.LATER, error=error, again_after_seconds=_seconds(response.headers.get("Retry-After")))
        return SubmitResult(Outcome.UNKNOWN, error=error)


def _read(text: bytes) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) <= 6 else None
