"""Who is rung on a day and who is not, and why: by the rules in force, or by one that nobody saved yet. Changes nothing."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from callback.decision import Candidate, first_chance
from callback.door import Door, current_way
from callback.due import due_at
from callback.etiquette import NumberFacts
from callback.hindrance import Hindrance
from callback.models import Callback, CallbackAttempt, CallbackRule, CallbackRuleVersion
from callback.rule import Reason, RuleDefinition, Subject, Way, is_about, is_past
from callback.rules import Rules
from callback.sampling import draw
from callback.subjects import subject_of_call, subject_of_case
from callback.views import Preview, PreviewRow
from core.clock import day_bounds, local_date
from core.errors import InvalidInputError
from core.phone import BadPhoneError, normalise_phone
from telephony.reads import CallFilter
from telephony.service import TelephonyService
from workorder.service import WorkorderService

_MOST = 5000
"""How many callbacks are looked at; of a day with more the preview says that it is not whole."""
_MOST_CALLS = 2000
_LOOK_BACK_DAYS = 15
_OUTCOME = {Reason.CALL_ANSWERED: ("answered",), Reason.MISSED_CALL: ("abandoned", "failed")}
_Found = tuple[str, str, Subject, datetime]


class NotPreviewableError(InvalidInputError):
    """What leads to such callbacks is not known before it happens."""


class Previewing:
    """The part of the front door for previews."""

    def __init__(self, door: Door, rules: Rules, calls: TelephonyService, cases: WorkorderService) -> None:
        self._door = door
        self._rules = rules
        self._calls = calls
        self._cases = cases

    def day(self, day: date, limit: int) -> Preview:
        """Return what is owed on a day."""
        start, end = day_bounds(day)
        with self._door.database.transaction() as session:
            rows = session.scalars(_on_day(start, end)).all()
            is_whole, rows = len(rows) <= _MOST, rows[:_MOST]
            facts = self._door.facts(session, rows) if rows else {}
            rung = _rung_on(session, start, end)
            keys = _rule_keys(session, rows)
            found = [self._row(session, row, facts[row.id], rung.get(row.id), keys, start, end) for row in rows]
        return _preview(found, limit, is_whole=is_whole)

    def try_rule(self, definition: RuleDefinition, day: date, limit: int) -> Preview:
        """Return what a rule would lead to on a day, from what happened before it."""
        start, end = day_bounds(day)
        rows = []
        version_id = self._door.questionnaires.launched_version(definition.questionnaire) if definition.questionnaire else None
        happened, is_whole = self._happened(definition, day)
        found = [entry for entry in happened if is_about(definition, entry[2])]
        facts = self._facts_of({entry[1] for entry in found}, definition)
        for key, number, subject, happened_at in found:
            due = due_at(definition.when, happened_at, self._door.working_days.add_working_days)
            if not due < end or is_past(definition, happened_at, start):
                continue
            candidate = Candidate(
                definition.reason, definition.ways[0], number, ask_every_days=definition.ask_every_days,
                has_questionnaire=version_id is not None,
            )  # fmt: skip
            at, why = first_chance(candidate, facts[number], due, self._door.house_rules)
            if local_date(due) != day and not (at is not None and start <= at < end):
                continue
            if not draw(definition.sampling, key, subject).is_sampled:
                at, why = None, Hindrance.SAMPLED_OUT
            rows.append(_tried(definition, candidate, subject, at if at and at < end else None, why))
        return _preview(rows, limit, is_whole=is_whole)

    def _row(
        self,
        session: Session,
        row: Callback,
        facts: NumberFacts,
        rung_at: datetime | None,
        keys: dict[uuid.UUID, tuple[str, int]],
        start: datetime,
        end: datetime,
    ) -> PreviewRow:
        at: datetime | None
        why: str | Hindrance | None
        if rung_at is not None:
            at, why = rung_at, None
        elif row.state != "owed":
            at, why = None, row.why
        else:
            earliest = max(row.next_at, start, self._door.clock.now())
            at, why = first_chance(self._door.candidate(session, row), facts, earliest, self._door.house_rules)
            why = why or row.why
            if at is not None and at >= end:
                at = None
        key, version_no = keys.get(row.rule_version_id, ("", 0)) if row.rule_version_id else ("", 0)
        return PreviewRow(
            is_rung=at is not None,
            at=at,
            way=current_way(row),
            why="" if at is not None else str(why or Hindrance.NOT_YET_DUE),
            reason=Reason(row.reason),
            phone=row.phone,
            person=row.person,
            rule_key=key,
            rule_version_no=version_no,
            matter=row.matter,
            unit=row.unit,
            campaign=row.campaign,
            callback_id=row.id,
            call_id=row.call_id,
            case_id=row.case_id,
        )

    def _happened(self, definition: RuleDefinition, day: date) -> tuple[list[_Found], bool]:
        """Return what happened before the end of a day, and whether that is all of it."""
        start, end = day_bounds(day - timedelta(days=_LOOK_BACK_DAYS))[0], day_bounds(day)[1]
        found: list[_Found] = []
        is_whole = True
        if definition.reason is Reason.CASE_CLOSED:
            for case in self._cases.cases_closed_between(start, end):
                assert case.closed_at is not None
                found += _numbered(f"case_closed:{case.case_id}", case.phone, subject_of_case(case), case.closed_at)
        elif definition.reason in _OUTCOME:
            for outcome in _OUTCOME[definition.reason]:
                page = self._calls.list_calls(
                    CallFilter(started_from=start, started_before=end, outcome=outcome), limit=_MOST_CALLS
                )
                is_whole = is_whole and page.total <= _MOST_CALLS
                for call in page.calls:
                    if call.direction == "in" and call.ended_at is not None:
                        key = f"{definition.reason.value}:{call.call_id}"
                        found += _numbered(key, call.caller_number, subject_of_call(call), call.ended_at)
        else:
            raise NotPreviewableError(definition.reason)
        return found, is_whole

    def _facts_of(self, numbers: set[str], definition: RuleDefinition) -> dict[str, NumberFacts]:
        """Return what is known of numbers that nothing is owed to yet."""
        blank = [Callback(id=uuid.uuid4(), phone=number, rule_version_id=None) for number in numbers]
        with self._door.database.transaction() as session:
            facts = self._door.facts(session, blank, ask_every_days=definition.ask_every_days)
        return {row.phone: facts[row.id] for row in blank}


def _numbered(key: str, phone: str, subject: Subject, at: datetime) -> Iterable[_Found]:
    try:
        yield key, normalise_phone(phone), subject, at
    except BadPhoneError:
        return


def _tried(
    definition: RuleDefinition, candidate: Candidate, subject: Subject, at: datetime | None, why: Hindrance | None
) -> PreviewRow:
    return PreviewRow(
        is_rung=at is not None,
        at=at,
        way=Way(candidate.way),
        why="" if at is not None else (why or Hindrance.NOT_YET_DUE).value,
        reason=definition.reason,
        phone=candidate.phone,
        person=subject.person,
        rule_key="",
        rule_version_no=0,
        matter=subject.matter,
        unit=subject.unit,
        call_id=subject.call_id,
        case_id=subject.case_id,
    )


def _on_day(start: datetime, end: datetime) -> Select[Callback]:
    ids = select(Callback.id)
    # One condition an index: joined by OR they would have every callback of all years read.
    wanted = union(
        ids.where(Callback.state == "owed", Callback.next_at < end),
        ids.where(Callback.state == "not_sampled", Callback.next_at >= start, Callback.next_at < end),
        ids.where(Callback.state.in_(("cancelled", "given_up")), Callback.finished_at >= start, Callback.finished_at < end),
        select(CallbackAttempt.callback_id).where(CallbackAttempt.planned_at >= start, CallbackAttempt.planned_at < end),
    )
    query = select(Callback).where(Callback.id.in_(wanted))
    return query.order_by(Callback.priority, Callback.next_at, Callback.id).limit(_MOST + 1)


def _rung_on(session: Session, start: datetime, end: datetime) -> dict[uuid.UUID, datetime]:
    query = select(CallbackAttempt.callback_id, CallbackAttempt.planned_at).where(
        CallbackAttempt.planned_at >= start, CallbackAttempt.planned_at < end
    )
    return {row.callback_id: row.planned_at for row in session.execute(query.order_by(CallbackAttempt.planned_at.desc()))}


def _rule_keys(session: Session, rows: Sequence[Callback]) -> dict[uuid.UUID, tuple[str, int]]:
    wanted = {row.rule_version_id for row in rows if row.rule_version_id}
    query = select(CallbackRuleVersion.id, CallbackRule.key, CallbackRuleVersion.version_no).join(CallbackRule)
    return {version_id: (key, no) for version_id, key, no in session.execute(query.where(CallbackRuleVersion.id.in_(wanted)))}


def _preview(rows: Sequence[PreviewRow], limit: int, *, is_whole: bool) -> Preview:
    far = datetime.max.replace(tzinfo=day_bounds(date(2000, 1, 1))[0].tzinfo)
    ordered = sorted(rows, key=lambda row: (not row.is_rung, row.at or far, row.why, row.phone))
    counts = Counter(row.why for row in rows if not row.is_rung)
    return Preview(ordered[:limit], sum(row.is_rung for row in rows), dict(counts), is_whole)
