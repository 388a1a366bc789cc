"""House rules for surveys: how often, how far apart, rest, opt-out."""

from datetime import UTC, datetime, timedelta

import pytest

from callback.etiquette import Drop, Etiquette, NotBefore, NumberFacts, check
from callback.hindrance import Hindrance
from core.clock import LOCAL_ZONE

RULES = Etiquette()
NOW = datetime(2026, 3, 18, 15, 0, tzinfo=LOCAL_ZONE).astimezone(UTC)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def ask(facts: NumberFacts, every: int = 0, *, is_asked: bool = False) -> Drop | NotBefore | None:
    return check(facts, NOW, RULES, every, is_asked=is_asked)


def test_a_number_never_rung_may_be() -> None:
    assert ask(NumberFacts()) is None


@pytest.mark.parametrize(
    ("rung_at", "answer"),
    [
        ([ago(6)], None),
        ([ago(5.9)], NotBefore(ago(5.9) + timedelta(hours=6), Hindrance.TOO_SOON)),
        ([ago(20)], None),
        ([ago(30), ago(31)], None),  # yesterday's count for nothing today
        # Two today already (09:00 and 09:01 would be too close, but they happened): not before tomorrow.
        ([ago(14.5), ago(6.1)], NotBefore(datetime(2026, 3, 19, tzinfo=LOCAL_ZONE), Hindrance.DAY_FULL)),
        # The second one late in the day: tomorrow, and six hours after it.
        ([ago(14), ago(0.5)], NotBefore(datetime(2026, 3, 19, tzinfo=LOCAL_ZONE), Hindrance.DAY_FULL)),
    ],
)
def test_attempts_a_day_and_the_gap(rung_at: list[datetime], answer: NotBefore | None) -> None:
    assert ask(NumberFacts(rung_at=rung_at)) == answer


def test_the_gap_holds_over_midnight() -> None:
    night = datetime(2026, 3, 19, 0, 30, tzinfo=LOCAL_ZONE)
    rung = [datetime(2026, 3, 18, 12, 0, tzinfo=LOCAL_ZONE), datetime(2026, 3, 18, 19, 0, tzinfo=LOCAL_ZONE)]
    answer = check(NumberFacts(rung_at=rung), night, RULES, 0, is_asked=False)
    assert answer == NotBefore(datetime(2026, 3, 19, 1, 0, tzinfo=LOCAL_ZONE), Hindrance.TOO_SOON)


def test_whoever_refused_rests_a_week() -> None:
    assert ask(NumberFacts(refused_at=ago(1))) == NotBefore(ago(1) + timedelta(days=7), Hindrance.RESTING)
    assert ask(NumberFacts(refused_at=ago(7 * 24))) is None


def test_an_opt_out_lasts() -> None:
    assert ask(NumberFacts(has_opted_out=True)) == Drop(Hindrance.OPTED_OUT)
    assert ask(NumberFacts(has_opted_out=True), is_asked=True) == Drop(Hindrance.OPTED_OUT)


def test_how_often_a_person_is_asked_at_all() -> None:
    facts = NumberFacts(asked_at=ago(24 * 5))
    assert ask(facts, every=7) == Drop(Hindrance.ASKED_LATELY)
    assert ask(facts, every=5) is None
    assert ask(facts, every=0) is None


def test_a_time_that_the_citizen_asked_for_needs_no_distance() -> None:
    crowded = NumberFacts(rung_at=[ago(1), ago(2), ago(3)], asked_at=ago(1))
    assert ask(crowded, every=30, is_asked=True) is None
    assert isinstance(ask(NumberFacts(refused_at=ago(1)), is_asked=True), NotBefore)
