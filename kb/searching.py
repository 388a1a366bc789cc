"""Searches the knowledge base: query → index, or memory when it is away → confidence → excerpts."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import date

import structlog

from core.clock import Clock, local_date
from core.errors import UnavailableError
from kb.article_content import ArticleContent
from kb.collection import Collection, PublishedArticle
from kb.excerpt import best_excerpt
from kb.ports import IndexHit, IndexRequest, SearchIndex
from kb.query import Query, read_query
from kb.ranking import Calibration, Judge, confidence

log = structlog.get_logger()
_CANDIDATES = 10
_REST_SECONDS = 5.0
"""After a failure the index is left alone for so long: a frozen server would cost every search its whole time-out."""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An article found: which revision, how sure, and the passage to show. `marks` are half-open ranges of `excerpt`."""

    article_id: uuid.UUID
    revision_id: uuid.UUID
    revision_no: int
    key: str
    score: float
    confidence: int
    excerpt: str
    marks: tuple[tuple[int, int], ...]
    content: ArticleContent

    @property
    def title(self) -> str:
        """The article's title."""
        return self.content.title

    @property
    def unit(self) -> str:
        """The unit that owns the matter."""
        return self.content.unit

    @property
    def region(self) -> str:
        """Where the answer holds."""
        return self.content.region

    @property
    def source(self) -> str:
        """What the answer rests on."""
        return self.content.source


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, the surest first. `degraded`: the search server was away and memory answered."""

    hits: tuple[SearchHit, ...]
    degraded: bool
    took_ms: float
    query: str
    threshold: int

    @property
    def sure_hits(self) -> tuple[SearchHit, ...]:
        """Only what is sure enough to be suggested unasked."""
        return tuple(hit for hit in self.hits if hit.confidence >= self.threshold)


class Searching:
    """Finds articles for a text, whether Elasticsearch answers or not."""

    def __init__(
        self,
        index: SearchIndex,
        collection: Collection,
        calibration: Calibration,
        clock: Clock,
    ) -> None:
        self._index = index
        self._collection = collection
        self._calibration = calibration
        self._clock = clock
        self._rests_until = 0.0

    def search(
        self,
        text: str,
        *,
        unit: str | None = None,
        region: str | None = None,
        category: str | None = None,
        limit: int = 10,
        on: date | None = None,
    ) -> SearchResult:
        """Return the articles that answer a text best, published and valid on a day (default: today)."""
        since = time.perf_counter()
        query = read_query(text)
        self._collection.refresh()
        tokens = self._collection.segmenter.tokens(query.text)
        day = on or local_date(self._clock.now())
        request = IndexRequest(tokens, day, unit or None, region or None, category or None, max(limit, _CANDIDATES))
        found, degraded = self._find(request) if tokens else ([], False)
        hits = [self._hit(query, *judged) for judged in self._judged(query, found, day)[:limit]]
        took_ms = 1000 * (time.perf_counter() - since)
        return SearchResult(tuple(hits), degraded, took_ms, query.text, self._calibration.threshold)

    def _find(self, request: IndexRequest) -> tuple[list[IndexHit], bool]:
        if time.monotonic() >= self._rests_until:
            try:
                return self._index.search(request), False
            except UnavailableError as error:
                self._rests_until = time.monotonic() + _REST_SECONDS
                log.warning("search_degraded", error=str(error)[:200])
        return self._collection.index.search(request), True

    def _judged(self, query: Query, found: list[IndexHit], day: date) -> list[tuple[PublishedArticle, float, float]]:
        """Return what may be shown, with score and probability, the surest first."""
        judge = Judge(self._collection.segmenter.tokens(query.topic), self._collection.index)
        judged: list[tuple[PublishedArticle, float, float]] = []
        for hit in found:
            article = self._collection.get(hit.article_id)
            # The index may be behind: what was retired or has run out is never shown.
            if article is not None and article.content.is_valid_on(day):
                features = judge.features(hit.score, self._collection.questions(article))
                judged.append((article, hit.score, self._calibration.probability(features)))
        return sorted(judged, key=lambda item: (-item[2], -item[1], str(item[0].article_id)))

    def _hit(self, query: Query, article: PublishedArticle, score: float, probability: float) -> SearchHit:
        def rarity(pair: str) -> float:
            return self._collection.index.rarity("pinyin", pair)

        excerpt = best_excerpt(query.text, article.content.answer, rarity)
        return SearchHit(
            article_id=article.article_id,
            revision_id=article.revision_id,
            revision_no=article.revision_no,
            key=article.key,
            score=score,
            confidence=confidence(probability),
            excerpt=excerpt.text,
            marks=excerpt.marks,
            content=article.content,
        )
