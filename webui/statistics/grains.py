"""Days put together to days, weeks (from Monday) or months, and what each is called in a table."""

from collections import defaultdict
from datetime import date, timedelta

from flask_babel import gettext as _

from webui.languages import is_english
from webui.statistics.counting import Span

GRAINS = ("day", "week", "month")
_WEEKDAYS = "一二三四五六日"


def stretches(span: Span, grain: str) -> list[tuple[str, list[date]]]:
    """Return each stretch of a span with its name and its days, the latest first."""
    found: dict[date, list[date]] = defaultdict(list)
    for day in span:
        found[_start(day, grain)].append(day)
    return [(_label(start, grain), days) for start, days in sorted(found.items(), reverse=True)]


def _start(day: date, grain: str) -> date:
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _label(start: date, grain: str) -> str:
    if grain == "month":
        return f"{start:%Y-%m}"
    if grain == "week":
        return str(_("%(day)s 周", day=f"{start:%m-%d}"))
    return f"{start:%m-%d} {start:%a}" if is_english() else f"{start:%m-%d} {_WEEKDAYS[start.weekday()]}"
