"""Time as the business sees it: UTC inside, Asia/Shanghai for days and slots.

Everything but process loops and views is given the time.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def local_time(moment: datetime) -> datetime:
    """Return the same moment on the wall clock of the hall."""
    return moment.astimezone(LOCAL_ZONE)


def local_date(moment: datetime) -> date:
    """Return the hall's calendar day of a moment."""
    return local_time(moment).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Return the first moment of a local day and of the next one, in UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=LOCAL_ZONE)
    return start.astimezone(UTC), end.astimezone(UTC)
