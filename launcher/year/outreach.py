"""The calls that were owed in the year: to whom, why, by which ways, and who of a large unit's people was drawn to be asked."""

from dataclasses import dataclass, fields, replace

import numpy as np

from callback.rule import Reason
from launcher.year.arrays import HOUR, Bools, Floats, Ints, Random, local_days, midnight
from launcher.year.calls import ABANDONED, DISPOSITIONS, Calls
from launcher.year.cases import Cases
from launcher.year.matters import Matters
from launcher.year.plan import YearPlan

REASONS = tuple(Reason)
WAYS = ("agent", "ivr", "sms")
AGENT, IVR, SMS = range(3)
PLANS: tuple[tuple[int, ...], ...] = ((AGENT,), (IVR, AGENT), (IVR, SMS), (SMS,), (IVR,))
# Each hall has its own rule: by agents, by telephone first, or by text messages.
PLAN_OF_HALL = (0, 1, 2, 2, 3)
PLAN_OF_ENTERPRISE_CALL, PLAN_OF_CALL, PLAN_OF_CAMPAIGN = 0, 2, 4
SAMPLED_LARGE, LARGE_UNIT_SHARE = 0.5, 0.05
CALLS_FOLLOWED = 0.045
CAMPAIGN = "公积金新政满意度"
CAMPAIGN_THEME = "住房公积金"
CAMPAIGN_SHARE = 0.006
ASKED_SHARE = 0.8


@dataclass(frozen=True)
class Owed:
    """One element a callback in every array. `call` and `case` are places in the year's calls and cases, or -1."""

    reason: Ints
    created_at: Ints
    citizen: Ints
    matter: Ints
    call: Ints
    case: Ints
    plan: Ints
    weight: Floats
    is_sampled: Bools

    def __len__(self) -> int:
        return len(self.created_at)


def owed_for_cases(plan: YearPlan, matters: Matters, cases: Cases) -> Owed:
    """Everybody whose case was closed and is not confidential; of large units only a share is asked, with its weight."""
    random = plan.random("owed for cases")
    chosen = np.flatnonzero(~cases.is_confidential)
    units = matters.unit_of[cases.matter].astype(np.int64)
    is_large = (np.bincount(units, minlength=len(matters.units)) / max(1, len(cases)) > LARGE_UNIT_SHARE)[units[chosen]]
    share = np.where(is_large, SAMPLED_LARGE, 1.0)
    return _owed(
        Reason.CASE_CLOSED,
        created_at=cases.closed_at[chosen],
        citizen=cases.citizen[chosen],
        matter=cases.matter[chosen],
        case=chosen,
        plan=np.array(PLAN_OF_HALL)[cases.hall[chosen]],
        weight=1 / share,
        is_sampled=random.random(len(chosen)) < share,
    )


def owed_for_calls(plan: YearPlan, matters: Matters, calls: Calls) -> list[Owed]:
    """Return who is asked after a call, who is rung back because we missed them, and who asked to be rung."""
    random = plan.random("owed for calls")
    known = (calls.citizen >= 0) & ~calls.is_confidential
    answered = np.flatnonzero(calls.is_answered & known)
    way = np.where(calls.is_enterprise[answered], PLAN_OF_ENTERPRISE_CALL, PLAN_OF_CALL)
    followed = _of_calls(calls, Reason.CALL_ANSWERED, answered)
    followed = replace(
        followed,
        plan=way,
        weight=np.full(len(answered), 1 / CALLS_FOLLOWED),
        is_sampled=random.random(len(answered)) < CALLS_FOLLOWED,
    )
    missed = np.flatnonzero((calls.outcome == ABANDONED) & (calls.waiting >= 5) & (calls.citizen >= 0))
    promised = DISPOSITIONS.index("约定回电")
    asked = np.flatnonzero((calls.disposition == promised) & calls.is_answered & known & (random.random(len(calls)) < ASKED_SHARE))
    return [
        followed,
        _of_calls(calls, Reason.MISSED_CALL, _once_a_day(calls, missed)),
        _of_calls(calls, Reason.ASKED_TIME, asked),
        _campaign(plan, random, matters, np.unique(calls.citizen[known])),
    ]


def owed_for_bad_ratings(owed: "Owed", rated: Ints, at: Ints) -> "Owed":
    """Return who is rung to put it right: those (places among the callbacks) who were not satisfied, from when they said so."""
    return _owed(
        Reason.BAD_RATING,
        created_at=at,
        citizen=owed.citizen[rated],
        matter=owed.matter[rated],
        call=owed.call[rated],
        case=owed.case[rated],
    )


def joined(parts: "list[Owed]") -> "Owed":
    """Return several as one, in order of time."""
    values = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Owed)}
    order = np.argsort(values["created_at"], kind="stable")
    return Owed(**{name: value[order] for name, value in values.items()})


def _owed(
    reason: Reason, *, created_at: Ints, citizen: Ints, matter: Ints, call: Ints | None = None, case: Ints | None = None,
    plan: Ints | None = None, weight: Floats | None = None, is_sampled: Bools | None = None,
) -> "Owed":  # fmt: skip
    count = len(created_at)
    nothing = np.full(count, -1, dtype=np.int64)
    return Owed(
        reason=np.full(count, REASONS.index(reason), dtype=np.int64),
        created_at=created_at,
        citizen=citizen,
        matter=matter,
        call=nothing if call is None else call,
        case=nothing if case is None else case,
        plan=np.zeros(count, dtype=np.int64) if plan is None else plan,
        weight=np.ones(count) if weight is None else weight,
        is_sampled=np.ones(count, dtype=np.bool_) if is_sampled is None else is_sampled,
    )


def _of_calls(calls: Calls, reason: Reason, chosen: Ints) -> "Owed":
    return _owed(reason, created_at=calls.ended_at[chosen], citizen=calls.citizen[chosen], matter=calls.matter[chosen], call=chosen)


def _once_a_day(calls: Calls, missed: Ints) -> Ints:
    """One entry a number: whoever tries again and again is rung back once."""
    _, first = np.unique(np.stack([calls.citizen[missed], local_days(calls.at[missed])]), axis=1, return_index=True)
    return np.sort(missed[first])


def _campaign(plan: YearPlan, random: Random, matters: Matters, people: Ints) -> "Owed":
    """One campaign, on a day of the last fifth of the year, about the housing fund."""
    chosen = random.choice(people, max(1, int(plan.calls * CAMPAIGN_SHARE)), replace=False)
    about = next(number for number, matter in enumerate(matters.all) if matter.theme == CAMPAIGN_THEME)
    return _owed(
        Reason.CAMPAIGN,
        created_at=np.full(len(chosen), midnight(plan.calendar[int(plan.days * 0.8)]) + 9 * HOUR),
        citizen=chosen,
        matter=np.full(len(chosen), about),
        plan=np.full(len(chosen), PLAN_OF_CAMPAIGN),
    )


def appended(first: Owed, second: Owed) -> Owed:
    """Return one after the other, so that places in the first stay."""
    return Owed(**{field.name: np.concatenate([getattr(first, field.name), getattr(second, field.name)]) for field in fields(Owed)})
