"""Editing: articles are written as immutable revisions, published, and retired; what searches must see gets a change number."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.database import Database, RowConflictError
from core.errors import InvalidInputError
from core.outbox import publish
from kb.article_content import ArticleContent
from kb.article_view import (
    ArticleEditedMeanwhileError,
    ArticleKeyTakenError,
    ArticleNotFoundError,
    ArticleNotPublishableError,
    ArticlePage,
    ArticleView,
    content_of,
    revision_of,
    view_of,
)
from kb.events import ArticleChanged
from kb.models import Article, ArticleRevision

_CHANGE_LOCK = 0x6B62_6368
_LONGEST_PAGE = 200
_LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Which articles a list shows. `text` is looked for in titles, matters, keys and alternatives as it stands."""

    text: str = ""
    status: str | None = None
    unit: str | None = None
    region: str | None = None
    category: str | None = None
    valid_on: date | None = None
    has_draft: bool = False


class Articles:
    """Writes and lists articles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, actor: str, key: str, content: ArticleContent, *, is_demo: bool = False) -> ArticleView:
        """Write a new article as a draft.

        Raises:
            ArticleKeyTakenError: the key is in use.
        """
        try:
            with self._database.transaction() as session:
                made = create(session, actor, key, content, is_demo=is_demo)
                audit.record(session, actor, "article.created", f"article:{made.id}", {"key": key})
                return made
        except RowConflictError as error:
            raise ArticleKeyTakenError(key) from error

    def revise(self, actor: str, article_id: uuid.UUID, content: ArticleContent, based_on: int | None = None) -> ArticleView:
        """Write a new revision; what is published stays as it is until it is published too. The same words make no revision.

        Raises:
            ArticleEditedMeanwhileError: `based_on` is not the latest revision any more.
        """
        with self._database.transaction() as session:
            article = locked(session, article_id)
            if based_on is not None and based_on != article.latest_revision_no:
                raise ArticleEditedMeanwhileError(article_id, article.latest_revision_no)
            revised = revise(session, actor, article, content)
            audit.record(session, actor, "article.revised", f"article:{article_id}", {"revision_no": revised.revision_no})
            return revised

    def publish(self, actor: str, article_id: uuid.UUID, revision_no: int | None = None) -> ArticleView:
        """Let citizens be told a revision (default: the latest); also brings a retired article back, and rolls back to an old one.

        Raises:
            ArticleNotPublishableError: the revision has no alternative question.
        """
        with self._database.transaction() as session:
            lock_changes(session)
            published = publish_revision(session, locked(session, article_id), revision_no)
            _tell(session, actor, "article.published", published)
            return published

    def retire(self, actor: str, article_id: uuid.UUID) -> ArticleView:
        """Tell the article to nobody any more; it and all that cites it stay readable."""
        with self._database.transaction() as session:
            lock_changes(session)
            retired = retire(session, locked(session, article_id))
            _tell(session, actor, "article.retired", retired)
            return retired

    def get(self, article_id: uuid.UUID, revision_no: int | None = None) -> ArticleView:
        """Return an article in a revision, the latest by default."""
        with self._database.transaction() as session:
            article = session.get(Article, article_id)
            if article is None:
                raise ArticleNotFoundError(article_id, revision_no)
            return view_of(article, revision(session, article, revision_no))

    def get_revision(self, revision_id: uuid.UUID) -> ArticleView:
        """Return an article in the revision with this id, as a suggestion cites it."""
        with self._database.transaction() as session:
            found = session.get(ArticleRevision, revision_id)
            if found is None:
                raise ArticleNotFoundError(revision_id)
            article = session.get_one(Article, found.article_id)
            return view_of(article, found)

    def find_key(self, key: str) -> ArticleView | None:
        """Return the latest revision of the article with a key."""
        with self._database.transaction() as session:
            article = session.scalar(select(Article).where(Article.key == key))
            return view_of(article, revision(session, article)) if article else None

    def revisions(self, article_id: uuid.UUID) -> list[ArticleView]:
        """Return every revision of an article, the newest first."""
        with self._database.transaction() as session:
            article = session.get(Article, article_id)
            if article is None:
                raise ArticleNotFoundError(article_id)
            query = select(ArticleRevision).where(ArticleRevision.article_id == article_id)
            return [view_of(article, row) for row in session.scalars(query.order_by(ArticleRevision.revision_no.desc()))]

    def list(self, wanted: ArticleFilter | None = None, page: int = 1, size: int = 50) -> ArticlePage:
        """Return a page of articles in their latest revision, the last changed first."""
        size = max(1, min(size, _LONGEST_PAGE))
        query = _filtered(select(Article, ArticleRevision), wanted or ArticleFilter())
        with self._database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            page = max(1, min(page, -(-total // size)))
            rows = session.execute(query.order_by(Article.updated_at.desc(), Article.id).offset((page - 1) * size).limit(size))
            return ArticlePage([view_of(article, row) for article, row in rows], total, page, size)

    def count(self, status: str | None = None) -> int:
        """Return how many articles there are."""
        query = select(func.count()).select_from(Article)
        with self._database.transaction() as session:
            return session.scalar(query.where(Article.status == status) if status else query) or 0

    def facets(self) -> dict[str, Sequence[str]]:
        """Return the units, regions and categories that articles have, for the filters of pages."""
        with self._database.transaction() as session:
            return {name: session.scalars(_facet(name)).all() for name in ("unit", "region", "category")}


def locked(session: Session, article_id: uuid.UUID) -> Article:
    """Return the row of an article, locked until the transaction ends."""
    article = session.get(Article, article_id, with_for_update=True)
    if article is None:
        raise ArticleNotFoundError(article_id)
    return article


def revision(session: Session, article: Article, revision_no: int | None = None) -> ArticleRevision:
    """Return a revision of an article, the latest by default."""
    wanted = article.latest_revision_no if revision_no is None else revision_no
    found = session.scalar(
        select(ArticleRevision).where(ArticleRevision.article_id == article.id, ArticleRevision.revision_no == wanted)
    )
    if found is None:
        raise ArticleNotFoundError(article.id, wanted)
    return found


def check_key(key: str) -> None:
    """Raise InvalidInputError unless a key can name an article."""
    if not key or len(key) > _LONGEST_KEY or not key.isprintable() or key != key.strip():
        raise InvalidInputError(f"编号要有 1 到 {_LONGEST_KEY} 个可见字符")


def create(session: Session, actor: str, key: str, content: ArticleContent, *, is_demo: bool = False) -> ArticleView:
    """Write a draft in the caller's transaction."""
    check_key(key)
    article = Article(key=key, is_demo=is_demo, latest_revision_no=1)
    session.add(article)
    session.flush()
    first = revision_of(article.id, 1, content, actor)
    session.add(first)
    session.flush()
    return view_of(article, first)


def revise(session: Session, actor: str, article: Article, content: ArticleContent) -> ArticleView:
    """Write a revision in the caller's transaction."""
    latest = revision(session, article)
    if content_of(latest) == content:
        return view_of(article, latest)
    article.latest_revision_no += 1
    article.updated_at = func.clock_timestamp()
    newest = revision_of(article.id, article.latest_revision_no, content, actor)
    session.add(newest)
    session.flush()
    return view_of(article, newest)


def publish_revision(session: Session, article: Article, revision_no: int | None = None) -> ArticleView:
    """Publish in the caller's transaction."""
    chosen = revision(session, article, revision_no)
    if not chosen.alternatives:
        raise ArticleNotPublishableError(article.id)
    if article.status == "published" and article.published_revision_id == chosen.id:
        return view_of(article, chosen)
    article.status = "published"
    article.published_revision_id = chosen.id
    chosen.published_at = func.clock_timestamp()
    _mark_changed(session, article)
    return view_of(article, chosen)


def retire(session: Session, article: Article) -> ArticleView:
    """Retire in the caller's transaction."""
    if article.status != "retired":
        article.status = "retired"
        if article.published_revision_id is not None:
            _mark_changed(session, article)
    return view_of(article, revision(session, article))


def _tell(session: Session, actor: str, action: str, article: ArticleView) -> None:
    audit.record(session, actor, action, f"article:{article.id}", {"revision_no": article.revision_no})
    publish(session, ArticleChanged(article_id=article.id))


def lock_changes(session: Session) -> None:
    """Let nobody else publish or retire until the transaction ends; to be taken before any article's own lock.

    One writer at a time, so that whoever has read the changes up to a number has missed none below it.
    """
    session.execute(select(func.pg_advisory_xact_lock(_CHANGE_LOCK)))


def next_change_no(session: Session) -> int:
    """Return a number above every change so far.

    It counts from the clock, so that numbers go on growing when a backup is restored beside an index that has seen higher ones.
    """
    milliseconds = func.extract("epoch", func.clock_timestamp()) * 1000
    newest, now = session.execute(select(func.coalesce(func.max(Article.change_no), 0), milliseconds)).one()
    return max(int(newest) + 1, int(now))


def _mark_changed(session: Session, article: Article) -> None:
    lock_changes(session)
    article.change_no = next_change_no(session)
    article.updated_at = func.clock_timestamp()
    session.flush()
    session.refresh(article)


def _filtered(query: Any, wanted: ArticleFilter) -> Any:
    is_latest = (ArticleRevision.article_id == Article.id) & (ArticleRevision.revision_no == Article.latest_revision_no)
    query = query.join_from(Article, ArticleRevision, is_latest)
    for name in ("unit", "region"):
        if getattr(wanted, name):
            query = query.where(getattr(ArticleRevision, name) == getattr(wanted, name))
    if wanted.category:
        # A category is a path: 企业登记 holds 企业登记/设立.
        below = ArticleRevision.category.startswith(f"{wanted.category}/", autoescape=True)
        query = query.where(or_(ArticleRevision.category == wanted.category, below))
    if wanted.status:
        query = query.where(Article.status == wanted.status)
    if wanted.valid_on:
        ends = or_(ArticleRevision.valid_to.is_(None), ArticleRevision.valid_to >= wanted.valid_on)
        query = query.where(ArticleRevision.valid_from <= wanted.valid_on, ends)
    if wanted.has_draft:
        query = query.where(Article.published_revision_id.is_distinct_from(ArticleRevision.id))
    for word in wanted.text.replace("\0", "").split():
        spots: list[Any] = [ArticleRevision.title, ArticleRevision.matter, ArticleRevision.matter_code, Article.key]
        spots.append(cast(ArticleRevision.alternatives, Text))
        query = query.where(or_(*(spot.icontains(word, autoescape=True) for spot in spots)))
    return query


def _facet(name: str) -> Any:
    column = getattr(ArticleRevision, name)
    return _filtered(select(column), ArticleFilter()).distinct().order_by(column)
