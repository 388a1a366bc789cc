"""The made-up year: the same seed makes the same one, it keeps to what is possible, and says what its truth says."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import phonenumbers
import pytest

from callback.disposition import DONE, GIVEN_UP, Disposition
from callback.rule import Reason
from core.phone import is_mobile, normalise_phone
from core.settings import PROJECT_DIR
from launcher.year import agent_rows, attempts, calls, comments, opinions, people, surveys, wording
from launcher.year.arrays import DAY, MINUTE, NEVER, day_start, moment
from launcher.year.attempts import DISPOSITION
from launcher.year.dialogues import dialogue
from launcher.year.knowledge_rows import transcribed
from launcher.year.outreach import AGENT, IVR, REASONS
from launcher.year.plan import YearPlan
from launcher.year.truth import truth_of
from launcher.year.year import Year, make_year
from survey.logic import check

PLAN = YearPlan(datetime(2026, 11, 20, 7, 10, tzinfo=UTC), calls=6_000, answers=3_000, days=60)


@pytest.fixture(scope="module")
def year() -> Year:
    return make_year(PLAN)


def same(first: object, second: object) -> bool:
    """Compare dataclasses of arrays to the last element."""
    return all(
        np.array_equal(getattr(first, one.name), getattr(second, one.name), equal_nan=getattr(first, one.name).dtype.kind == "f")
        for one in fields(first)  # type: ignore[arg-type]
    )


def test_the_same_seed_makes_the_same_year(year: Year) -> None:
    again = make_year(PLAN)
    for part in ("calls", "cases", "owed", "attempts", "outcome", "surveys", "answers"):
        assert same(getattr(year, part), getattr(again, part)), part


def test_another_seed_makes_another_year(year: Year) -> None:
    other = make_year(replace(PLAN, seed=7))
    assert not same(year.calls, other.calls)
    assert truth_of(other)["model"]["opinions"]["satisfied"] != truth_of(year)["model"]["opinions"]["satisfied"]


def test_as_many_as_were_wanted(year: Year) -> None:
    assert len(year.calls) == PLAN.calls
    answered = np.isin(year.surveys.state, (surveys.COMPLETED, surveys.PARTIAL)).sum()
    assert PLAN.answers <= answered <= PLAN.answers * 1.05


def test_nothing_happens_before_the_beginning_or_after_the_end(year: Year) -> None:
    first, last = year.calls.at[0], PLAN.end_micros
    assert moment(first).date() >= PLAN.first_day.replace(day=PLAN.first_day.day - 1)
    assert (np.diff(year.calls.at) > 0).all()
    happened = (
        year.calls.ended_at, year.cases.closed_at, year.owed.created_at, year.attempts.planned_at, year.attempts.answered_at,
        year.attempts.ended_at, year.outcome.finished_at, year.outcome.contacted_at, year.surveys.offered_at,
        year.surveys.finished_at, year.answers.at,
    )  # fmt: skip
    for times in happened:
        assert (times <= last).all()


def test_an_agent_talks_with_one_citizen_at_a_time(year: Year) -> None:
    rang = year.calls
    for seat in range(PLAN.seats):
        own = np.flatnonzero(rang.agent == seat)
        own = own[np.argsort(rang.answered_at[own])]
        assert (rang.rang_at[own][1:] >= rang.ended_at[own][:-1]).all()


def test_the_day_of_an_agent_has_no_gap_and_no_overlap(year: Year) -> None:
    talking = 0
    for seat in range(PLAN.seats):
        begin, end, state, _, call = agent_rows.stretches_of(PLAN, year.calls, seat)
        assert (begin[1:] == end[:-1]).all()
        assert (end > begin).all()
        assert end[-1] == PLAN.end_micros
        talking += int((end - begin)[state == agent_rows.TALKING].sum())
        assert (call[state == agent_rows.TALKING] >= 0).all()
    assert talking / 1_000_000 == pytest.approx(np.nansum(year.calls.talking), rel=1e-3)


def test_the_days_and_hours_are_those_of_a_hotline(year: Year) -> None:
    at = year.calls.at
    hour = (at - day_start(at)) // (60 * MINUTE)
    by_hour = np.bincount(hour, minlength=24)
    assert by_hour[9:11].min() > 3 * by_hour[0:6].max()
    weekday = (day_start(at) // DAY + 4) % 7
    assert np.bincount(weekday, minlength=7)[0] > 1.5 * np.bincount(weekday, minlength=7)[6]


def test_numbers_belong_to_nobody() -> None:
    numbers = {people.phone(citizen) for citizen in range(20_000)}
    assert len(numbers) == 20_000
    for number in list(numbers)[:200]:
        assert normalise_phone(number) == number
        assert is_mobile(number)
        assert not phonenumbers.is_valid_number(phonenumbers.parse(number, "CN"))


def test_callbacks_end_as_their_last_try_did(year: Year) -> None:
    outcome, tried = year.outcome, year.attempts
    last = np.full(len(year.owed), -1)
    for callback, disposition in zip(tried.callback.tolist(), tried.disposition.tolist(), strict=True):
        last[callback] = disposition if disposition >= 0 else last[callback]
    for number, one in enumerate(DISPOSITION):
        states = set(outcome.state[last == number].tolist())
        if one in DONE:
            assert states == {attempts.IS_DONE}
        elif one in GIVEN_UP:
            assert states == {attempts.IS_GIVEN_UP}
        else:
            assert states <= {attempts.OWED, attempts.IS_GIVEN_UP, attempts.IS_DONE}
    made = np.bincount(tried.callback, minlength=len(year.owed))
    assert (made == outcome.attempt_count).all()
    open_missed = (outcome.state == attempts.OWED) & (year.owed.reason == REASONS.index(Reason.MISSED_CALL))
    citizens = year.owed.citizen[open_missed]
    assert len(np.unique(citizens)) == len(citizens)


def test_survey_calls_are_made_by_day_on_working_days(year: Year) -> None:
    tried = year.attempts
    is_survey = np.isin(year.owed.reason[tried.callback], [REASONS.index(Reason.CASE_CLOSED), REASONS.index(Reason.CALL_ANSWERED)])
    at = tried.planned_at[is_survey]
    since = at - day_start(at)
    assert since.min() >= 9 * 60 * MINUTE
    assert since.max() < 20 * 60 * MINUTE
    assert np.isin(day_start(at), attempts.working_days(PLAN)).all()


def test_nobody_is_asked_after_opting_out(year: Year) -> None:
    tried = year.attempts
    citizen = year.owed.citizen[tried.callback]
    is_survey = np.isin(year.owed.reason, [REASONS.index(reason) for reason in (Reason.CASE_CLOSED, Reason.CALL_ANSWERED)])
    out = np.flatnonzero(tried.disposition == DISPOSITION.index("opted_out"))
    assert len(out)
    for number in out.tolist():
        owed_later = is_survey[tried.callback] & (year.owed.created_at[tried.callback] > tried.ended_at[number])
        assert not (owed_later & (citizen == citizen[number])).any()


def test_answers_lie_where_the_truth_says(year: Year) -> None:
    said, own = year.answers, year.surveys
    rated = (said.question == surveys.SATISFACTION) & (own.questionnaire[said.survey] == surveys.CASE)
    expected = own.satisfied[said.survey[rated]]
    spread = np.sqrt((expected * (1 - expected)).sum())
    assert abs((said.choice[rated] >= 4).sum() - expected.sum()) < 4 * spread
    solved = (said.question == surveys.RESOLVED) & (own.questionnaire[said.survey] == surveys.CASE)
    expected = own.solved[said.survey[solved]]
    assert abs(said.choice[solved].sum() - expected.sum()) < 4 * np.sqrt((expected * (1 - expected)).sum())


def test_sampled_shares_and_weights_agree(year: Year) -> None:
    of_case = year.owed.reason == REASONS.index(Reason.CASE_CLOSED)
    weights, sampled = year.owed.weight[of_case], year.owed.is_sampled[of_case]
    assert set(np.unique(weights)) == {1.0, 2.0}
    assert sampled[weights == 1.0].all()
    # What the sample stands for is about as much as there was.
    assert weights[sampled].sum() == pytest.approx(of_case.sum(), rel=0.05)


def test_rules_and_questionnaires_are_such_as_the_program_takes() -> None:
    rules = wording.rules(["市医疗保障局"])
    assert {"case_closed", "call_answered", "missed_call", "bad_rating"} <= set(rules)
    for versions in wording.questionnaires().values():
        for definition in versions:
            assert not check(definition)
    assert [one.question("recommend") is None for one in wording.questionnaires()["case_service"]] == [True, False]


def test_dialogues_are_in_order_fit_the_call_and_hold_no_number(year: Year) -> None:
    chosen = transcribed(year.calls)
    assert len(chosen) == 500
    texts = []
    for number in chosen.tolist():
        seconds = float(year.calls.talking[number])
        turns = dialogue(PLAN.random("test"), year.matters.all[year.calls.matter[number]], people.phone(number), seconds)
        assert turns[0].party == "agent"
        assert all(turn.start < turn.end <= seconds for turn in turns)
        assert all(before.end <= after.start for before, after in pairwise(turns))
        texts += [turn.text for turn in turns]
    assert any("电话号" in text for text in texts)
    assert not any(re.search(r"194\d{8}", text) for text in texts)
    assert not any(re.search(r"[{}]", text) for text in texts)


def test_comments_are_many_and_fit_the_grade(year: Year) -> None:
    assert len(set(comments.TEXTS)) > 1000
    words = comments.draw(PLAN.random("test"), np.array([1] * 50), np.zeros(50, dtype=np.bool_))
    assert len({comments.TEXTS[place] for place in words.tolist()}) > 25
    assert NEVER < 0


def test_truth_counts_what_was_drawn(year: Year) -> None:
    truth = truth_of(year)
    drawn = truth["drawn"]
    assert drawn["calls"]["calls"] == PLAN.calls
    assert sum(month["offered"] for month in drawn["calls_by_month"].values()) == drawn["calls"]["offered"]
    assert sum(month["rated"] for month in drawn["case_service_by_month"].values()) == sum(
        unit["rated"] for unit in drawn["case_service_by_unit"].values()
    )
    assert drawn["calls"]["answered"] + drawn["calls"]["abandoned"] == drawn["calls"]["offered"]


def test_the_page_on_the_demonstration_tells_the_parameters() -> None:
    told = (PROJECT_DIR / "docs" / "demo.md").read_text(encoding="utf-8")
    agent, ivr = attempts.TALKED[AGENT], attempts.TALKED[IVR]
    for wanted in (
        f"| Talk, median and σ | {calls.TALK_MEDIAN:.0f} s, {calls.TALK_SPREAD} |",
        f"| Writing, median and σ | {calls.WRAPUP_MEDIAN:.0f} s, {calls.WRAPUP_SPREAD} |",
        f"| Ring, gamma shape and scale | {calls.RING_SHAPE}, {calls.RING_SCALE} s |",
        f"{calls.PATIENCE_SHAPE}, {calls.PATIENCE_SCALE:.0f} s; {calls.GONE_AT_ONCE:.1%}".replace("%", " %"),
        f"between {opinions.LOWEST_UNIT:.0%} and {opinions.HIGHEST_UNIT:.0%}".replace("%", " %"),
        f"| {opinions.POOR} | {opinions.POOR_SHARE:.0%} |".replace("%", " %"),
        f"{attempts.REACHED[AGENT]:.0%}, {attempts.REACHED[IVR]:.0%} a try".replace("%", " %"),
        f"{agent[Disposition.COMPLETED]:.1%}, {ivr[Disposition.COMPLETED]:.0%} |".replace("%", " %"),
        f"{attempts.SMS_DELIVERED:.1%}, {attempts.OPENED:.0%}".replace("%", " %"),
        f"{surveys.PASSED_ON:.0%} (two agents {surveys.PASSED_ON_BY_SKIPPERS:.0%}), ".replace("%", " %"),
        f"{surveys.RATED:.0%}; of the others {surveys.HANGS_UP:.0%}".replace("%", " %"),
    ):
        assert wanted in told, wanted
