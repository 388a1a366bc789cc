"""What the agents did all year, stretch by stretch: offline, ready, ringing, talking, writing, at table or at the water."""

import numpy as np

from launcher.year import calls as c
from launcher.year import roster
from launcher.year.arrays import NEVER, SECOND, Ids, Ints, midnight, seconds
from launcher.year.copying import Cells, Keys, Times, Words
from launcher.year.plan import YearPlan
from telephony.agent_state import MISSED

STATES = ("offline", "ready", "ringing", "talking", "wrapup", "paused")
OFFLINE, READY, RINGING, TALKING, WRAPUP, PAUSED = range(6)
REASONS = ("用餐", "饮水", MISSED)
MEAL, DRINK, MISSED_CALL = range(3)
_MEAL_LIMIT = 2 * roster.MEAL_MINUTES * 60 * SECOND
_SHORTEST = 1000
Stretches = tuple[Ints, Ints, Ints, Ints, Ints]
"""From, to, state, reason or -1, call or -1."""


def stretches_of(plan: YearPlan, calls: c.Calls, seat: int) -> Stretches:
    """Return what one agent did from the beginning to the end, without a gap; a shift in which a call runs over ends with it."""
    busy = _busy(calls, seat)
    order = np.argsort(busy[0], kind="stable")
    start, end, state, reason, call = (values[order] for values in busy)
    shifts, ends = roster.windows(plan, seat)
    first, last = plan_start(plan), plan.end_micros
    # The points at which what an agent does without a call changes: duty begins, ends, and is broken by the meal.
    idle_from = np.concatenate([[first], np.stack([shifts, ends], axis=1).ravel()])
    gap = np.concatenate([shifts[1:] - ends[:-1], [10**15]]) if len(shifts) else np.zeros(0, dtype=np.int64)
    after = np.where(gap <= _MEAL_LIMIT, PAUSED, OFFLINE)
    idle_state = np.concatenate([[OFFLINE], np.stack([np.full(len(shifts), READY), after], axis=1).ravel()])
    # Every point in time at which anything changes, and what holds from there: a call before the roster.
    points = np.unique(np.clip(np.concatenate([[first], idle_from, start, end]), first, last))
    points = points[points < last]
    on = np.searchsorted(start, points, side="right") - 1
    within = (on >= 0) & (points < end[np.maximum(on, 0)]) if len(start) else np.zeros(len(points), dtype=np.bool_)
    idle = idle_state[np.searchsorted(idle_from, points, side="right") - 1]
    shown = np.where(within, state[on] if len(start) else 0, idle)
    why = np.where(within, reason[on] if len(start) else -1, np.where(idle == PAUSED, MEAL, -1))
    of_call = np.where(within, call[on] if len(start) else -1, -1)
    changed = np.ones(len(points), dtype=np.bool_)
    changed[1:] = (shown[1:] != shown[:-1]) | (of_call[1:] != of_call[:-1]) | (why[1:] != why[:-1])
    begin = points[changed]
    return begin, np.concatenate([begin[1:], [last]]), shown[changed], why[changed], of_call[changed]


def plan_start(plan: YearPlan) -> int:
    """Return when the year begins."""
    return midnight(plan.first_day)


def _busy(calls: c.Calls, seat: int) -> Stretches:
    own = np.flatnonzero(calls.agent == seat)
    missed = np.flatnonzero(calls.missed_by == seat)
    talked, ended = calls.answered_at[own], calls.ended_at[own]
    written = ended + seconds(calls.wrapup[own])
    drunk = written + seconds(calls.drink[own])
    rung_until = calls.missed_at[missed] + int(c.MISSED_RING_SECONDS * SECOND)
    rested = rung_until + int(c.MISSED_REST_SECONDS * SECOND)
    parts = [
        (calls.rang_at[own], talked, RINGING, -1, own),
        (talked, ended, TALKING, -1, own),
        (ended, written, WRAPUP, -1, own),
        (written, drunk, PAUSED, DRINK, np.full(len(own), -1)),
        (calls.missed_at[missed], rung_until, RINGING, -1, missed),
        (rung_until, rested, PAUSED, MISSED_CALL, np.full(len(missed), -1)),
    ]
    kept = [
        (begin, end, np.full(len(begin), state), np.full(len(begin), reason), call) for begin, end, state, reason, call in parts
    ]
    joined = [np.concatenate(values) for values in zip(*kept, strict=True)]
    real = (joined[0] != NEVER) & (joined[1] - joined[0] >= _SHORTEST)
    start, end, state, reason, call = (np.asarray(values[real], dtype=np.int64) for values in joined)
    return start, end, state, reason, call


def state_rows(plan: YearPlan, calls: c.Calls, agents: Ids) -> dict[str, Cells]:
    """Return the rows of `agent_state_change`; the last of each agent, offline since the end, is still open."""
    parts = []
    for seat in range(plan.seats):
        begin, end, state, reason, call = stretches_of(plan, calls, seat)
        closing = np.array([plan.end_micros], dtype=np.int64)
        nothing = np.array([-1], dtype=np.int64)
        parts.append(
            (
                np.full(len(begin) + 1, seat),
                np.concatenate([begin, closing]),
                np.concatenate([end, [NEVER]]),
                np.concatenate([state, [OFFLINE]]),
                np.concatenate([reason, nothing]),
                np.concatenate([call, nothing]),
            )
        )
    seats, begin, end, state, reason, call = (np.concatenate(values) for values in zip(*parts, strict=True))
    order = np.lexsort((seats, begin))
    return {
        "agent_id": Keys(agents, seats[order]),
        "state": Words(STATES, state[order]),
        "reason": Words(REASONS, reason[order]),
        "call_id": Keys(calls.id, call[order]),
        "started_at": Times(begin[order]),
        "ended_at": Times(end[order]),
    }
