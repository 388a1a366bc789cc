"""The year's callbacks, tries, opt-outs and text messages as rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from callback.disposition import GIVEN_UP, Disposition
from callback.hindrance import Hindrance
from callback.rule import PRIORITY, SURVEYS, Reason
from launcher.year import attempts as a
from launcher.year import people, wording
from launcher.year.arrays import DAY, MINUTE, NEVER, SECOND, Ids, Ints, Random, day_start, local_days, new_ids
from launcher.year.case_rows import context_words
from launcher.year.copying import Cells, Keys, Numbers, Same, Texts, Times, Words
from launcher.year.matters import HALLS
from launcher.year.outreach import CAMPAIGN, PLANS, REASONS, SMS, WAYS
from launcher.year.telephony_rows import OutCalls
from launcher.year.year import Year

GATEWAY = "demo"
SMS_PARTS = 2
_LINK = "https://hotline.example/s/demo"


@dataclass(frozen=True)
class Drawn:
    """What the rows of several tables share."""

    callback_ids: Ids
    survey_of_attempt: Ints
    attempt_agent: Ints
    attempt_call: Ints
    rule_version: dict[str, Ids]
    questionnaire_version: dict[str, list[Ids]]


def uuids(ids: Ids) -> Callable[[Ints], list[str]]:
    """Return a maker of ids as they are written in texts, with dashes."""

    def make(places: Ints) -> list[str]:
        text = ids[np.maximum(places, 0)].tobytes().hex() if len(ids) else "0" * 32 * len(places)
        found = (text[start : start + 32] for start in range(0, len(text), 32))
        return [f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}" for one in found]

    return make


def rule_keys(year: Year) -> list[str]:
    """Return the key of the rule behind each callback; empty where there is none."""
    owed, cases = year.owed, year.cases
    keys = np.full(len(owed), "", dtype=object)
    of_case = owed.reason == REASONS.index(Reason.CASE_CLOSED)
    keys[of_case] = np.array([wording.rule_of_hall(hall) for hall in range(len(HALLS))], dtype=object)[
        cases.hall[owed.case[of_case]]
    ]
    of_call = owed.reason == REASONS.index(Reason.CALL_ANSWERED)
    is_enterprise = year.calls.is_enterprise[owed.call[of_call]].astype(np.int64)
    keys[of_call] = np.array(wording.CALL_KEYS, dtype=object)[is_enterprise]
    keys[owed.reason == REASONS.index(Reason.MISSED_CALL)] = wording.MISSED_KEY
    keys[owed.reason == REASONS.index(Reason.BAD_RATING)] = wording.BAD_KEY
    return [str(key) for key in keys]


def callback_rows(year: Year, drawn: Drawn) -> dict[str, Cells]:
    """Return the rows of `callback`."""
    owed, outcome, count = year.owed, year.outcome, len(year.owed)
    keys = rule_keys(year)
    names = [*drawn.rule_version, ""]
    rule = np.array([names.index(key) if key else -1 for key in keys], dtype=np.int64)
    versions = np.concatenate([*drawn.rule_version.values()])
    promised = _promised(year)
    is_asked = owed.reason == REASONS.index(Reason.ASKED_TIME)
    due = np.maximum(outcome.next_at, owed.created_at)
    last_survey = _last_surveys(year, drawn)
    unit = year.matters.unit_of[owed.matter].astype(np.int64)
    has_stratum = owed.reason == REASONS.index(Reason.CASE_CLOSED)
    is_drawn = np.isin(owed.reason, [REASONS.index(Reason.CASE_CLOSED), REASONS.index(Reason.CALL_ANSWERED)])
    citizens = owed.citizen.tolist()
    return {
        "id": Keys(drawn.callback_ids),
        "natural_key": Texts(count, _natural_keys(year, keys, last_survey)),
        "reason": Words(REASONS, owed.reason),
        "state": Words(a.STATES, outcome.state),
        "disposition": Words(a.DISPOSITION, outcome.disposition),
        "phone": Texts(count, people.phones(owed.citizen)),
        "person": Texts(count, lambda part: [people.name(citizens[place]) for place in part]),
        "rule_version_id": Keys(versions, rule),
        "questionnaire_version_id": Keys(*_questionnaires(year, drawn)),
        "ways": Words(["{" + ",".join(WAYS[way] for way in plan) + "}" for plan in PLANS], owed.plan),
        "way_no": Numbers(outcome.way_no),
        "priority": Numbers(np.array([PRIORITY[reason] for reason in REASONS])[owed.reason]),
        "next_at": Times(due),
        "asked_at": Times(np.where(is_asked, due, NEVER)),
        "why": Words(*_why(year)),
        "promised_by": Times(promised),
        "expires_at": Times(due + 14 * DAY),
        "contacted_at": Times(outcome.contacted_at),
        "attempt_count": Numbers(outcome.attempt_count),
        "weight": Numbers(owed.weight),
        "stratum": Words([*year.matters.units, ""], np.where(has_stratum, unit, len(year.matters.units))),
        "seed": Words(("", wording.SEED), is_drawn.astype(np.int64)),
        "call_id": Keys(year.calls.id, owed.call),
        "case_id": Keys(year.cases.id, owed.case),
        "survey_id": Keys(year.surveys.id, last_survey),
        "campaign": Words(("", CAMPAIGN), (owed.reason == REASONS.index(Reason.CAMPAIGN)).astype(np.int64)),
        **context_words(year.matters, year.cases, year.calls, owed.matter, owed.case, owed.call),
        "created_at": Times(owed.created_at),
        "finished_at": Times(outcome.finished_at),
    }


def _promised(year: Year) -> Ints:
    """Return by when contact was promised: the end of so many working days later, and half an hour after a time asked for."""
    owed, found = year.owed, np.full(len(year.owed), NEVER)
    working = a.working_days(year.plan)
    for reason, days in ((Reason.CASE_CLOSED, 5), (Reason.MISSED_CALL, 1), (Reason.BAD_RATING, 5)):
        chosen = owed.reason == REASONS.index(reason)
        place = np.searchsorted(working, day_start(owed.created_at[chosen]), side="right") + days - 1
        found[chosen] = working[np.minimum(place, len(working) - 1)] + DAY
    asked = owed.reason == REASONS.index(Reason.ASKED_TIME)
    found[asked] = np.maximum(year.outcome.next_at, owed.created_at)[asked] + 30 * MINUTE
    return found


def _last_surveys(year: Year, drawn: Drawn) -> Ints:
    found = np.full(len(year.owed), -1)
    has = drawn.survey_of_attempt >= 0
    found[year.attempts.callback[has]] = drawn.survey_of_attempt[has]
    return found


def _questionnaires(year: Year, drawn: Drawn) -> tuple[Ids, Ints]:
    """Return the versions, and which one each callback was to ask."""
    case, call = drawn.questionnaire_version["case_service"], drawn.questionnaire_version["call_service"]
    place = np.full(len(year.owed), -1)
    place[np.isin(year.owed.reason, [REASONS.index(Reason.CALL_ANSWERED), REASONS.index(Reason.CAMPAIGN)])] = len(case)
    of_case = year.owed.reason == REASONS.index(Reason.CASE_CLOSED)
    place[of_case] = (year.owed.created_at[of_case] >= year.plan.second_version_from).astype(np.int64)
    return np.concatenate([*case, *call]), place


def _why(year: Year) -> tuple[list[str], Ints]:
    outcome = year.outcome
    words = ["", *Hindrance, *Disposition]
    over = np.array([words.index(one if one in GIVEN_UP else Hindrance.WAYS_USED_UP) for one in a.DISPOSITION])
    place = np.zeros(len(outcome.state), dtype=np.int64)
    place[outcome.state == a.NOT_SAMPLED] = words.index(Hindrance.SAMPLED_OUT)
    place[outcome.state == a.CANCELLED] = words.index(Hindrance.OPTED_OUT)
    given_up = outcome.state == a.IS_GIVEN_UP
    place[given_up] = over[outcome.disposition[given_up]]
    by_themselves = (outcome.state == a.IS_DONE) & (outcome.attempt_count == 0)
    place[by_themselves] = words.index(Hindrance.ANSWERED_AGAIN)
    return [str(word) for word in words], place


def _natural_keys(year: Year, keys: list[str], last_survey: Ints) -> Callable[[range], list[str]]:
    owed = year.owed
    call, case = uuids(year.calls.id), uuids(year.cases.id)

    def make(part: range) -> list[str]:
        chosen = slice(part.start, part.stop)
        behind_call, behind_case = call(owed.call[chosen]), case(owed.case[chosen])
        found = []
        for place, reason, of_call, of_case in zip(part, owed.reason[chosen].tolist(), behind_call, behind_case, strict=True):
            match REASONS[reason]:
                case Reason.CASE_CLOSED:
                    found.append(f"case_closed:{of_case}:{keys[place]}")
                case Reason.CALL_ANSWERED:
                    found.append(f"call_answered:{of_call}:{keys[place]}")
                case Reason.CAMPAIGN:
                    found.append(f"campaign:{CAMPAIGN}:{people.phone(int(owed.citizen[place]))}")
                case other:
                    found.append(f"{other}:{of_call if owed.call[place] >= 0 else of_case}:{place}")
        return found

    return make


def attempt_rows(year: Year, drawn: Drawn, out: OutCalls, agents: Ids) -> dict[str, Cells]:
    """Return the rows of `callback_attempt`."""
    tried, count = year.attempts, len(year.attempts.id)
    reason = year.owed.reason[tried.callback]
    # A message that still waits for its answer is on its way.
    is_open = tried.disposition < 0
    failed = (tried.way == SMS) & ~tried.is_delivered
    return {
        "id": Keys(tried.id),
        "callback_id": Keys(drawn.callback_ids, tried.callback),
        "attempt_no": Numbers(tried.number),
        "way": Words(WAYS, tried.way),
        "phone": Texts(count, people.phones(year.owed.citizen[tried.callback])),
        "state": Words(("ended", "dialled"), is_open.astype(np.int64)),
        "is_survey": Words(("f", "t"), np.array([one in SURVEYS for one in REASONS], dtype=np.int64)[reason]),
        "agent_id": Keys(agents, drawn.attempt_agent),
        "call_id": Keys(out.id, drawn.attempt_call),
        "survey_id": Keys(year.surveys.id, drawn.survey_of_attempt),
        "disposition": Words(a.DISPOSITION, tried.disposition),
        "cause": Words(("", "sms_failed"), failed.astype(np.int64)),
        "planned_at": Times(tried.planned_at),
        "dialled_at": Times(tried.planned_at + SECOND),
        "answered_at": Times(tried.answered_at),
        "ended_at": Times(tried.ended_at),
    }


def opt_out_rows(random: Random, year: Year) -> dict[str, Cells]:
    """Return the rows of `opt_out`: once for each number."""
    tried = year.attempts
    out = np.flatnonzero(tried.disposition == a.DISPOSITION.index(Disposition.OPTED_OUT))
    citizen = year.owed.citizen[tried.callback[out]]
    _, first = np.unique(citizen, return_index=True)
    out, citizen = out[first], citizen[first]
    return {
        "id": Keys(new_ids(random, tried.ended_at[out])),
        "phone": Texts(len(out), people.phones(citizen)),
        "source": Words(WAYS, tried.way[out]),
        "at": Times(tried.ended_at[out]),
    }


def sms_rows(random: Random, year: Year) -> tuple[dict[str, Cells], dict[str, Cells], dict[str, Cells]]:
    """Return the rows of `sms_message`, `sms_part` and `sms_day`."""
    tried = year.attempts
    sent = np.flatnonzero(tried.way == SMS)
    at, count = tried.planned_at[sent], len(sent)
    ids, references = new_ids(random, at), uuids(tried.id)
    bodies = [f"您办理的“{one.name[:24]}”已办结，请花一分钟评价：{_LINK} 7 日内有效" for one in year.matters.all]
    state = np.where(tried.is_delivered[sent], 0, 1)
    messages: dict[str, Cells] = {
        "id": Keys(ids),
        "reference": Texts(count, lambda part: references(sent[part.start : part.stop])),
        "purpose": Same("survey", count),
        "phone": Texts(count, people.phones(year.owed.citizen[tried.callback[sent]])),
        "body": Words(bodies, year.owed.matter[tried.callback[sent]]),
        "state": Words(("delivered", "failed"), state),
        "part_count": Same(str(SMS_PARTS), count),
        "send_after": Times(at),
        "expires_at": Times(at + a.LINK_DAYS * DAY),
        "attempts": Same("1", count),
        "error": Words(("空号或停机",), np.where(state == 1, 0, -1)),
        "created_at": Times(at),
        "submitted_at": Times(at + 2 * SECOND),
        "finished_at": Times(at + 7 * SECOND),
    }
    of_message, number = np.repeat(np.arange(count), SMS_PARTS), np.tile(np.arange(1, SMS_PARTS + 1), count)
    parts: dict[str, Cells] = {
        "id": Keys(new_ids(random, at[of_message])),
        "message_id": Keys(ids, of_message),
        "part_no": Numbers(number),
        "gateway": Same(GATEWAY, len(number)),
        "gateway_id": Texts(len(number), lambda part: [f"demo-{place}" for place in part]),
        "receipt": Words(("delivered", "failed"), state[of_message]),
        "received_at": Times(at[of_message] + 6 * SECOND),
    }
    days, many = np.unique(local_days(at), return_counts=True)
    names = np.datetime_as_string(days.astype("datetime64[D]")).tolist()
    day_rows: dict[str, Cells] = {
        "day": Texts(len(days), lambda part: names[part.start : part.stop]),
        "part_count": Numbers(many * SMS_PARTS),
    }
    return messages, parts, day_rows
