"""What pages are told of a call."""

from datetime import UTC, datetime, timedelta

from telephony.reads import EventView
from webui.calls_pieces import hidden_pieces
from webui.desk_view import caller_json, holds_json

START = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)


def story(*events: tuple[str, int]) -> list[EventView]:
    return [EventView(START + timedelta(seconds=at), kind, {}) for kind, at in events]


def test_holds_end_with_whatever_ends_them() -> None:
    events = story(("answered", 0), ("held", 10), ("resumed", 31), ("held", 50), ("transferred", 60), ("answered", 70))
    assert [hold["seconds"] for hold in holds_json(events, None)] == [21.0, 10.0]


def test_an_open_hold_lasts_until_the_call_does() -> None:
    assert holds_json(story(("held", 5)), START + timedelta(seconds=9))[0]["seconds"] == 4
    assert holds_json(story(("held", 5)), None)[0]["seconds"] is None
    assert holds_json(story(("resumed", 5), ("held", 6), ("held", 7), ("ended", 8)), None) == [
        {"from": "2026-03-18T02:30:06.000+00:00", "to": "2026-03-18T02:30:08.000+00:00", "seconds": 2.0}
    ]


def test_a_caller_is_never_shown_whole() -> None:
    assert caller_json("13800138000", False) == {"shown": "138****8000", "kind": "number"}
    assert caller_json("13800138000", True)["shown"] == ""
    assert caller_json("", False)["kind"] == "withheld"


def test_only_our_own_signs_become_chips() -> None:
    pieces = hidden_pieces("号是〔证件号〕，不是〔随便写〕〔卡号〕")
    assert [piece.text for piece in pieces if piece.is_hidden] == ["证件号", "卡号"]
    assert "".join(piece.text for piece in pieces if not piece.is_hidden) == "号是，不是〔随便写〕"
