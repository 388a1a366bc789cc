"""A callback, an attempt, a rule and an opt-out as others see them. Numbers are whole: whoever shows them masks them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callback.models import Callback, CallbackAttempt, OptOut
from callback.rule import SURVEYS, Reason, RuleDefinition, Way


@dataclass(frozen=True)
class CallbackView:
    """A callback. `why` says why it was cancelled, given up or put off; `asked_at` is the time that the citizen asked for."""

    callback_id: uuid.UUID
    natural_key: str
    reason: Reason
    state: str
    disposition: str
    why: str
    phone: str
    person: str
    ways: tuple[Way, ...]
    way_no: int
    priority: int
    next_at: datetime
    asked_at: datetime | None
    promised_by: datetime | None
    expires_at: datetime | None
    contacted_at: datetime | None
    attempt_count: int
    weight: float
    stratum: str
    rule_version_id: uuid.UUID | None
    questionnaire_version_id: uuid.UUID | None
    call_id: uuid.UUID | None
    case_id: uuid.UUID | None
    survey_id: uuid.UUID | None
    campaign: str
    queue_name: str
    queued_at: datetime | None
    hall: str
    unit: str
    region: str
    category: str
    matter_code: str
    matter: str
    window: str
    held_by: uuid.UUID | None
    held_until: datetime | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def way(self) -> Way:
        """The way that is tried now."""
        return self.ways[min(self.way_no, len(self.ways) - 1)]

    @property
    def is_survey(self) -> bool:
        """Whether we want something of the citizen; otherwise we owe them a reply."""
        return self.reason in SURVEYS

    @property
    def is_open(self) -> bool:
        """Whether it is still owed."""
        return self.state == "owed"


@dataclass(frozen=True)
class AttemptView:
    """One try. `ended_at` is when the line was free again; the disposition may come before or after it."""

    attempt_id: uuid.UUID
    callback_id: uuid.UUID
    attempt_no: int
    way: Way
    phone: str
    state: str
    disposition: str
    cause: str
    agent_id: uuid.UUID | None
    call_id: uuid.UUID | None
    survey_id: uuid.UUID | None
    planned_at: datetime
    dialled_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Brief:
    """What somebody who speaks with the person must know: the callback behind an attempt, and what is asked."""

    attempt: AttemptView
    callback: CallbackView
    questionnaire_version_id: uuid.UUID | None


@dataclass(frozen=True)
class ListedCallback:
    """A callback in an agent's list: whether it may be rung now, else from when and why not (a `Hindrance`)."""

    callback: CallbackView
    may_ring: bool
    may_ring_at: datetime | None = None
    why_not: str = ""
    last_attempt: AttemptView | None = None


@dataclass(frozen=True)
class RuleView:
    """A rule in one version."""

    rule_id: uuid.UUID
    key: str
    is_active: bool
    version_id: uuid.UUID
    version_no: int
    definition: RuleDefinition
    author: str
    created_at: datetime


@dataclass(frozen=True)
class PreviewRow:
    """One person on one day: rung or not, when, by which way, and why (not). `why` is a `Hindrance`, or empty when rung."""

    is_rung: bool
    at: datetime | None
    way: Way
    why: str
    reason: Reason
    phone: str
    person: str
    rule_key: str
    rule_version_no: int
    matter: str = ""
    unit: str = ""
    campaign: str = ""
    callback_id: uuid.UUID | None = None
    call_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Preview:
    """Who is rung on a day and who is not; `counts` by `why`, of all and not only of the rows shown.

    Where there is too much to look at, `is_whole` is false: the most urgent, or the latest, were looked at.
    """

    rows: list[PreviewRow]
    rung_count: int
    counts: dict[str, int]
    is_whole: bool = True


@dataclass(frozen=True)
class CampaignReport:
    """What became of a list of numbers: `refused` are the rows that are none, as (row number, text)."""

    name: str
    created: int
    unchanged: int
    refused: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class CampaignView:
    """A campaign in numbers."""

    name: str
    started_at: datetime
    total: int
    open_count: int
    done_count: int
    given_up_count: int


@dataclass(frozen=True)
class OptOutView:
    """A number that wants no surveys; `lifted_at` when its person said otherwise."""

    opt_out_id: uuid.UUID
    phone: str
    source: str
    note: str
    at: datetime
    lifted_at: datetime | None
    lifted_by: str


def callback_view(row: Callback) -> CallbackView:
    """Return a row as others see it."""
    return CallbackView(
        callback_id=row.id,
        natural_key=row.natural_key,
        reason=Reason(row.reason),
        state=row.state,
        disposition=row.disposition or "",
        why=row.why,
        phone=row.phone,
        person=row.person,
        ways=tuple(Way(way) for way in row.ways),
        way_no=row.way_no,
        priority=row.priority,
        next_at=row.next_at,
        asked_at=row.asked_at,
        promised_by=row.promised_by,
        expires_at=row.expires_at,
        contacted_at=row.contacted_at,
        attempt_count=row.attempt_count,
        weight=row.weight,
        stratum=row.stratum,
        rule_version_id=row.rule_version_id,
        questionnaire_version_id=row.questionnaire_version_id,
        call_id=row.call_id,
        case_id=row.case_id,
        survey_id=row.survey_id,
        campaign=row.campaign,
        queue_name=row.queue_name or "",
        queued_at=row.queued_at,
        hall=row.hall,
        unit=row.unit,
        region=row.region,
        category=row.category,
        matter_code=row.matter_code,
        matter=row.matter,
        window=row.window,
        held_by=row.held_by,
        held_until=row.held_until,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def attempt_view(row: CallbackAttempt) -> AttemptView:
    """Return a row as others see it."""
    return AttemptView(
        attempt_id=row.id,
        callback_id=row.callback_id,
        attempt_no=row.attempt_no,
        way=Way(row.way),
        phone=row.phone,
        state=row.state,
        disposition=row.disposition or "",
        cause=row.cause,
        agent_id=row.agent_id,
        call_id=row.call_id,
        survey_id=row.survey_id,
        planned_at=row.planned_at,
        dialled_at=row.dialled_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
    )


def opt_out_view(row: OptOut) -> OptOutView:
    """Return a row as others see it."""
    return OptOutView(row.id, row.phone, row.source, row.note, row.at, row.lifted_at, row.lifted_by or "")
