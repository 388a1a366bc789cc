"""Ring, not yet, the next way, or drop."""

from datetime import UTC, datetime, timedelta

import pytest

from callback.calling_hours import Window, hours_from
from callback.decision import Candidate, Decision, HouseRules, NextWay, Ring, decide, first_chance
from callback.etiquette import Drop, Etiquette, NotBefore, NumberFacts
from callback.hindrance import Hindrance
from callback.rule import Reason, Way
from core.clock import LOCAL_ZONE

RULES = HouseRules(
    Etiquette(),
    {
        Window.SURVEY: hours_from("09:00-20:00", working_days_only=True),
        Window.REPLY: hours_from("08:30-21:00", working_days_only=False),
        Window.ASKED: hours_from("08:00-22:00", working_days_only=False),
        Window.QUEUE: hours_from("00:00-24:00", working_days_only=False),
    },
    lambda day: day.weekday() < 5,
)
MOBILE = "13800138000"


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of March 2026; the 18th is a Wednesday, the 21st a Saturday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=LOCAL_ZONE).astimezone(UTC)


def survey(way: Way = Way.IVR, **more: object) -> Candidate:
    return Candidate(Reason.CASE_CLOSED, way, MOBILE, **more)  # type: ignore[arg-type]


def reply(reason: Reason = Reason.MISSED_CALL, **more: object) -> Candidate:
    return Candidate(reason, Way.AGENT, MOBILE, **more)  # type: ignore[arg-type]


NOBODY = NumberFacts()
REFUSER = NumberFacts(refused_at=local(17, 10))
OPTED_OUT = NumberFacts(has_opted_out=True, refused_at=local(17, 10), rung_at=[local(18, 9), local(18, 10)])


@pytest.mark.parametrize(
    ("candidate", "facts", "now", "decision"),
    [
        (survey(), NOBODY, local(18, 9), Ring()),
        (survey(), NOBODY, local(18, 20), NotBefore(local(19, 9), Hindrance.OUTSIDE_WINDOW)),
        (survey(), NOBODY, local(20, 20), NotBefore(local(23, 9), Hindrance.OUTSIDE_WINDOW)),
        (survey(), NOBODY, local(21, 12), NotBefore(local(23, 9), Hindrance.OUTSIDE_WINDOW)),
        (survey(), REFUSER, local(18, 12), NotBefore(local(24, 10), Hindrance.RESTING)),
        (survey(), OPTED_OUT, local(18, 12), Drop(Hindrance.OPTED_OUT)),
        (survey(), NumberFacts(rung_at=[local(18, 9)]), local(18, 12), NotBefore(local(18, 15), Hindrance.TOO_SOON)),
        # Six hours after 16:00 the window is closed: the next morning.
        (survey(), NumberFacts(rung_at=[local(18, 16)]), local(18, 17), NotBefore(local(19, 9), Hindrance.TOO_SOON)),
        (survey(ask_every_days=7), NumberFacts(asked_at=local(16, 9)), local(18, 12), Drop(Hindrance.ASKED_LATELY)),
        (survey(expires_at=local(18, 12)), NOBODY, local(18, 12), Drop(Hindrance.EXPIRED)),
        (survey(has_questionnaire=False), NOBODY, local(18, 12), NotBefore(local(18, 13), Hindrance.NO_QUESTIONNAIRE)),
        # A text message keeps no distance from calls, but window, rest and opt-out hold.
        (survey(Way.SMS), NumberFacts(rung_at=[local(18, 9), local(18, 11)]), local(18, 12), Ring()),
        (survey(Way.SMS), REFUSER, local(18, 12), NotBefore(local(24, 10), Hindrance.RESTING)),
        (survey(Way.SMS), OPTED_OUT, local(18, 12), Drop(Hindrance.OPTED_OUT)),
        (survey(Way.SMS), NOBODY, local(18, 22), NotBefore(local(19, 9), Hindrance.OUTSIDE_WINDOW)),
        (Candidate(Reason.CASE_CLOSED, Way.SMS, "01062841234"), NOBODY, local(18, 12), NextWay(Hindrance.NOT_MOBILE)),
        # What we owe a citizen no opt-out, refusal, gap or weekend stands in the way of.
        (reply(), OPTED_OUT, local(18, 12), Ring()),
        (reply(), OPTED_OUT, local(21, 12), Ring()),
        (reply(Reason.BAD_RATING), OPTED_OUT, local(18, 12), Ring()),
        (reply(), NOBODY, local(18, 22), NotBefore(local(19, 8, 30), Hindrance.OUTSIDE_WINDOW)),
        (reply(Reason.ASKED_TIME, is_asked=True), OPTED_OUT, local(21, 21, 30), Ring()),
        (reply(Reason.QUEUE_CALLBACK), OPTED_OUT, local(22, 3), Ring()),
        # A survey at the time that the citizen asked for: a Saturday evening is right then.
        (survey(is_asked=True), NumberFacts(rung_at=[local(21, 19)]), local(21, 20), Ring()),
        (survey(is_asked=True), OPTED_OUT, local(21, 20), Drop(Hindrance.OPTED_OUT)),
    ],
)
def test_decides(candidate: Candidate, facts: NumberFacts, now: datetime, decision: Decision) -> None:
    assert decide(candidate, facts, now, RULES) == decision


def test_the_first_chance_looks_past_every_hindrance() -> None:
    facts = NumberFacts(rung_at=[local(20, 16)])  # Friday 16:00 + 6 h is night, then a weekend
    assert first_chance(survey(), facts, local(20, 17), RULES) == (local(23, 9), Hindrance.TOO_SOON)
    assert first_chance(survey(), OPTED_OUT, local(20, 17), RULES) == (None, Hindrance.OPTED_OUT)
    assert first_chance(survey(), NOBODY, local(18, 9), RULES) == (local(18, 9), None)


def test_nobody_is_said_to_be_rung_who_waits_for_a_questionnaire() -> None:
    assert first_chance(survey(has_questionnaire=False), NOBODY, local(18, 9), RULES) == (None, Hindrance.NO_QUESTIONNAIRE)


def test_what_is_put_off_may_be_rung_then() -> None:
    """Whatever moment a decision names, the same decision at that moment is to ring or another, later one."""
    facts = NumberFacts(rung_at=[local(18, 9), local(18, 16)], refused_at=local(12, 10))
    at = local(18, 0)
    for _ in range(6):
        match decide(survey(), facts, at, RULES):
            case NotBefore(at=later):
                assert later > at
                at = later
            case Ring():
                break
    assert at == local(19, 10)  # a week after the refusal; the gap is over by then
    assert at - facts.rung_at[1] >= timedelta(hours=6)
