"""A knowledge base in process over article files, and question sets: what the benchmarks of search have in common."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from core.settings import PROJECT_DIR
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.article_content import ArticleContent, read_content
from kb.article_tokens import cut_article, cut_questions, index_entry
from kb.ports import FieldWeights, IndexRequest
from kb.query import read_query
from kb.ranking import Judge, weigh
from kb.segmentation import Segmenter

DEMONSTRATION = PROJECT_DIR / "kb" / "demo"
DEMONSTRATION_DAY = date(2026, 11, 23)
"""The day on which questions are asked: the figures must not change when an article expires."""


@dataclass(frozen=True)
class Question:
    """A citizen's question. `matter` is None for one that the knowledge base holds no answer to."""

    id: str
    text: str
    matter: str | None

    @property
    def is_answerable(self) -> bool:
        """Whether the knowledge base holds an answer."""
        return self.matter is not None


@dataclass(frozen=True)
class Candidate:
    """An article found, and how well it matches."""

    key: str
    score: float
    features: tuple[float, ...]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def load_questions(path: Path) -> list[Question]:
    """Return the questions of a file."""
    return [Question(row["id"], row["text"], row["matter"] if row["answerable"] else None) for row in read_lines(path)]


_BRIEF_ANSWERABLE = ("{}怎么办理需要什么材料", "你好我想问一下{}怎么办", "请问{}去哪里办要多少钱", "我想咨询一下{}的事情")
_BRIEF_UNANSWERABLE = ("你好我想问一下{}找谁", "请问{}怎么办", "我想咨询一下{}的事情", "{}去哪里办要多少钱")


def brief_forms(path: Path) -> list[Question]:
    """Return each question of a file as a caller of few words would ask it, by the name of its matter or topic.

    The written questions are all long; without short ones a fit learns that few words are no evidence.
    """
    brief = []
    for at, row in enumerate(read_lines(path)):
        name = re.sub(r"（.*?）", "", row["matter"] if row["answerable"] else row["topic"])
        forms = _BRIEF_ANSWERABLE if row["answerable"] else _BRIEF_UNANSWERABLE
        brief.append(
            Question(f"{row['id']}-brief", forms[at % len(forms)].format(name), row["matter"] if row["answerable"] else None)
        )
    return brief


def load_articles(paths: Sequence[Path] = ()) -> dict[str, ArticleContent]:
    """Return articles by key, the demonstration's when no file is named."""
    articles = {}
    for path in paths or sorted(DEMONSTRATION.glob("articles_*.jsonl")):
        for row in read_lines(path):
            key = row.pop("key")
            articles[key] = read_content(row)
    return articles


def matters_by_key(articles: Mapping[str, ArticleContent]) -> dict[str, str]:
    """Return which matter each article belongs to, to judge hits by."""
    return {key: article.matter for key, article in articles.items()}


class SmallBase:
    """Articles in a memory index, with the measures of every hit. Ids are made of the keys, so that runs agree."""

    def __init__(self, articles: dict[str, ArticleContent], weights: FieldWeights | None = None) -> None:
        self._articles = articles
        self._version = 1
        self._segmenter = Segmenter()
        self._key_of = {uuid.uuid5(uuid.NAMESPACE_OID, key): key for key in articles}
        self._index = MemorySearchIndex(weights)
        tokens = {key: cut_article(article, self._segmenter) for key, article in articles.items()}
        self._index.rebuild(index_entry(at, 1, articles[key], tokens[key], True) for at, key in self._key_of.items())
        self._questions = {
            key: [weigh(question, self._index) for question in cut_questions(article, self._segmenter)]
            for key, article in articles.items()
        }

    @property
    def size(self) -> int:
        """How many articles there are."""
        return len(self._articles)

    def replace(self, key: str, article: ArticleContent) -> None:
        """Let an article say something else from now on."""
        self._version += 1
        article_id = uuid.uuid5(uuid.NAMESPACE_OID, key)
        self._index.put([index_entry(article_id, self._version, article, cut_article(article, self._segmenter), True)])
        self._questions[key] = [weigh(asked, self._index) for asked in cut_questions(article, self._segmenter)]

    def candidates(self, text: str, limit: int = 10) -> list[Candidate]:
        """Return what the index finds for a text, in its order."""
        query = read_query(text)
        judge = Judge(self._segmenter.tokens(query.topic), self._index)
        request = IndexRequest(self._segmenter.tokens(query.text), DEMONSTRATION_DAY, limit=limit)
        found = []
        for hit in self._index.search(request):
            key = self._key_of[hit.article_id]
            found.append(Candidate(key, hit.score, judge.features(hit.score, self._questions[key])))
        return found

    def is_right(self, question: Question, key: str) -> bool:
        """Whether an article answers a question: every article of the question's matter does."""
        return question.matter is not None and self._articles[key].matter == question.matter
