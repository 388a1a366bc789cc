"""The calls of the year: who rang when, about what, how long they waited, who answered, how long it took, what was written."""

from dataclasses import dataclass

import numpy as np

from launcher.year import arrivals, queueing, roster
from launcher.year.arrays import (
    DAY,
    HOUR,
    NEVER,
    SECOND,
    Bools,
    Floats,
    Ids,
    Ints,
    Random,
    local_days,
    month_numbers,
    new_ids,
    pick,
    seconds,
)
from launcher.year.matters import Matters
from launcher.year.plan import YearPlan

ANSWERED, ABANDONED, FAILED = 0, 1, 2
OUTCOMES = ("answered", "abandoned", "failed")
KINDS = ("咨询", "求助", "投诉", "建议", "举报", "表扬", "其他")
KIND_SHARES = (0.72, 0.10, 0.08, 0.03, 0.03, 0.02, 0.02)
DISPOSITIONS = ("即时答复", "转接", "约定回电", "无效来电", "")
# Shares of the results by kind: most questions are answered at once, complaints less so.
DISPOSITION_SHARES = {
    "咨询": (0.90, 0.04, 0.02, 0.01, 0.03),
    "求助": (0.66, 0.18, 0.10, 0.02, 0.04),
    "投诉": (0.52, 0.28, 0.14, 0.02, 0.04),
    "建议": (0.88, 0.04, 0.02, 0.02, 0.04),
    "举报": (0.55, 0.32, 0.06, 0.03, 0.04),
    "表扬": (0.95, 0.00, 0.00, 0.01, 0.04),
    "其他": (0.40, 0.10, 0.06, 0.40, 0.04),
}
TALK_MEDIAN, TALK_SPREAD = 172.0, 0.55
WRAPUP_MEDIAN, WRAPUP_SPREAD = 90.0, 0.65
RING_SHAPE, RING_SCALE = 3.2, 1.25
PATIENCE_SHAPE, PATIENCE_SCALE = 1.35, 150.0
GONE_AT_ONCE = 0.008
REPEAT_SHARE, REPEAT_DAYS = 0.10, 1.8
MISSED_SHARE = 0.006
MISSED_RING_SECONDS, MISSED_REST_SECONDS = 20.0, 150.0
WAIT_LIMIT_SECONDS = 900.0
HOLD_SHARE, TRANSFER_SHARE = 0.13, 0.035
DRINK_SHARE, DRINK_SECONDS = 0.02, 480.0
CONFIDENTIAL_SHARE, WITHHELD_SHARE = 0.012, 0.008
CITIZENS_A_CALL = 0.62


@dataclass(frozen=True)
class Calls:
    """One element a call in every array, in order of time."""

    id: Ids
    at: Ints
    citizen: Ints
    """A number of a person; -1 where the number was withheld."""
    is_confidential: Bools
    matter: Ints
    is_enterprise: Bools
    outcome: Ints
    agent: Ints
    rang_at: Ints
    answered_at: Ints
    ended_at: Ints
    waiting: Floats
    talking: Floats
    held_at: Ints
    hold: Floats
    transferred_at: Ints
    wrapup: Floats
    drink: Floats
    kind: Ints
    disposition: Ints
    missed_by: Ints
    missed_at: Ints

    def __len__(self) -> int:
        return len(self.at)

    @property
    def is_answered(self) -> Bools:
        """Whether an agent and the citizen talked."""
        return np.asarray(self.outcome == ANSWERED)


def draw(plan: YearPlan, matters: Matters) -> Calls:
    """Draw the year's calls."""
    random, at = plan.random("calls"), arrivals.draw(plan)
    count = len(at)
    matter = _matters_of(plan, matters, at)
    citizen = random.integers(0, max(10, int(count * CITIZENS_A_CALL)), count)
    _ring_again(random, at, citizen, matter)
    citizen[random.random(count) < WITHHELD_SHARE] = -1
    talk = random.lognormal(np.log(TALK_MEDIAN), TALK_SPREAD, count).clip(8, 3000)
    wrapup = random.lognormal(np.log(WRAPUP_MEDIAN), WRAPUP_SPREAD, count).clip(3, 240)
    drink = np.where(random.random(count) < DRINK_SHARE, random.lognormal(np.log(DRINK_SECONDS), 0.3, count), 0.0)
    patience = PATIENCE_SCALE * random.weibull(PATIENCE_SHAPE, count)
    patience = np.where(random.random(count) < GONE_AT_ONCE, random.uniform(0.5, 4.9, count), patience).clip(0.5)
    ring = random.gamma(RING_SHAPE, RING_SCALE, count).clip(1.0, 19.0)
    is_missed = random.random(count) < MISSED_SHARE
    demand = queueing.Demand(at, ring, patience, talk + wrapup + drink, is_missed)
    served = queueing.serve(
        demand,
        [roster.windows(plan, seat) for seat in range(plan.seats)],
        limit_seconds=WAIT_LIMIT_SECONDS,
        missed_ring=MISSED_RING_SECONDS,
        missed_rest=MISSED_REST_SECONDS,
    )
    return _told(plan, random, matters, served, at=at, citizen=citizen, matter=matter, talk=talk, wrapup=wrapup, drink=drink)


def _told(
    plan: YearPlan, random: Random, matters: Matters, served: queueing.Served, *,
    at: Ints, citizen: Ints, matter: Ints, talk: Floats, wrapup: Floats, drink: Floats,
) -> Calls:  # fmt: skip
    count = len(at)
    outcome = np.where(served.agent >= 0, ANSWERED, np.where(served.agent == queueing.ABANDONED, ABANDONED, FAILED))
    is_answered = outcome == ANSWERED
    # What still goes on at the end is told as if it had just ended.
    room = (plan.end_micros - served.answered_at) / SECOND
    talk = np.where(is_answered, np.round(np.minimum(talk, np.maximum(room, 1.0)), 3), np.nan)
    talked = np.nan_to_num(talk)
    ended = np.where(is_answered, served.answered_at + seconds(talked), served.gave_up_at)
    until = np.where(is_answered, served.answered_at, served.gave_up_at)
    wrapup = np.where(is_answered, np.minimum(wrapup, np.maximum((plan.end_micros - ended) / SECOND, 0.0)), 0.0)
    is_held = is_answered & (random.random(count) < HOLD_SHARE) & (talked > 60)
    hold = np.where(is_held, np.round(talked * random.uniform(0.08, 0.3, count), 3), 0.0)
    held_at = np.where(is_held, served.answered_at + seconds(talked * random.uniform(0.25, 0.6, count)), NEVER)
    kind = pick(random, KIND_SHARES, count)
    disposition = np.zeros(count, dtype=np.int64)
    for number, name in enumerate(KINDS):
        chosen = kind == number
        disposition[chosen] = pick(random, DISPOSITION_SHARES[name], int(chosen.sum()))
    is_passed = is_answered & (disposition == DISPOSITIONS.index("转接")) & (random.random(count) < 0.6)
    return Calls(
        id=new_ids(random, at),
        at=at,
        citizen=citizen,
        is_confidential=random.random(count) < CONFIDENTIAL_SHARE,
        matter=matter,
        is_enterprise=np.asarray(matters.is_enterprise[matter], dtype=np.bool_),
        outcome=outcome,
        agent=np.maximum(served.agent, -1),
        rang_at=served.rang_at,
        answered_at=served.answered_at,
        ended_at=ended,
        waiting=np.round((until - at) / SECOND, 3),
        talking=talk,
        held_at=held_at,
        hold=hold,
        transferred_at=np.where(is_passed, ended - 2 * SECOND, NEVER),
        wrapup=np.round(wrapup, 3),
        drink=drink,
        kind=kind,
        disposition=disposition,
        missed_by=served.missed_by,
        missed_at=served.missed_at,
    )


def _matters_of(plan: YearPlan, matters: Matters, at: Ints) -> Ints:
    random = plan.random("matters")
    months = month_numbers(at)
    first = int(local_days(at[:1])[0]) if len(at) else 0
    first = (np.datetime64(plan.first_day) - np.datetime64("1970-01-01")).astype(int) if len(at) else first
    in_bad_week = np.isin(local_days(at) - first, np.array(plan.bad_week))
    drawn = np.zeros(len(at), dtype=np.int64)
    for month in range(1, 13):
        for bad in (False, True):
            chosen = (months == month) & (in_bad_week == bad)
            drawn[chosen] = pick(random, matters.weights(month, bad), int(chosen.sum()))
    return drawn


def _ring_again(random: Random, at: Ints, citizen: Ints, matter: Ints) -> None:
    """Make some calls the same person's as an earlier one, about the same matter, some days later."""
    again = np.flatnonzero(random.random(len(at)) < REPEAT_SHARE)
    gap = random.exponential(REPEAT_DAYS * DAY, len(again)).astype(np.int64) + HOUR // 6
    earlier = np.searchsorted(at, at[again] - gap) - 1
    for call, before in zip(again.tolist(), earlier.tolist(), strict=True):
        if before >= 0:
            citizen[call], matter[call] = citizen[before], matter[before]
