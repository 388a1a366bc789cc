"""The search index on a real Elasticsearch: versioned indices behind an alias, tokens made by us, whitespace analyzer.

Asks no more of the server than a slim one can do: no plugins, scripts, ingest or delete-by-query.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from elastic_transport import TransportError
from elasticsearch import ApiError, ConflictError, Elasticsearch, NotFoundError
from elasticsearch.helpers import BulkIndexError, streaming_bulk

from core.errors import UnavailableError
from kb.ports import BM25_B, BM25_K1, FieldWeights, IndexEntry, IndexHit, IndexRequest
from kb.segmentation import KINDS, Tokens

log = structlog.get_logger()

_FIELD_OF = {"words": "w", "bigrams": "b", "characters": "c", "pinyin": "p"}
_BULK_SIZE = 500
_PUT_TIMEOUT_SECONDS = 10.0
_BUILD_TIMEOUT_SECONDS = 30.0
_CONFLICT = 409
_STAMP = "%Y%m%d%H%M%S"
_LONGEST_BUILD = timedelta(hours=6)
SCHEME = 1
"""Raise it when tokens or fields change: an index of another scheme counts as none, and is built anew."""


class IndexUnavailableError(UnavailableError):
    """Elasticsearch does not answer, refuses us, or holds no index yet."""


class ElasticSearchIndex:
    """A SearchIndex on Elasticsearch 8.19 or later.

    Args:
        url: one address or several separated by commas.
        prefix: of the alias `<prefix>articles` and of the indices `<prefix>articles-<timestamp>` behind it.
        timeout_seconds: how long a search may take before the caller goes on without Elasticsearch.
    """

    def __init__(
        self,
        url: str,
        username: str = "",
        password: str = "",
        *,
        prefix: str = "tingjian-",
        replicas: int = 0,
        weights: FieldWeights | None = None,
        timeout_seconds: float = 1.5,
        is_visible_at_once: bool = False,
    ) -> None:
        self.alias = f"{prefix}articles"
        self._replicas = replicas
        self._weights = weights or FieldWeights()
        self._refresh = "wait_for" if is_visible_at_once else False
        client = Elasticsearch(
            [address.strip() for address in url.split(",")],
            basic_auth=(username, password) if username else None,
            request_timeout=timeout_seconds,
            max_retries=1,
            retry_on_timeout=False,
            dead_node_backoff_factor=0.5,
        )
        self._searching = client
        self._putting = client.options(request_timeout=_PUT_TIMEOUT_SECONDS, max_retries=2, retry_on_status=(429, 502, 503, 504))
        # Building may wait: it runs in jobs, never in a call.
        self._building = client.options(
            request_timeout=_BUILD_TIMEOUT_SECONDS, max_retries=5, retry_on_timeout=True, retry_on_status=(429, 502, 503, 504)
        )

    def search(self, request: IndexRequest) -> list[IndexHit]:
        if not request.tokens:
            return []
        with _translated():
            answer = self._searching.search(
                index=self.alias, allow_partial_search_results=False, **search_body(request, self._weights)
            )
        return [IndexHit(uuid.UUID(hit["_id"]), float(hit["_score"])) for hit in answer["hits"]["hits"]]

    def put(self, entries: Iterable[IndexEntry]) -> None:
        with _translated():
            self._write(self._putting, self.alias, entries)

    def rebuild(self, entries: Iterable[IndexEntry]) -> int:
        stamp = datetime.now(UTC).strftime(_STAMP)
        index = f"{self.alias}-{stamp}-{secrets.token_hex(3)}"
        with _translated():
            self._building.indices.create(index=index, settings=self._index_settings(), mappings=MAPPINGS)
            try:
                held = self._write(self._building, index, entries)
                self._building.indices.refresh(index=index)
                # One segment answers a third faster than several.
                self._building.indices.forcemerge(index=index, max_num_segments=1)
                self._building.indices.put_settings(index=index, settings={"refresh_interval": "1s"})
                self._swap(index)
            except BaseException:
                with suppress(ApiError, TransportError):
                    self._building.indices.delete(index=index, ignore_unavailable=True)
                raise
        log.info("index_rebuilt", index=index, articles=held)
        return held

    def count(self) -> int | None:
        with _translated():
            try:
                mappings = self._searching.indices.get_mapping(index=self.alias)
                if any(held["mappings"].get("_meta", {}).get("scheme") != SCHEME for held in mappings.values()):
                    return None
                return int(self._searching.count(index=self.alias)["count"])
            except NotFoundError:
                return None

    def drop(self) -> None:
        """Delete every index of this prefix; for tests and benchmarks."""
        with _translated():
            for index in self._indices():
                self._building.indices.delete(index=index, ignore_unavailable=True)

    def close(self) -> None:
        """Give the connections back."""
        self._searching.close()

    def _index_settings(self) -> dict[str, Any]:
        return {
            "number_of_shards": 1,
            "number_of_replicas": self._replicas,
            "refresh_interval": "-1",
            "similarity": {"kb": {"type": "BM25", "k1": BM25_K1, "b": BM25_B}},
        }

    def _write(self, client: Elasticsearch, index: str, entries: Iterable[IndexEntry]) -> int:
        actions = (
            {
                "_op_type": "index",
                "_index": index,
                "_id": str(entry.article_id),
                "version": entry.version,
                "version_type": "external",
                "require_alias": index == self.alias,
                "_source": document(entry),
            }
            for entry in entries
        )
        held = 0
        refresh = self._refresh if index == self.alias else False
        for done, item in streaming_bulk(
            client, actions, chunk_size=_BULK_SIZE, raise_on_error=False, max_retries=3, refresh=refresh
        ):
            outcome = item["index"]
            # A conflict says that this version or a newer one is there already: what we wanted.
            if not done and outcome["status"] != _CONFLICT:
                raise IndexUnavailableError(f"{outcome['status']} {str(outcome.get('error'))[:300]}")
            held += 1
        return held

    def _indices(self) -> list[str]:
        return sorted(self._building.indices.get(index=f"{self.alias}-*", expand_wildcards="all", features="aliases"))

    def _swap(self, index: str) -> None:
        try:
            behind = sorted(self._building.indices.get_alias(name=self.alias))
        except NotFoundError:
            behind = []
        actions: list[dict[str, Any]] = [{"remove": {"index": old, "alias": self.alias}} for old in behind]
        actions.append({"add": {"index": index, "alias": self.alias, "is_write_index": True}})
        self._building.indices.update_aliases(actions=actions)
        for old in {*behind, *self._abandoned(index)}:
            with suppress(ApiError, TransportError):
                self._building.indices.delete(index=old, ignore_unavailable=True)

    def _abandoned(self, index: str) -> list[str]:
        # Left by a process that was killed while building. A build that still runs is younger.
        limit = f"{self.alias}-{(datetime.now(UTC) - _LONGEST_BUILD).strftime(_STAMP)}"
        with suppress(ApiError, TransportError):
            return [other for other in self._indices() if other < limit and other != index]
        return []


_TOKENS = {"type": "text", "analyzer": "whitespace", "index_options": "freqs", "similarity": "kb"}
MAPPINGS: dict[str, Any] = {
    "_meta": {"scheme": SCHEME},
    "dynamic": "strict",
    "properties": {
        **{f"{part}_{letter}": _TOKENS for part in ("title", "text") for letter in _FIELD_OF.values()},
        "article_id": {"type": "keyword"},
        "unit": {"type": "keyword"},
        "region": {"type": "keyword"},
        "category": {"type": "keyword"},
        "status": {"type": "keyword"},
        "valid_from": {"type": "date", "format": "yyyy-MM-dd"},
        "valid_to": {"type": "date", "format": "yyyy-MM-dd"},
    },
}


def _joined(part: str, tokens: Tokens) -> dict[str, str]:
    return {f"{part}_{letter}": " ".join(getattr(tokens, kind)) for kind, letter in _FIELD_OF.items()}


def _day(day: date) -> str:
    # strftime writes early years without their zeros.
    return day.isoformat()


def document(entry: IndexEntry) -> dict[str, Any]:
    """Return an entry as Elasticsearch stores it."""
    return {
        **_joined("title", entry.title),
        **_joined("text", entry.text),
        "article_id": str(entry.article_id),
        "unit": entry.unit,
        "region": entry.region,
        "category": entry.category,
        "status": "published" if entry.is_published else "retired",
        "valid_from": _day(entry.valid_from),
        "valid_to": _day(entry.valid_to),
    }


def search_body(request: IndexRequest, weights: FieldWeights) -> dict[str, Any]:
    """Return the request for Elasticsearch.

    What most articles meet (published, valid) stands in the post filter, which leaves the skipping of hopeless
    documents on: six times faster at 100,000 articles. What few meet (a unit, a region) stands in the filter.
    """
    should: list[dict[str, Any]] = []
    for kind in KINDS:
        tokens, weight = " ".join(getattr(request.tokens, kind)), getattr(weights, kind)
        if not weight:
            continue
        should.append({"match": {f"text_{_FIELD_OF[kind]}": {"query": tokens, "boost": weight}}})
        if weights.title:
            should.append({"match": {f"title_{_FIELD_OF[kind]}": {"query": tokens, "boost": weight * weights.title}}})
    query: dict[str, Any] = {"should": should}
    chosen = {"unit": request.unit, "region": request.region, "category": request.category}
    narrow = [{"term": {name: value}} for name, value in chosen.items() if value is not None]
    if narrow:
        # Without it articles that match the filter alone come back with a score of 0.
        query |= {"filter": narrow, "minimum_should_match": 1}
    dense = [
        {"term": {"status": "published"}},
        {"range": {"valid_from": {"lte": _day(request.on)}}},
        {"range": {"valid_to": {"gte": _day(request.on)}}},
    ]
    return {
        "size": request.limit,
        "source": False,
        "track_total_hits": False,
        "query": {"bool": query},
        "post_filter": {"bool": {"filter": dense}},
        "sort": ["_score", {"article_id": "asc"}],
    }


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ConflictError as error:
        raise IndexUnavailableError("another build of the index is under way") from error
    except (ApiError, TransportError, BulkIndexError) as error:
        raise IndexUnavailableError(f"{type(error).__name__}: {str(error)[:300]}") from error
