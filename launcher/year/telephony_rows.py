"""The year's calls as rows of telephony: calls, legs, stories, notes, and which text counts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from launcher.year import calls as c
from launcher.year import people
from launcher.year.arrays import NEVER, SECOND, Bools, Floats, Ids, Ints, Random, local_days, new_ids, seconds
from launcher.year.attempts import Attempts
from launcher.year.copying import Cells, Keys, Numbers, Same, Texts, Times, Words
from launcher.year.matters import Matters
from launcher.year.outreach import AGENT, Owed
from launcher.year.queueing import NOBODY

NODE = "demo"
QUEUES = ("consult", "enterprise")
DIALLED = ("12345", "12340")
_LEG_OUTCOMES = ("answered", "missed", "cancelled", "transferred")
EVENTS = ("queued", "ringing", "missed", "answered", "held", "resumed", "transferred", "ended")
TRANSFERRED_TO = "6001"
_NOTES = (
    "市民来电咨询{m}，已按知识库答复办理条件和材料。",
    "咨询{m}，已告知，市民表示清楚。",
    "问{m}要带什么材料，已逐项说明。",
    "{m}办理进度查询，已告知承诺时限，请市民留意短信。",
    "反映{m}窗口排队时间长，已记录并转告承办单位。",
    "咨询{m}，问题较复杂，已请专席解释。",
)


@dataclass(frozen=True)
class OutCalls:
    """The calls that agents placed for callbacks: answered ones, in order of time."""

    id: Ids
    attempt: Ints
    agent: Ints
    at: Ints
    answered_at: Ints
    ended_at: Ints
    citizen: Ints


def out_calls(random: Random, seats: int, owed: Owed, attempts: Attempts) -> OutCalls:
    """Return a call for each try by an agent that the citizen answered."""
    chosen = np.flatnonzero((attempts.way == AGENT) & (attempts.answered_at != NEVER))
    at = attempts.planned_at[chosen]
    return OutCalls(
        id=new_ids(random, at),
        attempt=chosen,
        agent=random.integers(0, seats, len(chosen)),
        at=at,
        answered_at=attempts.answered_at[chosen],
        ended_at=attempts.ended_at[chosen],
        citizen=owed.citizen[attempts.callback[chosen]],
    )


def _numbered(at: Ints, is_out: Bools) -> tuple[Ints, Ints]:
    """Return each call's local day and its number in it, whichever way it went."""
    order = np.lexsort((is_out, at))
    days = local_days(at)
    sorted_days = days[order]
    firsts = np.searchsorted(sorted_days, sorted_days, side="left")
    number = np.empty(len(at), dtype=np.int64)
    number[order] = np.arange(len(at)) - firsts + 1
    return days, number


def call_rows(calls: c.Calls, out: OutCalls, agents: Ids) -> dict[str, Cells]:
    """Return the rows of `call`."""
    count, extra = len(calls), len(out.at)
    at = np.concatenate([calls.at, out.at])
    is_out = np.concatenate([np.zeros(count, dtype=np.bool_), np.ones(extra, dtype=np.bool_)])
    days, number = _numbered(at, is_out)
    answered = np.concatenate([calls.answered_at, out.answered_at])
    ended = np.concatenate([calls.ended_at, out.ended_at])
    nothing = np.full(extra, -1)
    talking = np.concatenate([calls.talking, (out.ended_at - out.answered_at) / SECOND])
    citizen = np.concatenate([calls.citizen, out.citizen])
    # Fractions of a second and the order of arrival, as the exchange names its channels.
    unique = Texts(
        count + extra, lambda part: [f"{one // SECOND}.{place * 2}" for place, one in zip(part, _of(at, part), strict=True)]
    )
    day_names = np.char.replace(np.datetime_as_string(days.astype("datetime64[D]")), "-", "")
    return {
        "id": Keys(np.concatenate([calls.id, out.id])),
        "number": Texts(
            count + extra,
            lambda part: [f"{day}-{one:06d}" for day, one in zip(_of(day_names, part), _of(number, part), strict=True)],
        ),
        "node": Same(NODE, count + extra),
        "linkedid": unique,
        "unique_id": unique,
        "caller_number": Texts(count + extra, people.phones(citizen)),
        "dialled": Words((*DIALLED, ""), np.concatenate([calls.is_enterprise.astype(np.int64), nothing + 3])),
        "direction": Words(("in", "out"), is_out.astype(np.int64)),
        "queue_name": Words(QUEUES, np.concatenate([calls.is_enterprise.astype(np.int64), nothing])),
        "state": Same("ended", count + extra),
        "outcome": Words(c.OUTCOMES, np.concatenate([calls.outcome, np.zeros(extra, dtype=np.int64)])),
        "cause": Words(("16", "unserved"), np.concatenate([(calls.outcome == c.FAILED).astype(np.int64), nothing + 1])),
        "agent_id": Keys(agents, np.concatenate([calls.agent, out.agent])),
        "started_at": Times(at),
        "queued_at": Times(np.concatenate([calls.at, np.full(extra, NEVER)])),
        "answered_at": Times(answered),
        "ended_at": Times(ended),
        "waiting_seconds": Numbers(np.concatenate([calls.waiting, np.full(extra, np.nan)])),
        "talking_seconds": Numbers(np.round(talking, 3)),
        "hold_seconds": Numbers(np.concatenate([calls.hold, np.zeros(extra)])),
        "is_confidential": Words(("f", "t"), np.concatenate([calls.is_confidential.astype(np.int64), nothing + 1])),
    }


def _of(values: Any, part: range) -> list[Any]:
    return list(values[part.start : part.stop].tolist())


def leg_rows(calls: c.Calls, out: OutCalls, agents: Ids) -> dict[str, Cells]:
    """Return the rows of `call_leg`: one for each agent who was rung."""
    missed = np.flatnonzero(calls.missed_by != NOBODY)
    rung = np.flatnonzero((calls.agent >= 0) & (calls.rang_at != NEVER))
    passed_on = calls.transferred_at[rung] != NEVER
    call_ids = np.concatenate([calls.id[missed], calls.id[rung], out.id])
    rang = np.concatenate([calls.missed_at[missed], calls.rang_at[rung], out.at])
    gone = calls.missed_at[missed] + int(c.MISSED_RING_SECONDS * SECOND)
    return {
        "call_id": Keys(call_ids),
        "agent_id": Keys(agents, np.concatenate([calls.missed_by[missed], calls.agent[rung], out.agent])),
        "unique_id": Texts(
            len(rang), lambda part: [f"{one // SECOND}.{place * 2 + 1}" for place, one in zip(part, _of(rang, part), strict=True)]
        ),
        "channel": Texts(len(rang), lambda part: [f"PJSIP/agent-{place:08x}" for place in part]),
        "rang_at": Times(rang),
        "answered_at": Times(np.concatenate([np.full(len(missed), NEVER), calls.answered_at[rung], out.answered_at])),
        "ended_at": Times(np.concatenate([gone, calls.ended_at[rung], out.ended_at])),
        "outcome": Words(
            _LEG_OUTCOMES,
            np.concatenate(
                [np.ones(len(missed), dtype=np.int64), np.where(passed_on, 3, 0), np.zeros(len(out.at), dtype=np.int64)]
            ),
        ),
    }


def event_rows(calls: c.Calls, agent_numbers: Sequence[str]) -> dict[str, Cells]:
    """Return the rows of `call_event`: every inbound call's story."""
    answered, held = calls.answered_at, calls.held_at
    resumed = np.where(held != NEVER, held + seconds(np.maximum(calls.hold, 0.0)), NEVER)
    times = np.stack(
        [calls.at, calls.rang_at, calls.missed_at, answered, held, resumed, calls.transferred_at, calls.ended_at], axis=1
    )
    call, kind = np.nonzero(times != NEVER)
    at = times[call, kind]
    who = np.where(kind == EVENTS.index("missed"), calls.missed_by[call], calls.agent[call])
    names_agent = np.isin(kind, [EVENTS.index(name) for name in ("ringing", "missed", "answered")]) & (who >= 0)
    details = [
        *(json.dumps({"agent": number}) for number in agent_numbers),
        *(json.dumps({"queue": queue, "position": 1}) for queue in QUEUES),
        json.dumps({"to": TRANSFERRED_TO}),
        *(json.dumps({"outcome": outcome, "cause": "16"}) for outcome in c.OUTCOMES),
        "{}",
    ]
    first = len(agent_numbers)
    detail = np.full(len(at), len(details) - 1)
    detail[names_agent] = who[names_agent]
    queued, passed_on, ended = (kind == EVENTS.index(name) for name in ("queued", "transferred", "ended"))
    detail[queued] = first + calls.is_enterprise[call[queued]]
    detail[passed_on] = first + 2
    detail[ended] = first + 3 + calls.outcome[call[ended]]
    return {
        "call_id": Keys(calls.id, call),
        "natural_key": Words(EVENTS, kind),
        "at": Times(at),
        "kind": Words(EVENTS, kind),
        "detail": Words(details, detail),
    }


def note_rows(random: Random, matters: Matters, calls: c.Calls, agents: Ids) -> dict[str, Cells]:
    """Return the rows of `call_note`: what the agents wrote of the calls that they answered."""
    chosen = np.flatnonzero(calls.is_answered)
    matter = calls.matter[chosen]
    words = [note.format(m=one.name) for one in matters.all for note in _NOTES]
    style = np.where(random.random(len(chosen)) < 0.8, random.integers(0, len(_NOTES), len(chosen)), -1)
    is_written = calls.disposition[chosen] != c.DISPOSITIONS.index("")
    text = np.where(is_written & (style >= 0), matter * len(_NOTES) + style, len(words))
    ended = calls.ended_at[chosen] + seconds(calls.wrapup[chosen])
    return {
        "call_id": Keys(calls.id, chosen),
        "agent_id": Keys(agents, calls.agent[chosen]),
        "kind": Words((*c.KINDS, ""), np.where(is_written, calls.kind[chosen], len(c.KINDS))),
        "category": Words([*(one.category for one in matters.all), ""], np.where(is_written, matter, len(matters.all))),
        "note": Words([*words, ""], text),
        "disposition": Words(c.DISPOSITIONS, calls.disposition[chosen]),
        "updated_at": Times(ended),
        "finished_at": Times(np.where(is_written, ended, NEVER)),
    }


def transcript_rows(calls: c.Calls, lag: Floats) -> dict[str, Cells]:
    """Return the rows of `transcript`: the text of every answered call came from its recording, some minutes after it."""
    chosen = np.flatnonzero(calls.is_answered)
    return {
        "call_id": Keys(calls.id, chosen),
        "kind": Same("final", len(chosen)),
        "state": Same("ready", len(chosen)),
        "engine": Same("demonstration", len(chosen)),
        "updated_at": Times(calls.ended_at[chosen] + seconds(lag[chosen])),
    }


def recording_rows(random: Random, calls: c.Calls) -> dict[str, Cells]:
    """Return the rows of `recording`: there is no sound of a made-up call, so all are marked as deleted."""
    chosen = np.flatnonzero(calls.is_answered)
    days = np.datetime_as_string((local_days(calls.ended_at[chosen]) + 1).astype("datetime64[D]"))
    return {
        "id": Keys(new_ids(random, calls.at[chosen])),
        "call_id": Keys(calls.id, chosen),
        "party": Same("citizen", len(chosen)),
        "node": Same(NODE, len(chosen)),
        "path": Texts(len(chosen), lambda part: [f"demo/{place}-citizen.wav" for place in part]),
        "started_at": Times(calls.at[chosen]),
        "seconds": Numbers(calls.talking[chosen]),
        "state": Same("deleted", len(chosen)),
        "delete_on": Texts(len(chosen), lambda part: days[part.start : part.stop].tolist()),
    }


def attempt_agents(random: Random, seats: int, attempts: Attempts, out: OutCalls) -> tuple[Ints, Ints]:
    """Return, for each try, the agent who made it and the place of its call; -1 where there is none."""
    agent = np.where(attempts.way == AGENT, random.integers(0, seats, len(attempts.way)), -1)
    call = np.full(len(attempts.way), -1)
    agent[out.attempt], call[out.attempt] = out.agent, np.arange(len(out.attempt))
    return agent, call
