"""Search quality on law_stard (lay question → statute) through a real Elasticsearch: `standard`, jieba alone, the four fields.

The data lie in the shared folder (TINGJIAN_SHARED, or `shared` beside the clone) and are not part of the project.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from bench.knowledge import read_lines
from bench.machine import shared_folder, write_result
from kb.adapters.elastic_search_index import ElasticSearchIndex
from kb.ports import FieldWeights, IndexEntry, IndexRequest
from kb.segmentation import Segmenter, Tokens
from tests.servers import ElasticsearchServer, elasticsearch_server

NOISES = {"clean": "queries.jsonl", "noise 10 %": "queries_asr10.jsonl", "noise 20 %": "queries_asr20.jsonl"}
MEASURES = ("S@1", "S@3", "R@10")
# What the four fields reached when the recipe was chosen (S@1, S@3, R@10); the product must not fall .5 points behind.
REFERENCE = {"clean": (0.422, 0.579, 0.613), "noise 10 %": (0.410, 0.559, 0.603), "noise 20 %": (0.402, 0.555, 0.591)}
ALLOWED = 0.005
_DAY = date(2026, 1, 1)
_STANDARD = "bench-law-standard"
Search = Callable[[str], list[str]]


@dataclass(frozen=True)
class LawSet:
    """Statutes by id, in the order of their ids; questions by noise; which statutes answer which question."""

    statutes: dict[str, str]
    questions: dict[str, list[tuple[str, str]]]
    right: dict[str, set[str]]


def read_law_set(folder: Path) -> LawSet:
    """Read the set."""
    statutes = {row["id"]: row["text"] for row in read_lines(folder / "docs.jsonl")}
    right: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        question, statute, _ = line.split()
        right.setdefault(question, set()).add(statute)
    questions = {noise: [(row["id"], row["text"]) for row in read_lines(folder / name)] for noise, name in NOISES.items()}
    return LawSet(dict(sorted(statutes.items())), questions, right)


def measure(search: Search, questions: Sequence[tuple[str, str]], right: dict[str, set[str]]) -> tuple[float, float, float]:
    """Return S@1 and S@3 (a right one in the first, the first three) and R@10 (share of the right ones in the first ten)."""
    first = three = recall = 0.0
    for question, text in questions:
        found, wanted = search(text), right[question]
        first += bool(wanted & set(found[:1]))
        three += bool(wanted & set(found[:3]))
        recall += len(wanted & set(found[:10])) / len(wanted)
    return tuple(round(total / len(questions), 4) for total in (first, three, recall))  # type: ignore[return-value]


def token_search(server: ElasticsearchServer, laws: LawSet, name: str, weights: FieldWeights) -> tuple[Search, Callable[[], None]]:
    """Build the product's index over the statutes and return how to search and how to drop it."""
    segmenter = Segmenter()
    # Ids in the order of the set's own, so that ties fall as they fell when the reference was measured.
    ids = {statute: uuid.UUID(int=at) for at, statute in enumerate(laws.statutes)}
    names = {article_id: statute for statute, article_id in ids.items()}
    index = ElasticSearchIndex(
        server.url, server.username, server.password, prefix=f"bench-law-{name}-", weights=weights, timeout_seconds=30
    )
    index.rebuild(IndexEntry(ids[statute], 1, Tokens(), segmenter.tokens(text)) for statute, text in laws.statutes.items())

    def search(text: str) -> list[str]:
        return [names[hit.article_id] for hit in index.search(IndexRequest(segmenter.tokens(text), _DAY, limit=10))]

    def drop() -> None:
        index.drop()
        index.close()

    return search, drop


def standard_search(server: ElasticsearchServer, laws: LawSet) -> tuple[Search, Callable[[], None]]:
    """The same over Elasticsearch's own `standard` analyzer with its own BM25."""
    client = Elasticsearch(server.url, basic_auth=(server.username, server.password), request_timeout=30)
    client.options(ignore_status=404).indices.delete(index=_STANDARD)
    client.indices.create(
        index=_STANDARD,
        settings={"number_of_shards": 1, "number_of_replicas": 0},
        mappings={"properties": {"text": {"type": "text"}, "statute": {"type": "keyword"}}},
    )
    bulk(client, ({"_index": _STANDARD, "text": text, "statute": statute} for statute, text in laws.statutes.items()), refresh=True)

    def search(text: str) -> list[str]:
        answer = client.search(
            index=_STANDARD,
            query={"match": {"text": text}},
            size=10,
            sort=["_score", {"statute": "asc"}],
            source_includes="statute",
        )
        return [hit["_source"]["statute"] for hit in answer["hits"]["hits"]]

    def drop() -> None:
        client.indices.delete(index=_STANDARD)
        client.close()

    return search, drop


def run(server: ElasticsearchServer, laws: LawSet) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Measure every way of searching on every noise."""
    only_words = FieldWeights(words=1, bigrams=0, characters=0, pinyin=0, title=0)
    ways: dict[str, Callable[[], tuple[Search, Callable[[], None]]]] = {
        "standard": lambda: standard_search(server, laws),
        "jieba words": lambda: token_search(server, laws, "words", only_words),
        "four fields": lambda: token_search(server, laws, "four", FieldWeights(title=0)),
    }
    results = {}
    for way, build in ways.items():
        search, drop = build()
        results[way] = {noise: measure(search, questions, laws.right) for noise, questions in laws.questions.items()}
        print(f"{way:12}", *(f"{'/'.join(f'{value:.3f}' for value in found)}" for found in results[way].values()), flush=True)
        drop()
    return results


def behind_reference(found: dict[str, tuple[float, float, float]]) -> list[str]:
    """Return where the four fields fall behind the reference by more than is allowed."""
    return [
        f"{noise} {measure_}: {value:.4f}, reference {wanted:.3f}"
        for noise, values in found.items()
        for measure_, value, wanted in zip(MEASURES, values, REFERENCE[noise], strict=True)
        if value < wanted - ALLOWED
    ]


def main() -> None:
    """Measure, print and write."""
    shared = shared_folder()
    folder = shared / "data" / "kb" / "law_stard" if shared else None
    if folder is None or not folder.is_dir():
        print("law_stard: skipped, its data are not here (TINGJIAN_SHARED names the folder that holds data/kb/law_stard)")
        return
    laws = read_law_set(folder)
    print(f"{len(laws.statutes)} statutes, {len(laws.right)} questions; {'/'.join(MEASURES)} at {', '.join(NOISES)}")
    with elasticsearch_server() as server:
        results: dict[str, Any] = run(server, laws)
    behind = behind_reference(results["four fields"])
    measured = {"measures": MEASURES, "results": results, "reference_four_fields": REFERENCE, "behind_reference": behind}
    print("written to", write_result("law_stard", measured, "elasticsearch", "jieba", "rjieba", "pypinyin"))
    if behind:
        print("behind the reference:", *behind, sep="\n  ")
        sys.exit(1)


if __name__ == "__main__":
    main()
