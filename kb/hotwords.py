"""The words a recogniser should expect: the editors' own, then the long words that the names of matters share. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kb.segmentation import Segmenter, normalize

_SHORTEST = 3
LONGEST_LIST = 60
"""Characters: a long prompt slows the decoder, and pulls it towards words nobody said."""


def choose_hotwords(dictionary: Iterable[str], phrases: Iterable[str], segmenter: Segmenter, longest: int = LONGEST_LIST) -> str:
    """Return words of three characters or more, as a Chinese list, the most shared first: divided by blanks, a text gets commas."""
    counts: Counter[str] = Counter()
    for phrase in phrases:
        counts.update({word for word in segmenter.words(normalize(phrase)) if len(word) >= _SHORTEST and word.isalpha()})
    chosen: list[str] = []
    length = 0
    for word in [*dictionary, *sorted(counts, key=lambda word: (-counts[word], word))]:
        if word in chosen or any(word in other for other in chosen):
            continue
        if length + len(word) + 1 > longest:
            break
        chosen.append(word)
        length += len(word) + 1
    return "、".join(chosen)
