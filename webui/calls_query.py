"""Reads the conditions of the call list from an address: which calls to show, and how each condition is called on the page."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.clock import day_bounds, local_date
from telephony.reads import CallFilter

WHEN = ("today", "yesterday", "7d", "30d", "all")
_DAYS = {"today": 0, "7d": 6, "30d": 29}
_CALL_NUMBER = re.compile(r"\d{8}-\d{3,8}")
_TAIL = re.compile(r"\d{4}")
_WHOLE_NUMBER = re.compile(r"\+?\d{5,20}")
LONGEST_TEXT = 60


@dataclass(frozen=True)
class CallsQuery:
    """The conditions as they were chosen, and the filter that they make. `refused` names one that the asker may not use."""

    wanted: CallFilter
    when: str = "today"
    chosen: list[tuple[str, str]] = field(default_factory=list)
    refused: str = ""


def read_query(
    arguments: Mapping[str, str], now: datetime, *, own_agent: uuid.UUID | None, may_see_all: bool, may_see_numbers: bool
) -> CallsQuery:
    """Return the query of an address. What cannot be read is left out rather than refused: old links go on working.

    Args:
        own_agent: the asker's agent; unless `may_see_all`, only that agent's calls are found.
        may_see_numbers: whether a whole telephone number may be looked for; its last four digits always may.
    """
    chosen: list[tuple[str, str]] = []
    refused = ""
    when, start, end = _span(arguments, local_date(now))
    if when == "span":
        chosen.append(("from" if arguments.get("from") else "to", f"{arguments.get('from') or '…'} – {arguments.get('to') or '…'}"))
    elif when != "all":
        chosen.append(("when", when))
    values: dict[str, str] = {}
    text = " ".join(arguments.get("q", "").replace("\x00", "").split())[:LONGEST_TEXT]
    if text:
        kind = _kind_of(text)
        if kind == "caller_number" and not may_see_numbers:
            refused = "number"
        values[kind] = text
        chosen.append(("q", text))
    if arguments.get("queue"):
        values["queue_name"] = arguments["queue"][:60]
        chosen.append(("queue", values["queue_name"]))
    agent = _id(arguments.get("agent", ""))
    if agent and may_see_all:
        chosen.append(("agent", str(agent)))
    outcome, disposition = _result(arguments.get("result", ""))
    if outcome or disposition is not None:
        chosen.append(("result", arguments["result"]))
    longest, shortest = _minutes(arguments.get("max", "")), _minutes(arguments.get("min", ""))
    chosen.extend((name, arguments[name]) for name, value in (("min", shortest), ("max", longest)) if value is not None)
    without_recording = arguments.get("lost") == "1"
    if without_recording:
        chosen.append(("lost", "1"))
    wanted = CallFilter(
        started_from=start,
        started_before=end,
        caller_number=values.get("caller_number", ""),
        caller_tail=values.get("caller_tail", ""),
        call_number=values.get("call_number", ""),
        text=values.get("text", ""),
        queue_name=values.get("queue_name", ""),
        agent_id=(agent if may_see_all else own_agent or uuid.UUID(int=0)),
        outcome=outcome,
        disposition=disposition,
        min_talking_seconds=shortest,
        max_talking_seconds=longest,
        without_recording=without_recording,
    )
    return CallsQuery(wanted, when, chosen, refused)


def _span(arguments: Mapping[str, str], today: date) -> tuple[str, datetime | None, datetime | None]:
    first, last = _day(arguments.get("from", "")), _day(arguments.get("to", ""))
    if first or last:
        return "span", day_bounds(first)[0] if first else None, day_bounds(last)[1] if last else None
    when = arguments.get("when", "today")
    if when not in WHEN:
        when = "today"
    if when == "all":
        return when, None, None
    if when == "yesterday":
        return when, *day_bounds(today - timedelta(days=1))
    return when, day_bounds(today - timedelta(days=_DAYS[when]))[0], day_bounds(today)[1]


def _kind_of(text: str) -> str:
    if _CALL_NUMBER.fullmatch(text):
        return "call_number"
    if _TAIL.fullmatch(text):
        return "caller_tail"
    return "caller_number" if _WHOLE_NUMBER.fullmatch(text) else "text"


def _result(text: str) -> tuple[str, str | None]:
    """A result is how the call ended (放弃 …) or what the agent wrote (即时答复 …); `unwritten` means nothing was written."""
    if text in {"answered", "abandoned", "failed", "running"}:
        return text, None
    if text == "unwritten":
        return "", ""
    return "", text[:20] or None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def _minutes(text: str) -> float | None:
    return float(text) * 60 if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
