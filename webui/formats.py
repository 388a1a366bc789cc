"""How values look on a page: times of the hall, durations, numbers. Filters for templates."""

import math
from datetime import date, datetime, timedelta

from flask import Flask
from flask_babel import gettext as _

from core.clock import local_time
from core.privacy import mask_phone

NOTHING = "–"


def moment(value: datetime | None) -> str:
    """2026-03-18 10:32:18."""
    return local_time(value).strftime("%Y-%m-%d %H:%M:%S") if value else NOTHING


def minute(value: datetime | None) -> str:
    """2026-03-18 10:32."""
    return local_time(value).strftime("%Y-%m-%d %H:%M") if value else NOTHING


def day(value: date | datetime | None) -> str:
    """2026-03-18."""
    if isinstance(value, datetime):
        value = local_time(value).date()
    return value.isoformat() if value else NOTHING


def clock_time(value: datetime | None) -> str:
    """10:32:18."""
    return local_time(value).strftime("%H:%M:%S") if value else NOTHING


def duration(value: float | timedelta | None) -> str:
    """02:14, or 1:02:14 from one hour on."""
    if value is None:
        return NOTHING
    seconds = math.floor(value.total_seconds() if isinstance(value, timedelta) else value)
    minutes, seconds = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def thousands(value: int) -> str:
    """18,240."""
    return f"{value:,}"


def share(part: int, whole: int) -> str:
    """69.1%, or a dash without a whole."""
    return f"{100 * part / whole:.1f}%" if whole else NOTHING


def number(value: str | None) -> str:
    """A caller's number, masked; 匿名 when there is none."""
    return mask_phone(value) if value else _("匿名")


def install(app: Flask) -> None:
    """Make them filters."""
    app.jinja_env.filters.update(
        moment=moment,
        minute=minute,
        day=day,
        clock_time=clock_time,
        duration=duration,
        thousands=thousands,
        share=share,
        number=number,
    )
