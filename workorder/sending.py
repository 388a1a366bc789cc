"""Takes queued messages to the gateway, each at most once without a person, and settles them by their receipts.

A message is marked `submitting` in a transaction of its own before the gateway hears of it, so that a worker that dies in
between leaves a trace: such a message is parked as unknown, never sent again by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import Clock, local_date
from core.database import Database, new_id
from core.outbox import publish
from workorder.events import SmsFinished
from workorder.messages import enqueue_sending
from workorder.models import SmsDay, SmsMessage, SmsPart
from workorder.ports import Outcome, OutgoingSms, Receipt, SmsGateway, SubmitResult, TakenPart
from workorder.sms_hours import next_allowed, next_day
from workorder.sms_rules import SmsRules
from workorder.sms_state import FINISHED, MOVES, WHOLE, ReceiptStatus, SmsInput, SmsState, next_state, verdict
from workorder.sms_text import split

log = structlog.get_logger()
_FIRST_PAUSE_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 900.0
# Longer than any try of a gateway lasts: whoever took the message is dead.
_LOST_AFTER = timedelta(minutes=5)
_OVERLOOKED_AFTER = timedelta(minutes=10)
_BATCH = 500
_INPUTS = {
    Outcome.TAKEN: SmsInput.ACCEPT,
    Outcome.REFUSED: SmsInput.REFUSE,
    Outcome.LATER: SmsInput.POSTPONE,
    Outcome.UNKNOWN: SmsInput.LOSE,
}


class Sending:
    """Sends, and hears what became of it."""

    def __init__(self, database: Database, clock: Clock, rules: SmsRules) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules

    def send_queued(self, gateway: SmsGateway, message_id: uuid.UUID) -> None:
        """Take one message to the gateway if it is due and allowed now; safe to run twice."""
        taken = self._take(gateway, message_id)
        if taken is None:
            return
        message, day = taken
        result = gateway.submit(message)
        log.info("sms_submitted", message_id=str(message_id), outcome=result.outcome, error=result.error[:100])
        self._record(gateway, message, day, result)

    def record_receipt(self, receipt: Receipt) -> None:
        """Keep what a gateway tells of a part, whenever it comes, and settle its message when that is decided."""
        if receipt.status is ReceiptStatus.ON_THE_WAY:
            return
        with self._database.transaction() as session:
            message_id = self._known(session, receipt.reference)
            values = {
                "id": new_id(),
                "gateway": receipt.gateway,
                "gateway_id": receipt.gateway_id,
                "message_id": message_id,
                "part_no": WHOLE if message_id else None,
                "receipt": receipt.status,
                "received_at": self._clock.now(),
            }
            # The first final word counts: networks repeat themselves, and now and then change their mind.
            settled = {
                "receipt": func.coalesce(SmsPart.receipt, receipt.status),
                "received_at": func.coalesce(SmsPart.received_at, values["received_at"]),
                "message_id": func.coalesce(SmsPart.message_id, message_id),
                "part_no": func.coalesce(SmsPart.part_no, values["part_no"]),
            }
            query = insert(SmsPart).values(values).on_conflict_do_update(index_elements=["gateway", "gateway_id"], set_=settled)
            owner = session.execute(query.returning(SmsPart.message_id)).scalar()
            if owner is not None:
                row = session.get_one(SmsMessage, owner, with_for_update=True)
                self._settle(session, row, receipt.detail)

    def tidy(self) -> int:
        """Fail what ran out, park what a dead worker left, wake what was overlooked; return how many messages moved."""
        now = self._clock.now()
        moved = 0
        with self._database.transaction() as session:
            for row in _some(session, SmsMessage.state == SmsState.QUEUED, SmsMessage.expires_at <= now):
                self._move(session, row, SmsInput.EXPIRE, "expired")
                moved += 1
            for row in _some(session, SmsMessage.state == SmsState.SUBMITTING, SmsMessage.submitted_at < now - _LOST_AFTER):
                self._move(session, row, SmsInput.LOSE, "worker_died")
                self._settle(session, row)
                moved += 1
            for row in _some(session, SmsMessage.state == SmsState.QUEUED, SmsMessage.send_after < now - _OVERLOOKED_AFTER):
                enqueue_sending(session, row.id, now)
        return moved

    def _take(self, gateway: SmsGateway, message_id: uuid.UUID) -> tuple[OutgoingSms, date] | None:
        now = self._clock.now()
        with self._database.transaction() as session:
            row = session.get(SmsMessage, message_id, with_for_update=True)
            if row is None or row.state != SmsState.QUEUED:
                return None
            allowed = next_allowed(max(now, row.send_after), self._rules.quiet)
            if row.expires_at is not None and max(allowed, now) >= row.expires_at:
                self._move(session, row, SmsInput.EXPIRE, "expired")
                return None
            if allowed > now:
                self._wait(session, row, allowed, row.error)
                return None
            text, known = split(row.body), _parts_of(session, row.id, gateway.name)
            day = local_date(now)
            if not self._reserve(session, day, len(text.parts) - len(known)):
                self._wait(session, row, next_allowed(next_day(now), self._rules.quiet), "daily_cap")
                return None
            row.state = next_state(row.state, SmsInput.TAKE)
            row.attempts += 1
            row.submitted_at = now
            return OutgoingSms(row.id, row.phone, text, known), day

    def _record(self, gateway: SmsGateway, message: OutgoingSms, day: date, result: SubmitResult) -> None:
        with self._database.transaction() as session:
            # Parts before the message, as receipts do it, or the two could wait for each other.
            _keep_parts(session, gateway.name, message.message_id, result.parts)
            row = session.get_one(SmsMessage, message.message_id, with_for_update=True)
            if result.outcome is not Outcome.UNKNOWN:
                reserved = len(message.text.parts) - len(message.taken_parts)
                self._give_back(session, day, reserved - _parts_taken(message, result.parts))
            if _INPUTS[result.outcome] not in MOVES[SmsState(row.state)]:
                # Parked meanwhile, or settled by a person or a receipt: their word stands.
                return
            if result.outcome is Outcome.LATER:
                self._postpone(session, row, result)
                return
            self._move(session, row, _INPUTS[result.outcome], result.error or None)
            self._settle(session, row)

    def _postpone(self, session: Session, row: SmsMessage, result: SubmitResult) -> None:
        row.state = next_state(row.state, SmsInput.POSTPONE)
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** min(row.attempts - 1, 10), _LONGEST_PAUSE_SECONDS)
        asked = min(result.again_after_seconds or 0.0, _LONGEST_PAUSE_SECONDS)
        self._wait(session, row, self._clock.now() + timedelta(seconds=max(pause, asked)), result.error)

    def _wait(self, session: Session, row: SmsMessage, until: datetime, error: str | None) -> None:
        row.send_after, row.error = until, error
        enqueue_sending(session, row.id, until)

    def _move(self, session: Session, row: SmsMessage, given: SmsInput, error: str | None = None) -> None:
        row.state = next_state(row.state, given)
        row.error = error
        row.finished_at = None
        if row.state in FINISHED:
            row.finished_at = self._clock.now()
            session.flush()
            publish(session, SmsFinished(message_id=row.id, reference=row.reference, state=row.state))

    def _settle(self, session: Session, row: SmsMessage, detail: str = "") -> None:
        if row.state not in {SmsState.SUBMITTED, SmsState.UNKNOWN}:
            return
        query = select(SmsPart.part_no, SmsPart.receipt).where(SmsPart.message_id == row.id)
        said = verdict([(part_no, receipt) for part_no, receipt in session.execute(query).all()], row.part_count)
        if said is not None:
            self._move(session, row, said, (detail or "receipt") if said is SmsInput.FAIL else None)

    def _reserve(self, session: Session, day: date, count: int) -> bool:
        """Count parts against the day's cap before they are sent; False when they no longer fit."""
        cap = self._rules.daily_cap
        total = SmsDay.part_count + count
        if cap and count > cap:
            return False
        query = insert(SmsDay).values(day=day, part_count=count)
        query = query.on_conflict_do_update(
            index_elements=["day"], set_={"part_count": total}, where=(total <= cap) if cap else None
        )
        return session.execute(query.returning(SmsDay.day)).first() is not None

    def _give_back(self, session: Session, day: date, count: int) -> None:
        if count > 0:
            row = session.get_one(SmsDay, day, with_for_update=True)
            row.part_count = max(0, row.part_count - count)

    def _known(self, session: Session, reference: uuid.UUID | None) -> uuid.UUID | None:
        if reference is None:
            return None
        return session.scalar(select(SmsMessage.id).where(SmsMessage.id == reference))


def _some(session: Session, *conditions: object) -> Sequence[SmsMessage]:
    query = select(SmsMessage).where(*conditions).order_by(SmsMessage.id).limit(_BATCH)  # type: ignore[arg-type]
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def _parts_of(session: Session, message_id: uuid.UUID, gateway: str) -> frozenset[int]:
    query = select(SmsPart.part_no).where(SmsPart.message_id == message_id, SmsPart.gateway == gateway, SmsPart.part_no > WHOLE)
    return frozenset(part_no for part_no in session.scalars(query) if part_no is not None)


def _parts_taken(message: OutgoingSms, parts: Iterable[TakenPart]) -> int:
    numbers = {part.part_no for part in parts}
    return len(message.text.parts) if WHOLE in numbers else len(numbers)


def _keep_parts(session: Session, gateway: str, message_id: uuid.UUID, parts: Iterable[TakenPart]) -> None:
    for part in parts:
        values = {"id": new_id(), "gateway": gateway, "gateway_id": part.gateway_id, "message_id": message_id}
        query = insert(SmsPart).values(part_no=part.part_no, **values)
        # A receipt that came first keeps its place; one under a number that the gateway used for another message long ago does not.
        is_ours = SmsPart.message_id.is_(None) | (SmsPart.message_id == message_id)
        set_ = {
            "message_id": message_id,
            "part_no": part.part_no,
            "receipt": case((is_ours, SmsPart.receipt), else_=None),
            "received_at": case((is_ours, SmsPart.received_at), else_=None),
        }
        session.execute(query.on_conflict_do_update(index_elements=["gateway", "gateway_id"], set_=set_))
