"""What a rule of who is rung back says (回访规则): pure data, checked as it comes in, and the questions that it answers."""

import uuid
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_MOST_DAYS = 365
_LONGEST_LIST = 200


class Reason(StrEnum):
    """Why a call is owed."""

    CALL_ANSWERED = "call_answered"
    MISSED_CALL = "missed_call"
    CASE_CLOSED = "case_closed"
    BAD_RATING = "bad_rating"
    ASKED_TIME = "asked_time"
    QUEUE_CALLBACK = "queue_callback"
    CAMPAIGN = "campaign"


SURVEYS = frozenset({Reason.CALL_ANSWERED, Reason.CASE_CLOSED, Reason.CAMPAIGN})
"""What we want of the citizen: etiquette, opt-out and sampling bind these, and never a reply that we owe."""
PRIORITY: dict[Reason, int] = {
    Reason.QUEUE_CALLBACK: 10,
    Reason.ASKED_TIME: 20,
    Reason.MISSED_CALL: 30,
    Reason.BAD_RATING: 40,
    Reason.CASE_CLOSED: 60,
    Reason.CALL_ANSWERED: 70,
    Reason.CAMPAIGN: 80,
}
"""Smaller is sooner: who waits now, then whom we promised, then whom we missed, then whom we ask."""


class Way(StrEnum):
    """By what a person is reached: an agent's call, an automatic call, a text message with a link."""

    AGENT = "agent"
    IVR = "ivr"
    SMS = "sms"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Who(_Part):
    """Whom a rule is about; an empty list leaves nobody out."""

    halls: list[str] = Field(default_factory=list, max_length=_LONGEST_LIST)
    units: list[str] = Field(default_factory=list, max_length=_LONGEST_LIST)
    regions: list[str] = Field(default_factory=list, max_length=_LONGEST_LIST)
    categories: list[str] = Field(default_factory=list, max_length=_LONGEST_LIST)
    matter_codes: list[str] = Field(default_factory=list, max_length=_LONGEST_LIST)
    results: list[str] = Field(default_factory=list, max_length=_LONGEST_LIST)
    queues: list[str] = Field(default_factory=list, max_length=_LONGEST_LIST)
    with_confidential: bool = False


class AtOnce(_Part):
    """As soon as the window allows."""

    kind: Literal["at_once"] = "at_once"


class NextDay(_Part):
    """On the next calendar day, or the first day after it on which the window opens."""

    kind: Literal["next_day"] = "next_day"
    at: time = time(9, 0)


class OnDay(_Part):
    """So many working days later."""

    kind: Literal["on_day"] = "on_day"
    working_days: int = Field(default=1, ge=0, le=60)
    at: time = time(9, 0)


class OnDate(_Part):
    """On one date, whatever day it is: the window may still put it off."""

    kind: Literal["on_date"] = "on_date"
    date: date
    at: time = time(9, 0)


When = Annotated[AtOnce | NextDay | OnDay | OnDate, Field(discriminator="kind")]


class AllSampled(_Part):
    """Everybody is asked."""

    kind: Literal["all"] = "all"


class ShareSampled(_Part):
    """A random share is asked; the seed makes the draw repeatable. Rules with the same seed draw the same subjects."""

    kind: Literal["share"] = "share"
    share: float = Field(gt=0, le=1)
    seed: str = Field(default="", max_length=100)


class StrataSampled(_Part):
    """A share of its own for each stratum: a value of one field; `other` for values that are not named, 0 asks none of them."""

    kind: Literal["strata"] = "strata"
    by: Literal["hall", "unit", "region", "category", "matter_code", "queue_name"]
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1, max_length=_LONGEST_LIST)
    other: float = Field(default=0, ge=0, le=1)
    seed: str = Field(default="", max_length=100)


Sampling = Annotated[AllSampled | ShareSampled | StrataSampled, Field(discriminator="kind")]


class RuleDefinition(_Part):
    """One wording of a rule.

    Args:
        ways: in the order in which they are tried; the agent alone by default.
        questionnaire: the key of the questionnaire whose launched version is asked; empty asks nothing.
        ask_every_days: a person is asked by surveys and campaigns at most once in so many days; 0 binds nobody.
        promised_working_days: contact is promised within so many working days (响应率); None promises nothing.
        expires_after_days: what was not reached by then is given up.
        sms_wait_days: how long an answer to a text message is awaited before the next way.
    """

    title: str = Field(min_length=1, max_length=100)
    reason: Reason
    who: Who = Who()
    when: When = AtOnce()
    ways: list[Way] = Field(default_factory=lambda: [Way.AGENT], min_length=1, max_length=len(Way))
    questionnaire: str = Field(default="", max_length=100)
    ask_every_days: int = Field(default=0, ge=0, le=_MOST_DAYS)
    sampling: Sampling = AllSampled()
    priority: int | None = Field(default=None, ge=1, le=99)
    promised_working_days: int | None = Field(default=None, ge=0, le=60)
    expires_after_days: int = Field(default=14, ge=1, le=_MOST_DAYS)
    sms_wait_days: int = Field(default=3, ge=1, le=60)

    @field_validator("ways")
    @classmethod
    def _each_way_once(cls, ways: list[Way]) -> list[Way]:
        if len(set(ways)) != len(ways):
            raise ValueError("每种方式只能出现一次")
        return ways

    @model_validator(mode="after")
    def _fits_reason(self) -> "RuleDefinition":
        if self.reason not in SURVEYS:
            if not isinstance(self.sampling, AllSampled):
                raise ValueError("回拨和整改回访不抽样，每人都要联系")
            if self.ask_every_days:
                raise ValueError("回拨和整改回访不受回访间隔限制")
        if self.reason is Reason.QUEUE_CALLBACK and self.ways != [Way.AGENT]:
            raise ValueError("排队回拨只能由坐席接待")
        if Way.SMS in self.ways and not self.questionnaire:
            raise ValueError("短信方式需要问卷")
        if Way.IVR in self.ways and not self.questionnaire:
            raise ValueError("自动外呼方式需要问卷")
        return self

    @property
    def is_survey(self) -> bool:
        """Whether etiquette and opt-out bind what comes of this rule."""
        return self.reason in SURVEYS

    @property
    def priority_now(self) -> int:
        """The rule's own priority, or that of its reason."""
        return self.priority if self.priority is not None else PRIORITY[self.reason]


class Subject(BaseModel):
    """What lies behind a callback, in words that are copied: no later stage needs another's tables."""

    model_config = ConfigDict(frozen=True)

    person: str = ""
    call_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None
    survey_id: uuid.UUID | None = None
    queue_name: str | None = None
    queued_at: datetime | None = None
    hall: str = ""
    unit: str = ""
    region: str = ""
    category: str = ""
    matter_code: str = ""
    matter: str = ""
    window: str = ""
    result: str = ""
    campaign: str = ""
    is_confidential: bool = False


def is_about(definition: RuleDefinition, subject: Subject) -> bool:
    """Say whether a rule is about a subject. Confidentiality keeps surveys away, and never a reply."""
    who = definition.who
    if subject.is_confidential and definition.is_survey and not who.with_confidential:
        return False
    named = (
        (who.halls, subject.hall),
        (who.units, subject.unit),
        (who.regions, subject.region),
        (who.categories, subject.category),
        (who.matter_codes, subject.matter_code),
        (who.results, subject.result),
        (who.queues, subject.queue_name or ""),
    )
    return all(not wanted or value in wanted for wanted, value in named)


def is_past(definition: RuleDefinition, happened_at: datetime | None, now: datetime) -> bool:
    """Say whether something is too long ago to be asked about: an office that hands in its old cases must not ring them all."""
    return happened_at is not None and happened_at + timedelta(days=definition.expires_after_days) < now


def expiry(definition: RuleDefinition, due_at: datetime) -> datetime:
    """Return when a callback that falls due at a moment is given up."""
    return due_at + timedelta(days=definition.expires_after_days)
