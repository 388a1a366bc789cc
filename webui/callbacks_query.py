"""Reads the conditions of the callback list from an address."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callback.listing import ListFilter
from callback.rule import Reason, Way
from core.clock import day_bounds, local_date

STATES = ("owed", "done", "given_up", "cancelled", "all")
REASONS = frozenset(Reason)
WAYS = frozenset(Way)
DUE = frozenset({"now", "today", "soon", "overdue"})
LONGEST_TEXT = 60
_TAIL = re.compile(r"\d{4}")
_WHOLE_NUMBER = re.compile(r"\+?\d{5,20}")


@dataclass(frozen=True)
class CallbacksQuery:
    """The conditions as they were chosen, and the filter that they make. `refused`: a whole number, without the right."""

    wanted: ListFilter
    state: str = "owed"
    chosen: list[tuple[str, str]] = field(default_factory=list)
    refused: bool = False


def read_query(
    arguments: Mapping[str, str], now: datetime, *, own_agent: uuid.UUID | None, may_see_all: bool, may_see_numbers: bool
) -> CallbacksQuery:
    """Return the query of an address. What cannot be read is left out rather than refused: old links go on working."""
    state = arguments.get("state", "owed")
    state = state if state in STATES else "owed"
    chosen = [("state", state)] if state != "owed" else []
    values: dict[str, Any] = {}
    for name, choices in (("reason", REASONS), ("way", WAYS), ("due", DUE)):
        if arguments.get(name, "") in choices:
            values[name] = arguments[name]
            chosen.append((name, values[name]))
    campaign = _clean(arguments.get("campaign", ""))
    if campaign:
        values["campaign"] = campaign
        chosen.append(("campaign", campaign))
    text, refused = _clean(arguments.get("q", "")), False
    if text:
        kind = "phone_tail" if _TAIL.fullmatch(text) else "phone" if _WHOLE_NUMBER.fullmatch(text) else "text"
        refused = kind == "phone" and not may_see_numbers
        values[kind] = text
        chosen.append(("q", text))
    is_mine = arguments.get("mine") == "1" and own_agent is not None
    if is_mine:
        chosen.append(("mine", "1"))
    wanted = ListFilter(
        state="" if state == "all" else state,
        day_end=day_bounds(local_date(now))[1],
        tried_by=own_agent if is_mine else None,
        seen_by=None if may_see_all else own_agent or uuid.UUID(int=0),
        **values,
    )
    return CallbacksQuery(wanted, state, chosen, refused)


def _clean(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:LONGEST_TEXT]
