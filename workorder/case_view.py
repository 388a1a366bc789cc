"""An approval case, and an import of them, as others see them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.errors import NotFoundError

Change = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case. `phone` is whole: whoever shows it masks it."""

    case_id: uuid.UUID
    number: str
    matter_code: str
    matter: str
    unit: str
    hall: str
    window: str
    region: str
    category: str
    applicant: str
    phone: str
    is_confidential: bool
    result: str
    accepted_at: datetime | None
    closed_at: datetime | None
    source: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list; what is empty does not matter."""

    text: str = ""
    number: str = ""
    phone: str = ""
    phone_tail: str = ""
    unit: str = ""
    region: str = ""
    is_closed: bool | None = None
    closed_from: datetime | None = None
    closed_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some of the cases that fit, the last closed first, and how many fit."""

    cases: Sequence[CaseView]
    total: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """What is wrong with one value of one row. `field` is empty for a row that could not be read; `message` is Chinese."""

    row: int
    number: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class CaseImportReport:
    """What an import did. A row with three wrong values is refused once, with three entries."""

    import_id: uuid.UUID
    file_name: str
    actor: str
    created_at: datetime
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused_rows: int = 0
    refused: Sequence[RefusedRow] = ()


class CaseNotFoundError(NotFoundError):
    """There is no such case."""

    def __init__(self, case_id: uuid.UUID) -> None:
        super().__init__(str(case_id))
        self.case_id = case_id


class ImportNotFoundError(NotFoundError):
    """There is no such import."""
