"""The front door of the knowledge base: articles, search, suggestions, import, the index."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from core import audit
from core.clock import Clock
from core.database import Database
from core.errors import InvalidInputError
from core.jobs import enqueue
from kb.article_content import ArticleContent
from kb.article_view import ArticlePage, ArticleView
from kb.articles import ArticleFilter, Articles
from kb.collection import Collection, read_dictionary
from kb.completion import Completion
from kb.hotwords import choose_hotwords
from kb.importing import Importing, ImportReport
from kb.indexing import IndexHealth, Indexing
from kb.judgements import Judgements
from kb.models import DictionaryWord
from kb.ports import Conversation, LocalIndex, SearchIndex
from kb.ranking import read_calibration
from kb.searching import Searching, SearchResult
from kb.suggestion_view import SuggestionView, Verdict
from kb.suggestions import GapView, Suggestions

DEMONSTRATION = Path(__file__).with_name("demo")
INDEX_QUEUE = "index"
REINDEX = "reindex"
INDEX_PENDING = "index_pending"
_LONGEST_WORD = 20
_MOST_WORDS = 20_000


class KnowledgeService:
    """Everything others may ask of the knowledge base.

    Args:
        index: the search server.
        local_index: an index in this process, for when the server is away and to know how common words are.
        conversation: what citizens say.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        index: SearchIndex,
        local_index: LocalIndex,
        conversation: Conversation,
    ) -> None:
        self._database = database
        self._collection = Collection(database, local_index)
        self._searching = Searching(index, self._collection, read_calibration(), clock)
        self._suggestions = Suggestions(database, self._searching, conversation)
        self._judgements = Judgements(database, self._searching, clock)
        self._indexing = Indexing(database, index, self._collection)
        self._importing = Importing(database)
        self._completion: tuple[int, Completion] | None = None
        self.articles = Articles(database)

    # Search

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
        return self._searching.search(text, unit=unit, region=region, category=category, limit=limit, on=on)

    def complete(self, typed: str, limit: int = 8) -> list[str]:
        """Return titles and questions that what is typed may become, by characters, pinyin or its initials."""
        self._collection.refresh()
        if self._completion is None or self._completion[0] != self._collection.version:
            phrases = [text for content in self._collection.contents() for text in (content.title, content.matter) if text]
            self._completion = (self._collection.version, Completion(phrases))
        return self._completion[1].complete(typed, limit)

    def hotwords(self) -> str:
        """Return the words that a recogniser should expect, as a list in one line."""
        self._collection.refresh()
        phrases = [content.matter for content in self._collection.contents()]
        return choose_hotwords(self.dictionary(), phrases, self._collection.segmenter)

    def warm_up(self) -> None:
        """Read the collection now, so that the first search does not wait for it."""
        self._collection.read_now()

    # Suggestions

    def suggest(self, call_id: uuid.UUID, segment_id: uuid.UUID) -> list[SuggestionView]:
        """Bring the cards of a call up to date with what the citizen said last."""
        return self._suggestions.suggest(call_id, segment_id)

    def forget_queries(self, call_id: uuid.UUID) -> None:
        """Forget the words a call's suggestions were found by, when they are masked afterwards."""
        self._suggestions.forget_queries(call_id)

    def suggestions(self, call_id: uuid.UUID) -> list[SuggestionView]:
        """Return all that was suggested in a call, current cards first."""
        return self._suggestions.of_call(call_id)

    def current_suggestions(self, call_id: uuid.UUID) -> list[SuggestionView]:
        """Return the cards that stand on the desk."""
        return self._suggestions.current(call_id)

    def get_suggestion(self, suggestion_id: uuid.UUID) -> SuggestionView:
        """Return one suggestion."""
        return self._judgements.get(suggestion_id)

    def judge(self, suggestion_id: uuid.UUID, verdict: Verdict, agent_id: uuid.UUID | None, reason: str = "") -> SuggestionView:
        """Record a verdict by its name; a wrong one needs a reason."""
        return self._judgements.judge(suggestion_id, verdict, agent_id, reason)

    def adopt(self, suggestion_id: uuid.UUID, agent_id: uuid.UUID | None) -> SuggestionView:
        """Record that the agent answered with it."""
        return self._judgements.judge(suggestion_id, "adopted", agent_id)

    def ignore(self, suggestion_id: uuid.UUID, agent_id: uuid.UUID | None) -> SuggestionView:
        """Record that it does not matter here; the call is not offered it again."""
        return self._judgements.judge(suggestion_id, "ignored", agent_id)

    def mark_wrong(self, suggestion_id: uuid.UUID, agent_id: uuid.UUID | None, reason: str) -> SuggestionView:
        """Record that the article is wrong, and why; the call is not offered it again."""
        return self._judgements.judge(suggestion_id, "wrong", agent_id, reason)

    def undo(self, suggestion_id: uuid.UUID, agent_id: uuid.UUID | None) -> SuggestionView:
        """Take the last verdict back."""
        return self._judgements.undo(suggestion_id, agent_id)

    def adopt_article(
        self, call_id: uuid.UUID, article_id: uuid.UUID, agent_id: uuid.UUID | None, query: str = ""
    ) -> SuggestionView:
        """Adopt an article that the agent found by the search box."""
        return self._judgements.adopt_article(call_id, article_id, agent_id, query)

    def gaps(self, limit: int = 100) -> list[GapView]:
        """Return the latest questions without a sure answer."""
        return self._suggestions.gaps(limit)

    # Articles

    def create_article(self, actor: str, key: str, content: ArticleContent) -> ArticleView:
        """Write a new article as a draft."""
        return self.articles.create(actor, key, content)

    def revise_article(
        self, actor: str, article_id: uuid.UUID, content: ArticleContent, based_on: int | None = None
    ) -> ArticleView:
        """Write a new revision; `based_on` is the latest revision that the editor saw."""
        return self.articles.revise(actor, article_id, content, based_on)

    def publish_article(self, actor: str, article_id: uuid.UUID, revision_no: int | None = None) -> ArticleView:
        """Let citizens be told a revision, the latest by default."""
        return self.articles.publish(actor, article_id, revision_no)

    def retire_article(self, actor: str, article_id: uuid.UUID) -> ArticleView:
        """Tell the article to nobody any more."""
        return self.articles.retire(actor, article_id)

    def get_article(self, article_id: uuid.UUID, revision_no: int | None = None) -> ArticleView:
        """Return an article in a revision, the latest by default."""
        return self.articles.get(article_id, revision_no)

    def get_revision(self, revision_id: uuid.UUID) -> ArticleView:
        """Return an article in the revision with this id, as a suggestion cites it."""
        return self.articles.get_revision(revision_id)

    def list_articles(self, wanted: ArticleFilter | None = None, page: int = 1, size: int = 50) -> ArticlePage:
        """Return a page of articles."""
        return self.articles.list(wanted, page, size)

    def article_revisions(self, article_id: uuid.UUID) -> list[ArticleView]:
        """Return every revision of an article, the newest first."""
        return self.articles.revisions(article_id)

    def article_facets(self) -> dict[str, Sequence[str]]:
        """Return the units, regions and categories that articles have."""
        return self.articles.facets()

    def count_articles(self, status: str | None = None) -> int:
        """Return how many articles there are."""
        return self.articles.count(status)

    def import_articles(self, path: Path, actor: str) -> ImportReport:
        """Take in a .jsonl or .xlsx file, row by row, and bring the search server up to date if it is there."""
        report = self._importing.import_file(path, actor)
        self._indexing.ensure_index()
        return report

    def export_articles(self, path: Path) -> int:
        """Write all articles to a .jsonl or .xlsx file."""
        return self._importing.export_file(path)

    def load_demonstration(self, actor: str) -> int:
        """Load the demonstration articles, marked as such; safe to run again. Returns how many there are."""
        loaded = 0
        for path in sorted(DEMONSTRATION.glob("articles_*.jsonl")):
            report = self._importing.import_file(path, actor, is_demo=True)
            assert not report.errors, f"{path.name}: {report.errors[0]}"
            loaded += report.created + report.revised + report.unchanged
        return loaded

    # Dictionary

    def dictionary(self) -> dict[str, int]:
        """Return the words that segmentation keeps whole, with how frequent they count as."""
        with self._database.transaction() as session:
            return read_dictionary(session)

    def replace_dictionary(self, actor: str, words: dict[str, int]) -> None:
        """Replace the dictionary; the index is built anew by a job."""
        cleaned = {"".join(word.split()): frequency for word, frequency in words.items()}
        if len(cleaned) > _MOST_WORDS or any(not 2 <= len(word) <= _LONGEST_WORD or not word.isalnum() for word in cleaned):
            raise InvalidInputError(f"词语要有 2 到 {_LONGEST_WORD} 个字，最多 {_MOST_WORDS} 个")
        if any(not 1 <= frequency <= 10_000_000 for frequency in cleaned.values()):
            raise InvalidInputError("词频要在 1 到 10000000 之间")
        with self._database.transaction() as session:
            session.execute(delete(DictionaryWord))
            if cleaned:
                rows = [{"word": word, "frequency": frequency} for word, frequency in cleaned.items()]
                session.execute(insert(DictionaryWord), rows)
            enqueue(session, INDEX_QUEUE, REINDEX, dedup=REINDEX)
            audit.record(session, actor, "dictionary.replaced", "dictionary", {"words": len(cleaned)})

    # Index

    def reindex(self) -> int:
        """Build the search index anew, swap it in, and return how many articles it holds."""
        return self._indexing.reindex()

    def request_indexing(self) -> None:
        """Have a worker bring the search server up to date."""
        with self._database.transaction() as session:
            enqueue(session, INDEX_QUEUE, INDEX_PENDING, dedup=INDEX_PENDING)

    def index_pending(self) -> int:
        """Send the search server what it has not seen; UnavailableError when it is away, and nothing is lost."""
        return self._indexing.index_pending()

    def ensure_index(self) -> bool:
        """Bring the search server up to date, building the index where there is none; return whether it was there."""
        return self._indexing.ensure_index()

    def index_health(self) -> IndexHealth:
        """Return whether the search server answers, and how many articles it holds."""
        return self._indexing.health()

    def count_unindexed(self) -> int:
        """Return how many articles the search server has not seen."""
        return self._indexing.count_pending()

    def index_size(self) -> int | None:
        """Return how many articles the search server holds, None before its first build; UnavailableError when it is away."""
        return self._indexing.index_size()
