"""Where an HTTP text message gateway tells what became of a message. No token: every request is signed with the shared secret."""

import json
import uuid
from typing import Annotated, Literal

import structlog
from flask import Blueprint, Response, abort, jsonify, request
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from webui.api.application import PREFIX
from webui.api.refusals import refuse_invalid
from webui.errors import respond, trouble_of_status
from webui.house import current_house
from webui.permissions import public
from workorder.ports import Receipt
from workorder.sms_state import ReceiptStatus

log = structlog.get_logger()
blueprint = Blueprint("sms_receipts", __name__, url_prefix=PREFIX)
_GATEWAY = "http"
_LARGEST_BODY = 1024 * 1024
_MOST_RECEIPTS = 1000
_Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
_Words = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


class ReceiptItem(BaseModel):
    """One receipt: the gateway's id, what became of the message, and our reference where the gateway returns it."""

    id: _Id
    status: Literal["delivered", "failed", "on_the_way"]
    detail: _Words = ""
    reference: uuid.UUID | None = None


class ReceiptsBody(BaseModel):
    """Receipts, in any order, as often as the gateway likes."""

    receipts: list[ReceiptItem] = Field(min_length=1, max_length=_MOST_RECEIPTS)


@blueprint.post("/sms/receipts")
@public
def receive() -> tuple[Response | str, int] | Response:
    """Keep what the gateway tells. 200 once it is kept; anything else: tell it again."""
    house = current_house()
    if house.settings.sms_gateway != "http":
        abort(404)
    if (request.content_length or 0) > _LARGEST_BODY:
        abort(413)
    body = request.get_data()
    secret = house.settings.sms_http_secret.get_secret_value()
    given = (request.headers.get(TIMESTAMP_HEADER, ""), request.headers.get(SIGNATURE_HEADER, ""))
    if not is_signed(secret, *given, body, house.clock.now()):
        log.warning("sms_receipt_not_signed", address=request.remote_addr)
        return respond(trouble_of_status(401))
    try:
        told = json.loads(body)
        # One receipt may come by itself.
        wrapped = told if isinstance(told, dict) and "receipts" in told else {"receipts": [told]}
        receipts = ReceiptsBody.model_validate(wrapped).receipts
    except ValidationError as error:
        return refuse_invalid(error)
    except (ValueError, RecursionError):
        return respond(trouble_of_status(400))
    for one in receipts:
        house.workorder.record_sms_receipt(Receipt(_GATEWAY, one.id, ReceiptStatus(one.status), one.detail, one.reference))
    return jsonify(kept=len(receipts))
