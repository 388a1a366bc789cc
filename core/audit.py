"""Who did what to whom, kept for the auditor: append-only, each row sealed by the hash of the one before."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.database import Base, JsonObject, Timestamp

_GENESIS = "0" * 64
_LOCK = 0x6175_6469


class AuditEntry(Base):
    """One act; a trigger of the migrations refuses any change of a row.

    `actor` is a login name or a process, `subject` what it was done to (`call:<id>`, `user:<id>` …).
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[Timestamp] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(Text, index=True)
    action: Mapped[str] = mapped_column(Text, index=True)
    subject: Mapped[str] = mapped_column(Text, index=True)
    detail: Mapped[JsonObject]
    previous_hash: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)


def seal(previous_hash: str, number: int, at: datetime, actor: str, action: str, subject: str, detail: dict[str, Any]) -> str:
    """Return the SHA-256 (hex) over the previous hash and every field of a row."""
    body = json.dumps([previous_hash, number, at.isoformat(), actor, action, subject, detail], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()


def record(session: Session, actor: str, action: str, subject: str, detail: dict[str, Any] | None = None) -> None:
    """Append an entry in the caller's transaction: the act and its record stand or fall together."""
    # One writer at a time, until commit: two rows must not follow the same one.
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
    number, previous_hash = (last.id + 1, last.hash) if last else (1, _GENESIS)
    at = session.execute(select(func.date_trunc("milliseconds", func.clock_timestamp(), "UTC"))).scalar_one()
    detail = json.loads(json.dumps(detail or {}, ensure_ascii=False, default=str))
    digest = seal(previous_hash, number, _utc(at), actor, action, subject, detail)
    session.add(
        AuditEntry(
            id=number, at=at, actor=actor, action=action, subject=subject, detail=detail, previous_hash=previous_hash, hash=digest
        )
    )
    session.flush()


def verify(session: Session) -> int | None:
    """Return the id of the first row that does not fit its seal or its forerunner, or None when the whole chain holds."""
    previous_hash = _GENESIS
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000))
    for number, row in enumerate(rows, start=1):
        sealed = seal(previous_hash, row.id, _utc(row.at), row.actor, row.action, row.subject, row.detail)
        if row.id != number or row.previous_hash != previous_hash or row.hash != sealed:
            return row.id
        previous_hash = row.hash
    return None


def newest_hash(session: Session) -> str:
    """Return the last seal: written down elsewhere from time to time, it shows even a cut-off tail."""
    return session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)) or _GENESIS


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
