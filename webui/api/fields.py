"""The kinds of value that requests carry, each as strict as the document says, and the base of all models."""

import re
import uuid
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"-?\d{1,18}(\.0)?", re.ASCII)
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)
LONGEST_LINE = 200
LONGEST_TEXT = 20_000
LAST_PAGE = 100_000
LARGEST_PAGE = 200


def _storable(text: str) -> str:
    # PostgreSQL can't hold NUL; the document says the same by a pattern.
    if "\0" in text:
        raise ValueError("must not contain NUL")
    return text


def _written_uuid(value: Any) -> Any:
    # pydantic also reads braces, urn: and bare hexadecimal; the document promises only one way of writing.
    if isinstance(value, str) and not _UUID.fullmatch(value):
        raise ValueError("must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")
    return value


def _written_day(value: Any) -> Any:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a day such as 2026-03-18")
    return value


def _written_number(value: Any) -> Any:
    # In an address everything is text; pydantic would also read +1, 1_000 and blanks. To JSON Schema 1.0 is whole.
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


_NO_NUL = {"pattern": r"^[^\u0000]*$"}
Identifier = Annotated[uuid.UUID, BeforeValidator(_written_uuid)]
Day = Annotated[date, BeforeValidator(_written_day)]
Line = Annotated[str, Field(max_length=LONGEST_LINE, json_schema_extra=_NO_NUL), AfterValidator(_storable)]
FullLine = Annotated[str, Field(min_length=1, max_length=LONGEST_LINE, json_schema_extra=_NO_NUL), AfterValidator(_storable)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=_NO_NUL), AfterValidator(_storable)]
FullText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, json_schema_extra=_NO_NUL), AfterValidator(_storable)]
Switch = Literal["0", "1", "false", "true"]
"""A yes or no in an address."""
written_number = BeforeValidator(_written_number)
PageNumber = Annotated[int, Field(ge=1, le=LAST_PAGE, description="页码，从 1 开始"), written_number]
PageSize = Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="每页条数"), written_number]
Moment = Annotated[datetime, AfterValidator(lambda value: value.astimezone(UTC))]
"""A time in an answer: UTC, RFC 3339."""


class Asked(BaseModel):
    """What a request carries. An unknown name is refused: a misspelt filter would otherwise find too much."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """What an answer carries, read from what the front doors return."""

    model_config = ConfigDict(from_attributes=True)


def tell(body: Told, status: int = 200, location: str | None = None) -> Response:
    """Return an answer; `location` is where the thing that was made can be found."""
    response = Response(body.model_dump_json(), status, mimetype="application/json")
    if location:
        response.headers["Location"] = location
    return response


class PagedQuery(Asked):
    """Which page of a list."""

    page: PageNumber = 1
    size: PageSize = 50

    @property
    def offset(self) -> int:
        """How many rows lie before the page."""
        return (self.page - 1) * self.size


def is_on(switch: Switch) -> bool:
    """Return what a switch says."""
    return switch in {"1", "true"}


def bounded_day(day: date) -> date:
    """Return the nearest day that a call or an article can lie on: earlier and later ones mean "without limit"."""
    return min(max(day, _FIRST_DAY), _LAST_DAY)
