"""Completes what is typed into the search box: by the characters, the full pinyin, or its initials ("gjj" → 公积金). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kb.pinyin import initials, syllables
from kb.segmentation import normalize


@dataclass(frozen=True, slots=True)
class _Phrase:
    text: str
    plain: str
    pinyin: str
    initials: str
    # Where each syllable begins in `pinyin`, so that a match may not begin inside one.
    starts: frozenset[int]


def _phrase(text: str) -> _Phrase:
    plain = "".join(character for character in normalize(text) if character.isalnum())
    spoken = syllables(plain)
    starts, at = set(), 0
    for sound in spoken:
        starts.add(at)
        at += len(sound)
    return _Phrase(text, plain, "".join(spoken), initials(plain), frozenset(starts))


class Completion:
    """Phrases that what is typed may become."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = [_phrase(text) for text in dict.fromkeys(phrases)]

    def complete(self, typed: str, limit: int = 8) -> list[str]:
        """Return phrases that hold what was typed, those that begin with it first, short before long."""
        wanted = "".join(character for character in normalize(typed) if character.isalnum())
        if not wanted:
            return []
        found: list[tuple[int, int, str]] = []
        for phrase in self._phrases:
            at = _place(phrase, wanted)
            if at >= 0:
                found.append((min(at, 1), len(phrase.text), phrase.text))
        return [text for _, _, text in sorted(found)[:limit]]


def _place(phrase: _Phrase, wanted: str) -> int:
    at = phrase.plain.find(wanted)
    if at >= 0 or not wanted.isascii():
        return at
    at = phrase.initials.find(wanted)
    if at >= 0:
        return at
    at = phrase.pinyin.find(wanted)
    while at >= 0 and at not in phrase.starts:
        at = phrase.pinyin.find(wanted, at + 1)
    return at
