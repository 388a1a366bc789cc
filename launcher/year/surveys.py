"""The surveys that were offered and what was answered: by telephone, on the phone page, by the agent's form, and after calls."""

from dataclasses import dataclass, fields

import numpy as np

from callback.disposition import Disposition
from callback.rule import SURVEYS, Reason
from launcher.year import comments
from launcher.year.arrays import NEVER, SECOND, Bools, Floats, Ids, Ints, Random, local_days, months, new_ids, pick
from launcher.year.attempts import DISPOSITION, Attempts
from launcher.year.calls import Calls
from launcher.year.cases import Cases, window_names
from launcher.year.matters import HALLS, Matters
from launcher.year.opinions import (
    BAD_WINDOW,
    BAD_WINDOW_LOGIT,
    WAY_LOGITS,
    Truth,
    draw_grades,
    draw_recommendations,
    draw_solved_and_grade,
    expit,
    hotline_satisfaction,
    logit,
)  # fmt: skip
from launcher.year.outreach import REASONS, WAYS, Owed
from launcher.year.plan import YearPlan

CASE, CALL, AFTER_CALL = range(3)
QUESTIONNAIRES = ("case_service", "call_service", "after_call")
SURVEY_WAYS = ("agent", "ivr", "web")
SURVEY_STATES = ("completed", "partial", "refused", "skipped", "hung_up", "expired", "offered")
COMPLETED, PARTIAL, REFUSED, SKIPPED, HUNG_UP, EXPIRED, OFFERED = range(7)
QUESTIONS = ("satisfaction", "resolved", "recommend", "reason", "words")
SATISFACTION, RESOLVED, RECOMMEND, REASON, WORDS = range(5)
_D = Disposition
_BECAME = {_D.COMPLETED: COMPLETED, _D.PARTIAL: PARTIAL, _D.REFUSED: REFUSED, _D.EXPIRED: EXPIRED}
REASON_SHARES = {CASE: (0.26, 0.24, 0.18, 0.14, 0.08, 0.10), CALL: (0.30, 0.28, 0.12, 0.30)}
WORDS_SHARES = (0.22, 0.14, 0.34)
RECOMMEND_SHARE = 0.92
PARTIAL_SOLVED_SHARE = 0.6
LATE_SHARE, WITHDRAWN_SHARE = 0.004, 0.002
# Agents pass the citizen on to the rating, some hardly ever; of those passed on some press a key, and most others hang up.
PASSED_ON, PASSED_ON_BY_SKIPPERS, RATED, HANGS_UP = 0.62, 0.15, 0.19, 0.7
MOST_RATED_OF_ANSWERS = 0.4
_SKIPPERS = (6, 17)


@dataclass(frozen=True)
class Surveys:
    """One element a survey in every array. `callback`, `attempt` and `call` are places, or -1."""

    id: Ids
    questionnaire: Ints
    way: Ints
    state: Ints
    callback: Ints
    attempt: Ints
    call: Ints
    offered_at: Ints
    started_at: Ints
    finished_at: Ints
    satisfied: Floats
    """The truth: how likely this very person is satisfied."""
    solved: Floats
    is_withdrawn: Bools

    def __len__(self) -> int:
        return len(self.offered_at)


@dataclass(frozen=True)
class Answers:
    """One element an answer in every array, by survey.

    `choice` holds a grade 1–5, 0 or 1 for yes, 0–10, bits of reasons, or the place of a comment.
    """

    survey: Ints
    question: Ints
    choice: Ints
    at: Ints
    is_late: Bools

    def __len__(self) -> int:
        return len(self.at)


def of_attempts(
    plan: YearPlan, part: str, matters: Matters, truth: Truth, calls: Calls, cases: Cases, owed: Owed, attempts: Attempts
) -> Surveys:
    """Return a survey for each try in which somebody was asked, or was sent a link."""
    random = plan.random(part)
    is_survey = np.array([reason in SURVEYS for reason in REASONS])[owed.reason[attempts.callback]]
    states: Ints = np.full(len(DISPOSITION) + 1, -1, dtype=np.int64)
    for disposition, became in _BECAME.items():
        states[DISPOSITION.index(disposition)] = became
    states[-1] = OFFERED
    state = states[attempts.disposition]
    chosen = np.flatnonzero(is_survey & (state >= 0))
    callback, way, at = attempts.callback[chosen], attempts.way[chosen], attempts.planned_at[chosen]
    is_message = way == WAYS.index("sms")
    answered, ended = attempts.answered_at[chosen], attempts.ended_at[chosen]
    questionnaire = np.where(owed.reason[callback] == REASONS.index(Reason.CASE_CLOSED), CASE, CALL)
    satisfied, solved = _opinions(plan, matters, truth, calls, cases, owed, callback, way, at)
    return Surveys(
        id=new_ids(random, np.where(is_message, at, answered)),
        questionnaire=questionnaire,
        way=way,
        state=state[chosen],
        callback=callback,
        attempt=chosen,
        call=np.full(len(chosen), -1),
        offered_at=np.where(is_message, at, answered),
        started_at=np.where(np.isin(state[chosen], (COMPLETED, PARTIAL)), answered, NEVER),
        finished_at=ended,
        satisfied=satisfied,
        solved=solved,
        is_withdrawn=(random.random(len(chosen)) < WITHDRAWN_SHARE) & (state[chosen] == COMPLETED),
    )


def _opinions(
    plan: YearPlan, matters: Matters, truth: Truth, calls: Calls, cases: Cases, owed: Owed, callback: Ints, way: Ints, at: Ints
) -> tuple[Floats, Floats]:
    """Return how likely each is satisfied and helped: by the unit, month, way and window of their case, or by their call."""
    unit = matters.unit_of[owed.matter[callback]].astype(np.int64)
    case, call = owed.case[callback], owed.call[callback]
    # The month in which the matter was dealt with, not that of the answer.
    month = truth.month_index(months(owed.created_at[callback]))
    odds = logit(truth.satisfied[unit, month]) + np.array([WAY_LOGITS[name] for name in WAYS])[way]
    hall = [name for name, *_ in HALLS].index(BAD_WINDOW[0])
    is_bad = (case >= 0) & (cases.hall[case] == hall) & (cases.window[case] == window_names(hall).index(BAD_WINDOW[1]))
    satisfied = expit(odds + np.where(is_bad, BAD_WINDOW_LOGIT, 0.0))
    solved = truth.solved[unit, month]
    rang = (call >= 0) & (case < 0)
    if rang.any():
        satisfied[rang] = hotline_satisfaction(truth, matters, calls, call[rang], in_bad_week(plan, calls.at[call[rang]]))
    return satisfied, solved


def in_bad_week(plan: YearPlan, at: Ints) -> Bools:
    """Return whether moments lie in the bad week."""
    first = int((np.datetime64(plan.first_day) - np.datetime64("1970-01-01")).astype(int))
    return np.asarray(np.isin(local_days(at) - first, np.array(plan.bad_week)))


def after_calls(plan: YearPlan, matters: Matters, truth: Truth, calls: Calls) -> Surveys:
    """Return the one question at the end of a call: offered where the agent passed the citizen on, with its end."""
    random = plan.random("after calls")
    passed_on = np.full(plan.seats, PASSED_ON)
    passed_on[[seat for seat in _SKIPPERS if seat < plan.seats]] = PASSED_ON_BY_SKIPPERS
    draw = random.random(len(calls))
    can = calls.is_answered & (np.nan_to_num(calls.talking) > 15) & (calls.transferred_at == NEVER)
    chosen = np.flatnonzero(can & (draw < passed_on[calls.agent]))
    share = min(RATED, MOST_RATED_OF_ANSWERS * plan.answers / max(1, len(chosen)))
    is_rated = random.random(len(chosen)) < share
    offered = calls.ended_at[chosen]
    satisfied = hotline_satisfaction(truth, matters, calls, chosen, in_bad_week(plan, calls.at[chosen]))
    return Surveys(
        id=new_ids(random, offered),
        questionnaire=np.full(len(chosen), AFTER_CALL),
        way=np.full(len(chosen), SURVEY_WAYS.index("ivr")),
        state=np.where(is_rated, COMPLETED, np.where(random.random(len(chosen)) < HANGS_UP, HUNG_UP, SKIPPED)),
        callback=np.full(len(chosen), -1),
        attempt=np.full(len(chosen), -1),
        call=chosen,
        offered_at=offered,
        started_at=np.where(is_rated, offered + SECOND, NEVER),
        finished_at=offered + (random.uniform(4, 14, len(chosen)) * 1000).astype(np.int64) * 1000,
        satisfied=satisfied,
        solved=np.full(len(chosen), np.nan),
        is_withdrawn=np.zeros(len(chosen), dtype=np.bool_),
    )


def draw_answers(plan: YearPlan, part: str, surveys: Surveys) -> Answers:
    """Draw what was answered, in the order of the questions."""
    random = plan.random(part)
    has = np.flatnonzero(np.isin(surveys.state, (COMPLETED, PARTIAL)))
    count, questionnaire = len(has), surveys.questionnaire[has]
    is_full, is_rating_alone = surveys.state[has] == COMPLETED, questionnaire == AFTER_CALL
    is_solved, grade = draw_solved_and_grade(random, surveys.satisfied[has], np.nan_to_num(surveys.solved[has], nan=0.9))
    grade = np.where(is_rating_alone, draw_grades(random, surveys.satisfied[has]), grade)
    more = ~is_rating_alone
    knows_recommend = (questionnaire != CASE) | (surveys.offered_at[has] >= plan.second_version_from)
    way = np.minimum(surveys.way[has], len(WORDS_SHARES) - 1)
    asked = np.stack(
        [
            np.ones(count, dtype=np.bool_),
            more & (is_full | (random.random(count) < PARTIAL_SOLVED_SHARE)),
            knows_recommend & more & is_full & (random.random(count) < RECOMMEND_SHARE),
            more & is_full & (grade <= 2),
            more & is_full & (random.random(count) < np.array(WORDS_SHARES)[way]),
        ],
        axis=1,
    )
    choices = np.stack(
        [
            grade,
            is_solved.astype(np.int64),
            draw_recommendations(random, grade),
            _reasons(random, questionnaire),
            comments.draw(random, grade, is_solved),
        ],
        axis=1,
    )
    sheet, question = np.nonzero(asked)
    begun, finished = surveys.started_at[has][sheet], surveys.finished_at[has][sheet]
    is_late = random.random(count) < LATE_SHARE
    return Answers(
        survey=has[sheet],
        question=question,
        choice=choices[sheet, question],
        at=(begun + (finished - begun) * (question + 1) // (len(QUESTIONS) + 1)) // 1000 * 1000,
        is_late=(is_late & more & (surveys.way[has] == SURVEY_WAYS.index("web")))[sheet],
    )


def _reasons(random: Random, questionnaire: Ints) -> Ints:
    """Return one or two reasons as bits."""
    bits = np.zeros(len(questionnaire), dtype=np.int64)
    for number, shares in REASON_SHARES.items():
        chosen = questionnaire == number
        many = int(chosen.sum())
        second = np.where(random.random(many) < 0.3, 1 << pick(random, shares, many), 0)
        bits[chosen] = (1 << pick(random, shares, many)) | second
    return bits


def joined(parts: list[Surveys]) -> Surveys:
    """Return several as one."""
    return Surveys(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Surveys)})
