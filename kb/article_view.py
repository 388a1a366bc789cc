"""Articles as they leave the front door: plain values, free of the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.errors import ConflictError, InvalidInputError, NotFoundError
from kb.article_content import ArticleContent
from kb.models import Article, ArticleRevision


class ArticleNotFoundError(NotFoundError):
    """No such article, or no such revision of it."""

    def __init__(self, article: uuid.UUID | str, revision_no: int | None = None) -> None:
        super().__init__(f"{article} r{revision_no}" if revision_no else str(article))
        self.article = article
        self.revision_no = revision_no


class ArticleKeyTakenError(ConflictError):
    """Another article has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class ArticleEditedMeanwhileError(ConflictError):
    """Somebody else wrote a revision since the editor opened the article. `latest_revision_no` is theirs."""

    def __init__(self, article_id: uuid.UUID, latest_revision_no: int) -> None:
        super().__init__(f"{article_id} r{latest_revision_no}")
        self.article_id = article_id
        self.latest_revision_no = latest_revision_no


class ArticleNotPublishableError(InvalidInputError):
    """An article without an alternative question would lose its questions to those that have some."""

    def __init__(self, article_id: uuid.UUID) -> None:
        super().__init__("至少要有一个其他问法才能发布")
        self.article_id = article_id


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article in one of its revisions."""

    id: uuid.UUID
    key: str
    status: str
    is_demo: bool
    revision_id: uuid.UUID
    revision_no: int
    latest_revision_no: int
    published_revision_id: uuid.UUID | None
    content: ArticleContent
    author: str
    created_at: datetime
    published_at: datetime | None
    updated_at: datetime

    @property
    def is_published_revision(self) -> bool:
        """Whether these are the words that citizens are told."""
        return self.status == "published" and self.revision_id == self.published_revision_id

    def is_valid_on(self, day: date) -> bool:
        """Whether the article may be told to citizens on a day, were it published."""
        return self.content.is_valid_on(day)


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """Some articles of a list, and how many the whole list has."""

    articles: Sequence[ArticleView]
    total: int
    page: int
    size: int


_WORDS = tuple(ArticleContent.model_fields)


def content_of(revision: ArticleRevision) -> ArticleContent:
    """Return the words of a stored revision. They were checked when they were written."""
    words = {name: getattr(revision, name) for name in _WORDS}
    words["alternatives"], words["materials"] = tuple(revision.alternatives), tuple(revision.materials)
    return ArticleContent.model_construct(**words)


def revision_of(article_id: uuid.UUID, number: int, content: ArticleContent, author: str) -> ArticleRevision:
    """Return a new row that holds the words."""
    words = {name: getattr(content, name) for name in _WORDS}
    words["alternatives"], words["materials"] = list(content.alternatives), list(content.materials)
    return ArticleRevision(article_id=article_id, revision_no=number, author=author, **words)


def view_of(article: Article, revision: ArticleRevision) -> ArticleView:
    """Return an article in a revision."""
    return ArticleView(
        id=article.id,
        key=article.key,
        status=article.status,
        is_demo=article.is_demo,
        revision_id=revision.id,
        revision_no=revision.revision_no,
        latest_revision_no=article.latest_revision_no,
        published_revision_id=article.published_revision_id,
        content=content_of(revision),
        author=revision.author,
        created_at=revision.created_at,
        published_at=revision.published_at,
        updated_at=article.updated_at,
    )
