"""What an address of the call list means."""

import uuid
from datetime import UTC, datetime

import pytest

from webui.calls_query import CallsQuery, read_query

NOW = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)  # 10:30 in the hall
MINE = uuid.UUID(int=7)


def query(*, may_see_all: bool = True, may_see_numbers: bool = True, **arguments: str) -> CallsQuery:
    return read_query(arguments, NOW, own_agent=MINE, may_see_all=may_see_all, may_see_numbers=may_see_numbers)


def test_today_is_the_hall_s_day() -> None:
    wanted = query().wanted
    assert wanted.started_from == datetime(2026, 3, 17, 16, tzinfo=UTC)
    assert wanted.started_before == datetime(2026, 3, 18, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "field"),
    [("20260318-000287", "call_number"), ("8000", "caller_tail"), ("13800138000", "caller_number"), ("居住证 签注", "text")],
)
def test_one_box_knows_what_was_typed(text: str, field: str) -> None:
    wanted = query(q=text).wanted
    values = {name: getattr(wanted, name) for name in ("call_number", "caller_tail", "caller_number", "text")}
    assert values.pop(field) == text
    assert not any(values.values())


def test_a_whole_number_needs_the_right_to_see_it() -> None:
    assert query(q="13800138000", may_see_numbers=False).refused == "number"
    assert not query(q="8000", may_see_numbers=False).refused


def test_who_sees_only_their_own_calls_cannot_ask_for_others() -> None:
    other = str(uuid.UUID(int=9))
    assert query(agent=other).wanted.agent_id == uuid.UUID(other)
    assert query(agent=other, may_see_all=False).wanted.agent_id == MINE
    nobody = read_query({}, NOW, own_agent=None, may_see_all=False, may_see_numbers=False)
    assert nobody.wanted.agent_id == uuid.UUID(int=0), "no agent number must not mean every agent"


def test_dates_go_before_the_choice_and_nonsense_is_left_out() -> None:
    wanted = query(**{"from": "2026-03-01", "to": "2026-03-02", "when": "7d"}).wanted
    assert wanted.started_from == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert wanted.started_before == datetime(2026, 3, 2, 16, tzinfo=UTC)
    odd = query(**{"from": "yesterday", "when": "ages", "agent": "x", "min": "-3", "max": "1e9", "queue": ""})
    assert odd.when == "today"
    assert odd.chosen == [("when", "today")]


def test_results_are_of_two_kinds() -> None:
    assert (query(result="abandoned").wanted.outcome, query(result="abandoned").wanted.disposition) == ("abandoned", None)
    assert query(result="unwritten").wanted.disposition == ""
    assert query(result="即时答复").wanted.disposition == "即时答复"
    assert query(min="3", max="10").wanted.min_talking_seconds == 180
