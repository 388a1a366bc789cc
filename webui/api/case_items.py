"""What the API takes and tells of an approval case."""

import uuid
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, JsonValue

from core.privacy import mask_phone
from webui.api.fields import Asked, Day, FullLine, Identifier, Line, Moment, PagedQuery, Told
from webui.api.refusals import WrongField
from workorder.case_view import CaseView

MOST_CASES = 500
_TIME = "本地时间 2026-03-18 10:32:18，或带时区的 RFC 3339；空为未知"


class CasesQuery(PagedQuery):
    """Which cases to list. What is left out does not matter."""

    number: Line = Field("", description="办件编号，完全相同")
    q: Line = Field("", description="办件编号、事项、申请人里的文字")
    unit: Line = ""
    region: Line = ""
    phone_tail: Line = Field("", description="联系电话的末几位")
    state: Literal["open", "closed"] | None = None
    closed_since: Day | None = Field(None, description="从这一天（当地日期）起办结")
    closed_until: Day | None = Field(None, description="到这一天（含）止办结")


class CasePath(BaseModel):
    """Which case."""

    case_id: Identifier


class CaseBody(Asked):
    """A case as its system knows it. What is left out stays as it is; a closed case stays closed."""

    number: FullLine = Field(description="办件编号：同一编号再来一次就是更新")
    matter: FullLine = Field(description="事项名称")
    unit: FullLine = Field(description="承办单位")
    phone: FullLine = Field(description="联系电话：手机 11 位，固定电话带区号")
    matter_code: Line | None = None
    hall: Line | None = None
    window: Line | None = None
    region: Line | None = None
    category: Line | None = None
    applicant: Line | None = None
    is_confidential: Annotated[bool, Field(strict=True)] | None = None
    result: Line | None = None
    accepted_at: Line | None = Field(None, description=_TIME)
    closed_at: Line | None = Field(None, description=_TIME)


class BatchBody(Asked):
    """Many cases. Each has its own fate: a wrong one is told and left out, the others are kept."""

    items: list[dict[str, JsonValue]] = Field(min_length=1, max_length=MOST_CASES, description="每项的字段与单个办件相同")


class CaseItem(Told):
    """A case. The number is always masked, and empty for a confidential case, as is the applicant."""

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
    accepted_at: Moment | None
    closed_at: Moment | None
    source: str
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, view: CaseView) -> Self:
        """Return a case as programs see it."""
        facts: dict[str, Any] = {name: getattr(view, name) for name in cls.model_fields}
        hidden = {"phone": "" if view.is_confidential else mask_phone(view.phone)}
        return cls(**facts | hidden | ({"applicant": ""} if view.is_confidential else {}))


class CaseList(Told):
    """A page of cases, open ones first, then the last closed."""

    items: list[CaseItem]
    page: int
    size: int
    total: int


class SavedCase(Told):
    """What became of a case: `created`, `changed` or `unchanged`."""

    case_id: uuid.UUID
    number: str
    change: Literal["created", "changed", "unchanged"]


class BatchRow(Told):
    """What became of one item, counted from 0: as of a single case, or `refused` with what is wrong in which field."""

    index: int
    number: str
    change: Literal["created", "changed", "unchanged", "refused"]
    case_id: uuid.UUID | None = None
    fields: list[WrongField] = Field(default_factory=list)


class BatchReport(Told):
    """What became of each item, in order, and how many of each kind."""

    items: list[BatchRow]
    created: int
    changed: int
    unchanged: int
    refused: int
