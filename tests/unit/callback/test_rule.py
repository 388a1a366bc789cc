"""What a rule may say, whom it is about, on which day it falls due, and who is drawn."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from pydantic import ValidationError

from callback.demonstration import DEFAULTS, RULES
from callback.due import due_at, promised_by
from callback.rule import (
    PRIORITY,
    AllSampled,
    AtOnce,
    NextDay,
    OnDate,
    OnDay,
    Reason,
    RuleDefinition,
    ShareSampled,
    StrataSampled,
    Subject,
    Way,
    When,
    Who,
    is_about,
)
from callback.sampling import draw
from core.clock import LOCAL_ZONE


def rule(**words: object) -> RuleDefinition:
    known: dict[str, object] = {"title": "办件回访", "reason": "case_closed"}
    return RuleDefinition.model_validate(known | words)


def test_the_agent_alone_is_the_default() -> None:
    assert rule().ways == [Way.AGENT]


def test_a_rule_survives_its_json() -> None:
    for definition in RULES.values():
        assert RuleDefinition.model_validate(definition.model_dump(mode="json")) == definition


@pytest.mark.parametrize(
    "words",
    [
        {"title": ""},
        {"ways": []},
        {"ways": ["agent", "agent"]},
        {"ways": ["pigeon"]},
        {"ways": ["ivr"]},  # an automatic call without questions
        {"ways": ["sms"]},
        {"reason": "missed_call", "sampling": {"kind": "share", "share": 0.5}},
        {"reason": "bad_rating", "ask_every_days": 3},
        {"reason": "queue_callback", "ways": ["ivr"], "questionnaire": "q"},
        {"sampling": {"kind": "share", "share": 0}},
        {"sampling": {"kind": "share", "share": 1.5}},
        {"sampling": {"kind": "strata", "by": "unit", "shares": {}}},
        {"sampling": {"kind": "strata", "by": "phone", "shares": {"a": 1}}},
        {"when": {"kind": "on_day", "working_days": -1}},
        {"when": {"kind": "sometime"}},
        {"expires_after_days": 0},
        {"priority": 0},
        {"unknown": 1},
    ],
)
def test_what_makes_no_sense_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        rule(**words)


def test_replies_that_no_rule_speaks_of_have_defaults() -> None:
    assert set(DEFAULTS) == {reason for reason in Reason if not rule(reason=reason).is_survey}
    assert all(definition.reason is reason for reason, definition in DEFAULTS.items())


def test_whom_we_owe_goes_before_whom_we_ask() -> None:
    replies = [PRIORITY[reason] for reason in DEFAULTS]
    assert max(replies) < min(PRIORITY[reason] for reason in Reason if reason not in DEFAULTS)


def test_whom_a_rule_is_about() -> None:
    about = rule(who=Who(units=["市公安局"], regions=["东山区", "西湖区"]))
    assert is_about(about, Subject(unit="市公安局", region="西湖区"))
    assert not is_about(about, Subject(unit="市公安局", region="北城区"))
    assert not is_about(about, Subject(unit="", region="西湖区"))
    assert is_about(rule(), Subject())


def test_confidential_callers_are_asked_nothing_and_still_answered() -> None:
    secret = Subject(is_confidential=True)
    assert not is_about(rule(), secret)
    assert is_about(rule(who=Who(with_confidential=True)), secret)
    assert is_about(rule(reason="missed_call"), secret)


def add_working_days(day: date, count: int) -> date:
    while count or day.weekday() >= 5:
        day += timedelta(days=1)
        count -= day.weekday() < 5 and count > 0
    return day


@pytest.mark.parametrize(
    ("when", "due"),
    [
        (AtOnce(), (20, 17, 30)),
        (NextDay(at=time(9, 30)), (21, 9, 30)),
        (OnDay(working_days=1, at=time(10)), (23, 10, 0)),
        (OnDay(working_days=5), (27, 9, 0)),
        (OnDay(working_days=0, at=time(9)), (20, 17, 30)),  # the hour is past: at once
        (OnDate(date=date(2026, 3, 29), at=time(8)), (29, 8, 0)),
        (OnDate(date=date(2026, 3, 2)), (20, 17, 30)),
    ],
)
def test_when_a_friday_evening_falls_due(when: When, due: tuple[int, int, int]) -> None:
    friday = datetime(2026, 3, 20, 17, 30, tzinfo=LOCAL_ZONE).astimezone(UTC)
    day, hour, minute = due
    assert due_at(when, friday, add_working_days) == datetime(2026, 3, day, hour, minute, tzinfo=LOCAL_ZONE)


def test_contact_is_promised_until_the_end_of_a_working_day() -> None:
    friday = datetime(2026, 3, 20, 17, 30, tzinfo=LOCAL_ZONE)
    assert promised_by(friday, 1, add_working_days) == datetime(2026, 3, 24, tzinfo=LOCAL_ZONE)
    assert promised_by(friday, None, add_working_days) is None


def test_everybody_or_nobody_of_a_share() -> None:
    assert draw(AllSampled(), "k", Subject()).is_sampled
    assert draw(ShareSampled(share=1, seed="s"), "k", Subject()).is_sampled
    assert draw(AllSampled(), "k", Subject()).weight == 1.0


def test_a_draw_is_repeatable_and_another_seed_draws_others() -> None:
    keys = [f"case:{number}" for number in range(20_000)]
    first, again, other = (
        {key for key in keys if draw(ShareSampled(share=0.1, seed=seed), key, Subject()).is_sampled} for seed in ("a", "a", "b")
    )
    assert first == again
    # Two tenths drawn by themselves share a hundredth.
    assert 1850 < len(first) < 2150
    assert 130 < len(first & other) < 270
    assert draw(ShareSampled(share=0.1), "k", Subject()).weight == 10.0


def test_seed_and_key_cannot_be_shifted() -> None:
    half = [draw(ShareSampled(share=0.5, seed="a" * n), "b" * (40 - n), Subject()).is_sampled for n in range(40)]
    assert len(set(half)) == 2


def test_each_stratum_has_its_share_and_its_weight() -> None:
    strata = StrataSampled(by="unit", shares={"公安": 0.5, "税务": 0.05, "不问": 0}, other=0.01, seed="s")
    drawn: Counter[str] = Counter()
    weight: Counter[str] = Counter()
    for number in range(20_000):
        unit = ("公安", "税务", "不问", "别处")[number % 4]
        found = draw(strata, f"case:{number}", Subject(unit=unit))
        assert found.stratum == unit
        drawn[unit] += found.is_sampled
        weight[unit] += found.weight if found.is_sampled else 0  # type: ignore[assignment]
    assert drawn["不问"] == 0
    assert 2350 < drawn["公安"] < 2650
    assert 190 < drawn["税务"] < 315
    # The weights of those who were asked stand for all of their stratum: 5,000 each.
    assert weight["公安"] == pytest.approx(5000, rel=0.06)
    assert weight["税务"] == pytest.approx(5000, rel=0.25)
