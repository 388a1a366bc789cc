"""Text messages as they are asked for, seen, and decided on by a person."""

from __future__ import annotations

import uuid
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.clock import Clock, local_date
from core.database import Database, new_id
from core.errors import InvalidInputError
from core.jobs import enqueue
from core.phone import is_mobile, normalise_phone
from workorder.models import SmsDay, SmsMessage
from workorder.sms_hours import next_allowed
from workorder.sms_rules import SmsRules
from workorder.sms_state import SmsInput, SmsState, next_state
from workorder.sms_text import SmsTooLongError, compose
from workorder.sms_view import (
    Decision,
    NotSmsNumberError,
    ResolvedAlreadyError,
    SmsFilter,
    SmsNotFoundError,
    SmsPage,
    SmsToday,
    SmsView,
)

QUEUE = "sms"
SEND = "send_sms"
_SHOWN = [field.name for field in fields(SmsView) if field.name != "message_id"]
_LONGEST_REFERENCE = 200


class Messages:
    """Keeps and finds text messages."""

    def __init__(self, database: Database, clock: Clock, rules: SmsRules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    def send(
        self,
        reference: str,
        phone: str,
        body: str,
        purpose: str,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
        session: Session | None = None,
    ) -> uuid.UUID:
        """Queue a message, once for each reference, in the caller's transaction when a session is given; return its id."""
        if session is None:
            with self._database.transaction() as own:
                return self.send(reference, phone, body, purpose, not_before, expires_at, own)
        if not reference or len(reference) > _LONGEST_REFERENCE:
            raise InvalidInputError("短信要有一个不太长的参考号")
        number = normalise_phone(phone)
        if not (is_mobile(number) or number.startswith("+")):
            raise NotSmsNumberError
        text = compose(body, self._rules.signature)
        if self._rules.daily_cap and len(text.parts) > self._rules.daily_cap:
            raise SmsTooLongError(len(text.parts))
        now = self._clock.now()
        send_after = next_allowed(max(now, not_before or now), self._rules.quiet)
        values = {
            "id": new_id(),
            "reference": reference,
            "purpose": purpose,
            "phone": number,
            "body": text.text,
            "state": SmsState.QUEUED,
            "part_count": len(text.parts),
            "send_after": send_after,
            "expires_at": expires_at or max(now, not_before or now) + self._rules.expires_after,
            "created_at": now,
        }
        query = insert(SmsMessage).values(values).on_conflict_do_nothing(index_elements=["reference"])
        made = session.execute(query.returning(SmsMessage.id)).scalar()
        if made is None:
            return session.scalars(select(SmsMessage.id).where(SmsMessage.reference == reference)).one()
        enqueue_sending(session, made, send_after)
        return made

    def get(self, message_id: uuid.UUID) -> SmsView:
        """Return one message."""
        with self._database.transaction() as session:
            row = session.get(SmsMessage, message_id)
            if row is None:
                raise SmsNotFoundError(str(message_id))
            return _view(row)

    def find(self, wanted: SmsFilter, offset: int, limit: int) -> SmsPage:
        """Return the messages that fit, the newest first."""
        conditions = _conditions(wanted)
        with self._database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(SmsMessage).where(*conditions)) or 0
            newest = select(SmsMessage).where(*conditions).order_by(SmsMessage.created_at.desc(), SmsMessage.id.desc())
            return SmsPage([_view(row) for row in session.scalars(newest.offset(offset).limit(limit))], total)

    def today(self) -> SmsToday:
        """Return how today stands."""
        day = local_date(self._clock.now())
        waiting = (SmsState.QUEUED, SmsState.SUBMITTING, SmsState.UNKNOWN)
        with self._database.transaction() as session:
            used = session.scalar(select(SmsDay.part_count).where(SmsDay.day == day)) or 0
            query = select(SmsMessage.state, func.count()).where(SmsMessage.state.in_(waiting)).group_by(SmsMessage.state)
            counts = {row[0]: row[1] for row in session.execute(query)}
        return SmsToday(used, self._rules.daily_cap, counts)

    def resolve_unknown(self, message_id: uuid.UUID, decision: Decision, actor: str) -> SmsView:
        """Settle a parked message: it was sent after all, or is to be sent again (only the parts that were not surely taken)."""
        if decision not in ("sent", "resend"):
            raise InvalidInputError("只能选“已发出”或“重发”")
        with self._database.transaction() as session:
            row = session.get(SmsMessage, message_id, with_for_update=True)
            if row is None:
                raise SmsNotFoundError(str(message_id))
            if row.state != SmsState.UNKNOWN:
                raise ResolvedAlreadyError(row.state)
            row.finished_at = row.error = None
            if decision == "sent":
                row.state = next_state(row.state, SmsInput.ACCEPT)
            else:
                now = self._clock.now()
                row.state = next_state(row.state, SmsInput.RESEND)
                row.send_after = next_allowed(now, self._rules.quiet)
                # The person decided now: what ran out while the message was parked begins anew.
                row.expires_at = max(row.expires_at or now, now + self._rules.expires_after)
                enqueue_sending(session, row.id, row.send_after)
            audit.record(session, actor, "sms.resolved", f"sms:{row.id}", {"decision": decision})
            return _view(row)


def enqueue_sending(session: Session, message_id: uuid.UUID, run_at: datetime) -> None:
    """Have a worker send a message at a time; waiting jobs of the same message are one."""
    enqueue(session, QUEUE, SEND, {"message_id": str(message_id)}, run_at=run_at, dedup=f"sms:{message_id}")


def _conditions(wanted: SmsFilter) -> list[ColumnElement[bool]]:
    exact = ((name, getattr(wanted, name)) for name in ("state", "purpose", "phone", "reference"))
    conditions: list[ColumnElement[bool]] = [getattr(SmsMessage, name) == value for name, value in exact if value]
    if wanted.phone_tail:
        conditions.append(SmsMessage.phone.endswith(wanted.phone_tail, autoescape=True))
    if wanted.created_from:
        conditions.append(SmsMessage.created_at >= wanted.created_from)
    if wanted.created_before:
        conditions.append(SmsMessage.created_at < wanted.created_before)
    return conditions


def _view(row: SmsMessage) -> SmsView:
    return SmsView(message_id=row.id, **{name: getattr(row, name) for name in _SHOWN})
