"""What the API says when it can't do what was asked: always the same JSON, with the names of wrong fields."""

from typing import Any, NoReturn

from flask import Response, abort, jsonify
from pydantic import BaseModel, ValidationError

from webui.errors import trouble_of_status


class WrongField(BaseModel):
    """One wrong value of a request."""

    field: str
    problem: str


class Refusal(BaseModel):
    """Why a request was not done."""

    kind: str
    message: str
    fields: list[WrongField] = []
    reference: str | None = None


class RefusalBody(BaseModel):
    """The body of every answer from 400 on."""

    error: Refusal


# 405 and 413 come from below the views; documented, or a strict client calls them a breach.
STATUSES = (400, 401, 403, 404, 405, 409, 413, 429, 503)
RESPONSES: dict[int | str, Any] = dict.fromkeys(STATUSES, RefusalBody)


def wrong_fields(fields: list[WrongField]) -> Response:
    """Return the answer to a request with wrong values."""
    trouble = trouble_of_status(400)
    named = [field.model_dump() for field in fields]
    response = jsonify(error={"kind": trouble.kind, "message": trouble.text, "fields": named})
    response.status_code = 400
    return response


def refuse_invalid(error: ValidationError) -> Response:
    """Return the answer to what pydantic refused; the values themselves are not repeated."""
    return wrong_fields([WrongField(field=_name(part["loc"]), problem=part["msg"]) for part in error.errors(include_url=False)])


def refuse(field: str, problem: str) -> NoReturn:
    """End the request: one of its values is wrong in a way that only the view can know."""
    abort(wrong_fields([WrongField(field=field, problem=problem)]))


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "body"
