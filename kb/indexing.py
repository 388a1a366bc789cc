"""Keeps the search server in step with the database: pending changes, rebuilds, the first build.

Nothing is lost while the server is away: an article stays pending, in its row, until the server has taken it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, update

from core.database import Database
from core.errors import UnavailableError
from kb.article_tokens import cut_article, index_entry
from kb.collection import Collection, PublishedArticle, changed_articles
from kb.models import Article
from kb.ports import IndexEntry, SearchIndex

log = structlog.get_logger()
_BATCH = 500


@dataclass(frozen=True, slots=True)
class IndexHealth:
    """Whether the search server answers; `documents` is None when it holds no index of ours, or is away."""

    is_up: bool
    documents: int | None


class Indexing:
    """Brings changes to the search server."""

    def __init__(self, database: Database, index: SearchIndex, collection: Collection) -> None:
        self._database = database
        self._index = index
        self._collection = collection

    def index_pending(self) -> int:
        """Send every article that the server has not seen; return how many. Safe to run at any time and twice.

        Raises:
            UnavailableError: the server is away; what is pending stays so.
        """
        sent = 0
        while batch := self._pending():
            self._index.put(self._entries(batch))
            with self._database.transaction() as session:
                for article in batch:
                    session.execute(update(Article).where(Article.id == article.article_id).values(indexed_no=article.change_no))
            sent += len(batch)
            if len(batch) < _BATCH:
                break
        return sent

    def count_pending(self) -> int:
        """Return how many articles the server has not seen."""
        query = select(func.count()).select_from(Article).where(Article.indexed_no != Article.change_no)
        with self._database.transaction() as session:
            return session.scalar(query) or 0

    def health(self) -> IndexHealth:
        """Ask the server how it is."""
        try:
            return IndexHealth(True, self._index.count())
        except UnavailableError:
            return IndexHealth(False, None)

    def reindex(self) -> int:
        """Build the index anew from the published articles, swap it in, and return how many it holds."""
        with self._database.transaction() as session:
            newest = session.scalar(select(func.max(Article.change_no))) or 0
            articles = list(changed_articles(session, only_published=True))
        held = self._index.rebuild(self._entries(articles))
        # What changed during the build went to the old index: mark everything as of the build, then catch up.
        with self._database.transaction() as session:
            gone = (Article.status != "published", Article.change_no <= newest)
            session.execute(update(Article).where(*gone).values(indexed_no=Article.change_no))
            for start in range(0, len(articles), _BATCH):
                rows = [{"id": article.article_id, "indexed_no": article.change_no} for article in articles[start : start + _BATCH]]
                session.execute(update(Article), rows)
        self.index_pending()
        return held

    def ensure_index(self) -> bool:
        """Bring the server up to date, building the index when there is none that fits; return whether the server was there."""
        try:
            held = self._index.count()
            with self._database.transaction() as session:
                wanted = session.scalar(select(func.count()).select_from(Article).where(Article.status == "published")) or 0
            if held is None or held + self.count_pending() < wanted:
                self.reindex()
            else:
                self.index_pending()
        except UnavailableError as error:
            log.warning("index_behind", error=str(error)[:200])
            return False
        return True

    def index_size(self) -> int | None:
        """Return how many articles the server holds, None when there is no index yet."""
        return self._index.count()

    def _pending(self) -> list[PublishedArticle]:
        with self._database.transaction() as session:
            oldest = session.scalar(select(func.min(Article.change_no)).where(Article.indexed_no != Article.change_no))
            if oldest is None:
                return []
            waiting = set(session.scalars(select(Article.id).where(Article.indexed_no != Article.change_no)))
            found: list[PublishedArticle] = []
            for article in changed_articles(session, oldest - 1):
                if article.article_id in waiting:
                    found.append(article)
                if len(found) == _BATCH:
                    break
            return found

    def _entries(self, articles: Sequence[PublishedArticle]) -> Iterator[IndexEntry]:
        segmenter = self._collection.newest_segmenter()
        for article in articles:
            tokens = cut_article(article.content, segmenter)
            yield index_entry(article.article_id, article.change_no, article.content, tokens, article.is_published)
