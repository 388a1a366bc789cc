"""Questions about callbacks that change nothing: the list, one callback with its attempts, what an agent has in hand."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from callback.door import UnknownCallbackError
from callback.models import Callback, CallbackAttempt, CallbackRule, CallbackRuleVersion, OptOut
from callback.views import AttemptView, CallbackView, OptOutView, attempt_view, callback_view, opt_out_view
from core.clock import Clock
from core.database import Database

SOON_SHARE = 0.2
"""The last part of the promised time in which a callback's clock turns amber."""


@dataclass(frozen=True)
class ListFilter:
    """Which callbacks are wanted; what is left empty doesn't matter.

    due: now (its time has come), today (before `day_end`), soon (promised time nearly over), overdue (over).
    tried_by: an agent who has it in hand or tried it. seen_by: an agent who may see it: theirs, or for any agent to ring.
    """

    state: str = ""
    reason: str = ""
    way: str = ""
    due: str = ""
    day_end: datetime | None = None
    tried_by: uuid.UUID | None = None
    seen_by: uuid.UUID | None = None
    phone: str = ""
    phone_tail: str = ""
    text: str = ""
    campaign: str = ""
    case_id: uuid.UUID | None = None


@dataclass(frozen=True)
class CallbackRow:
    """A callback with what its last finished try came to."""

    callback: CallbackView
    last_disposition: str = ""


@dataclass(frozen=True)
class CallbackRows:
    """Some of the callbacks, and how many fit."""

    rows: list[CallbackRow]
    total: int


@dataclass(frozen=True)
class CallbackCounts:
    """How much is owed."""

    owed: int
    due: int
    overdue: int
    missed: int
    mine: int


@dataclass(frozen=True)
class CallbackDetail:
    """A callback with what was tried, oldest first, and what else the number was asked or is owed, newest first.

    `rule` is (key, title, version) of the rule by which it came about; nothing of one that came without.
    """

    callback: CallbackView
    attempts: list[AttemptView]
    others: list[CallbackRow]
    opted_out_at: datetime | None
    rule: tuple[str, str, int] | None


class CallbackListing:
    """Answers what the pages of callbacks ask, beyond what the service answers to everybody."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list_callbacks(self, wanted: ListFilter, offset: int = 0, limit: int = 50) -> CallbackRows:
        """Return the callbacks that fit: of what is owed the overdue first, of what is over the latest, of all the newest."""
        condition = and_(true(), *self._conditions(wanted))
        counted = select(func.count()).select_from(Callback).where(condition)
        query = select(Callback).where(condition).order_by(*self._order(wanted), Callback.id).offset(offset).limit(limit)
        with self._database.transaction() as session:
            total = session.scalar(counted) or 0
            return CallbackRows(_with_last(session, [callback_view(row) for row in session.scalars(query)]), total)

    def counts(self, agent_id: uuid.UUID | None = None, seen_by: uuid.UUID | None = None) -> CallbackCounts:
        """Count what is owed and may be seen, for the filters' own figures."""
        now = self._clock.now()
        mine = and_(Callback.held_by == agent_id, Callback.held_until > now) if agent_id else Callback.id.is_(None)
        query = select(
            func.count(),
            func.count().filter(Callback.next_at <= now),
            func.count().filter(_is_overdue(now)),
            func.count().filter(Callback.reason == "missed_call"),
            func.count().filter(mine),
        ).where(*self._conditions(ListFilter(state="owed", seen_by=seen_by)))
        with self._database.transaction() as session:
            return CallbackCounts(*session.execute(query).one())

    def get(self, callback_id: uuid.UUID) -> CallbackView:
        """Return one callback.

        Raises:
            UnknownCallbackError: there is none.
        """
        with self._database.transaction() as session:
            return self._get(session, callback_id)

    def detail(self, callback_id: uuid.UUID) -> CallbackDetail:
        """Return one callback with its attempts and what else the number knows of us.

        Raises:
            UnknownCallbackError: there is none.
        """
        with self._database.transaction() as session:
            found = self._get(session, callback_id)
            tried = select(CallbackAttempt).where(CallbackAttempt.callback_id == callback_id).order_by(CallbackAttempt.attempt_no)
            # Who was not drawn is kept for the weights; nobody asked them anything.
            beside = select(Callback).where(
                Callback.phone == found.phone, Callback.id != callback_id, Callback.state != "not_sampled"
            )
            others = [callback_view(row) for row in session.scalars(beside.order_by(Callback.created_at.desc()).limit(10))]
            out = select(func.max(OptOut.at)).where(OptOut.phone == found.phone, OptOut.lifted_at.is_(None))
            attempts = [attempt_view(row) for row in session.scalars(tried)]
            return CallbackDetail(
                found, attempts, _with_last(session, others), session.scalar(out), _rule(session, found.rule_version_id)
            )

    def held(self, agent_id: uuid.UUID) -> uuid.UUID | None:
        """Return the callback that an agent has in hand, the latest if there are several."""
        query = (
            select(Callback.id)
            .where(Callback.held_by == agent_id, Callback.held_until > self._clock.now(), Callback.state == "owed")
            .order_by(Callback.held_until.desc())
            .limit(1)
        )
        with self._database.transaction() as session:
            return session.scalar(query)

    def attempt_of(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> AttemptView | None:
        """Return the newest try of an agent at a callback."""
        query = (
            select(CallbackAttempt)
            .where(CallbackAttempt.callback_id == callback_id, CallbackAttempt.agent_id == agent_id)
            .order_by(CallbackAttempt.attempt_no.desc())
            .limit(1)
        )
        with self._database.transaction() as session:
            row = session.scalar(query)
            return attempt_view(row) if row else None

    def may_see(self, callback_id: uuid.UUID, agent_id: uuid.UUID | None) -> bool:
        """Say whether a callback is an agent's own, or any agent's to ring."""
        wanted = ListFilter(seen_by=agent_id or uuid.UUID(int=0))
        return self._is_there(Callback.id == callback_id, *self._conditions(wanted))

    def is_of(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> bool:
        """Say whether an agent has a callback in hand, or tried it."""
        return self._is_there(Callback.id == callback_id, _is_of(agent_id, self._clock.now()))

    def is_behind(self, call_id: uuid.UUID, agent_id: uuid.UUID) -> bool:
        """Say whether a call lies behind a callback that an agent has in hand or tried: then they may read it."""
        return self._is_there(Callback.call_id == call_id, _is_of(agent_id, self._clock.now()))

    def opt_out(self, opt_out_id: uuid.UUID) -> OptOutView | None:
        """Return one entry of the list of numbers that want no surveys."""
        with self._database.transaction() as session:
            row = session.get(OptOut, opt_out_id)
            return opt_out_view(row) if row else None

    def _is_there(self, *conditions: ColumnElement[bool]) -> bool:
        with self._database.transaction() as session:
            return session.scalar(select(Callback.id).where(*conditions).limit(1)) is not None

    def _get(self, session: Session, callback_id: uuid.UUID) -> CallbackView:
        row = session.get(Callback, callback_id)
        if row is None:
            raise UnknownCallbackError(str(callback_id))
        return callback_view(row)

    def _order(self, wanted: ListFilter) -> tuple[ColumnElement[Any], ...]:
        if wanted.state == "owed" or wanted.due:
            is_overdue = case((_is_overdue(self._clock.now()), 0), else_=1)
            return is_overdue, Callback.priority.expression, func.coalesce(Callback.promised_by, Callback.next_at)
        # As their indexes are ordered: years of callbacks are not sorted for one page.
        return (Callback.finished_at.desc(),) if wanted.state else (Callback.created_at.desc(),)

    def _conditions(self, wanted: ListFilter) -> list[ColumnElement[bool]]:
        now = self._clock.now()
        exact: tuple[tuple[object, ColumnElement[Any]], ...] = (
            (wanted.reason, Callback.reason.expression),
            (wanted.phone, Callback.phone.expression),
            (wanted.campaign, Callback.campaign.expression),
            (wanted.case_id, Callback.case_id.expression),
        )
        found: list[ColumnElement[bool]] = [column == value for value, column in exact if value]
        # Who was not drawn is kept for the weights; it is nobody's work.
        found.append(Callback.state == wanted.state if wanted.state else Callback.state != "not_sampled")
        if wanted.way:
            found.append(_way() == wanted.way)
        if wanted.due:
            found += [Callback.state == "owed", _is_due(wanted.due, now, wanted.day_end or now)]
        if wanted.phone_tail:
            found.append(Callback.phone.endswith(wanted.phone_tail, autoescape=True))
        if wanted.text:
            found.append(or_(*(_contains(column, wanted.text) for column in (Callback.person, Callback.matter, Callback.unit))))
        if wanted.tried_by is not None:
            found.append(_is_of(wanted.tried_by, now))
        if wanted.seen_by is not None:
            found.append(or_(and_(Callback.state == "owed", _way() == "agent"), _is_of(wanted.seen_by, now)))
        return found


def _is_due(due: str, now: datetime, day_end: datetime) -> ColumnElement[bool]:
    if due == "soon":
        return _is_soon(now)
    if due == "overdue":
        return _is_overdue(now)
    return Callback.next_at < day_end if due == "today" else Callback.next_at <= now


def _way() -> ColumnElement[str]:
    way: ColumnElement[str] = Callback.ways[Callback.way_no + 1]
    return way


def _is_of(agent_id: uuid.UUID, now: datetime) -> ColumnElement[bool]:
    tried = select(CallbackAttempt.id).where(CallbackAttempt.callback_id == Callback.id, CallbackAttempt.agent_id == agent_id)
    return or_(and_(Callback.held_by == agent_id, Callback.held_until > now), tried.exists())


def _is_overdue(now: datetime) -> ColumnElement[bool]:
    return and_(Callback.promised_by <= now, Callback.contacted_at.is_(None))


def _is_soon(now: datetime) -> ColumnElement[bool]:
    left, whole = (func.extract("epoch", span) for span in (Callback.promised_by - now, Callback.promised_by - Callback.created_at))
    return and_(Callback.promised_by > now, Callback.contacted_at.is_(None), left <= whole * SOON_SHARE)


def _contains(column: Any, text: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.icontains(text, autoescape=True)
    return condition


def _with_last(session: Session, views: Sequence[CallbackView]) -> list[CallbackRow]:
    """Return the callbacks with what their last finished try came to."""
    ids = [view.callback_id for view in views if view.attempt_count]
    newest = (
        select(CallbackAttempt.callback_id, CallbackAttempt.disposition)
        .where(CallbackAttempt.callback_id.in_(ids), CallbackAttempt.disposition.is_not(None))
        .ext(distinct_on(CallbackAttempt.callback_id))
        .order_by(CallbackAttempt.callback_id, CallbackAttempt.attempt_no.desc())
    )
    last = {row.callback_id: row.disposition for row in session.execute(newest)} if ids else {}
    return [CallbackRow(view, last.get(view.callback_id) or "") for view in views]


def _rule(session: Session, version_id: uuid.UUID | None) -> tuple[str, str, int] | None:
    query = (
        select(CallbackRule.key, CallbackRuleVersion.definition, CallbackRuleVersion.version_no)
        .join(CallbackRule, CallbackRule.id == CallbackRuleVersion.rule_id)
        .where(CallbackRuleVersion.id == version_id)
    )
    row = session.execute(query).first() if version_id else None
    return (row.key, str(row.definition.get("title", row.key)), row.version_no) if row else None
