"""What citizens truly think: the satisfaction and solution rates of every unit in every month, and answers drawn from them.

This is the truth that statistics are checked against. Whether somebody answers does not depend on what they think.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from launcher.year.arrays import Bools, Floats, Ints, Random, pick
from launcher.year.calls import Calls
from launcher.year.matters import BAD_WEEK_CATEGORY, Matters
from launcher.year.plan import YearPlan

LOWEST_UNIT, HIGHEST_UNIT = 0.84, 0.96
"""Shares of 满意 or better between which the units lie, but for those named below."""
MONTHLY_NOISE = 0.12
# One unit is poor, one gets better all year, one gets worse.
POOR, BETTER, WORSE = "市不动产登记中心", "市医疗保障局", "市公安局交通警察支队"
POOR_SHARE, BETTER_SHARES, WORSE_SHARES = 0.72, (0.76, 0.94), (0.93, 0.84)
WAY_LOGITS = {"agent": 0.12, "ivr": 0.0, "sms": -0.30}
BAD_WINDOW = ("市政务服务中心", "17 号窗口")
BAD_WINDOW_LOGIT, BAD_WEEK_LOGIT = -1.3, -1.1
WAIT_LOGIT_A_MINUTE = -0.35
AGENT_SPREAD = 0.35
HOTLINE_SHARE = 0.93
# Grades 5 to 1: how the satisfied and the others divide.
_SATISFIED, _OTHERS = (0.63, 0.37), (0.56, 0.27, 0.17)
_IF_NOT_SOLVED = 0.38
_RECOMMEND_MEANS = (0.0, 1.6, 3.6, 6.4, 8.3, 9.4)


@dataclass(frozen=True)
class Truth:
    """Per unit and month (in the order of `months`): the share who are satisfied, and of whom the matter is solved."""

    months: tuple[str, ...]
    satisfied: Floats
    solved: Floats
    agent_logits: Floats

    def month_index(self, names: Any) -> Ints:
        """Return the places of months that are written as 2026-03."""
        return np.asarray(np.searchsorted(np.array(self.months), names), dtype=np.int64)


def draw_truth(plan: YearPlan, matters: Matters) -> Truth:
    """Draw what is true."""
    random = plan.random("truth")
    names = tuple(dict.fromkeys(day.strftime("%Y-%m") for day in plan.calendar))
    base = logit(random.uniform(LOWEST_UNIT, HIGHEST_UNIT, len(matters.units)))
    table = base[:, None] + random.normal(0.0, MONTHLY_NOISE, (len(matters.units), len(names)))
    for unit, (first, last) in {POOR: (POOR_SHARE, POOR_SHARE), BETTER: BETTER_SHARES, WORSE: WORSE_SHARES}.items():
        table[matters.units.index(unit)] = np.linspace(logit(first), logit(last), len(names))
    satisfied = expit(table)
    solved = (satisfied + random.normal(0.0, 0.012, satisfied.shape) - 0.015).clip(0.55, 0.985)
    return Truth(names, satisfied, solved, random.normal(0.0, AGENT_SPREAD, plan.seats))


def logit(share: Any) -> Any:
    """Return log-odds."""
    return np.log(share / (1 - np.asarray(share)))


def expit(odds: Any) -> Any:
    """Return the share of log-odds."""
    return 1 / (1 + np.exp(-np.asarray(odds)))


def hotline_satisfaction(truth: Truth, matters: Matters, calls: Calls, chosen: Ints, in_bad_week: Bools) -> Floats:
    """Return how likely each chosen call's citizen is satisfied with the hotline: by the agent, the waiting and the week."""
    odds = logit(HOTLINE_SHARE) + truth.agent_logits[calls.agent[chosen]] + WAIT_LOGIT_A_MINUTE * calls.waiting[chosen] / 60
    is_hit = np.array([matter.theme == BAD_WEEK_CATEGORY for matter in matters.all])[calls.matter[chosen]]
    return np.asarray(expit(odds + np.where(in_bad_week & is_hit, BAD_WEEK_LOGIT, 0.0)))


def draw_solved_and_grade(random: Random, satisfied: Floats, solved: Floats) -> tuple[Bools, Ints]:
    """Return whether each matter is solved, and the grade 1–5; whoever was not helped is mostly not satisfied either."""
    is_solved = random.random(len(satisfied)) < solved
    if_solved = ((satisfied - (1 - solved) * _IF_NOT_SOLVED) / solved).clip(0.0, 0.995)
    if_not = ((satisfied - solved * if_solved) / (1 - solved)).clip(0.0, 1.0)
    return is_solved, draw_grades(random, np.where(is_solved, if_solved, if_not))


def draw_grades(random: Random, satisfied: Floats) -> Ints:
    """Return a grade 1–5 for each, 4 or 5 with the given share."""
    count = len(satisfied)
    good = 5 - pick(random, _SATISFIED, count)
    poor = 3 - pick(random, _OTHERS, count)
    return np.where(random.random(count) < satisfied, good, poor)


def draw_recommendations(random: Random, grades: Ints) -> Ints:
    """Return 0–10, higher for better grades."""
    means = np.array(_RECOMMEND_MEANS)[grades]
    return np.asarray(np.round(means + random.normal(0.0, 1.0, len(grades))).clip(0, 10), dtype=np.int64)
