"""Reads the conditions of the lists of cases and text messages from an address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from core.clock import day_bounds
from workorder.case_view import CaseFilter
from workorder.sms_state import SmsState
from workorder.sms_view import SmsFilter

LONGEST_TEXT = 60
_TAIL = re.compile(r"\d{4}")
_WHOLE_NUMBER = re.compile(r"(1\d{10}|0\d{9,11}|\+\d{7,15})")


@dataclass(frozen=True)
class CasesQuery:
    """The filter that an address makes and the conditions chosen. `is_refused`: it asks for a whole number without the right."""

    wanted: CaseFilter
    chosen: list[tuple[str, str]] = field(default_factory=list)
    is_refused: bool = False


@dataclass(frozen=True)
class SmsQuery:
    """The same for text messages."""

    wanted: SmsFilter
    chosen: list[tuple[str, str]] = field(default_factory=list)
    is_refused: bool = False


def read_cases_query(arguments: Mapping[str, str], *, may_see_numbers: bool) -> CasesQuery:
    """Return the query of an address. What cannot be read is left out rather than refused: old links go on working."""
    chosen: list[tuple[str, str]] = []
    values: dict[str, str] = {}
    text, is_refused = clean(arguments.get("q", "")), False
    if text:
        kind = _kind_of(text)
        is_refused = kind == "phone" and not may_see_numbers
        values[kind] = text
        chosen.append(("q", text))
    for name in ("unit", "region"):
        if value := clean(arguments.get(name, "")):
            values[name] = value
            chosen.append((name, value))
    state = arguments.get("state", "")
    if state in {"open", "closed"}:
        chosen.append(("state", state))
    start, end = _span(arguments, chosen)
    wanted = CaseFilter(
        **values,
        is_closed={"open": False, "closed": True}.get(state),
        closed_from=start,
        closed_before=end,
    )
    return CasesQuery(wanted, chosen, is_refused)


def read_sms_query(arguments: Mapping[str, str], *, may_see_numbers: bool) -> SmsQuery:
    """Return the query of an address, as read_cases_query does."""
    chosen: list[tuple[str, str]] = []
    values: dict[str, str] = {}
    text, is_refused = clean(arguments.get("q", "")), False
    if text:
        kind = _kind_of(text)
        kind = "reference" if kind == "text" else kind
        is_refused = kind == "phone" and not may_see_numbers
        values[kind] = text
        chosen.append(("q", text))
    if arguments.get("state", "") in set(SmsState):
        values["state"] = arguments["state"]
        chosen.append(("state", values["state"]))
    start, end = _span(arguments, chosen)
    return SmsQuery(SmsFilter(**values, created_from=start, created_before=end), chosen, is_refused)


def clean(text: str) -> str:
    """Return what was typed without what no text holds."""
    return " ".join(text.replace("\x00", "").split())[:LONGEST_TEXT]


def _kind_of(text: str) -> str:
    if _TAIL.fullmatch(text):
        return "phone_tail"
    return "phone" if _WHOLE_NUMBER.fullmatch(text) else "text"


def _span(arguments: Mapping[str, str], chosen: list[tuple[str, str]]) -> tuple[datetime | None, datetime | None]:
    first, last = _day(arguments.get("from", "")), _day(arguments.get("to", ""))
    if first or last:
        chosen.append(("from" if first else "to", f"{first or '…'} – {last or '…'}"))
    return day_bounds(first)[0] if first else None, day_bounds(last)[1] if last else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1990 <= day.year <= 2200 else None
