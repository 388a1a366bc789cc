"""What was suggested and adopted in the year's calls, and the words of the latest ones."""

import json
from dataclasses import dataclass

import numpy as np

from launcher.year import calls as c
from launcher.year import people
from launcher.year.arrays import NEVER, SECOND, Bools, Floats, Ids, Ints, Random, new_ids, pick, seconds
from launcher.year.copying import Cells, Keys, Numbers, Texts, Times, Words
from launcher.year.dialogues import dialogue
from launcher.year.matters import Matters
from launcher.year.year import Year

SUGGESTED_SHARE, ADOPTED_SHARE, IGNORED_SHARE, WRONG_SHARE = 0.62, 0.58, 0.06, 0.02
SECOND_CARD_SHARE = 0.55
_WRONG = ("内容过时", "答非所问", "地区不符", "有错误")
VERDICTS = ("adopted", "ignored", "wrong")
_LONGEST_EXCERPT = 120
TRANSCRIBED = 500


@dataclass(frozen=True)
class Cards:
    """One element a suggestion in every array, in order of time; the first of a call is the right one. verdict -1: none."""

    id: Ids
    call: Ints
    matter: Ints
    rank: Ints
    confidence: Ints
    at: Ints
    verdict: Ints
    question: Ints


def cards_of(year: Year) -> Cards:
    """Draw which answered calls were offered an article, and what the agent made of it."""
    random, matters, calls = year.plan.random("cards"), year.matters, year.calls
    talked = np.nan_to_num(calls.talking)
    first = np.flatnonzero(calls.is_answered & (talked > 30) & (random.random(len(calls)) < SUGGESTED_SHARE))
    second = first[random.random(len(first)) < SECOND_CARD_SHARE]
    other = _another_of_theme(random, matters, calls.matter[second])
    verdicts = (ADOPTED_SHARE, IGNORED_SHARE, WRONG_SHARE, 1 - ADOPTED_SHARE - IGNORED_SHARE - WRONG_SHARE)
    verdict = pick(random, verdicts, len(first))
    call = np.concatenate([first, second])
    at = calls.answered_at[call] + seconds(np.minimum(random.uniform(8, 45, len(call)), talked[call] * 0.8))
    confidence = np.concatenate([random.integers(62, 98, len(first)), random.integers(45, 70, len(second))])
    order = np.argsort(at, kind="stable")
    cards = Cards(
        id=new_ids(random, at),
        call=call,
        matter=np.concatenate([calls.matter[first], other]),
        rank=np.concatenate([np.ones(len(first), dtype=np.int64), np.full(len(second), 2)]),
        confidence=confidence,
        at=at,
        verdict=np.concatenate([np.where(verdict < len(VERDICTS), verdict, -1), np.full(len(second), -1)]),
        question=random.integers(0, 1 << 30, len(call)),
    )
    return Cards(**{name: getattr(cards, name)[order] for name in Cards.__dataclass_fields__})


def _another_of_theme(random: Random, matters: Matters, matter: Ints) -> Ints:
    """Return another matter of the same theme where there is one."""
    found = matter.copy()
    for number, one in enumerate(matters.all):
        alike = [place for place, two in enumerate(matters.all) if two.theme == one.theme and place != number] or [number]
        chosen = matter == number
        found[chosen] = random.choice(alike, int(chosen.sum()))
    return found


def suggestion_rows(cards: Cards, matters: Matters, calls: c.Calls, articles: Ids, revisions: Ids) -> dict[str, Cells]:
    """Return the rows of `suggestion`."""
    excerpts = [one.answer[:_LONGEST_EXCERPT] for one in matters.all]
    marks = [json.dumps([[0, min(4, len(text))]]) for text in excerpts]
    asked = calls.matter[cards.call]

    def queries(part: range) -> list[str]:
        own, which = asked[part.start : part.stop].tolist(), cards.question[part.start : part.stop].tolist()
        return [
            matters.all[one].questions[number % len(matters.all[one].questions)] for one, number in zip(own, which, strict=True)
        ]

    return {
        "id": Keys(cards.id),
        "call_id": Keys(calls.id, cards.call),
        "article_id": Keys(articles, cards.matter),
        "revision_id": Keys(revisions, cards.matter),
        "rank": Numbers(cards.rank),
        "score": Numbers(np.round(cards.confidence * 0.21, 2)),
        "confidence": Numbers(cards.confidence),
        "query": Texts(len(cards.call), queries),
        "excerpt": Words(excerpts, cards.matter),
        "marks": Words(marks, cards.matter),
        "created_at": Times(cards.at),
    }


def feedback_rows(random: Random, cards: Cards, calls: c.Calls, agents: Ids) -> dict[str, Cells]:
    """Return the rows of `suggestion_feedback`."""
    judged = np.flatnonzero(cards.verdict >= 0)
    call, verdict = cards.call[judged], cards.verdict[judged]
    why = random.integers(0, len(_WRONG), len(judged))
    later = np.minimum(cards.at[judged] + seconds(random.uniform(3, 25, len(judged))), calls.ended_at[call])
    return {
        "suggestion_id": Keys(cards.id, judged),
        "kind": Words(VERDICTS, verdict),
        "reason": Words((*_WRONG, ""), np.where(verdict == VERDICTS.index("wrong"), why, len(_WRONG))),
        "agent_id": Keys(agents, calls.agent[call]),
        "at": Times(later),
    }


def transcribed(calls: c.Calls) -> Ints:
    """Return the latest calls that were long enough to have been a talk: those whose words are kept."""
    return np.flatnonzero(calls.is_answered & (np.nan_to_num(calls.talking) >= 45))[-TRANSCRIBED:]


def segment_rows(random: Random, matters: Matters, calls: c.Calls) -> dict[str, Cells]:
    """Return the rows of `segment`: the live text of the latest calls, and the text after the call."""
    call: list[int] = []
    rows: list[tuple[str, str, float, float, str]] = []
    for number in transcribed(calls).tolist():
        turns = dialogue(
            random,
            matters.all[calls.matter[number]],
            people.phone(max(0, int(calls.citizen[number]))),
            float(calls.talking[number]),
        )
        for kind in ("live", "final"):
            call += [number] * len(turns)
            rows += [(kind, turn.party, turn.start, turn.end, turn.text) for turn in turns]
    places = np.array(call, dtype=np.int64)
    # Seconds count from the ring, as in every call.
    waited: Floats = calls.waiting[places] if len(places) else np.zeros(0)
    start = np.round(np.array([row[2] for row in rows]) + waited, 2)
    end = np.round(np.array([row[3] for row in rows]) + waited, 2)
    at = calls.at[places] + seconds(start) if len(places) else np.zeros(0, dtype=np.int64)
    is_live: Bools = np.array([row[0] == "live" for row in rows], dtype=np.bool_)
    lag = np.where(is_live, np.round(random.gamma(6.0, 0.22, len(rows)), 3), np.nan)
    told = np.where(is_live, calls.at[places] + seconds(end + np.nan_to_num(lag)), calls.ended_at[places] + 40 * SECOND)
    return {
        "id": Keys(new_ids(random, at)),
        "call_id": Keys(calls.id, places),
        "kind": Texts(len(rows), lambda part: [rows[place][0] for place in part]),
        "party": Texts(len(rows), lambda part: [rows[place][1] for place in part]),
        "start_seconds": Numbers(start),
        "end_seconds": Numbers(end),
        "started_at": Times(at),
        "text": Texts(len(rows), lambda part: [rows[place][4] for place in part]),
        "lag_seconds": Numbers(lag),
        "hops": Words(("{}",), np.zeros(len(rows), dtype=np.int64)),
        "created_at": Times(told if len(rows) else np.full(0, NEVER)),
    }
