"""The truth about a made-up year: what it was drawn from, and what was drawn, counted from the arrays and not from any row."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from callback.disposition import Disposition
from launcher.year import attempts, calls, opinions, outreach, surveys
from launcher.year.arrays import DAY, NEVER, Bools, Ints, months
from launcher.year.attempts import DISPOSITION
from launcher.year.knowledge_rows import VERDICTS, cards_of
from launcher.year.year import Year

SHORT_SECONDS, TARGET_SECONDS, REPEAT_DAYS = 5.0, 15.0, 7
_GOOD = 4


def truth_of(year: Year) -> dict[str, Any]:
    """Return everything that is true about a year, ready for JSON."""
    plan = year.plan
    return {
        "note": "全部数据由种子生成，号码段 194 从未分配。model 是抽样所用的参数，drawn 是抽出的结果（不经数据库直接数出）。",
        "plan": {
            "seed": plan.seed, "from": plan.first_day.isoformat(), "to": plan.end.isoformat(),
            "days": plan.days, "seats": plan.seats,
            "second_questionnaire_version_from": str(np.datetime64(plan.second_version_from, "us")) + "Z",
            "bad_week": [plan.calendar[plan.bad_week[0]].isoformat(), plan.calendar[plan.bad_week[-1]].isoformat()],
        },
        "model": {"calls": model_of_calls(), "outreach": model_of_outreach(), "opinions": model_of_opinions(year)},
        "drawn": {
            "calls": drawn_calls(year),
            "calls_by_month": {month: service(year, chosen) for month, chosen in _by_month(year.calls.at)},
            "calls_by_queue": {
                name: service(year, year.calls.is_enterprise == bool(place)) for place, name in enumerate(("consult", "enterprise"))
            },
            "callbacks": drawn_callbacks(year),
            "case_service_by_month": {month: asked(year, chosen) for month, chosen in _cases_by_month(year)},
            "case_service_by_unit": {unit: asked(year, _of_unit(year, place)) for place, unit in enumerate(year.matters.units)},
            "after_call": after_call(year),
        },
    }  # fmt: skip


def _by_month(at: Ints) -> Iterator[tuple[str, Bools]]:
    names = months(at)
    for month in np.unique(names).tolist():
        yield month, names == month


# --- calls


def model_of_calls() -> dict[str, Any]:
    """Return the parameters of arrivals, talk and patience."""
    return {
        "talk_seconds": {"distribution": "lognormal", "median": calls.TALK_MEDIAN, "sigma": calls.TALK_SPREAD},
        "wrapup_seconds": {"distribution": "lognormal", "median": calls.WRAPUP_MEDIAN, "sigma": calls.WRAPUP_SPREAD},
        "ring_seconds": {"distribution": "gamma", "shape": calls.RING_SHAPE, "scale": calls.RING_SCALE},
        "patience_seconds": {"distribution": "weibull", "shape": calls.PATIENCE_SHAPE, "scale": calls.PATIENCE_SCALE},
        "gone_at_once": calls.GONE_AT_ONCE,
        "rings_again": {"share": calls.REPEAT_SHARE, "mean_days": calls.REPEAT_DAYS},
        "waiting": "first come, first served by the agent idle longest, five groups on four shifts; it is not drawn but happens",
        "kinds": dict(zip(calls.KINDS, calls.KIND_SHARES, strict=True)),
        "dispositions": {kind: dict(zip(calls.DISPOSITIONS, row, strict=True)) for kind, row in calls.DISPOSITION_SHARES.items()},
        "hold_share": calls.HOLD_SHARE,
    }


def drawn_calls(year: Year) -> dict[str, Any]:
    """Return the service of all calls, and what was written of them."""
    rang = year.calls
    written = rang.disposition[rang.is_answered]
    return {
        **service(year, np.ones(len(rang), dtype=np.bool_)),
        "dispositions": {name: int((written == place).sum()) for place, name in enumerate(calls.DISPOSITIONS)},
        "kinds": {name: int((rang.kind[rang.is_answered] == place).sum()) for place, name in enumerate(calls.KINDS)},
        "confidential": int(rang.is_confidential.sum()),
        "first_contact": first_contact(year),
        "suggestions": suggestions(year),
    }


def first_contact(year: Year) -> dict[str, Any]:
    """Return how many answered calls can be followed for a week, and of how many the matter was settled at once and for good."""
    rang = year.calls
    order = np.lexsort((rang.at, rang.citizen))
    following = np.full(len(rang), NEVER)
    same = rang.citizen[order][1:] == rang.citizen[order][:-1]
    following[order[:-1][same]] = rang.at[order[1:][same]]
    window = REPEAT_DAYS * DAY
    followed = rang.is_answered & (rang.citizen >= 0) & (rang.at <= year.plan.end_micros - window)
    again = (following != NEVER) & (following <= rang.at + window)
    settled = followed & (rang.disposition == calls.DISPOSITIONS.index("即时答复")) & ~again
    return {"followed": int(followed.sum()), "resolved": int(settled.sum())}


def suggestions(year: Year) -> dict[str, Any]:
    """Return how many answered calls were offered an article, and in how many one was adopted."""
    cards = cards_of(year)
    adopted = cards.call[cards.verdict == VERDICTS.index("adopted")]
    return {"suggested": len(np.unique(cards.call)), "adopted": len(np.unique(adopted))}


def service(year: Year, chosen: Bools) -> dict[str, Any]:
    """Return how a part of the calls was served. offered: answered and abandoned after 5 s; in time: answered within 15 s."""
    rang = year.calls
    answered = chosen & rang.is_answered
    abandoned = chosen & (rang.outcome == calls.ABANDONED) & (rang.waiting >= SHORT_SECONDS)
    count = int(answered.sum())
    offered = count + int(abandoned.sum())
    in_time = int((answered & (rang.waiting <= TARGET_SECONDS)).sum())
    return {
        "calls": int(chosen.sum()),
        "offered": offered,
        "answered": count,
        "abandoned": int(abandoned.sum()),
        "short_abandoned": int((chosen & (rang.outcome == calls.ABANDONED)).sum()) - int(abandoned.sum()),
        "in_time": in_time,
        "service_level": _share(in_time, offered),
        "average_speed_of_answer": _mean(rang.waiting[answered]),
        "average_talk": _mean(rang.talking[answered]),
        "average_wrapup": _mean(rang.wrapup[answered]),
    }


# --- callbacks


def model_of_outreach() -> dict[str, Any]:
    """Return the parameters of reaching people."""
    ways = {outreach.AGENT: "agent", outreach.IVR: "ivr"}
    return {
        "reached": {name: attempts.REACHED[way] for way, name in ways.items()},
        "if_reached": {name: {str(one): share for one, share in attempts.TALKED[way].items()} for way, name in ways.items()},
        "if_not_reached": {str(one): share for one, share in attempts.UNREACHED.items()},
        "refusals_by_month_of_year_times": list(attempts.REFUSAL_TIMES),
        "sms": {"delivered": attempts.SMS_DELIVERED, "opened": attempts.OPENED, "if_opened": _named(attempts.OF_OPENED)},
        "sampling": {"large_units": outreach.SAMPLED_LARGE, "calls": outreach.CALLS_FOLLOWED},
    }


def _named(table: dict[Any, float]) -> dict[str, float]:
    return {str(key): share for key, share in table.items()}


def drawn_callbacks(year: Year) -> dict[str, Any]:
    """Return the ends of callbacks by reason, and of tries by way."""
    tried = year.attempts
    return {
        "states": {
            str(reason): {
                state: int(((year.owed.reason == place) & (year.outcome.state == number)).sum())
                for number, state in enumerate(attempts.STATES)
            }
            for place, reason in enumerate(outreach.REASONS)
        },
        "dispositions": {
            way: {
                str(one): int(((tried.way == place) & (tried.disposition == number)).sum())
                for number, one in enumerate(DISPOSITION)
            }
            for place, way in enumerate(outreach.WAYS)
        },
        **reached(year),
    }


def reached(year: Year) -> dict[str, int]:
    """Return what the contact and refusal rates are made of: callbacks that were owed, met, refused, settled."""
    outcome = year.outcome
    owed = ~np.isin(outcome.state, (attempts.CANCELLED, attempts.NOT_SAMPLED))
    contacted = owed & (outcome.contacted_at != NEVER)
    refusals = [DISPOSITION.index(one) for one in (Disposition.REFUSED, Disposition.OPTED_OUT)]
    return {
        "owed": int(owed.sum()),
        "contacted": int(contacted.sum()),
        "refused": int((contacted & np.isin(outcome.disposition, refusals)).sum()),
        "done": int((outcome.state == attempts.IS_DONE).sum()),
    }


# --- opinions


def model_of_opinions(year: Year) -> dict[str, Any]:
    """Return what everybody truly thinks: per unit and month, the shares of 满意 or better and of solved matters."""
    truth = year.truth
    return {
        "months": list(truth.months),
        "satisfied": {unit: _rounded(truth.satisfied[place]) for place, unit in enumerate(year.matters.units)},
        "solved": {unit: _rounded(truth.solved[place]) for place, unit in enumerate(year.matters.units)},
        "log_odds": {
            "by_way": opinions.WAY_LOGITS,
            "at": " ".join(opinions.BAD_WINDOW),
            "at_that_window": opinions.BAD_WINDOW_LOGIT,
        },
        "hotline": {
            "satisfied": opinions.HOTLINE_SHARE,
            "log_odds_by_agent": _rounded(truth.agent_logits),
            "log_odds_a_minute_of_waiting": opinions.WAIT_LOGIT_A_MINUTE,
            "log_odds_in_the_bad_week": opinions.BAD_WEEK_LOGIT,
        },
        "poor": opinions.POOR,
        "better": opinions.BETTER,
        "worse": opinions.WORSE,
    }


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]


def _cases_by_month(year: Year) -> Iterator[tuple[str, Bools]]:
    """By the month of the answer, as statistics count."""
    for month, chosen in _by_month(np.where(year.surveys.finished_at == NEVER, year.surveys.offered_at, year.surveys.finished_at)):
        yield month, chosen & (year.surveys.questionnaire == surveys.CASE)


def _of_unit(year: Year, place: int) -> Bools:
    unit = year.matters.unit_of[year.owed.matter[np.maximum(year.surveys.callback, 0)]]
    return np.asarray((unit == place) & (year.surveys.questionnaire == surveys.CASE))


def asked(year: Year, chosen: Bools) -> dict[str, Any]:
    """Return a part of the surveys on cases: who answered, what they said, and how likely these very people were to say it."""
    own, given = year.surveys, year.answers
    counted = chosen & ~own.is_withdrawn
    rated = _answers(year, counted, surveys.SATISFACTION)
    told = _answers(year, counted, surveys.RESOLVED)
    weights = year.owed.weight[np.maximum(own.callback, 0)]
    good = given.choice[rated] >= _GOOD
    return {
        "offered": int(chosen.sum()),
        "completed": int((chosen & (own.state == surveys.COMPLETED)).sum()),
        "partial": int((chosen & (own.state == surveys.PARTIAL)).sum()),
        "refused": int((chosen & (own.state == surveys.REFUSED)).sum()),
        "withdrawn": int((chosen & own.is_withdrawn).sum()),
        "rated": int(rated.sum()),
        "grades": [int((given.choice[rated] == grade).sum()) for grade in range(1, 6)],
        "satisfied": _share(int(good.sum()), int(rated.sum())),
        "satisfied_weighted": _share(float((good * weights[given.survey[rated]]).sum()), float(weights[given.survey[rated]].sum())),
        "satisfied_truth": _mean(own.satisfied[given.survey[rated]]),
        "solved": _share(int(given.choice[told].sum()), int(told.sum())),
        "solved_truth": _mean(own.solved[given.survey[told]]),
    }


def _answers(year: Year, counted: Bools, question: int) -> Bools:
    """Return which answers count to a question: those of counted surveys that did not come late."""
    given = year.answers
    return np.asarray((given.question == question) & counted[given.survey] & ~given.is_late)


def after_call(year: Year) -> dict[str, Any]:
    """Return the ratings at the end of calls."""
    chosen = year.surveys.questionnaire == surveys.AFTER_CALL
    rated = _answers(year, chosen, surveys.SATISFACTION)
    grades = year.answers.choice[rated]
    return {
        "offered": int(chosen.sum()),
        "answered": int((chosen & (year.surveys.state == surveys.COMPLETED)).sum()),
        "skipped": int((chosen & (year.surveys.state == surveys.SKIPPED)).sum()),
        "hung_up": int((chosen & (year.surveys.state == surveys.HUNG_UP)).sum()),
        "grades": [int((grades == grade).sum()) for grade in range(1, 6)],
        "satisfied": _share(int((grades >= _GOOD).sum()), len(grades)),
        "satisfied_truth": _mean(year.surveys.satisfied[year.answers.survey[rated]]),
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None


def _mean(values: Any) -> float | None:
    return round(float(np.mean(values)), 6) if len(values) else None
