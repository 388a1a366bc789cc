"""Work by the clock: when it is due next, and what a machine that was away makes up for."""

from datetime import UTC, datetime

from core.periodic import Periodic, first_slot, next_slot

NIGHTLY = "30 6 * * *"
AT_HALF_PAST_TEN = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)


def test_slots_are_read_on_the_halls_clock() -> None:
    assert next_slot(NIGHTLY, AT_HALF_PAST_TEN).astimezone(UTC) == datetime(2026, 3, 18, 22, 30, tzinfo=UTC)


def test_what_must_not_be_missed_begins_with_the_latest_slot() -> None:
    kept = Periodic("close", NIGHTLY, "statistics", "close", is_made_up=True)
    assert first_slot(kept, AT_HALF_PAST_TEN).astimezone(UTC) == datetime(2026, 3, 17, 22, 30, tzinfo=UTC)
    assert first_slot(Periodic("tidy", NIGHTLY, "q", "tidy"), AT_HALF_PAST_TEN) == next_slot(NIGHTLY, AT_HALF_PAST_TEN)
