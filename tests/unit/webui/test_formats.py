"""How values look."""

from datetime import UTC, date, datetime, timedelta

import pytest

from webui import formats, passwords


def test_times_are_the_halls() -> None:
    at = datetime(2026, 3, 18, 2, 32, 18, tzinfo=UTC)
    assert formats.moment(at) == "2026-03-18 10:32:18"
    assert formats.minute(at) == "2026-03-18 10:32"
    assert formats.clock_time(at) == "10:32:18"
    assert formats.day(datetime(2026, 3, 18, 17, 0, tzinfo=UTC)) == "2026-03-19"
    assert formats.day(date(2026, 3, 18)) == "2026-03-18"
    assert formats.moment(None) == formats.day(None) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "00:00"),
        (134, "02:14"),
        (3599.9, "59:59"),
        (3734, "1:02:14"),
        (timedelta(seconds=61), "01:01"),
        (-1, "00:00"),
        (None, "–"),
    ],
)
def test_durations(value: float | timedelta | None, shown: str) -> None:
    assert formats.duration(value) == shown


def test_shares_have_a_denominator() -> None:
    assert formats.share(412, 596) == "69.1%"
    assert formats.share(0, 0) == "–"


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short", "short"), ("x" * 201, "long"), ("chenmin-2026", "name"), ("aaaaaaaaaaaa", "plain")],
)
def test_weak_passwords(password: str, reason: str) -> None:
    with pytest.raises(passwords.WeakPasswordError) as caught:
        passwords.check_strength(password, "chenmin")
    assert caught.value.reason == reason


def test_made_passwords_are_good_and_differ() -> None:
    made = {passwords.make_password() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        passwords.check_strength(password, "chenmin")


def test_a_password_of_nobody_fits_nothing() -> None:
    assert not passwords.is_correct(None, "anything-at-all")
    assert passwords.is_correct(passwords.hash_password("Tingjian-2026"), "Tingjian-2026")
