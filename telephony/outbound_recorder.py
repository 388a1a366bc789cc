"""Writes what becomes of calls that we placed, and tells of it: each step once, whoever brings it and however often."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.outbox import publish
from telephony.events import OutboundAnswered, OutboundEnded
from telephony.models import OutboundDial
from telephony.ports import OutboundResult, OutboundTrace


class OutboundRecorder:
    """Works within one session."""

    def __init__(self, session: Session, node: str) -> None:
        self._session = session
        self._node = node

    def get(self, attempt_id: uuid.UUID | None) -> OutboundDial | None:
        """Return the row of an attempt of this node, locked; None when we did not ask for it."""
        if attempt_id is None:
            return None
        row = self._session.get(OutboundDial, attempt_id, with_for_update=True)
        return row if row is not None and row.node == self._node else None

    def of_channel(self, unique_id: str) -> OutboundDial | None:
        """Return the row of a citizen's channel, locked."""
        query = select(OutboundDial).where(OutboundDial.node == self._node, OutboundDial.unique_id == unique_id)
        return self._session.scalar(query.with_for_update()) if unique_id else None

    def dialled(self, row: OutboundDial, at: datetime) -> None:
        """Note that the citizen's telephone was rung."""
        row.dialled_at = row.dialled_at or at

    def answered(self, row: OutboundDial, at: datetime, unique_id: str = "") -> None:
        """Note that the citizen picked up."""
        row.dialled_at = row.dialled_at or at
        row.unique_id = row.unique_id or unique_id
        if row.answered_at is None and row.ended_at is None:
            row.answered_at = at
            publish(self._session, OutboundAnswered(call_id=row.call_id, attempt_id=row.attempt_id))

    def end(self, row: OutboundDial, at: datetime, result: OutboundResult, cause: str) -> None:
        """Note the end; the first one told counts."""
        if row.ended_at is not None:
            return
        if result is OutboundResult.ANSWERED:
            self.answered(row, at)
        row.ended_at, row.result, row.cause = at, result, cause
        seconds = max(0.0, (at - row.answered_at).total_seconds()) if row.answered_at else None
        publish(
            self._session,
            OutboundEnded(call_id=row.call_id, attempt_id=row.attempt_id, result=result, cause=cause, answered_seconds=seconds),
        )

    def follow(self, row: OutboundDial, trace: OutboundTrace) -> None:
        """Note what the exchange noted."""
        if trace.dialled_at is not None:
            self.dialled(row, trace.dialled_at)
        if trace.answered_at is not None:
            self.answered(row, trace.answered_at, trace.unique_id)
        if trace.ended_at is not None and trace.result is not None:
            self.end(row, trace.ended_at, trace.result, trace.cause)
