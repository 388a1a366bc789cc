"""Quiet hours: when no text message may reach a citizen, and when the next one may."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from core.clock import LOCAL_ZONE, local_time

_WRITTEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to before `end` on the hall's clock, over midnight when `end` is the earlier; equal ends mean never."""

    start: time
    end: time

    def hold(self, moment: datetime) -> bool:
        """Say whether a moment is quiet."""
        at = local_time(moment).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


def read_quiet_hours(text: str) -> QuietHours:
    """Return what a setting such as `20:00-09:00` says; ValueError for anything else."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError("quiet hours are written 20:00-09:00")
    hours = [int(part) for part in match.groups()]
    return QuietHours(time(hours[0], hours[1]), time(hours[2], hours[3]))


def next_allowed(moment: datetime, quiet: QuietHours) -> datetime:
    """Return the moment itself, or the end of the quiet hours that it lies in."""
    if not quiet.hold(moment):
        return moment
    at = local_time(moment)
    day = at.date() if at.time() < quiet.end else at.date() + timedelta(days=1)
    return datetime.combine(day, quiet.end, LOCAL_ZONE).astimezone(UTC)


def next_day(moment: datetime) -> datetime:
    """Return the first moment of the hall's next day."""
    day = local_time(moment).date() + timedelta(days=1)
    return datetime.combine(day, time(), LOCAL_ZONE).astimezone(UTC)
