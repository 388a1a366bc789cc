"""Approval cases in the database: written once for each number, closed once, found by conditions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database, new_id
from core.outbox import publish_many
from workorder.case_fields import CaseFields, read_case
from workorder.case_view import CaseFilter, CaseNotFoundError, CasePage, CaseView, Change
from workorder.events import CaseClosed
from workorder.models import ApprovalCase

_SHOWN = [field.name for field in fields(CaseView) if field.name != "case_id"]


class Cases:
    """Keeps and finds approval cases."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def save(self, values: dict[str, Any], source: str) -> tuple[uuid.UUID, Change]:
        """Create or change the case with this number; raises InvalidCaseError when a value is wrong."""
        case = read_case(values, self._clock.now())
        with self._database.transaction() as session:
            return keep(session, [case], source)[case.number]

    def get(self, case_id: uuid.UUID) -> CaseView:
        """Return one case."""
        with self._database.transaction() as session:
            row = session.get(ApprovalCase, case_id)
            if row is None:
                raise CaseNotFoundError(case_id)
            return _view(row)

    def of_ids(self, case_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CaseView]:
        """Return some cases by their ids; unknown ids are left out."""
        with self._database.transaction() as session:
            rows = session.scalars(select(ApprovalCase).where(ApprovalCase.id.in_(case_ids)))
            return {row.id: _view(row) for row in rows}

    def find(self, wanted: CaseFilter, offset: int, limit: int) -> CasePage:
        """Return the cases that fit, the last closed first, open ones before them."""
        conditions = _conditions(wanted)
        with self._database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(ApprovalCase).where(*conditions)) or 0
            query = (
                select(ApprovalCase)
                .where(*conditions)
                .order_by(ApprovalCase.closed_at.desc().nulls_first(), ApprovalCase.id.desc())
                .offset(offset)
                .limit(limit)
            )
            return CasePage([_view(row) for row in session.scalars(query)], total)

    def closed_between(self, start: datetime, end: datetime) -> list[CaseView]:
        """Return the cases closed in a span, in the order of closing: for rules that look at a day."""
        with self._database.transaction() as session:
            query = select(ApprovalCase).where(ApprovalCase.closed_at >= start, ApprovalCase.closed_at < end)
            return [_view(row) for row in session.scalars(query.order_by(ApprovalCase.closed_at, ApprovalCase.id))]

    def facets(self) -> dict[str, Sequence[str]]:
        """Return the units and regions that cases have."""
        with self._database.transaction() as session:
            found = {}
            for name, column in (("unit", ApprovalCase.unit), ("region", ApprovalCase.region)):
                found[name] = session.scalars(select(column).where(column != "").distinct().order_by(column).limit(500)).all()
            return found


def keep(session: Session, cases: Sequence[CaseFields], source: str) -> dict[str, tuple[uuid.UUID, Change]]:
    """Write cases of different numbers and return what became of each; CaseClosed once for each that becomes closed.

    A case that is closed stays so: a source that leaves the time out is an older one, and the citizen is not asked twice.
    """
    done: dict[str, tuple[uuid.UUID, Change]] = {}
    closed: list[CaseClosed] = []
    # In one order, so that two imports of the same cases wait for each other and don't block.
    wanted = {case.number: case for case in sorted(cases, key=lambda case: case.number)}
    # One statement takes rows that name the same fields: in a file, all of them.
    for _names, alike in groupby(wanted.values(), key=lambda case: sorted(case.values)):
        rows = [{"id": new_id(), "number": case.number, "source": source, **case.values} for case in alike]
        query = insert(ApprovalCase).values(rows).on_conflict_do_nothing(index_elements=["number"])
        for case_id, number in session.execute(query.returning(ApprovalCase.id, ApprovalCase.number)).all():
            done[number] = (case_id, "created")
            if wanted[number].values.get("closed_at"):
                closed.append(CaseClosed(case_id=case_id))
    known = [number for number in wanted if number not in done]
    waiting = select(ApprovalCase).where(ApprovalCase.number.in_(known)).order_by(ApprovalCase.number).with_for_update()
    for stored in session.scalars(waiting):
        was_open = stored.closed_at is None
        done[stored.number] = (stored.id, _change(stored, wanted[stored.number], source))
        if was_open and stored.closed_at is not None:
            closed.append(CaseClosed(case_id=stored.id))
    publish_many(session, closed)
    return done


def _change(stored: ApprovalCase, case: CaseFields, source: str) -> Change:
    values = dict(case.values)
    if values.get("closed_at") is None:
        values.pop("closed_at", None)
    changed = {name: value for name, value in values.items() if getattr(stored, name) != value}
    if not changed:
        return "unchanged"
    for name, value in changed.items():
        setattr(stored, name, value)
    stored.source = source
    stored.updated_at = func.clock_timestamp()
    return "changed"


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(
            ApprovalCase.number.contains(wanted.text, autoescape=True)
            | ApprovalCase.matter.contains(wanted.text, autoescape=True)
            | ApprovalCase.applicant.contains(wanted.text, autoescape=True)
        )
    exact = ((name, getattr(wanted, name)) for name in ("number", "phone", "unit", "region"))
    conditions += [getattr(ApprovalCase, name) == value for name, value in exact if value]
    if wanted.phone_tail:
        conditions.append(ApprovalCase.phone.endswith(wanted.phone_tail, autoescape=True))
    if wanted.is_closed is not None:
        conditions.append(ApprovalCase.closed_at.is_not(None) if wanted.is_closed else ApprovalCase.closed_at.is_(None))
    if wanted.closed_from:
        conditions.append(ApprovalCase.closed_at >= wanted.closed_from)
    if wanted.closed_before:
        conditions.append(ApprovalCase.closed_at < wanted.closed_before)
    return conditions


def _view(row: ApprovalCase) -> CaseView:
    return CaseView(case_id=row.id, **{name: getattr(row, name) for name in _SHOWN})
