"""Owes calls: for what happened, by the rules, once for each natural key."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callback.attempts import ENDED, BadTimeError, finish
from callback.calling_hours import Window, asked_time_is_fit
from callback.demonstration import DEFAULTS
from callback.door import CallbackStateError, Door, wake_dialer
from callback.due import due_at, promised_by
from callback.events import CallbackOwed
from callback.hindrance import Hindrance
from callback.models import Callback, CallbackAttempt
from callback.rule import Reason, RuleDefinition, Subject, Way, expiry, is_about, is_past
from callback.rules import Rules
from callback.sampling import draw
from callback.subjects import subject_of_call, subject_of_case
from callback.views import CallbackView, RuleView, callback_view
from core import audit
from core.database import new_id
from core.errors import NotFoundError
from core.outbox import publish, publish_many
from core.phone import BadPhoneError, normalise_phone
from telephony.reads import CallView
from telephony.service import TelephonyService
from workorder.service import WorkorderService

log = structlog.get_logger()
_ANSWERED = "answered"
_AT_ONCE = 500
_PUNCTUAL = timedelta(minutes=30)
"""Whoever asked for a time is rung within half an hour of it, or the promise is broken."""
_NOTE_PATIENCE = timedelta(minutes=15)
"""The after-call work with some extensions; whoever never finishes a note is not waited for."""
_SUBJECT_COLUMNS = (
    *("person", "call_id", "case_id", "queue_name", "queued_at", "hall", "unit", "region"),
    *("category", "matter_code", "matter", "window", "campaign"),
)


@dataclass(frozen=True)
class Wording:
    """A definition, and the version it stands in; none for a reply that no rule speaks of."""

    definition: RuleDefinition
    version_id: uuid.UUID | None = None
    rule_key: str = ""


class Owing:
    """The part of the front door for what is owed."""

    def __init__(self, door: Door, rules: Rules, calls: TelephonyService, cases: WorkorderService) -> None:
        self._door = door
        self._rules = rules
        self._calls = calls
        self._cases = cases

    def owe(
        self,
        reason: Reason,
        natural_key: str,
        phone: str,
        subject: Subject,
        *,
        definition: RuleDefinition | None = None,
        asked_at: datetime | None = None,
    ) -> CallbackView:
        """Owe one call."""
        number = normalise_phone(phone)
        with self._door.database.transaction() as session:
            wording = Wording(definition) if definition else self.wordings(session, reason, subject, or_default=True)[0]
            return callback_view(self.write(session, natural_key, number, subject, wording, asked_at=asked_at))

    def for_call(self, call_id: uuid.UUID) -> list[CallbackView]:
        """Owe what an ended call calls for."""
        call = self._calls.get_call(call_id)
        if call.direction != "in" or call.ended_at is None:
            return []
        try:
            number = normalise_phone(call.caller_number)
        except BadPhoneError:
            # Withheld, or nobody's: there is no number to ring.
            log.info("callback_without_number", call_id=str(call_id))
            return []
        if call.outcome == _ANSWERED:
            self.close_missed(call_id)
            return self._by_rules(Reason.CALL_ANSWERED, f"call_answered:{call_id}", number, subject_of_call(call))
        if self._is_settled(call):
            return []
        return self._by_rules(Reason.MISSED_CALL, f"missed_call:{call_id}", number, subject_of_call(call))

    def awaits_note(self, call_id: uuid.UUID) -> bool:
        """Say whether rules would look at an answered call too early: its agent still writes what it was about."""
        call = self._calls.get_call(call_id)
        if call.direction != "in" or call.outcome != _ANSWERED or call.note.finished_at is not None:
            return False
        return call.ended_at is not None and self._door.clock.now() < call.ended_at + _NOTE_PATIENCE

    def for_case(self, case_id: uuid.UUID) -> list[CallbackView]:
        """Owe what a closed case calls for."""
        case = self._cases.get_case(case_id)
        # No case without a number that is one gets in.
        number, subject = normalise_phone(case.phone), subject_of_case(case)
        return self._by_rules(Reason.CASE_CLOSED, f"case_closed:{case_id}", number, subject, happened_at=case.closed_at)

    def for_bad_rating(
        self, survey_id: uuid.UUID, callback_id: uuid.UUID | None, call_id: uuid.UUID | None, case_id: uuid.UUID | None
    ) -> CallbackView | None:
        """Owe a call that puts it right."""
        try:
            number, subject = self._rated(callback_id, call_id, case_id)
        except (NotFoundError, BadPhoneError):
            log.warning("bad_rating_without_number", survey_id=str(survey_id))
            return None
        owed = self._by_rules(Reason.BAD_RATING, f"bad_rating:{survey_id}", number, subject)
        return owed[0] if owed else None

    def promise(self, phone: str, at: datetime, actor: str, *, person: str, call_id: uuid.UUID | None, matter: str) -> CallbackView:
        """Owe a call at a time."""
        number = normalise_phone(phone)
        hours = self._door.settings.hours[Window.ASKED]
        if not asked_time_is_fit(hours, at, self._door.clock.now(), self._door.working_days.is_working_day):
            raise BadTimeError(at.isoformat())
        subject = Subject(person=person[:100], call_id=call_id, matter=matter[:200])
        with self._door.database.transaction() as session:
            wording = self.wordings(session, Reason.ASKED_TIME, subject, or_default=True)[0]
            row = self.write(session, f"asked_time:{number}:{at.isoformat()}", number, subject, wording, asked_at=at)
            audit.record(session, actor, "callback.promised", str(row.id), {"at": at.isoformat()})
            return callback_view(row)

    def close_missed(self, call_id: uuid.UUID) -> int:
        """Close what is owed for missed calls of a call's number, and the places that it kept."""
        call = self._calls.get_call(call_id)
        if call.direction != "in" or call.answered_at is None:
            return 0
        try:
            number = normalise_phone(call.caller_number)
        except BadPhoneError:
            return 0
        closed = 0
        with self._door.database.transaction() as session:
            for row in self.waiting(session, number, Reason.MISSED_CALL, Reason.QUEUE_CALLBACK):
                row.contacted_at = row.contacted_at or call.answered_at
                finish(session, row, "done", Hindrance.ANSWERED_AGAIN, self._door.clock.now())
                closed += 1
        return closed

    def cancel(self, callback_id: uuid.UUID, actor: str, note: str) -> CallbackView:
        """Owe it no more."""
        with self._door.database.transaction() as session:
            row = self._door.lock(session, callback_id)
            being_dialled = select(CallbackAttempt.id).where(
                CallbackAttempt.callback_id == callback_id, CallbackAttempt.state != ENDED, CallbackAttempt.way != Way.SMS
            )
            if row.state != "owed" or session.scalar(being_dialled) is not None:
                raise CallbackStateError(row.state, "cancel")
            finish(session, row, "cancelled", note[:200] or Hindrance.STOPPED, self._door.clock.now())
            audit.record(session, actor, "callback.cancelled", str(callback_id), {"note": note[:200]})
            return callback_view(row)

    # --- parts of these

    def write(
        self,
        session: Session,
        natural_key: str,
        number: str,
        subject: Subject,
        wording: Wording,
        *,
        asked_at: datetime | None = None,
    ) -> Callback:
        """Insert a callback unless its key is known, and return the one that is there."""
        values = self._values(natural_key, number, subject, wording, self._asked(wording), asked_at)
        made = session.execute(insert(Callback).values(**values).on_conflict_do_nothing().returning(Callback.id)).scalar()
        if made is None:
            return self._known(session, natural_key, number, subject, values["expires_at"])
        row = self._door.lock(session, made)
        if row.state == "owed":
            publish(session, CallbackOwed(call_id=subject.call_id, callback_id=made))
            wake_dialer(session)
        return row

    def write_many(self, session: Session, entries: Sequence[tuple[str, str, Subject]], wording: Wording) -> int:
        """Insert callbacks of (natural key, number, subject) whose keys are new; return how many there were."""
        made: list[uuid.UUID] = []
        count, asked = 0, self._asked(wording)
        for first in range(0, len(entries), _AT_ONCE):
            values = [self._values(*entry, wording, asked) for entry in entries[first : first + _AT_ONCE]]
            query = insert(Callback).values(values).on_conflict_do_nothing().returning(Callback.id, Callback.state)
            rows = session.execute(query).all()
            count += len(rows)
            made += [row.id for row in rows if row.state == "owed"]
        publish_many(session, [CallbackOwed(callback_id=callback_id) for callback_id in made])
        wake_dialer(session)
        return count

    def _asked(self, wording: Wording) -> uuid.UUID | None:
        questionnaire = wording.definition.questionnaire
        return self._door.questionnaires.launched_version(questionnaire) if questionnaire else None

    def _values(
        self,
        natural_key: str,
        number: str,
        subject: Subject,
        wording: Wording,
        questionnaire_version_id: uuid.UUID | None,
        asked_at: datetime | None = None,
    ) -> dict[str, Any]:
        """Return the columns of a new callback."""
        definition, now = wording.definition, self._door.clock.now()
        # By the subject's key without the rule's: a rule that is only tried draws whom it will draw once it is saved.
        drawn = draw(definition.sampling, natural_key.removesuffix(f":{wording.rule_key}"), subject)
        next_at = asked_at or due_at(definition.when, now, self._door.working_days.add_working_days)
        return {
            **{name: getattr(subject, name) for name in _SUBJECT_COLUMNS},
            "id": new_id(),
            "natural_key": natural_key,
            "reason": definition.reason.value,
            "state": "owed" if drawn.is_sampled else "not_sampled",
            "why": "" if drawn.is_sampled else Hindrance.SAMPLED_OUT.value,
            "phone": number,
            "rule_version_id": wording.version_id,
            "questionnaire_version_id": questionnaire_version_id,
            "survey_id": subject.survey_id,
            "ways": [way.value for way in definition.ways],
            "way_no": 0,
            "priority": definition.priority_now,
            "next_at": next_at,
            "asked_at": asked_at,
            "promised_by": self._promised_by(definition, asked_at, now),
            "expires_at": expiry(definition, next_at),
            "attempt_count": 0,
            "weight": drawn.weight,
            "stratum": drawn.stratum,
            "seed": drawn.seed,
            "created_at": now,
        }

    def _promised_by(self, definition: RuleDefinition, asked_at: datetime | None, now: datetime) -> datetime | None:
        if asked_at is not None:
            return asked_at + _PUNCTUAL
        return promised_by(now, definition.promised_working_days, self._door.working_days.add_working_days)

    def _known(self, session: Session, natural_key: str, number: str, subject: Subject, expires_at: datetime) -> Callback:
        row = session.scalar(select(Callback).where(Callback.natural_key == natural_key))
        if row is None:
            # One entry a number for missed calls: this one goes into the entry that waits, whose place it keeps.
            row = self.waiting(session, number, Reason.MISSED_CALL)[0]
            row.call_id = subject.call_id or row.call_id
            row.queue_name = subject.queue_name or row.queue_name
            row.expires_at = max(row.expires_at or expires_at, expires_at)
        return row

    def waiting(self, session: Session, number: str, *reasons: Reason) -> list[Callback]:
        """Return what is owed to a number for some reasons, nobody else's until the transaction ends."""
        query = select(Callback).where(Callback.phone == number, Callback.reason.in_(reasons), Callback.state == "owed")
        return list(session.scalars(query.with_for_update()))

    def _by_rules(
        self,
        reason: Reason,
        key: str,
        number: str,
        subject: Subject,
        *,
        happened_at: datetime | None = None,
    ) -> list[CallbackView]:
        with self._door.database.transaction() as session:
            rows = []
            for wording in self.wordings(session, reason, subject):
                if is_past(wording.definition, happened_at, self._door.clock.now()):
                    continue
                # Each rule of a survey asks for itself; a reply is owed once, whatever the rules.
                own = f"{key}:{wording.rule_key}" if wording.definition.is_survey else key
                rows.append(self.write(session, own, number, subject, wording))
            return [callback_view(row) for row in rows]

    def wordings(self, session: Session, reason: Reason, subject: Subject, *, or_default: bool = False) -> list[Wording]:
        """Return what the rules say: each that fits for surveys, the first one for replies, the defaults where none exists."""
        fitting = [_wording(view) for view in self._rules.active(session, reason) if is_about(view.definition, subject)]
        default = DEFAULTS.get(reason)
        if default is None:
            return fitting
        if fitting:
            return fitting[:1]
        return [Wording(default)] if or_default or not self._rules.has_any(session, reason) else []

    def _is_settled(self, call: CallView) -> bool:
        """Say whether a missed call needs no call back any more: a place is kept, or the citizen was spoken with since."""
        assert call.ended_at is not None
        is_kept = and_(Callback.reason == Reason.QUEUE_CALLBACK, Callback.state == "owed")
        is_done = and_(
            Callback.reason.in_((Reason.MISSED_CALL, Reason.QUEUE_CALLBACK)),
            Callback.natural_key != f"missed_call:{call.call_id}",
            Callback.finished_at >= call.ended_at,
        )
        query = select(Callback.id).where(Callback.phone == normalise_phone(call.caller_number), or_(is_kept, is_done))
        with self._door.database.transaction() as session:
            if session.scalar(query.limit(1)) is not None:
                return True
        later = self._calls.reads.calls_of_number(call.caller_number, call.ended_at, but=call.call_id)
        return any(other.outcome == _ANSWERED and other.direction == "in" for other in later.calls)

    def _rated(self, callback_id: uuid.UUID | None, call_id: uuid.UUID | None, case_id: uuid.UUID | None) -> tuple[str, Subject]:
        if callback_id is not None:
            with self._door.database.transaction() as session:
                row = self._door.lock(session, callback_id)
                words = {name: getattr(row, name) for name in _SUBJECT_COLUMNS if name not in ("queued_at", "campaign")}
                return row.phone, Subject(**words)
        if case_id is not None:
            case = self._cases.get_case(case_id)
            return normalise_phone(case.phone), subject_of_case(case)
        if call_id is not None:
            call = self._calls.get_call(call_id)
            return normalise_phone(call.caller_number), subject_of_call(call)
        raise NotFoundError("nothing behind the survey")


def _wording(view: RuleView) -> Wording:
    return Wording(view.definition, view.version_id, view.key)
