"""Masks identity, telephone and bank-card numbers in what one party says, before any of it is stored or searched.

A number may stretch over several segments; the raw tail of the earlier ones is kept in memory, and only as long as digits may
still follow, so that they can be masked after the fact: that is an `Amendment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from telephony.speech.digit_runs import BREAK, Kind, Run, digits_of, runs

TOKENS: Final = {Kind.IDENTITY: "〔证件号〕", Kind.PHONE: "〔电话号〕", Kind.CARD: "〔卡号〕"}
LONGEST_PAUSE_SECONDS: Final = 20.0
MOST_SEGMENTS: Final = 12

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Amendment(Generic[Key]):
    """An earlier segment must be shown and stored as `text` from now on."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True)
class Redacted(Generic[Key]):
    """What may be stored of a new segment, and what it changes in earlier ones."""

    text: str
    amendments: tuple[Amendment[Key], ...] = ()


def redact(text: str) -> str:
    """Return `text` with the numbers masked that it holds by itself."""
    return _mask(text)


def redact_segments(texts: list[str]) -> list[str]:
    """Return the segments of one party, in order, with every number masked that they hold together."""
    redactor: PartyRedactor[int] = PartyRedactor()
    results: list[str] = []
    for index, text in enumerate(texts):
        redacted = redactor.redact(index, text)
        results.append(redacted.text)
        for amendment in redacted.amendments:
            results[amendment.key] = amendment.text
    return results


@dataclass(slots=True)
class _Kept(Generic[Key]):
    key: Key
    raw: str
    shown: str


class PartyRedactor(Generic[Key]):
    """Masks the segments of one party of one call in the order they were said."""

    def __init__(self) -> None:
        self._chain: list[_Kept[Key]] = []

    def redact(self, key: Key, text: str, *, pause_seconds: float = 0.0) -> Redacted[Key]:
        """Mask `text`, which came `pause_seconds` after the segment before it.

        Args:
            key: what the caller will know this segment by when an amendment names it.
            text: one normalised segment; a `BREAK` in it is taken out.
            pause_seconds: after a long pause digits begin a new number.
        """
        text = text.replace(BREAK, "")
        if pause_seconds > LONGEST_PAUSE_SECONDS:
            self._chain = []
        raws = [kept.raw for kept in self._chain] + [text]
        masked = _mask(BREAK.join(raws)).split(BREAK)
        amendments = []
        for kept, shown in zip(self._chain, masked, strict=False):
            if shown != kept.shown:
                kept.shown = shown
                amendments.append(Amendment(kept.key, shown))
        self._chain.append(_Kept(key, text, masked[-1]))
        self._forget()
        return Redacted(masked[-1], tuple(amendments))

    def _forget(self) -> None:
        """Keep the raw text of those segments only that a number reaches which may still go on."""
        joined = BREAK.join(kept.raw for kept in self._chain)
        last = list(runs(joined))[-1:]
        if not last or not _may_go_on(joined, last[0]):
            self._chain = []
            return
        first = joined.count(BREAK, 0, last[0].start)
        self._chain = self._chain[first:][-MOST_SEGMENTS:]


def _may_go_on(text: str, run: Run) -> bool:
    """Tell whether nothing but pauses and fillers follows the run."""
    if run.digits.endswith("X"):
        return False
    probe = text[run.end :] + "00"
    follow = next(runs(text[run.start : run.end] + probe), None)
    return follow is not None and follow.end == len(text) - run.start + 2 and len(digits_of(text[run.end :])) == 0


def _mask(text: str) -> str:
    result = []
    at = 0
    for run in runs(text):
        if run.kind is None:
            continue
        token = TOKENS[run.kind]
        result.append(text[at : run.start])
        result.append(BREAK.join(token for _ in range(text.count(BREAK, run.start, run.end) + 1)))
        at = run.end
    return "".join([*result, text[at:]])
