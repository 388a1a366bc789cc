"""The whole year: every part drawn in turn, each from its own randomness."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from callback.rule import Reason
from launcher.year import attempts, calls, cases, opinions, outreach, surveys
from launcher.year.arrays import NEVER, Ints
from launcher.year.attempts import Attempts, Outcome
from launcher.year.calls import Calls
from launcher.year.cases import Cases
from launcher.year.matters import Matters, read_matters
from launcher.year.plan import YearPlan
from launcher.year.surveys import Answers, Surveys

_CASES_AN_ANSWER = 1.1
_FEWEST_CASES = 20
_AIM, _AIM_STEP, _ENOUGH = 1.008, 0.01, 1.04
_MOST_TRIES = 10
_DISPLEASED = 2


@dataclass(frozen=True)
class Year:
    """Everything that happened."""

    plan: YearPlan
    matters: Matters
    truth: opinions.Truth
    calls: Calls
    cases: Cases
    owed: outreach.Owed
    attempts: Attempts
    outcome: Outcome
    surveys: Surveys
    answers: Answers


def make_year(plan: YearPlan, tell: Callable[[str], None] | None = None) -> Year:
    """Make the year of a plan. As many cases are made as it takes to get the answers that the plan wants."""
    say = tell or (lambda line: None)
    matters = read_matters(plan.random("popularity"))
    truth = opinions.draw_truth(plan, matters)
    rang = calls.draw(plan, matters)
    say(f"{len(rang):,} 通来电")
    after = surveys.after_calls(plan, matters, truth, rang)
    count = max(20, int(plan.answers * _CASES_AN_ANSWER))
    for tries in range(_MOST_TRIES):
        year = _with_cases(plan, matters, truth, rang, after, count)
        of_cases, others = _answered(year)
        wanted = plan.answers - others
        if wanted <= of_cases <= wanted * _ENOUGH or count == _FEWEST_CASES >= wanted:
            break
        count = max(_FEWEST_CASES, int(count * (_AIM + _AIM_STEP * tries) * wanted / max(1, of_cases)))
    say(f"{len(year.cases):,} 个办件、{len(year.owed):,} 件回访、{len(year.attempts.id):,} 次联系、{len(year.answers):,} 个回答")
    return year


def _with_cases(plan: YearPlan, matters: Matters, truth: opinions.Truth, rang: Calls, after: Surveys, count: int) -> Year:
    closed = cases.draw(plan, matters, count, int(rang.citizen.max(initial=0)) + 1)
    owed = outreach.joined([outreach.owed_for_cases(plan, matters, closed), *outreach.owed_for_calls(plan, matters, rang)])
    tried, outcome = attempts.draw(plan, "attempts", owed, _rang_again(rang, owed))
    asked = surveys.of_attempts(plan, "surveys", matters, truth, rang, closed, owed, tried)
    offered = surveys.joined([asked, after])
    given = surveys.draw_answers(plan, "answers", offered)
    displeased = (given.question == surveys.SATISFACTION) & (given.choice <= _DISPLEASED) & (offered.callback[given.survey] >= 0)
    chosen = np.unique(offered.callback[given.survey[displeased]], return_index=True)
    again = outreach.owed_for_bad_ratings(owed, chosen[0], given.at[displeased][chosen[1]])
    more, more_outcome = attempts.draw(plan, "bad ratings", again, np.full(len(again), NEVER))
    return Year(
        plan, matters, truth, rang, closed,
        owed=outreach.appended(owed, again),
        attempts=attempts.appended(tried, replace(more, callback=more.callback + len(owed))),
        outcome=attempts.outcomes_appended(outcome, more_outcome),
        surveys=offered,
        answers=given,
    )  # fmt: skip


def _answered(year: Year) -> tuple[int, int]:
    """Return how many surveys were answered after cases, and of the other kinds."""
    is_answered = np.isin(year.surveys.state, (surveys.COMPLETED, surveys.PARTIAL))
    of_cases = int((is_answered & (year.surveys.questionnaire == surveys.CASE)).sum())
    return of_cases, int(is_answered.sum()) - of_cases


def _rang_again(rang: Calls, owed: outreach.Owed) -> Ints:
    """Return when the citizen of each missed call rang again and was answered; NEVER otherwise, and for other callbacks."""
    found = np.full(len(owed), NEVER)
    missed = np.flatnonzero(owed.reason == outreach.REASONS.index(Reason.MISSED_CALL))
    answered = np.flatnonzero(rang.is_answered & (rang.citizen >= 0))
    order = np.lexsort((rang.at[answered], rang.citizen[answered]))
    citizen, at, ended = (values[answered][order] for values in (rang.citizen, rang.at, rang.ended_at))
    keys = np.rec.fromarrays([citizen, at])
    places = np.searchsorted(keys, np.rec.fromarrays([owed.citizen[missed], owed.created_at[missed]]), side="right")
    inside = places < len(citizen)
    same = np.zeros(len(missed), dtype=np.bool_)
    same[inside] = citizen[places[inside]] == owed.citizen[missed[inside]]
    found[missed[same]] = ended[places[same]]
    return found
