import uuid
from collections.abc import Iterator

import pytest

from bench.knowledge import load_articles, load_questions
from core.errors import UnavailableError
from core.settings import PROJECT_DIR
from kb.adapters.elastic_search_index import ElasticSearchIndex
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.article_tokens import cut_article, index_entry
from kb.ports import SearchIndex
from tests.contract.search_index import SEGMENTER, SearchIndexContract, entry, request
from tests.fakes.search_index import FakeSearchIndex
from tests.servers import ElasticsearchServer, free_port


def elastic(
    server: ElasticsearchServer, url: str | None = None, prefix: str | None = None, **options: object
) -> ElasticSearchIndex:
    return ElasticSearchIndex(
        url or server.url,
        server.username,
        str(options.pop("password", server.password)),
        prefix=prefix or f"contract-{uuid.uuid4().hex[:8]}-",
        timeout_seconds=5,
        is_visible_at_once=True,
    )


@pytest.fixture
def real(elasticsearch: ElasticsearchServer) -> Iterator[ElasticSearchIndex]:
    index = elastic(elasticsearch)
    yield index
    index.drop()
    index.close()


class TestMemorySearchIndex(SearchIndexContract):
    @pytest.fixture
    def index(self) -> SearchIndex:
        return MemorySearchIndex()


class TestFakeSearchIndex(SearchIndexContract):
    @pytest.fixture
    def index(self) -> SearchIndex:
        return FakeSearchIndex()

    def test_without_an_index_it_is_unavailable(self, index: FakeSearchIndex) -> None:
        for act in (lambda: index.search(request("居住证")), lambda: index.put([entry(1, "居住证")])):
            with pytest.raises(UnavailableError):
                act()

    def test_away(self, filled: FakeSearchIndex) -> None:
        filled.is_away = True
        with pytest.raises(UnavailableError):
            filled.search(request("居住证"))


class TestElasticSearchIndex(SearchIndexContract):
    @pytest.fixture
    def index(self, real: ElasticSearchIndex) -> SearchIndex:
        return real

    def test_memory_gives_the_same_answers_with_the_same_scores(self, real: ElasticSearchIndex) -> None:
        entries = [
            index_entry(uuid.uuid5(uuid.NAMESPACE_OID, key), 1, content, cut_article(content, SEGMENTER), True)
            for key, content in load_articles().items()
        ]
        memory = MemorySearchIndex()
        assert memory.rebuild(entries) == real.rebuild(entries) >= 120
        for question in load_questions(PROJECT_DIR / "tests/data/questions/calibration.jsonl")[:40]:
            from_server, from_memory = self.scores(real, question.text), self.scores(memory, question.text)
            assert [number for number, _ in from_server] == [number for number, _ in from_memory], question.text
            assert [score for _, score in from_server] == pytest.approx([score for _, score in from_memory], rel=1e-5)

    def test_a_rebuild_leaves_one_index_behind_the_alias(self, real: ElasticSearchIndex) -> None:
        real.rebuild([entry(1, "居住证")])
        first = real._indices()
        real.rebuild([entry(1, "居住证")])
        second = real._indices()
        assert len(first) == len(second) == 1
        assert first != second

    def test_a_failed_build_deletes_itself(self, real: ElasticSearchIndex) -> None:
        real.rebuild([entry(1, "居住证")])
        before = real._indices()
        with pytest.raises(ZeroDivisionError):
            real.rebuild(entry(at, "居住证") for at in range(1, 1 // 0))
        assert real._indices() == before

    def test_what_a_killed_build_left_is_cleared_by_the_next(self, real: ElasticSearchIndex) -> None:
        abandoned = f"{real.alias}-20200101000000-abcdef"
        real._building.indices.create(index=abandoned)
        real.rebuild([entry(1, "居住证")])
        assert abandoned not in real._indices()

    def test_an_index_of_another_scheme_counts_as_none(self, real: ElasticSearchIndex) -> None:
        real.rebuild([entry(1, "居住证")])
        real._building.indices.put_mapping(index=real.alias, meta={"scheme": 0})
        assert real.count() is None

    def test_without_an_index_it_is_unavailable_and_a_put_makes_none(self, real: ElasticSearchIndex) -> None:
        for act in (lambda: real.search(request("居住证")), lambda: real.put([entry(1, "居住证")])):
            with pytest.raises(UnavailableError):
                act()
        assert real._indices() == []

    def test_a_wrong_password_is_told(self, elasticsearch: ElasticsearchServer) -> None:
        index = elastic(elasticsearch, password="wrong")
        with pytest.raises(UnavailableError, match="Authentication"):
            index.search(request("居住证"))
        index.close()

    def test_no_server_is_told(self, elasticsearch: ElasticsearchServer) -> None:
        index = elastic(elasticsearch, url=f"http://127.0.0.1:{free_port()}")
        for act in (index.count, lambda: index.search(request("居住证")), lambda: index.put([entry(1, "居住证")])):
            with pytest.raises(UnavailableError):
                act()
        index.close()
