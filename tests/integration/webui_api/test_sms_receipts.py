"""Receipts of an HTTP gateway: signed, in any order, and nothing else moves a message."""

import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from core.settings import Settings
from core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, signed_headers
from workorder.ports import Outcome, OutgoingSms, SubmitResult, TakenPart

SECRET = "shared-between-both"


class Taker:
    """A gateway that takes everything whole."""

    name = "http"
    problem = ""

    def submit(self, message: OutgoingSms) -> SubmitResult:
        return SubmitResult(Outcome.TAKEN, (TakenPart(0, f"gw-{message.message_id}"),))


@pytest.fixture
def sent(house: SimpleNamespace) -> uuid.UUID:
    message_id: uuid.UUID = house.workorder.send_sms(f"r-{uuid.uuid4()}", "13800138000", "您好" * 60, "survey")
    house.workorder.send_queued_sms(Taker(), message_id)
    return message_id


def tell(app: Flask, body: Any, secret: str = SECRET, late: float = 0, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    clock = app.extensions["house"].clock
    clock.advance(-late)
    given = signed_headers(secret, clock.now(), raw) | headers
    clock.advance(late)
    return app.test_client().post("/api/v1/sms/receipts", data=raw, headers=given, content_type="application/json")


def state(app: Flask, message_id: uuid.UUID) -> str:
    return str(app.extensions["house"].workorder.get_sms(message_id).state)


def test_one_receipt_and_many(app: Flask, sent: uuid.UUID) -> None:
    other = {"id": "somebody-elses", "status": "failed"}
    answer = tell(app, {"receipts": [other, {"id": f"gw-{sent}", "status": "on_the_way"}]})
    assert (answer.status_code, answer.get_json()) == (200, {"kept": 2})
    assert state(app, sent) == "submitted"
    assert tell(app, {"id": f"gw-{sent}", "status": "delivered", "detail": "000"}).status_code == 200
    assert state(app, sent) == "delivered"
    assert tell(app, {"id": f"gw-{sent}", "status": "failed"}).status_code == 200
    assert state(app, sent) == "delivered"


def test_a_receipt_before_our_own_row_knows_the_id(app: Flask, house: SimpleNamespace) -> None:
    message_id = house.workorder.send_sms(f"r-{uuid.uuid4()}", "13800138000", "您好", "survey")
    assert tell(app, {"id": f"gw-{message_id}", "status": "delivered", "reference": str(message_id)}).status_code == 200
    assert state(app, message_id) == "queued"
    house.workorder.send_queued_sms(Taker(), message_id)
    assert state(app, message_id) == "delivered"


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "another"},
        {"late": 301},
        {"late": -301},
        {SIGNATURE_HEADER: ""},
        {SIGNATURE_HEADER: "0" * 64},
        {SIGNATURE_HEADER: "ü"},
        {TIMESTAMP_HEADER: "soon"},
        {TIMESTAMP_HEADER: "9" * 40},
        {TIMESTAMP_HEADER: "-1"},
    ],
)
def test_what_is_not_signed_moves_nothing(app: Flask, sent: uuid.UUID, forged: dict[str, Any]) -> None:
    answer = tell(app, {"id": f"gw-{sent}", "status": "delivered"}, **forged)
    assert answer.status_code == 401
    assert state(app, sent) == "submitted"


def test_a_changed_body_is_not_signed(app: Flask, sent: uuid.UUID) -> None:
    body = json.dumps({"id": f"gw-{sent}", "status": "failed"}).encode()
    headers = signed_headers(SECRET, app.extensions["house"].clock.now(), body)
    changed = body.replace(b"failed", b"delivered")
    answer = app.test_client().post("/api/v1/sms/receipts", data=changed, headers=headers)
    assert answer.status_code == 401
    assert state(app, sent) == "submitted"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[1]",
        b"[" * 100_000,
        {"id": "", "status": "delivered"},
        {"id": "x", "status": "eaten"},
        {"id": "x\x00", "status": "delivered"},
        {"id": "x", "status": "delivered", "reference": "not one"},
        {"receipts": []},
        {"receipts": [{"id": "x" * 300, "status": "failed"}]},
    ],
)
def test_nonsense_is_refused(app: Flask, body: Any) -> None:
    answer = tell(app, body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["kind"] == "invalid_input"


def test_without_an_http_gateway_there_is_no_such_door(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "sms_gateway", "smpp")
    assert tell(app, {"id": "x", "status": "delivered"}).status_code == 404
