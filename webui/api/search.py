"""Searching over the API: what a typed question finds, and what a spoken one would put beside a transcript."""

import uuid
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from kb.searching import SearchHit, SearchResult
from webui import metrics
from webui.api.application import resource
from webui.api.fields import Asked, Day, FullLine, FullText, Line, Told, bounded_day, tell, written_number
from webui.house import current_house
from webui.permissions import Permission, requires

blueprint = resource("search")
_MOST_HITS = 50
_MOST_SUGGESTIONS = 3


class SearchQuery(Asked):
    """What to look for, and where."""

    q: FullLine = Field(description="问题，按群众说的写就行")
    unit: Line = ""
    region: Line = ""
    category: Line = ""
    on: Day | None = Field(None, description="在哪一天有效；默认今天")
    limit: Annotated[int, Field(ge=1, le=_MOST_HITS), written_number] = 10


class SuggestBody(Asked):
    """What was said."""

    text: FullText = Field(description="群众说的话；只看最后几十个字")


class HitItem(Told):
    """An article found. Confidence is 0–100, calibrated; marks are [from, to) ranges of the excerpt that bear on the question."""

    article_id: uuid.UUID
    revision_id: uuid.UUID
    revision_no: int
    key: str
    title: str
    unit: str
    region: str
    category: str
    valid_from: date
    valid_to: date | None
    source: str
    confidence: int
    score: float
    excerpt: str
    marks: list[tuple[int, int]]

    @classmethod
    def of(cls, hit: SearchHit) -> "HitItem":
        """Return a hit as programs see it."""
        words = hit.content.model_dump(include={"title", "unit", "region", "category", "valid_from", "valid_to", "source"})
        facts = {name: getattr(hit, name) for name in ("article_id", "revision_id", "revision_no", "key", "confidence", "score")}
        return cls(**words, **facts, excerpt=hit.excerpt, marks=list(hit.marks))


class HitList(Told):
    """What was found, the surest first. `query` is what was searched for once the polite words were taken off;
    `is_degraded` says that Elasticsearch was away and memory answered."""

    items: list[HitItem]
    query: str
    threshold: int = Field(description="置信度不低于它的才会主动推给坐席")
    is_degraded: bool
    took_ms: float


@blueprint.get("/search", responses={200: HitList}, operation_id="search", summary="检索")
@requires(Permission.READ_ARTICLES)
def search(query: SearchQuery) -> Any:
    """Return the published articles that answer a question best."""
    result = current_house().kb.search(
        query.q,
        unit=query.unit or None,
        region=query.region or None,
        category=query.category or None,
        limit=query.limit,
        on=bounded_day(query.on) if query.on else None,
    )
    return _told(result, result.hits)


@blueprint.post("/suggest", responses={200: HitList}, operation_id="suggest", summary="建议答案")
@requires(Permission.READ_ARTICLES)
def suggest(body: SuggestBody) -> Any:
    """Return at most three articles, and only those sure enough to be shown unasked; nothing is stored."""
    result = current_house().kb.search(body.text)
    return _told(result, result.sure_hits[:_MOST_SUGGESTIONS])


def _told(result: SearchResult, hits: tuple[SearchHit, ...]) -> Any:
    metrics.count_search(result.degraded)
    items = [HitItem.of(hit) for hit in hits]
    return tell(
        HitList(items=items, query=result.query, threshold=result.threshold, is_degraded=result.degraded, took_ms=result.took_ms)
    )
