"""A knowledge base on a real database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from core.database import Database
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.article_content import ArticleContent
from kb.service import KnowledgeService
from tests.fakes.clock import FakeClock
from tests.fakes.conversation import FakeConversation
from tests.fakes.search_index import FakeSearchIndex
from tests.servers import PostgresServer


@dataclass
class Base:
    """A service and what stands around it."""

    service: KnowledgeService
    database: Database
    index: FakeSearchIndex
    conversation: FakeConversation
    clock: FakeClock

    def publish(self, key: str, content: ArticleContent) -> None:
        """Write and publish an article."""
        made = self.service.create_article("editor", key, content)
        self.service.publish_article("editor", made.id)


def name_of(url: str) -> str:
    """Return the name of a database."""
    return url.partition("?")[0].rsplit("/", 1)[1]


def base_on(url: str) -> Base:
    """Return a knowledge base on a database."""
    database, index, conversation = Database(url), FakeSearchIndex(), FakeConversation()
    clock = FakeClock(datetime(2026, 11, 23, 2, 30, tzinfo=UTC))
    return Base(KnowledgeService(database, clock, index, MemorySearchIndex(), conversation), database, index, conversation, clock)


@pytest.fixture
def base(postgres: PostgresServer, template_url: str) -> Iterator[Base]:
    """An empty knowledge base on a database of its own."""
    made = base_on(postgres.new_database(name_of(template_url)))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def demonstration_url(postgres: PostgresServer, template_url: str) -> str:
    """A database that holds the demonstration; to be copied, not used."""
    url = postgres.new_database(name_of(template_url))
    made = base_on(url)
    made.service.load_demonstration("setup")
    made.database.close()
    return url


@pytest.fixture
def demo(postgres: PostgresServer, demonstration_url: str) -> Iterator[Base]:
    """A knowledge base of the demonstration, on a database of its own, known to the search server."""
    made = base_on(postgres.new_database(name_of(demonstration_url)))
    made.service.ensure_index()
    yield made
    made.database.close()


def article(title: str, *alternatives: str, **words: object) -> ArticleContent:
    """Return the words of an article."""
    known: dict[str, object] = {"unit": "市公安局", "region": "云川市", "category": "户政", "valid_from": date(2025, 1, 1)}
    known |= {"answer": f"{title}，请带身份证到窗口办理。", "matter": title}
    return ArticleContent(title=title, alternatives=alternatives, **(known | words))  # type: ignore[arg-type]
