"""Numbers that want no surveys: kept for good, lifted only by their person's own word."""

from __future__ import annotations

import builtins

from sqlalchemy import func, select, update

from callback.attempts import opt_out
from callback.door import Door
from callback.models import OptOut
from callback.views import OptOutView, opt_out_view
from core import audit
from core.errors import NotFoundError
from core.phone import normalise_phone


class NotOptedOutError(NotFoundError):
    """The number is not on the list."""


class OptOuts:
    """The part of the front door for opt-outs."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def add(self, phone: str, source: str, note: str) -> OptOutView:
        """Put a number on the list; once is enough."""
        number = normalise_phone(phone)
        with self._door.database.transaction() as session:
            # Two at once would both find none.
            session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"opt_out:{number}"))))
            return opt_out_view(opt_out(session, number, source[:60], self._door.clock.now(), note[:500]))

    def lift(self, phone: str, actor: str) -> OptOutView:
        """Take a number off the list."""
        number = normalise_phone(phone)
        with self._door.database.transaction() as session:
            row = session.scalar(
                update(OptOut)
                .where(OptOut.phone == number, OptOut.lifted_at.is_(None))
                .values(lifted_at=self._door.clock.now(), lifted_by=actor)
                .returning(OptOut)
            )
            if row is None:
                raise NotOptedOutError
            audit.record(session, actor, "opt_out.lifted", str(row.id), {})
            return opt_out_view(row)

    def list(self, phone: str, offset: int, limit: int) -> tuple[builtins.list[OptOutView], int]:
        """Return a page of the list; `phone` may be the end of a number."""
        condition = OptOut.phone.endswith(phone.strip(), autoescape=True)
        query = select(OptOut).where(condition).order_by(OptOut.lifted_at.is_not(None), OptOut.at.desc(), OptOut.id)
        with self._door.database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(OptOut).where(condition)) or 0
            return [opt_out_view(row) for row in session.scalars(query.offset(offset).limit(limit))], total

    def has(self, phone: str) -> bool:
        """Say whether a number is on the list."""
        query = select(OptOut.id).where(OptOut.phone == normalise_phone(phone), OptOut.lifted_at.is_(None))
        with self._door.database.transaction() as session:
            return session.scalar(query) is not None
