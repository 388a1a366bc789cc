"""The tries to make the calls that were owed: when, by which way, what came of each, and what follows, round by round."""

from dataclasses import dataclass, fields
from datetime import timedelta

import numpy as np

from callback.disposition import CONTACTED, DONE, GIVEN_UP, Disposition
from callback.rule import SURVEYS, Reason
from launcher.year import arrivals
from launcher.year.arrays import (
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    SECOND,
    Bools,
    Ids,
    Ints,
    Random,
    day_start,
    midnight,
    month_numbers,
    new_ids,
    pick,
    pick_rows,
)  # fmt: skip
from launcher.year.outreach import AGENT, IVR, PLANS, REASONS, SMS, Owed
from launcher.year.plan import YearPlan

TRIES_A_WAY = 2
DISPOSITION = tuple(Disposition)
_D = {disposition: number for number, disposition in enumerate(DISPOSITION)}
D = Disposition

# What comes of a try by telephone, by way. The rest of each row is a person who talks with us.
REACHED = {AGENT: 0.64, IVR: 0.57}
REACHED_OF_REPLIES = 0.80
UNREACHED = {D.NO_ANSWER: 0.61, D.BUSY: 0.16, D.UNAVAILABLE: 0.18, D.INVALID_NUMBER: 0.02, D.FAILED: 0.03}
TALKED = {
    AGENT: {
        D.COMPLETED: 0.795, D.PARTIAL: 0.03, D.REFUSED: 0.09, D.OPTED_OUT: 0.01,
        D.CALLBACK_ASKED: 0.035, D.WRONG_NUMBER: 0.015, D.BROKEN_OFF: 0.025,
    },
    IVR: {
        D.COMPLETED: 0.60, D.PARTIAL: 0.11, D.REFUSED: 0.10, D.OPTED_OUT: 0.015,
        D.CALLBACK_ASKED: 0.02, D.WRONG_NUMBER: 0.01, D.BROKEN_OFF: 0.145,
    },
}  # fmt: skip
REPLIED = {D.COMPLETED: 0.95, D.CALLBACK_ASKED: 0.03, D.WRONG_NUMBER: 0.02}
OPENED = 0.40
OF_OPENED = {D.COMPLETED: 0.87, D.PARTIAL: 0.08, D.REFUSED: 0.05}
SMS_DELIVERED = 0.975
# In the cold months and the bad week people hang up sooner: how many times more refuse, by month.
REFUSAL_TIMES = (1.25, 1.3, 1.0, 0.95, 0.9, 1.0, 1.1, 1.05, 0.95, 0.9, 1.0, 1.15)
LINK_DAYS = 7

_WAY_OF = np.array([[ways[min(place, len(ways) - 1)] for place in range(2)] for ways in PLANS])
_WAY_COUNT = np.array([len(ways) for ways in PLANS])
_IS_SURVEY = np.array([reason in SURVEYS for reason in REASONS])
_IS_DONE = np.array([disposition in DONE for disposition in DISPOSITION])
_IS_OVER = np.array([disposition in GIVEN_UP for disposition in DISPOSITION])
_IS_CONTACT = np.array([disposition in CONTACTED for disposition in DISPOSITION])
# Survey calls are made when people are up and not at table.
_HOURS = (9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
_HOUR_SHARES = (1.0, 1.5, 1.2, 0.3, 0.5, 1.2, 1.4, 1.3, 0.9, 0.7, 0.5)


@dataclass(frozen=True)
class Attempts:
    """One element a try in every array, in order of time. `callback` is a place among the callbacks."""

    id: Ids
    callback: Ints
    number: Ints
    way: Ints
    planned_at: Ints
    answered_at: Ints
    ended_at: Ints
    """NEVER while a message still waits for its answer; its disposition is -1 then."""
    disposition: Ints
    is_delivered: Bools


OWED, IS_DONE, IS_GIVEN_UP, CANCELLED, NOT_SAMPLED = range(5)
STATES = ("owed", "done", "given_up", "cancelled", "not_sampled")


@dataclass(frozen=True)
class Outcome:
    """What became of each callback; its disposition is -1 while none is known."""

    state: Ints
    disposition: Ints
    way_no: Ints
    attempt_count: Ints
    next_at: Ints
    contacted_at: Ints
    finished_at: Ints


def draw(plan: YearPlan, part: str, owed: Owed, rang_again_at: Ints) -> tuple[Attempts, Outcome]:
    """Draw every try.

    Args:
        part: names the randomness.
        rang_again_at: when the citizen rang by themselves and was answered, which closes a missed call; NEVER otherwise.
    """
    random, count = plan.random(part), len(owed)
    is_survey = _IS_SURVEY[owed.reason]
    state = np.where(owed.is_sampled, OWED, NOT_SAMPLED)
    way_no, tries, made = (np.zeros(count, dtype=np.int64) for _ in range(3))
    disposition = np.full(count, -1, dtype=np.int64)
    contacted, finished = (np.full(count, NEVER) for _ in range(2))
    finished[state == NOT_SAMPLED] = owed.created_at[state == NOT_SAMPLED]
    next_at = _first_time(plan, random, owed, is_survey)
    rounds: list[Attempts] = []
    active = np.flatnonzero(state == OWED)
    while len(active):
        itself = (rang_again_at[active] != NEVER) & (rang_again_at[active] < np.minimum(next_at[active], plan.end_micros))
        state[active[itself]] = IS_DONE
        finished[active[itself]] = contacted[active[itself]] = rang_again_at[active[itself]]
        active = active[~itself]
        # Nothing is going on at the end.
        active = active[next_at[active] < plan.end_micros - 20 * MINUTE]
        way = _WAY_OF[owed.plan[active], way_no[active]]
        tried = _try(plan, random, active, way, next_at[active], is_survey[active], made[active])
        rounds.append(tried)
        made[active] += 1
        known = tried.disposition >= 0
        disposition[active[known]] = tried.disposition[known]
        met = known & _IS_CONTACT[tried.disposition] & (contacted[active] == NEVER)
        contacted[active[met]] = tried.answered_at[met]
        next_at[active[~known]] = tried.planned_at[~known] + LINK_DAYS * DAY
        done, over = known & _IS_DONE[tried.disposition], known & _IS_OVER[tried.disposition]
        tries[active] += 1
        is_last = known & ~done & ~over & ((tries[active] >= TRIES_A_WAY) | (way == SMS))
        way_no[active[is_last]] += 1
        tries[active[is_last]] = 0
        used_up = is_last & (way_no[active] >= _WAY_COUNT[owed.plan[active]])
        way_no[active[used_up]] -= 1
        state[active[done]], state[active[over | used_up]] = IS_DONE, IS_GIVEN_UP
        ended = done | over | used_up
        finished[active[ended]] = tried.ended_at[ended]
        active, last = active[known & ~ended], tried.ended_at[known & ~ended]
        next_at[active] = _next_time(plan, random, last, is_survey[active])
    attempts = _sorted(rounds)
    outcome = Outcome(state, disposition, way_no, made, _shown(owed, next_at, is_survey), contacted, finished)
    return _without_opted_out(owed, attempts, outcome, is_survey)


def _try(plan: YearPlan, random: Random, callback: Ints, way: Ints, at: Ints, is_survey: Bools, made: Ints) -> Attempts:
    count = len(callback)
    disposition = np.full(count, -1, dtype=np.int64)
    reached = np.array([REACHED[AGENT], REACHED[IVR], 0.0])[way]
    reached = np.where(is_survey, reached, REACHED_OF_REPLIES)
    is_reached = random.random(count) < reached
    unreached = ~is_reached & (way != SMS)
    disposition[unreached] = _draw_of(random, UNREACHED, int(unreached.sum()))
    for number, table in TALKED.items():
        chosen = is_reached & is_survey & (way == number)
        shares = np.tile([table.get(one, 0.0) for one in DISPOSITION], (int(chosen.sum()), 1))
        more = shares[:, _D[D.REFUSED]] * (np.array(REFUSAL_TIMES)[month_numbers(at[chosen]) - 1] - 1)
        shares[:, _D[D.REFUSED]] += more
        shares[:, _D[D.COMPLETED]] -= more
        disposition[chosen] = pick_rows(random, shares)
    replies = is_reached & ~is_survey
    disposition[replies] = _draw_of(random, REPLIED, int(replies.sum()))
    talk = np.where(way == AGENT, random.lognormal(np.log(95), 0.4, count), random.lognormal(np.log(48), 0.3, count)).clip(6, 900)
    talk = np.where(np.isin(disposition, [_D[D.REFUSED], _D[D.OPTED_OUT], _D[D.WRONG_NUMBER]]), talk * 0.25, talk)
    ring = random.uniform(5, 26, count)
    answered = np.where(is_reached, at + (ring * SECOND).astype(np.int64), NEVER)
    ended = np.where(is_reached, answered + (talk * SECOND).astype(np.int64), at + (ring * SECOND).astype(np.int64))
    is_delivered = (way == SMS) & (random.random(count) < SMS_DELIVERED)
    _answer_messages(plan, random, way == SMS, is_delivered, at, disposition, answered, ended)
    return Attempts(
        id=new_ids(random, at),
        callback=callback,
        number=made + 1,
        way=way,
        planned_at=at,
        answered_at=answered // 1000 * 1000,
        ended_at=ended // 1000 * 1000,
        disposition=disposition,
        is_delivered=is_delivered,
    )


def _answer_messages(
    plan: YearPlan, random: Random, is_message: Bools, is_delivered: Bools, at: Ints, disposition: Ints, answered: Ints, ended: Ints
) -> None:
    """Let some of the links be opened; fills the three arrays in."""
    count = len(at)
    opened = at + (random.exponential(10, count) * HOUR).astype(np.int64) + MINUTE
    is_opened = (
        is_delivered & (random.random(count) < OPENED) & (opened < np.minimum(at + LINK_DAYS * DAY, plan.end_micros - 5 * MINUTE))
    )
    answered[is_message] = np.where(is_opened, opened, NEVER)[is_message]
    disposition[is_opened] = _draw_of(random, OF_OPENED, int(is_opened.sum()))
    ended[is_opened] = (opened + (random.uniform(25, 200, count) * SECOND).astype(np.int64))[is_opened]
    silent = is_message & ~is_opened
    lapsed = at + LINK_DAYS * DAY
    is_over = silent & (lapsed < plan.end_micros)
    disposition[is_over], ended[is_over] = _D[D.EXPIRED], lapsed[is_over]
    ended[silent & ~is_over] = NEVER


def _draw_of(random: Random, table: dict[Disposition, float], count: int) -> Ints:
    return np.array([_D[one] for one in table])[pick(random, list(table.values()), count)]


def _first_time(plan: YearPlan, random: Random, owed: Owed, is_survey: Bools) -> Ints:
    created, count = owed.created_at, len(owed)
    soon = _awake(created + 3 * MINUTE + (random.exponential(25, count) * MINUTE).astype(np.int64))
    asked = _awake(created + (random.uniform(2, 30, count) * HOUR).astype(np.int64))
    next_day = _next_time(plan, random, created, is_survey)
    is_campaign = owed.reason == REASONS.index(Reason.CAMPAIGN)
    spread = next_day + random.integers(0, 10, count) * DAY
    found = np.where(is_campaign, np.where(_is_working(plan, spread), spread, next_day), next_day)
    found = np.where(owed.reason == REASONS.index(Reason.MISSED_CALL), soon, found)
    return np.where(owed.reason == REASONS.index(Reason.ASKED_TIME), asked, found)


def _next_time(plan: YearPlan, random: Random, at: Ints, is_survey: Bools) -> Ints:
    """Return a time on the next working day; replies go on after some hours."""
    count = len(at)
    hours = np.array(_HOURS)[pick(random, _HOUR_SHARES, count)]
    wanted = _next_working(plan, at) + hours * HOUR + random.integers(0, 3600, count) * SECOND
    return np.where(is_survey, wanted, _awake(at + (random.uniform(1.5, 5, count) * HOUR).astype(np.int64)))


def _awake(at: Ints) -> Ints:
    """Return the time itself between 8 and 21 o'clock, the next morning otherwise."""
    since = at - day_start(at)
    later = day_start(at) + np.where(since >= 21 * HOUR, DAY, 0) + 8 * HOUR + since % (50 * MINUTE)
    return np.where((since >= 8 * HOUR) & (since < 21 * HOUR), at, later)


def _next_working(plan: YearPlan, at: Ints) -> Ints:
    """Return when the first working day after each moment begins."""
    return working_days(plan)[np.searchsorted(working_days(plan), day_start(at), side="right")]


def _is_working(plan: YearPlan, at: Ints) -> Bools:
    return np.isin(day_start(at), working_days(plan))


def working_days(plan: YearPlan) -> Ints:
    days = [*plan.calendar, *(plan.calendar[-1] + timedelta(days=number) for number in range(1, 60))]
    return np.array([midnight(day) for day in days if arrivals.is_working(day)], dtype=np.int64)


def _shown(owed: Owed, next_at: Ints, is_survey: Bools) -> Ints:
    """What is put off to a day stands on the list from nine in the morning."""
    return np.where(is_survey, np.maximum(owed.created_at, np.minimum(next_at, day_start(next_at) + 9 * HOUR)), next_at)


def _sorted(rounds: list[Attempts]) -> Attempts:
    values = {field.name: np.concatenate([getattr(part, field.name) for part in rounds]) for field in fields(Attempts)}
    order = np.argsort(values["planned_at"], kind="stable")
    return Attempts(**{name: value[order] for name, value in values.items()})


def _without_opted_out(owed: Owed, attempts: Attempts, outcome: Outcome, is_survey: Bools) -> tuple[Attempts, Outcome]:
    """Who has opted out is asked by no later survey: those callbacks are cancelled before they begin."""
    out = attempts.disposition == _D[D.OPTED_OUT]
    since = np.full(int(owed.citizen.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(since, owed.citizen[attempts.callback[out]], attempts.ended_at[out])
    late = (
        is_survey
        & (outcome.state != NOT_SAMPLED)
        & (outcome.next_at > since[owed.citizen])
        & (owed.created_at > since[owed.citizen])
    )
    kept = ~late[attempts.callback]
    attempts = Attempts(**{field.name: getattr(attempts, field.name)[kept] for field in fields(Attempts)})
    changed = {
        "state": np.where(late, CANCELLED, outcome.state),
        "disposition": np.where(late, -1, outcome.disposition),
        "way_no": np.where(late, 0, outcome.way_no),
        "attempt_count": np.where(late, 0, outcome.attempt_count),
        "contacted_at": np.where(late, NEVER, outcome.contacted_at),
        "finished_at": np.where(late, owed.created_at, outcome.finished_at),
    }
    return attempts, Outcome(next_at=outcome.next_at, **changed)


def appended(first: Attempts, second: Attempts) -> Attempts:
    """Return one after the other, so that places in the first stay."""
    values = {field.name: np.concatenate([getattr(first, field.name), getattr(second, field.name)]) for field in fields(Attempts)}
    return Attempts(**values)


def outcomes_appended(first: Outcome, second: Outcome) -> Outcome:
    """Return one after the other."""
    values = {field.name: np.concatenate([getattr(first, field.name), getattr(second, field.name)]) for field in fields(Outcome)}
    return Outcome(**values)
