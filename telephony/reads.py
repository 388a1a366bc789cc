"""Read-only questions about calls: one call, its story, a page of calls, the history of a number. Changes nothing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import NotFoundError
from telephony.models import Agent, Call, CallEvent, CallLeg, CallNote, Queue, Recording, Segment, Transcript, note_parts


class UnknownCallError(NotFoundError):
    """There is no such call."""

    def __init__(self, call_id: object) -> None:
        super().__init__(str(call_id))
        self.call_id = call_id


class UnknownRecordingError(NotFoundError):
    """The call has no recording of this party."""


@dataclass(frozen=True)
class CallFilter:
    """Which calls to list; what is empty does not matter. `agent_id` set means: only calls that agent answered."""

    started_from: datetime | None = None
    started_before: datetime | None = None
    caller_number: str = ""
    caller_tail: str = ""
    call_number: str = ""
    queue_name: str = ""
    agent_id: uuid.UUID | None = None
    outcome: str = ""
    disposition: str | None = None
    text: str = ""
    min_talking_seconds: float | None = None
    max_talking_seconds: float | None = None
    without_recording: bool = False


@dataclass(frozen=True)
class NoteView:
    """What the agent wrote."""

    kind: str = ""
    category: str = ""
    note: str = ""
    disposition: str = ""
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    parts: tuple[tuple[str, str], ...] = ()

    def own(self, agent_id: uuid.UUID | None) -> str:
        """Return what one agent wrote."""
        return dict(self.parts).get(str(agent_id), "")

    def others(self, agent_id: uuid.UUID | None) -> str:
        """Return what the other agents of the call wrote."""
        return "\n".join(text for author, text in self.parts if author != str(agent_id))


@dataclass(frozen=True)
class CallView:
    """A call as pages show it. The caller's number is whole: whoever shows it masks it."""

    call_id: uuid.UUID
    number: str
    caller_number: str
    caller_name: str
    queue_name: str
    queue_title: str
    state: str
    outcome: str
    cause: str
    agent_id: uuid.UUID | None
    agent_number: str
    agent_name: str
    started_at: datetime
    queued_at: datetime | None
    answered_at: datetime | None
    held_at: datetime | None
    ended_at: datetime | None
    waiting_seconds: float | None
    talking_seconds: float | None
    hold_seconds: float
    is_confidential: bool
    direction: str = "in"
    note: NoteView = field(default_factory=NoteView)
    transcript_kind: str = ""
    transcript_state: str = ""
    transcript_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether the call goes on."""
        return self.ended_at is None


@dataclass(frozen=True)
class CallPage:
    """Some of the calls that fit, how many fit, and their average talking time."""

    calls: list[CallView]
    total: int
    average_talking_seconds: float | None


@dataclass(frozen=True)
class SegmentView:
    """One utterance; text is masked already."""

    segment_id: uuid.UUID
    call_id: uuid.UUID
    kind: str
    party: str
    start_seconds: float
    end_seconds: float
    started_at: datetime
    text: str
    lag_seconds: float | None


@dataclass(frozen=True)
class EventView:
    """One line of a call's story."""

    at: datetime
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class RecordingView:
    """One party's recording; `path` is relative to the recordings folder."""

    call_id: uuid.UUID
    party: str
    path: str
    started_at: datetime
    seconds: float | None
    state: str
    loss_reason: str


_CALL_COLUMNS = (
    select(Call, Queue.title, Agent.number, Agent.name, CallNote, Transcript)
    .outerjoin(Queue, Queue.name == Call.queue_name)
    .outerjoin(Agent, Agent.id == Call.agent_id)
    .outerjoin(CallNote, CallNote.call_id == Call.id)
    .outerjoin(Transcript, Transcript.call_id == Call.id)
)


class CallReads:
    """Answers questions about calls."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def get_call(self, call_id: uuid.UUID) -> CallView:
        """Return one call.

        Raises:
            UnknownCallError: there is none.
        """
        with self._database.transaction() as session:
            row = session.execute(_CALL_COLUMNS.where(Call.id == call_id)).first()
        if row is None:
            raise UnknownCallError(call_id)
        return _call_view(row)

    def call_of_channel(self, node: str, unique_id: str) -> CallView | None:
        """Return the call of a citizen's channel, running or just ended."""
        with self._database.transaction() as session:
            row = session.execute(_CALL_COLUMNS.where(Call.node == node, Call.unique_id == unique_id)).first()
        return _call_view(row) if row else None

    def running_call(self, agent_id: uuid.UUID) -> CallView | None:
        """Return the call that rings at an agent or that they are in."""
        with self._database.transaction() as session:
            call_id = session.scalar(select(Agent.call_id).where(Agent.id == agent_id))
            if call_id is None:
                return None
            row = session.execute(_CALL_COLUMNS.where(Call.id == call_id)).first()
        return _call_view(row) if row else None

    def last_answered_call(self, agent_id: uuid.UUID) -> CallView | None:
        """Return the call that the agent answered last: the one that after-call work is about, also when it was passed on."""
        leg = select(CallLeg.call_id).where(CallLeg.agent_id == agent_id, CallLeg.answered_at.is_not(None))
        newest = leg.order_by(CallLeg.answered_at.desc()).limit(1).scalar_subquery()
        with self._database.transaction() as session:
            row = session.execute(_CALL_COLUMNS.where(Call.id == newest)).first()
        return _call_view(row) if row else None

    def list_calls(self, wanted: CallFilter, offset: int = 0, limit: int = 50) -> CallPage:
        """Return the calls that fit, newest first."""
        condition = and_(true(), *_conditions(wanted))
        # A note is needed by some conditions; the join doubles no row, for it is one to one.
        counted = (
            select(func.count(), func.avg(Call.talking_seconds))
            .select_from(Call)
            .outerjoin(CallNote, CallNote.call_id == Call.id)
            .where(condition)
        )
        rows = _CALL_COLUMNS.where(condition).order_by(Call.started_at.desc(), Call.id.desc()).offset(offset).limit(limit)
        with self._database.transaction() as session:
            total, average = session.execute(counted).one()
            calls = [_call_view(row) for row in session.execute(rows)]
        return CallPage(calls, total, float(average) if average is not None else None)

    def segments(self, call_id: uuid.UUID) -> list[SegmentView]:
        """Return the text that counts, in order: from the recording once it is there, live before."""
        with self._database.transaction() as session:
            return [_segment_view(row) for row in session.scalars(_segments_query(session, call_id))]

    def segment(self, segment_id: uuid.UUID) -> SegmentView | None:
        """Return one segment, or None when it was replaced meanwhile."""
        with self._database.transaction() as session:
            row = session.get(Segment, segment_id)
            return _segment_view(row) if row else None

    def call_events(self, call_id: uuid.UUID) -> list[EventView]:
        """Return the call's story, oldest first."""
        query = select(CallEvent).where(CallEvent.call_id == call_id).order_by(CallEvent.at, CallEvent.id)
        with self._database.transaction() as session:
            return [EventView(row.at, row.kind, row.detail) for row in session.scalars(query)]

    def recordings(self, call_id: uuid.UUID) -> list[RecordingView]:
        """Return the recordings of a call, the citizen's first."""
        query = select(Recording).where(Recording.call_id == call_id).order_by(Recording.party.desc())
        with self._database.transaction() as session:
            return [_recording_view(row) for row in session.scalars(query)]

    def recording(self, call_id: uuid.UUID, party: str) -> RecordingView:
        """Return one party's recording.

        Raises:
            UnknownRecordingError: there is none.
        """
        for view in self.recordings(call_id):
            if view.party == party:
                return view
        raise UnknownRecordingError(f"{call_id}/{party}")

    def calls_of_number(self, caller_number: str, since: datetime, but: uuid.UUID | None = None, limit: int = 50) -> CallPage:
        """Return earlier calls from a number, newest first; none for a withheld number."""
        condition = Call.caller_number == caller_number if caller_number else false()
        condition = and_(condition, Call.started_at >= since, Call.id != but if but else Call.id.is_not(None))
        query = _CALL_COLUMNS.where(condition).order_by(Call.started_at.desc()).limit(limit)
        with self._database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(Call).where(condition)) or 0
            return CallPage([_call_view(row) for row in session.execute(query)], total, None)

    def rang_at(self, call_id: uuid.UUID, agent_id: uuid.UUID) -> datetime | None:
        """Return when the call last began to ring at an agent."""
        query = select(func.max(CallLeg.rang_at)).where(CallLeg.call_id == call_id, CallLeg.agent_id == agent_id)
        with self._database.transaction() as session:
            return session.scalar(query)

    def has_taken_part(self, call_id: uuid.UUID, agent_id: uuid.UUID) -> bool:
        """Say whether the call is the agent's own: rung at their line, or answered by them."""
        return self.rang_at(call_id, agent_id) is not None

    def queues(self) -> list[tuple[str, str]]:
        """Return every queue as (name, title)."""
        with self._database.transaction() as session:
            return [(row.name, row.title) for row in session.scalars(select(Queue).order_by(Queue.title))]

    def categories(self, limit: int = 200) -> list[str]:
        """Return the categories that agents have used, most used first."""
        query = (
            select(CallNote.category)
            .where(CallNote.category != "")
            .group_by(CallNote.category)
            .order_by(func.count().desc(), CallNote.category)
            .limit(limit)
        )
        with self._database.transaction() as session:
            return list(session.scalars(query))


def took_part(agent_id: uuid.UUID) -> ColumnElement[bool]:
    """Return the condition that an agent spoke in a call, also when they passed it on."""
    spoke = select(CallLeg.id).where(CallLeg.call_id == Call.id, CallLeg.agent_id == agent_id, CallLeg.answered_at.is_not(None))
    return or_(Call.agent_id == agent_id, spoke.exists())


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that a column holds a text somewhere; signs of LIKE mean themselves."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    condition: ColumnElement[bool] = column.ilike(f"%{escaped}%", escape="\\")
    return condition


def _conditions(wanted: CallFilter) -> Sequence[ColumnElement[bool]]:
    return [*_plain_conditions(wanted), *_written_conditions(wanted)]


def _plain_conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.started_from is not None:
        found.append(Call.started_at >= wanted.started_from)
    if wanted.started_before is not None:
        found.append(Call.started_at < wanted.started_before)
    if wanted.min_talking_seconds is not None:
        found.append(Call.talking_seconds >= wanted.min_talking_seconds)
    if wanted.max_talking_seconds is not None:
        found.append(Call.talking_seconds <= wanted.max_talking_seconds)
    if wanted.caller_tail:
        found.append(Call.caller_number.endswith(wanted.caller_tail, autoescape=True))
    if wanted.agent_id is not None:
        found.append(took_part(wanted.agent_id))
    exact = ((wanted.caller_number, Call.caller_number), (wanted.call_number, Call.number), (wanted.queue_name, Call.queue_name))
    found.extend(column == value for value, column in exact if value)
    return found


def _written_conditions(wanted: CallFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.outcome == "running":
        found.append(Call.ended_at.is_(None))
    elif wanted.outcome:
        found.append(Call.outcome == wanted.outcome)
    if wanted.disposition is not None:
        found.append(func.coalesce(CallNote.disposition, "") == wanted.disposition)
        found.append(Call.outcome == "answered")
    if wanted.without_recording:
        found.append(select(Recording.id).where(Recording.call_id == Call.id, Recording.state == "lost").exists())
    if wanted.text:
        said = select(Segment.id).where(Segment.call_id == Call.id, contains(Segment.text, wanted.text)).exists()
        found.append(or_(said, contains(CallNote.note, wanted.text), contains(CallNote.category, wanted.text)))
    return found


def _segments_query(session: Session, call_id: uuid.UUID) -> Select[Segment]:
    kinds = set(session.scalars(select(Segment.kind).where(Segment.call_id == call_id).distinct()))
    kind = session.scalar(select(Transcript.kind).where(Transcript.call_id == call_id)) or "live"
    # A final transcript may rightly be empty, but never hides live text that it did not yet replace.
    chosen = kind if kind in kinds else next(iter(kinds), kind)
    return select(Segment).where(Segment.call_id == call_id, Segment.kind == chosen).order_by(Segment.started_at, Segment.id)


def _call_view(row: Any) -> CallView:
    call, queue_title, agent_number, agent_name, note, transcript = row
    return CallView(
        call_id=call.id,
        number=call.number,
        caller_number=call.caller_number,
        caller_name="" if call.is_confidential else call.caller_name,
        queue_name=call.queue_name or "",
        queue_title=queue_title or call.queue_name or "",
        state=call.state,
        outcome=call.outcome or "",
        cause=call.cause or "",
        agent_id=call.agent_id,
        agent_number=agent_number or "",
        agent_name=agent_name or "",
        started_at=call.started_at,
        queued_at=call.queued_at,
        answered_at=call.answered_at,
        held_at=call.held_at,
        ended_at=call.ended_at,
        waiting_seconds=call.waiting_seconds,
        talking_seconds=call.talking_seconds,
        hold_seconds=call.hold_seconds,
        is_confidential=call.is_confidential,
        direction=call.direction,
        note=_note_view(note) if note else NoteView(),
        transcript_kind=transcript.kind if transcript else "",
        transcript_state=transcript.state if transcript else "",
        transcript_at=transcript.updated_at if transcript else None,
    )


def _note_view(row: CallNote) -> NoteView:
    parts = tuple(note_parts(row))
    return NoteView(row.kind, row.category, row.note, row.disposition, row.updated_at, row.finished_at, parts)


def _segment_view(row: Segment) -> SegmentView:
    return SegmentView(
        row.id, row.call_id, row.kind, row.party, row.start_seconds, row.end_seconds, row.started_at, row.text, row.lag_seconds
    )


def _recording_view(row: Recording) -> RecordingView:
    return RecordingView(row.call_id, row.party, row.path, row.started_at, row.seconds, row.state, row.loss_reason or "")
