"""What the knowledge base needs, as roles."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from kb.segmentation import Tokens

FOR_EVER = date(9999, 12, 31)
"""Stands in the index for an article without an end date, or a range filter would hide it."""


BM25_K1 = 1.2
BM25_B = 0.85
"""Saturation and length normalization; b above Lucene's 0.75, lest articles win by having more alternatives."""


class Conversation(Protocol):
    """What a citizen has said in a call so far."""

    def citizen_tail(self, call_id: uuid.UUID, characters: int = 45) -> str:
        """Return the last characters of the citizen's segments, oldest first; empty when nothing was said."""
        ...


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An article as the index holds it: tokens to find it by, and facts to filter it by."""

    article_id: uuid.UUID
    version: int
    title: Tokens
    text: Tokens
    unit: str = ""
    region: str = ""
    category: str = ""
    is_published: bool = True
    valid_from: date = date.min
    valid_to: date = FOR_EVER


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """What to look for, on which day, and within which unit, region or category (None: any)."""

    tokens: Tokens
    on: date
    unit: str | None = None
    region: str | None = None
    category: str | None = None
    limit: int = 10


@dataclass(frozen=True, slots=True)
class IndexHit:
    """An article found, with its BM25 score."""

    article_id: uuid.UUID
    score: float


class SearchIndex(Protocol):
    """Finds published, valid articles by BM25 over title and text, four kinds of token each, summed.

    Every method raises UnavailableError when the index does not answer.
    """

    def search(self, request: IndexRequest) -> list[IndexHit]:
        """Return the best articles, best first, ties in the order of their ids. Nothing matched: nothing returned."""
        ...

    def put(self, entries: Iterable[IndexEntry]) -> None:
        """Add or replace articles, visible to searches soon. An entry older than the one held is ignored."""
        ...

    def rebuild(self, entries: Iterable[IndexEntry]) -> int:
        """Replace the whole index at once and return how many articles it holds; on any error the old one stays."""
        ...

    def count(self) -> int | None:
        """Return how many articles the index holds, or None when it was never built."""
        ...


class TermStatistics(Protocol):
    """How common a token is in the collection."""

    def rarity(self, kind: str, token: str) -> float:
        """Return the inverse document frequency of a token (a field name of Tokens), highest for one never seen."""
        ...


class LocalIndex(SearchIndex, TermStatistics, Protocol):
    """A SearchIndex inside the process, which can also say how common a token is."""


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """How much each kind of token counts, in the text; the title counts `title` times as much.

    Characters and pinyin carry the search, for they forgive what recognition gets wrong; words and pairs add what is
    only right as a whole, such as names.
    """

    words: float = 0.3
    bigrams: float = 0.1
    characters: float = 1.0
    pinyin: float = 1.0
    title: float = 1.0
