"""The published articles as one process knows them: for the fall-back search, the rarity of words, and what hits say.

Kept in step with the database by change numbers, so a search reads no article. Everything here can be rebuilt.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.database import Database
from core.errors import UnavailableError
from kb.article_content import ArticleContent
from kb.article_tokens import cut_article, cut_questions, index_entry
from kb.article_view import content_of
from kb.models import Article, ArticleRevision, DictionaryWord
from kb.ports import IndexEntry, LocalIndex
from kb.ranking import Weighed, weigh
from kb.segmentation import Segmenter

log = structlog.get_logger()
_WEIGHED_KEPT = 1_000
_MANY = 50
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PublishedArticle:
    """An article with the words that citizens are told, or were told until it was retired."""

    article_id: uuid.UUID
    key: str
    is_published: bool
    change_no: int
    revision_id: uuid.UUID
    revision_no: int
    content: ArticleContent


def changed_articles(session: Session, after: int = 0, only_published: bool = False) -> Iterator[PublishedArticle]:
    """Yield articles changed after a number, in the order of their changes."""
    query = (
        select(Article, ArticleRevision)
        .join(ArticleRevision, ArticleRevision.id == Article.published_revision_id)
        .where(Article.change_no > after)
        .order_by(Article.change_no)
        .execution_options(yield_per=500)
    )
    if only_published:
        query = query.where(Article.status == "published")
    for article, revision in session.execute(query):
        yield PublishedArticle(
            article_id=article.id,
            key=article.key,
            is_published=article.status == "published",
            change_no=article.change_no,
            revision_id=revision.id,
            revision_no=revision.revision_no,
            content=content_of(revision),
        )


def read_dictionary(session: Session) -> dict[str, int]:
    """Return the editors' words and how frequent they count as."""
    return {row.word: row.frequency for row in session.scalars(select(DictionaryWord))}


class Collection:
    """The published articles, the segmenter with the editors' words, and an index of both in process."""

    def __init__(self, database: Database, index: LocalIndex) -> None:
        self.index = index
        self._database = database
        self._reading = threading.Lock()
        self._weighing = threading.Lock()
        self._articles: dict[uuid.UUID, PublishedArticle] = {}
        self._seen = -1
        self._was_read = False
        self._stamp: tuple[int, int] | None = None
        self._segmenter: Segmenter | None = None
        self._weighed: dict[uuid.UUID, tuple[Weighed, ...]] = {}

    @property
    def segmenter(self) -> Segmenter:
        """The segmenter that articles and queries are cut by, as of the last refresh."""
        assert self._segmenter is not None, "nothing was read yet"
        return self._segmenter

    def newest_segmenter(self) -> Segmenter:
        """Return a segmenter with the dictionary of this moment, without reading a single article."""
        with self._database.transaction() as session:
            return Segmenter(read_dictionary(session))

    @property
    def version(self) -> int:
        """Grows whenever the collection changes."""
        return self._seen

    def refresh(self) -> None:
        """Take in what changed since the last time: a few articles at once, many (an import) beside the searches that go on.

        Without the database what is known stays in use.

        Raises:
            DatabaseUnavailableError: nothing was ever read.
        """
        try:
            with self._database.transaction() as session:
                waiting = self._count_waiting(session)
            if not self._was_read:
                self.read_now()
            elif waiting > _MANY:
                self._read_beside()
            elif waiting and self._reading.acquire(timeout=_PATIENCE_SECONDS):
                self._read_and_release()
        except UnavailableError:
            if not self._was_read:
                raise
            log.warning("collection_not_refreshed", articles=len(self._articles))

    def read_now(self) -> None:
        """Take in everything and wait for it."""
        with self._reading, self._database.transaction() as session:
            self._read(session)

    def _read_and_release(self) -> None:
        try:
            with self._database.transaction() as session:
                self._read(session)
        finally:
            self._reading.release()

    def _read_beside(self) -> None:
        if self._reading.acquire(blocking=False):
            threading.Thread(target=self._read_quietly, name="collection", daemon=True).start()

    def _read_quietly(self) -> None:
        try:
            self._read_and_release()
        except UnavailableError as error:
            log.warning("collection_not_refreshed", articles=len(self._articles), error=str(error)[:200])

    def _count_waiting(self, session: Session) -> int:
        """Return how many articles there are to take in; all of them when the dictionary changed or a backup was restored."""
        newest = session.scalar(select(func.coalesce(func.max(Article.change_no), 0))) or 0
        is_known = newest >= self._seen and self._dictionary_stamp(session) == self._stamp
        if is_known and newest == self._seen:
            return 0
        after = self._seen if is_known else -1
        return session.scalar(select(func.count()).select_from(Article).where(Article.change_no > after)) or 1

    def get(self, article_id: uuid.UUID) -> PublishedArticle | None:
        """Return an article, None when it is not published."""
        found = self._articles.get(article_id)
        return found if found is not None and found.is_published else None

    def __len__(self) -> int:
        return sum(article.is_published for article in self._articles.values())

    def contents(self) -> list[ArticleContent]:
        """Return the words of every published article."""
        return [article.content for article in list(self._articles.values()) if article.is_published]

    def questions(self, article: PublishedArticle) -> tuple[Weighed, ...]:
        """Return the vectors of an article's questions; the last used are kept until the collection changes."""
        kept = self._weighed
        held = kept.get(article.revision_id)
        if held is None:
            held = tuple(weigh(tokens, self.index) for tokens in cut_questions(article.content, self.segmenter))
            with self._weighing:
                kept[article.revision_id] = held
                while len(kept) > _WEIGHED_KEPT:
                    del kept[next(iter(kept))]
        return held

    def _read(self, session: Session) -> None:
        stamp = self._dictionary_stamp(session)
        newest = session.scalar(select(func.coalesce(func.max(Article.change_no), 0))) or 0
        is_anew = self._segmenter is None or stamp != self._stamp or self._seen < 0 or newest < self._seen
        segmenter = Segmenter(read_dictionary(session)) if self._segmenter is None or stamp != self._stamp else self._segmenter
        if is_anew:
            articles: dict[uuid.UUID, PublishedArticle] = {}
            self.index.rebuild(_taken_in(changed_articles(session), segmenter, articles))
            self._articles = articles
        elif newest > self._seen:
            self.index.put(_taken_in(changed_articles(session, self._seen), segmenter, self._articles))
        self._segmenter, self._stamp, self._seen = segmenter, stamp, newest
        self._weighed = {}
        self._was_read = True

    def _dictionary_stamp(self, session: Session) -> tuple[int, int]:
        written = func.concat(DictionaryWord.word, " ", DictionaryWord.frequency)
        count, total = session.execute(select(func.count(), func.coalesce(func.sum(func.hashtext(written)), 0))).one()
        return int(count), int(total)


def _taken_in(
    articles: Iterable[PublishedArticle], segmenter: Segmenter, into: dict[uuid.UUID, PublishedArticle]
) -> Iterator[IndexEntry]:
    for article in articles:
        into[article.article_id] = article
        tokens = cut_article(article.content, segmenter)
        yield index_entry(article.article_id, article.change_no, article.content, tokens, article.is_published)
