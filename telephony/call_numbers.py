"""The readable numbers of calls: the hall's day and a count, 20260318-000287."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import local_date
from telephony.models import Call

_LOCK = 0x6361_6C6C


def next_number(session: Session, at: datetime) -> str:
    """Return the next number of the day; one at a time over all nodes, until the transaction ends."""
    day = local_date(at).strftime("%Y%m%d")
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = session.scalar(select(func.max(Call.number)).where(Call.number.like(f"{day}-%")))
    return f"{day}-{int(last.rpartition('-')[2]) + 1 if last else 1:06d}"
