"""What follows each disposition, for every place in the order of ways."""

from datetime import UTC, datetime, timedelta

import pytest

from callback.disposition import BY_RESULT, CONTACTED, DONE, GIVEN_UP, RETRIED, Disposition, of_result
from callback.retry import MOST_ATTEMPTS_A_WAY, RETRY, Done, GiveUp, Step, TryAt, after_attempt, after_message, is_contact
from telephony.ports import OutboundResult

D = Disposition  # thirteen words in one table
NOW = datetime(2026, 3, 18, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_there_are_thirteen_and_each_has_one_meaning() -> None:
    assert len(D) == 13
    assert len(DONE) + len(GIVEN_UP) + len(RETRIED) == 13
    assert set(RETRY) == RETRIED - {D.CALLBACK_ASKED}


def test_every_result_of_the_line_means_something() -> None:
    assert set(BY_RESULT) == {result.value for result in OutboundResult} - {"answered"}
    assert of_result("rejected") is D.NO_ANSWER
    assert not {of_result(result) for result in BY_RESULT} & CONTACTED


@pytest.mark.parametrize(
    ("disposition", "earlier", "way_no", "ways", "step"),
    [
        (D.COMPLETED, [], 0, 3, Done()),
        (D.PARTIAL, [D.BUSY], 1, 3, Done()),
        (D.REFUSED, [], 0, 3, GiveUp("refused")),
        (D.OPTED_OUT, [], 0, 3, GiveUp("opted_out")),
        (D.WRONG_NUMBER, [], 0, 3, GiveUp("wrong_number")),
        (D.INVALID_NUMBER, [], 0, 3, GiveUp("invalid_number")),
        (D.EXPIRED, [], 0, 3, GiveUp("expired")),
        (D.BUSY, [], 0, 2, TryAt(NOW + HOUR / 2, 0)),
        (D.BUSY, [D.BUSY], 0, 2, TryAt(NOW + HOUR / 2, 0)),
        (D.BUSY, [D.BUSY, D.BUSY], 0, 2, TryAt(NOW, 1)),
        (D.BUSY, [D.BUSY, D.BUSY], 1, 2, GiveUp("ways_used_up")),
        (D.NO_ANSWER, [D.BUSY, D.BUSY], 0, 2, TryAt(NOW + 4 * HOUR, 0)),
        (D.NO_ANSWER, [D.NO_ANSWER, D.NO_ANSWER], 0, 1, GiveUp("ways_used_up")),
        (D.UNAVAILABLE, [], 0, 2, TryAt(NOW + 6 * HOUR, 0)),
        (D.UNAVAILABLE, [D.UNAVAILABLE], 0, 2, TryAt(NOW, 1)),
        (D.BROKEN_OFF, [], 0, 1, TryAt(NOW + 6 * HOUR, 0)),
        (D.BROKEN_OFF, [D.BROKEN_OFF], 0, 1, GiveUp("ways_used_up")),
        (D.FAILED, [], 0, 1, TryAt(NOW + HOUR / 6, 0)),
        # However the causes are mixed, one way ends.
        (D.BUSY, [D.NO_ANSWER, D.NO_ANSWER, D.UNAVAILABLE, D.FAILED], 0, 2, TryAt(NOW, 1)),
    ],
)
def test_what_follows(disposition: D, earlier: list[D], way_no: int, ways: int, step: Step) -> None:
    assert after_attempt(disposition, earlier, way_no, ways, NOW) == step


def test_a_time_that_the_citizen_asked_for_is_kept() -> None:
    asked = NOW + timedelta(days=2)
    assert after_attempt(D.CALLBACK_ASKED, [], 1, 2, NOW, asked) == TryAt(asked, 1, is_asked=True)
    assert after_attempt(D.CALLBACK_ASKED, [], 1, 2, NOW) == TryAt(NOW + timedelta(days=1), 1)


def test_every_chain_of_causes_ends() -> None:
    for disposition in RETRY:
        earlier: list[D] = []
        while isinstance(step := after_attempt(disposition, earlier, 0, 1, NOW), TryAt):
            earlier.append(disposition)
            assert len(earlier) < MOST_ATTEMPTS_A_WAY, disposition
        assert step == GiveUp("ways_used_up")


def test_a_message_is_not_sent_twice() -> None:
    assert after_message(0, 2, NOW) == TryAt(NOW, 1)
    assert after_message(1, 2, NOW) == GiveUp("ways_used_up")


def test_who_was_spoken_with() -> None:
    assert is_contact(D.REFUSED)
    assert not is_contact(D.WRONG_NUMBER)
