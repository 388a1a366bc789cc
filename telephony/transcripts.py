"""Live text as rows and events: what the speech side hears, kept beside the call it belongs to."""

import uuid
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from core.errors import ConflictError
from core.outbox import publish
from telephony.door import Door
from telephony.events import SegmentHeard, SpeechStarted, TranscriptLagged
from telephony.models import Call, Segment, Transcript
from telephony.reads import UnknownCallError
from telephony.speech.live_writer import LiveSegment


class TranscriptFinalError(ConflictError):
    """The transcript from the recording is there: live text comes too late."""


class TranscriptActions(Door):
    """The part of the front door that hears; it is the speech side's `TranscriptSink`."""

    def on_speech_started(self, call_id: uuid.UUID, party: str, started_at: datetime) -> None:
        """Tell that a party began to speak."""
        with self._database.transaction() as session:
            publish(session, SpeechStarted(call_id=call_id, party=party, started_at=started_at))

    def on_segment(self, segment: LiveSegment) -> None:
        """Keep a segment and tell of it, in one commit; the same one again changes nothing.

        Raises:
            UnknownCallError: there is no such call.
            TranscriptFinalError: the final transcript is there already.
        """
        with self._database.transaction() as session:
            if session.get(Call, segment.call_id) is None:
                raise UnknownCallError(segment.call_id)
            values = {"call_id": segment.call_id, "kind": "live", "state": "live", "updated_at": self._clock.now()}
            session.execute(insert(Transcript).values(**values).on_conflict_do_nothing())
            kind = session.scalar(select(Transcript.kind).where(Transcript.call_id == segment.call_id).with_for_update(read=True))
            if kind == "final":
                raise TranscriptFinalError(str(segment.call_id))
            row = insert(Segment).values(
                id=segment.segment_id,
                call_id=segment.call_id,
                kind="live",
                party=segment.party,
                start_seconds=segment.start_seconds,
                end_seconds=segment.end_seconds,
                started_at=segment.started_at,
                text=segment.text,
                lag_seconds=segment.lag_seconds,
                hops=segment.hops,
            )
            if session.execute(row.on_conflict_do_nothing().returning(Segment.id)).first() is not None:
                publish(session, SegmentHeard(call_id=segment.call_id, segment_id=segment.segment_id, party=segment.party))

    def on_amendment(self, call_id: uuid.UUID, segment_id: uuid.UUID, text: str) -> None:
        """Replace a segment's text by one that is masked further, and tell of it."""
        with self._database.transaction() as session:
            party = session.scalar(update(Segment).where(Segment.id == segment_id).values(text=text).returning(Segment.party))
            if party is not None:
                publish(session, SegmentHeard(call_id=call_id, segment_id=segment_id, party=party, is_amended=True))

    def on_lag(self, call_id: uuid.UUID, seconds: float, shed_count: int) -> None:
        """Tell how far live text is behind."""
        with self._database.transaction() as session:
            publish(session, TranscriptLagged(call_id=call_id, seconds=seconds, shed_count=shed_count))

    def citizen_tail(self, call_id: uuid.UUID, characters: int = 45) -> str:
        """Return the end of what the citizen has said so far, as one text."""
        query = (
            select(Segment.text)
            .where(Segment.call_id == call_id, Segment.party == "citizen")
            .order_by(Segment.start_seconds.desc())
            .limit(20)
        )
        with self._database.transaction() as session:
            texts = list(session.scalars(query))
        return "".join(reversed(texts))[-characters:]
