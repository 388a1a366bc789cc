"""The `transcription` job: after a call, its recording is heard again, party by party, and that text replaces the live one.

It computes first and writes last, in one short transaction together with the job's end: killed at any moment it leaves either the
live text or the final one, never a mixture, and its lease brings it back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import InvalidInputError, NotFoundError, UnavailableError
from core.jobs import ClaimedJob, enqueue
from core.outbox import publish
from telephony.call_state import HOLD_ENDS
from telephony.events import TranscriptReady
from telephony.models import Call, CallEvent, CallLeg, Recording, Segment, Transcript
from telephony.ports import Recognized, SpeechToText
from telephony.recordings import DELETED, LOST, MISSING
from telephony.speech.audio import read_wav
from telephony.speech.normalization import normalize
from telephony.speech.redaction import redact_segments
from telephony.speech.talk_windows import Window, spoken_part, talk_windows

log = structlog.get_logger()
QUEUE: Final = "transcription"
TASK: Final = "transcribe_call"
_SETTLE: Final = timedelta(seconds=2)  # the switch closes its files after it says that the call is over
_PATIENT_ATTEMPTS: Final = 4  # a shared folder may be away for a while; after that a missing file is a lost one
_HELD = "held"


def enqueue_transcription(session: Session, call_id: uuid.UUID, ended_at: datetime) -> None:
    """Ask for the transcription of an ended call, in the transaction that ends it."""
    enqueue(session, QUEUE, TASK, {"call_id": str(call_id)}, run_at=ended_at + _SETTLE, dedup=f"{TASK}:{call_id}")


@dataclass(frozen=True)
class _File:
    """One party's recording."""

    party: str
    path: str
    started_at: datetime
    state: str
    is_there: bool


@dataclass(frozen=True)
class _Work:
    """What must be heard, read before anything long begins."""

    call_id: uuid.UUID
    started_at: datetime
    windows: list[Window]
    recordings: list[_File]


@dataclass(frozen=True)
class _Heard:
    """What a party said, and where the recording ends too early for the whole of it."""

    segments: list[Segment]
    cut_at: datetime | None = None


@dataclass(frozen=True)
class _Result:
    """The text of the parties that could be heard, and why others could not."""

    heard: dict[str, _Heard]
    missing: dict[str, str]


class Transcriber:
    """Runs the job; the engine may take its time, the database never waits for it."""

    def __init__(
        self,
        database: Database,
        engine: SpeechToText,
        recordings: Path,
        clock: Clock,
        *,
        hotwords: Callable[[], str] = lambda: "",
    ) -> None:
        self._database, self._engine, self._recordings, self._clock = database, engine, recordings, clock
        self._hotwords = hotwords

    def run(self, job: ClaimedJob) -> None:
        """Transcribe one call; safe to run twice.

        Raises:
            UnavailableError: the engine or the recordings are away: the job is tried again.
        """
        call_id = uuid.UUID(job.args["call_id"])
        work = self._begin(call_id)
        try:
            result = self._hear(work, is_patient=job.attempts < _PATIENT_ATTEMPTS)
        except UnavailableError as error:
            self._note_failure(call_id, str(error))
            raise
        with self._database.transaction() as session:
            job.finish(session)
            self._replace(session, work, result)
        count = sum(len(heard.segments) for heard in result.heard.values())
        log.info("transcribed", call_id=str(call_id), segments=count, missing=sorted(result.missing))

    def _begin(self, call_id: uuid.UUID) -> _Work:
        with self._database.transaction() as session:
            call = session.get(Call, call_id)
            if call is None:
                raise NotFoundError(f"call {call_id}")
            self._mark(session, call_id, {"state": "running", "error": None}, kind="live")
            recordings = session.scalars(select(Recording).where(Recording.call_id == call_id)).all()
            files = [_File(r.party, r.path, r.started_at, r.state, _is_there(r)) for r in recordings]
            return _Work(call_id, call.started_at, self._windows(session, call), files)

    def _windows(self, session: Session, call: Call) -> list[Window]:
        ended_at = call.ended_at or self._clock.now()
        legs = session.scalars(select(CallLeg).where(CallLeg.call_id == call.id, CallLeg.answered_at.is_not(None))).all()
        connected = [Window(leg.answered_at, leg.ended_at or ended_at) for leg in legs if leg.answered_at is not None]
        if not connected and call.answered_at is not None:
            connected = [Window(call.answered_at, ended_at)]
        query = select(CallEvent).where(CallEvent.call_id == call.id, CallEvent.kind.in_({_HELD, *HOLD_ENDS}))
        events = [(event.at, event.kind) for event in session.scalars(query.order_by(CallEvent.at, CallEvent.id))]
        return talk_windows(connected, held_windows(events, ended_at))

    def _hear(self, work: _Work, *, is_patient: bool) -> _Result:
        heard: dict[str, _Heard] = {}
        missing: dict[str, str] = {}
        for file in work.recordings:
            if not work.windows:
                heard[file.party] = _Heard([])
                continue
            if not file.is_there:
                missing[file.party] = file.state
                continue
            try:
                audio = read_wav(self._recordings / file.path)
            except InvalidInputError as error:
                if is_patient:
                    raise UnavailableError(f"the recording cannot be read yet: {error}") from error
                missing[file.party] = str(error)
                continue
            part, offset = spoken_part(audio, file.started_at, work.windows)
            began_at = file.started_at + timedelta(seconds=offset)
            segments = _segments(work, file.party, began_at, self._engine.transcribe(part.at_16k(), self._hotwords()))
            cut_at = file.started_at + timedelta(seconds=audio.seconds) if file.state == LOST else None
            heard[file.party] = _Heard(segments, cut_at)
        return _Result(heard, missing)

    def _replace(self, session: Session, work: _Work, result: _Result) -> None:
        # The transcript's row first: live text that is being written this moment holds it, and is seen after.
        error = "; ".join(f"{party}: {why}" for party, why in sorted(result.missing.items())) or None
        values = {"kind": "final", "state": "ready", "engine": self._engine.name, "error": error}
        self._mark(session, work.call_id, values, kind="final")
        mine = Segment.call_id == work.call_id
        for party, heard in result.heard.items():
            replaced = delete(Segment).where(mine, Segment.party == party)
            session.execute(replaced if heard.cut_at is None else replaced.where(Segment.started_at < heard.cut_at))
        # Where a recording is lost the live text is all there is: from now on it counts.
        session.execute(update(Segment).where(mine, Segment.kind == "live").values(kind="final"))
        for heard in result.heard.values():
            session.add_all(heard.segments)
        publish(session, TranscriptReady(call_id=work.call_id))

    def _note_failure(self, call_id: uuid.UUID, error: str) -> None:
        with self._database.transaction() as session:
            self._mark(session, call_id, {"state": "failed", "error": error[:500]}, kind="live")

    def _mark(self, session: Session, call_id: uuid.UUID, values: dict[str, Any], *, kind: str) -> None:
        """Write the transcript's row, whether there is one or not; `kind` is what a new one gets."""
        values = values | {"updated_at": self._clock.now()}
        new = {"engine": "", "kind": kind} | values | {"call_id": call_id}
        session.execute(insert(Transcript).values(**new).on_conflict_do_update(index_elements=["call_id"], set_=values))


def _is_there(row: Recording) -> bool:
    """Whether there is something to hear: of a recording that was cut short or stood still, its beginning."""
    return row.state != DELETED and not (row.state == LOST and row.loss_reason == MISSING)


def held_windows(events: Sequence[tuple[datetime, str]], ended_at: datetime) -> list[Window]:
    """Return the holds of a call from its story, in order; a hold that never ends lasts until the call does."""
    held: list[Window] = []
    since: datetime | None = None
    for at, kind in events:
        if kind == _HELD and since is None:
            since = at
        elif kind in HOLD_ENDS and since is not None:
            held.append(Window(since, at))
            since = None
    return held + ([Window(since, ended_at)] if since is not None else [])


def _segments(work: _Work, party: str, began_at: datetime, recognized: list[Recognized]) -> list[Segment]:
    """Return rows of normalised, masked text; seconds count from the call's beginning, as live ones do."""
    texts = redact_segments([normalize(each.text) for each in recognized])
    offset = (began_at - work.started_at).total_seconds()
    return [
        Segment(
            call_id=work.call_id,
            kind="final",
            party=party,
            start_seconds=offset + each.start_seconds,
            end_seconds=offset + each.end_seconds,
            started_at=began_at + timedelta(seconds=each.start_seconds),
            text=text,
            hops={},
        )
        for each, text in zip(recognized, texts, strict=True)
        if text
    ]
