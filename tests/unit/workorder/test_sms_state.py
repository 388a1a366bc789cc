"""The table of a message's states, receipts, and quiet hours."""

from datetime import UTC, datetime

import pytest

from core.errors import ConflictError
from workorder.sms_hours import next_allowed, next_day, read_quiet_hours
from workorder.sms_receipt import read_receipt
from workorder.sms_state import MOVES, ReceiptStatus, SmsInput, SmsState, next_state, verdict


@pytest.mark.parametrize(
    ("inputs", "end"),
    [
        ("take accept deliver", "delivered"),
        ("take accept fail", "failed"),
        ("take refuse", "failed"),
        ("take postpone take accept", "submitted"),
        ("expire", "failed"),
        ("take lose", "unknown"),
        ("take lose resend take accept deliver", "delivered"),
        ("take lose accept", "submitted"),
        ("take lose deliver", "delivered"),
        ("take lose fail", "failed"),
        ("take postpone expire", "failed"),
    ],
)
def test_every_story(inputs: str, end: str) -> None:
    state = SmsState.QUEUED
    for given in inputs.split():
        state = next_state(state, SmsInput(given))
    assert state == end


def test_every_state_has_a_row_and_nothing_moves_after_the_end() -> None:
    assert set(MOVES) == set(SmsState)
    for state in (SmsState.DELIVERED, SmsState.FAILED):
        for given in SmsInput:
            with pytest.raises(ConflictError):
                next_state(state, given)


def test_nothing_but_a_person_sends_an_unknown_one_again() -> None:
    leading = {given for given, after in MOVES[SmsState.UNKNOWN].items() if after in {SmsState.QUEUED, SmsState.SUBMITTING}}
    assert leading == {SmsInput.RESEND}


@pytest.mark.parametrize(
    ("receipts", "parts", "said"),
    [
        ([], 1, None),
        ([(1, None)], 1, None),
        ([(1, "delivered")], 1, SmsInput.DELIVER),
        ([(1, "delivered")], 2, None),
        ([(2, "delivered"), (1, "delivered")], 2, SmsInput.DELIVER),
        ([(2, "failed"), (1, None)], 2, SmsInput.FAIL),
        ([(1, "delivered"), (2, "failed")], 2, SmsInput.FAIL),
        ([(0, "delivered")], 3, SmsInput.DELIVER),
        ([(0, None)], 3, None),
    ],
)
def test_what_receipts_say_together(receipts: list[tuple[int, str | None]], parts: int, said: SmsInput | None) -> None:
    assert verdict(receipts, parts) == said


@pytest.mark.parametrize(
    ("text", "message_id", "state", "read"),
    [
        (b"id:abc-1 sub:001 dlvrd:001 submit date:2603181030 done date:2603181031 stat:DELIVRD err:000 text:", None, None, "abc-1"),
        (b"id:7 stat:undeliv err:0x2b", None, None, "7"),
        (b"", b"abc\x00", 2, "abc"),
        (b"id:other stat:ENROUTE", b"abc", 5, "abc"),
    ],
)
def test_receipts_as_networks_write_them(text: bytes, message_id: bytes | None, state: int | None, read: str) -> None:
    receipt = read_receipt(text, message_id, state)
    assert receipt is not None
    assert receipt.gateway_id == read
    expected = ReceiptStatus.DELIVERED if b"DELIVRD" in text or state == 2 else ReceiptStatus.FAILED
    assert receipt.status is expected


@pytest.mark.parametrize("text", [b"", b"hello", b"id:", b"id:1", b"stat:DELIVRD", b"id:1 stat:WHATEVER", b"\xff\xfe\x00" * 20])
def test_what_is_no_receipt(text: bytes) -> None:
    assert read_receipt(text) is None


def test_a_receipt_on_the_way_decides_nothing() -> None:
    receipt = read_receipt(b"id:1 stat:ACCEPTD err:000")
    assert receipt is not None
    assert receipt.status is ReceiptStatus.ON_THE_WAY
    assert verdict([(1, receipt.status)], 1) is None


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


@pytest.mark.parametrize(
    ("hours", "now", "allowed"),
    [
        ("20:00-09:00", "2026-03-18 10:00", "2026-03-18 10:00"),
        ("20:00-09:00", "2026-03-18 19:59", "2026-03-18 19:59"),
        ("20:00-09:00", "2026-03-18 20:00", "2026-03-19 09:00"),
        ("20:00-09:00", "2026-03-18 23:59", "2026-03-19 09:00"),
        ("20:00-09:00", "2026-12-31 23:59", "2027-01-01 09:00"),
        ("20:00-09:00", "2026-03-18 00:00", "2026-03-18 09:00"),
        ("20:00-09:00", "2026-03-18 09:00", "2026-03-18 09:00"),
        ("12:00-14:00", "2026-03-18 13:00", "2026-03-18 14:00"),
        ("00:00-00:00", "2026-03-18 03:00", "2026-03-18 03:00"),
    ],
)
def test_quiet_hours(hours: str, now: str, allowed: str) -> None:
    assert next_allowed(at(now), read_quiet_hours(hours)) == at(allowed)


def test_the_next_day_is_the_halls() -> None:
    assert next_day(datetime(2026, 3, 18, 15, 59, tzinfo=UTC)) == at("2026-03-19 00:00")
    assert next_day(datetime(2026, 3, 18, 16, 0, tzinfo=UTC)) == at("2026-03-20 00:00")


@pytest.mark.parametrize("text", ["", "20-9", "25:00-09:00", "20:00", "20:00-09:60", "20:00-09:00;"])
def test_quiet_hours_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="20:00-09:00"):
        read_quiet_hours(text)
