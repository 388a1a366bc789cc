"""The search index in process: the fall-back when Elasticsearch is away, the fake of tests, and the word statistics.

The same BM25 as Lucene's, down to its way of rounding field lengths, so that both rank alike.
"""

from __future__ import annotations

import math
import threading
import uuid
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from kb.ports import BM25_B as B
from kb.ports import BM25_K1 as K1
from kb.ports import FieldWeights, IndexEntry, IndexHit, IndexRequest
from kb.segmentation import KINDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_EXACT_LENGTHS = 24
_KEPT_BITS = 4


def lucene_length(length: int) -> int:
    """Return a field length as Lucene stores it in one byte: exact while small, then four significant bits."""
    if length < _EXACT_LENGTHS:
        return length
    rest = length - _EXACT_LENGTHS
    dropped = max(0, rest.bit_length() - _KEPT_BITS)
    return _EXACT_LENGTHS + (rest >> dropped << dropped)


class _Field:
    """The postings of one field. Slots are only ever added; a replaced article leaves a dead one behind."""

    def __init__(self) -> None:
        self.postings: dict[str, tuple[array[int], array[int]]] = {}
        self.lengths = array("f")
        self.total_length = 0
        self.filled = 0
        # Asked for hundreds of times a search; forgotten whenever the field changes.
        self._rarities: dict[str, float] = {}

    def add(self, slot: int, tokens: tuple[str, ...]) -> None:
        self._rarities = {}
        self.lengths.append(lucene_length(len(tokens)))
        self.total_length += len(tokens)
        self.filled += bool(tokens)
        for token, count in Counter(tokens).items():
            slots, counts = self.postings.setdefault(token, (array("i"), array("i")))
            slots.append(slot)
            counts.append(count)

    def keep(self, new_slots: Ints) -> None:
        """Drop the dead slots; `new_slots` holds the new number of every slot, −1 for a dead one."""
        self.total_length = self.filled = 0
        self._rarities = {}
        token_counts = np.zeros(len(new_slots), dtype=np.int64)
        postings = {}
        for token, (slots, counts) in self.postings.items():
            moved, kept_counts = new_slots[np.array(slots)], np.array(counts)
            token_counts[np.array(slots)] += kept_counts
            alive = moved >= 0
            if alive.any():
                postings[token] = (array("i", moved[alive].tolist()), array("i", kept_counts[alive].tolist()))
        living = token_counts[new_slots >= 0]
        self.postings = postings
        self.lengths = array("f", (lucene_length(int(length)) for length in living))
        self.total_length, self.filled = int(living.sum()), int((living > 0).sum())

    def rarity(self, token: str) -> float:
        known = self._rarities.get(token)
        if known is None:
            holders = len(self.postings[token][0]) if token in self.postings else 0
            known = math.log(1 + (self.filled - holders + 0.5) / (holders + 0.5))
            if token in self.postings:
                self._rarities[token] = known
        return known

    def add_scores(self, scores: Floats, tokens: tuple[str, ...], weight: float) -> None:
        if not self.filled:
            return
        mean_length = self.total_length / self.filled
        lengths = np.array(self.lengths, dtype=np.float32)
        for token, times in Counter(tokens).items():
            if token not in self.postings:
                continue
            held_in, held_times = self.postings[token]
            slots, counts = np.array(held_in), np.array(held_times, dtype=np.float32)
            norm = K1 * (1 - B + B * lengths[slots] / mean_length)
            # Elasticsearch keeps the factor (k1 + 1) that Lucene dropped; with it the scores are the same numbers.
            scores[slots] += weight * times * self.rarity(token) * (K1 + 1) * counts / (counts + norm)


class _FieldBuilder:
    """Makes a field of many documents, given in their order; several times faster than adding them one by one."""

    def __init__(self) -> None:
        self._number_of: dict[str, int] = {}
        self._numbers = array("i")
        self._lengths = array("i")

    def add(self, tokens: tuple[str, ...]) -> None:
        number_of = self._number_of
        self._numbers.extend([number_of.setdefault(token, len(number_of)) for token in tokens])
        self._lengths.append(len(tokens))

    def field(self) -> _Field:
        made = _Field()
        made.lengths = array("f", map(lucene_length, self._lengths))
        made.total_length, made.filled = len(self._numbers), sum(map(bool, self._lengths))
        lengths = np.array(self._lengths, dtype=np.int64)
        count = max(1, len(lengths))
        slots = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
        places, times = np.unique(np.array(self._numbers, dtype=np.int64) * count + slots, return_counts=True)
        held_in, held_times = (places % count).astype(np.int32), times.astype(np.int32)
        ends = np.searchsorted(places, np.arange(1, len(self._number_of) + 1, dtype=np.int64) * count).tolist()
        start = 0
        for token, end in zip(self._number_of, ends, strict=True):
            made.postings[token] = (array("i", held_in[start:end].tobytes()), array("i", held_times[start:end].tobytes()))
            start = end
        return made


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is kept of an entry beside its postings."""

    article_id: uuid.UUID
    order: str
    version: int
    unit: str
    region: str
    category: str
    is_published: bool
    valid_from: date
    valid_to: date

    def matches(self, request: IndexRequest) -> bool:
        return (
            self.is_published
            and self.valid_from <= request.on <= self.valid_to
            and request.unit in {None, self.unit}
            and request.region in {None, self.region}
            and request.category in {None, self.category}
        )


def _facts(entry: IndexEntry) -> _Facts:
    return _Facts(
        article_id=entry.article_id,
        order=str(entry.article_id),
        version=entry.version,
        unit=entry.unit,
        region=entry.region,
        category=entry.category,
        is_published=entry.is_published,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
    )


class _Content:
    """Everything one build of the index holds."""

    def __init__(self) -> None:
        self.title = {kind: _Field() for kind in KINDS}
        self.text = {kind: _Field() for kind in KINDS}
        self.facts: list[_Facts | None] = []
        self.slot_of: dict[uuid.UUID, int] = {}

    @classmethod
    def of(cls, entries: Iterable[IndexEntry]) -> _Content:
        """Return the content of many entries at once."""
        made, again = cls(), []
        titles, texts = ({kind: _FieldBuilder() for kind in KINDS} for _ in range(2))
        for entry in entries:
            if entry.article_id in made.slot_of:
                again.append(entry)
                continue
            made.slot_of[entry.article_id] = len(made.facts)
            made.facts.append(_facts(entry))
            for kind in KINDS:
                titles[kind].add(getattr(entry.title, kind))
                texts[kind].add(getattr(entry.text, kind))
        made.title = {kind: builder.field() for kind, builder in titles.items()}
        made.text = {kind: builder.field() for kind, builder in texts.items()}
        for entry in again:
            made.put(entry)
        return made

    def put(self, entry: IndexEntry) -> None:
        held = self.slot_of.get(entry.article_id)
        if held is not None:
            before = self.facts[held]
            assert before is not None
            if before.version >= entry.version:
                return
            self.facts[held] = None
        slot = len(self.facts)
        self.facts.append(_facts(entry))
        self.slot_of[entry.article_id] = slot
        for kind in KINDS:
            self.title[kind].add(slot, getattr(entry.title, kind))
            self.text[kind].add(slot, getattr(entry.text, kind))

    def drop_dead(self) -> None:
        new_slots = np.full(len(self.facts), -1, dtype=np.int64)
        living = [slot for slot, facts in enumerate(self.facts) if facts is not None]
        new_slots[living] = np.arange(len(living))
        for kind in KINDS:
            self.title[kind].keep(new_slots)
            self.text[kind].keep(new_slots)
        self.facts = [facts for facts in self.facts if facts is not None]
        self.slot_of = {facts.article_id: slot for slot, facts in enumerate(self.facts) if facts is not None}


class MemorySearchIndex:
    """A LocalIndex of postings in memory: 10,000 articles take some 10 s to put in and a few milliseconds to search."""

    def __init__(self, weights: FieldWeights | None = None) -> None:
        self._weights = weights or FieldWeights()
        self._content = _Content()
        self._was_built = False
        self._lock = threading.RLock()

    def search(self, request: IndexRequest) -> list[IndexHit]:
        with self._lock:
            content = self._content
            scores = np.zeros(len(content.facts), dtype=np.float64)
            for kind in KINDS:
                tokens, weight = getattr(request.tokens, kind), getattr(self._weights, kind)
                if not weight:
                    continue
                content.text[kind].add_scores(scores, tokens, weight)
                if self._weights.title:
                    content.title[kind].add_scores(scores, tokens, weight * self._weights.title)
            # float32 as Lucene's scores, so that what ties there ties here.
            return _best(scores.astype(np.float32), content.facts, request)

    def put(self, entries: Iterable[IndexEntry]) -> None:
        for entry in entries:
            with self._lock:
                self._content.put(entry)
        with self._lock:
            self._was_built = True
            if len(self._content.facts) > 2 * len(self._content.slot_of) + 100:
                self._content.drop_dead()

    def rebuild(self, entries: Iterable[IndexEntry]) -> int:
        content = _Content.of(entries)
        with self._lock:
            self._content = content
            self._was_built = True
        return len(content.slot_of)

    def count(self) -> int | None:
        with self._lock:
            return len(self._content.slot_of) if self._was_built else None

    def rarity(self, kind: str, token: str) -> float:
        # Without the lock: every step is one look-up, and a search asks hundreds of times.
        content = self._content
        text, title = content.text[kind], content.title[kind]
        # A token that only titles have is not unseen.
        return min(text.rarity(token), title.rarity(token)) if token in title.postings else text.rarity(token)


def _best(scores: npt.NDArray[np.float32], facts: Sequence[_Facts | None], request: IndexRequest) -> list[IndexHit]:
    found: list[tuple[float, str, uuid.UUID]] = []
    for slot in np.argsort(-scores, kind="stable").tolist():
        score = float(scores[slot])
        # Those that tie with the last one must be seen too, for ids decide between them.
        if score <= 0 or (len(found) >= request.limit and score < -found[-1][0]):
            break
        held = facts[slot]
        if held is not None and held.matches(request):
            found.append((-score, held.order, held.article_id))
    return [IndexHit(article_id, -score) for score, _, article_id in sorted(found)[: request.limit]]
