"""What of an article is searched: its title on one side, everything else that a question may touch on the other. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import reduce
from operator import add

from kb.article_content import ArticleContent
from kb.ports import FOR_EVER, IndexEntry
from kb.query import without_question_words
from kb.segmentation import Segmenter, Tokens, normalize


@dataclass(frozen=True, slots=True)
class ArticleTokens:
    """An article in tokens, as it is searched."""

    title: Tokens
    text: Tokens


def cut_questions(content: ArticleContent, segmenter: Segmenter) -> list[Tokens]:
    """Return the title, the matter and each alternative apart, without asking words, to compare a query with each."""
    return [_asked(text, segmenter) for text in (content.title, content.matter, *content.alternatives) if text]


def cut_article(content: ArticleContent, segmenter: Segmenter) -> ArticleTokens:
    """Cut an article. Asking words come off the alternatives, where they would draw every question."""
    asked = [_asked(text, segmenter) for text in content.alternatives]
    told = [segmenter.tokens(text) for text in (content.matter, content.answer, content.conditions, *content.materials)]
    return ArticleTokens(title=segmenter.tokens(content.title), text=reduce(add, [*asked, *told]))


def _asked(text: str, segmenter: Segmenter) -> Tokens:
    return segmenter.tokens(without_question_words(normalize(text)))


def index_entry(
    article_id: uuid.UUID, version: int, content: ArticleContent, tokens: ArticleTokens, is_published: bool
) -> IndexEntry:
    """Return the article as the index holds it."""
    return IndexEntry(
        article_id=article_id,
        version=version,
        title=tokens.title,
        text=tokens.text,
        unit=content.unit,
        region=content.region,
        category=content.category,
        is_published=is_published,
        valid_from=content.valid_from,
        valid_to=content.valid_to or FOR_EVER,
    )
