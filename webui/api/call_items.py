"""What the API tells of a call."""

import uuid
from typing import Self

from pydantic import Field

from core.privacy import mask_phone
from telephony.reads import CallView
from webui.api.fields import Moment, Told
from webui.api.suggestion_items import SuggestionItem


class CallItem(Told):
    """A call in a list. Seconds are null until they are known; a confidential caller's number is always empty."""

    call_id: uuid.UUID
    number: str
    caller_number: str
    is_number_masked: bool = True
    queue_name: str
    queue_title: str
    state: str
    outcome: str
    cause: str
    agent_number: str
    agent_name: str
    started_at: Moment
    queued_at: Moment | None
    answered_at: Moment | None
    ended_at: Moment | None
    waiting_seconds: float | None
    talking_seconds: float | None
    hold_seconds: float

    @classmethod
    def of(cls, view: CallView, is_whole: bool = False) -> Self:
        """Return a call with the caller's number masked, unless the asker was let to see it whole."""
        item = cls.model_validate(view)
        number = "" if view.is_confidential else view.caller_number if is_whole else mask_phone(view.caller_number)
        return item.model_copy(update={"caller_number": number, "is_number_masked": not is_whole})


class CallList(Told):
    """A page of calls, newest first."""

    items: list[CallItem]
    page: int
    size: int
    total: int


class SegmentItem(Told):
    """One utterance. Seconds count from the beginning of the call; identity, phone and card numbers are masked."""

    segment_id: uuid.UUID
    kind: str
    party: str
    start_seconds: float
    end_seconds: float
    started_at: Moment
    text: str
    lag_seconds: float | None


class EventItem(Told):
    """One line of the call's story. Its particulars name channels and numbers: they stay inside."""

    at: Moment
    kind: str


class RecordingItem(Told):
    """One party's recording: state is recording, kept, lost or deleted. The sound itself is played on the page."""

    party: str
    state: str
    started_at: Moment
    seconds: float | None
    loss_reason: str


class NoteItem(Told):
    """What the agent wrote."""

    kind: str
    category: str
    note: str
    disposition: str


class AdoptionItem(Told):
    """An answer that the agent gave from the knowledge base."""

    suggestion_id: uuid.UUID
    article_id: uuid.UUID
    title: str
    revision_no: int
    at: Moment


class CallDetail(CallItem):
    """A call with everything that is kept of it."""

    transcript_kind: str
    transcript_state: str
    note: NoteItem
    segments: list[SegmentItem] = Field(default_factory=list)
    suggestions: list[SuggestionItem] = Field(default_factory=list)
    adoptions: list[AdoptionItem] = Field(default_factory=list)
    events: list[EventItem] = Field(default_factory=list)
    recordings: list[RecordingItem] = Field(default_factory=list)
