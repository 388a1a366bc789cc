"""Picks the sentences of an answer that bear on the question, and the places in them to mark. Pure, on the original text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from kb.pinyin import syllable
from kb.segmentation import pinyin_bigrams

_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]*")
LONGEST_EXCERPT = 110


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage and the half-open ranges of it that match the question."""

    text: str
    marks: tuple[tuple[int, int], ...]


def best_excerpt(query: str, text: str, rarity: Callable[[str], float], longest: int = LONGEST_EXCERPT) -> Excerpt:
    """Return the best neighbouring sentences of a text for a normalized query, at most about `longest` characters.

    Args:
        rarity: how informative a pair of syllables is.
    """
    pairs = {pair: rarity(pair) for pair in pinyin_bigrams(query)}
    sentences = [match.group().strip() for match in _SENTENCE.finditer(text)]
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences:
        return Excerpt("", ())
    worth = [sum(pairs[pair] for pair in set(_sounds(sentence)) & pairs.keys()) for sentence in sentences]
    best = max(range(len(sentences)), key=worth.__getitem__)
    # Answers begin with what matters most: begin there unless another sentence clearly fits better.
    first = last = 0 if 2 * worth[0] >= worth[best] else best
    length = len(sentences[first])
    while True:
        before = worth[first - 1] if first > 0 else -1.0
        after = worth[last + 1] if last + 1 < len(sentences) else -1.0
        # On a draw read on rather than back.
        at = last + 1 if after >= before else first - 1
        if max(before, after) < 0 or length + len(sentences[at]) > longest:
            break
        length += len(sentences[at])
        first, last = min(first, at), max(last, at)
    passage = "".join(sentences[first : last + 1])
    if len(passage) > longest:
        passage = passage[: longest - 1] + "…"
    return Excerpt(passage, marks(passage, pairs))


@lru_cache(maxsize=30_000)
def _folded(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).lower()
    # A character that unfolds into several would shift every place behind it.
    return folded if len(folded) == 1 else character


def _sounds(text: str) -> list[str]:
    return list(pinyin_bigrams("".join(map(_folded, text))))


def marks(text: str, pairs: Mapping[str, float]) -> tuple[tuple[int, int], ...]:
    """Return where a text sounds like the query, as half-open ranges.

    Neighbouring matches form one stretch; a stretch is marked when the rarest pair in it is at least half as rare as the
    rarest pair found anywhere in the text, so that 办理 is not marked beside 居住证.
    """
    folded = "".join(map(_folded, text))
    sounds = [syllable(character) for character in folded]
    # What each place is worth with the one behind it; a run of such places is a stretch one longer.
    worth = [pairs.get(f"{sound}'{following}", 0.0) if sound and following else 0.0 for sound, following in pairwise(sounds)]
    stretches = [(start, end + 1, value) for start, end, value in _runs(worth)]
    stretches += [(run.start(), run.end(), pairs.get(run.group(), 0.0)) for run in re.finditer(r"[a-z0-9]+", folded)]
    limit = max((value for _, _, value in stretches), default=0.0) / 2
    return tuple((start, end) for start, end, value in sorted(stretches) if value and value >= limit)


def _runs(worth: Sequence[float]) -> Iterator[tuple[int, int, float]]:
    """Yield the runs of places that are worth something, as half-open ranges with the most that a place in them is worth."""
    start = 0
    for has_worth, places in groupby(worth, key=bool):
        values = list(places)
        if has_worth:
            yield start, start + len(values), max(values)
        start += len(values)
