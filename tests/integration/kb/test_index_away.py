import json
import time
import uuid
from pathlib import Path

import pytest

from core.errors import UnavailableError
from core.jobs import Worker
from kb.adapters.elastic_search_index import ElasticSearchIndex
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.handlers import KnowledgeHandlers
from kb.service import INDEX_QUEUE, KnowledgeService
from tests.fakes.gate import Gate
from tests.fakes.search_index import FakeSearchIndex
from tests.integration.kb.conftest import Base, article
from tests.servers import ElasticsearchServer


def publish_three(base: Base) -> None:
    base.publish("jzz", article("居住证首次申领", "外地人怎么办居住证"))
    base.publish("gjj", article("公积金提取", "买房取公积金"))
    base.publish("hz", article("护照换发", "护照到期怎么换"))


def rested(service: KnowledgeService) -> None:
    """Let the pause after a failure pass."""
    service._searching._rests_until = 0.0


def test_memory_answers_alike_while_the_server_is_away(base: Base) -> None:
    publish_three(base)
    base.service.ensure_index()
    there = base.service.search("居住证怎么办")
    base.index.is_away = True
    away = base.service.search("居住证怎么办")
    assert (there.degraded, away.degraded) == (False, True)
    assert away.hits == there.hits


def test_a_server_that_is_away_is_left_alone_for_a_while(base: Base) -> None:
    publish_three(base)
    base.index.is_away = True
    for _ in range(5):
        assert base.service.search("居住证").degraded
    assert base.index.searches == 1
    base.index.is_away = False
    assert base.service.search("居住证").degraded
    rested(base.service)
    base.service.ensure_index()
    assert not base.service.search("居住证").degraded


def test_a_degraded_suggestion_says_so(demo: Base) -> None:
    demo.index.is_away = True
    call_id = uuid.uuid4()
    demo.conversation.say(call_id, "你好我想问一下我的身份证丢了在外地能不能补办啊")
    cards = demo.service.suggest(call_id, uuid.uuid4())
    assert cards
    assert all(card.degraded for card in cards)


def test_no_edit_is_lost_while_the_server_is_away(base: Base) -> None:
    publish_three(base)
    base.service.ensure_index()
    base.index.is_away = True
    hit = base.service.search("公积金").hits[0]
    base.service.revise_article("editor", hit.article_id, article("社保卡补办", "社保卡丢了"))
    base.service.publish_article("editor", hit.article_id)
    base.publish("jh", article("结婚登记", "领结婚证"))
    assert not base.service.ensure_index()
    assert base.service.count_unindexed() == 2
    with pytest.raises(UnavailableError):
        base.service.index_pending()
    assert [hit.key for hit in base.service.search("社保卡").hits] == ["gjj"]

    base.index.is_away = False
    assert base.service.ensure_index()
    assert base.service.count_unindexed() == 0
    rested(base.service)
    for question, key in (("社保卡", "gjj"), ("结婚登记", "jh")):
        result = base.service.search(question)
        assert not result.degraded
        assert result.hits[0].key == key


def test_the_worker_brings_changes_to_the_server(base: Base) -> None:
    handlers = KnowledgeHandlers(base.service, base.database)
    worker = Worker(base.database, handlers.tasks(), [INDEX_QUEUE])
    publish_three(base)
    for _ in range(3):
        handlers.on_article_changed(None)  # type: ignore[arg-type]
    assert worker.run_once()
    assert not worker.run_once(), "the same work was enqueued more than once"
    assert base.index.count() == 3
    assert base.service.count_unindexed() == 0


def test_an_empty_server_is_filled_though_every_article_was_sent_before(base: Base) -> None:
    publish_three(base)
    base.service.ensure_index()
    base.index.__init__()  # type: ignore[misc]  # as if its disk had been lost
    assert base.service.index_health().documents is None
    base.service.ensure_index()
    assert base.service.index_health().documents == 3


def test_an_edit_during_a_rebuild_reaches_the_new_index(base: Base) -> None:
    publish_three(base)
    base.service.ensure_index()
    article_id = base.service.search("公积金").hits[0].article_id
    rebuild = base.index.rebuild

    def rebuild_while_somebody_edits(entries: object) -> int:
        held = rebuild(entries)  # type: ignore[arg-type]
        base.service.retire_article("editor", article_id)
        base.service.index_pending()
        rebuild([])  # the index just written to was the old one
        return held

    base.index.rebuild = rebuild_while_somebody_edits  # type: ignore[method-assign]
    base.service.reindex()
    assert base.service.count_unindexed() == 0
    assert base.service.search("公积金").hits == ()


def test_a_new_dictionary_cuts_articles_and_queries_anew(base: Base) -> None:
    publish_three(base)
    base.service.ensure_index()
    base.service.warm_up()
    assert "首次申领" not in base.service._collection.segmenter.words("居住证首次申领")
    base.service.replace_dictionary("editor", {"首次申领": 10_000})
    worker = Worker(base.database, KnowledgeHandlers(base.service, base.database).tasks(), [INDEX_QUEUE])
    assert worker.run_once()
    assert base.service.search("首次申领").hits[0].key == "jzz"
    assert "首次申领" in base.service._collection.segmenter.words("居住证首次申领")
    assert base.service.dictionary() == {"首次申领": 10_000}


def test_search_goes_on_while_the_database_is_away(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_three(base)
    base.service.ensure_index()
    before = base.service.search("居住证").hits

    def away() -> None:
        raise UnavailableError("PostgreSQL is away")

    monkeypatch.setattr(base.database, "transaction", away)
    assert base.service.search("居住证").hits == before


def test_another_process_sees_a_change_at_once(base: Base) -> None:
    publish_three(base)
    other = KnowledgeService(base.database, base.clock, FakeSearchIndex(), MemorySearchIndex(), base.conversation)
    assert other.search("居住证").hits[0].key == "jzz"
    base.publish("jh", article("结婚登记", "领结婚证"))
    assert other.search("结婚登记").hits[0].key == "jh"


def test_an_import_is_taken_in_beside_the_searches(base: Base, tmp_path: Path) -> None:
    publish_three(base)
    assert base.service.search("居住证").hits[0].key == "jzz"
    words = article("渔船登记", "渔船怎么登记").model_dump(mode="json")
    rows = [{**words, "key": f"yc-{at}", "title": f"渔船登记第{at}种"} for at in range(80)]
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert base.service.import_articles(path, "editor").created == 80
    deadline = time.monotonic() + 15
    while not base.service.search("渔船登记").hits:
        # Whatever is known already is found meanwhile.
        assert base.service.search("居住证").hits[0].key == "jzz"
        assert time.monotonic() < deadline
    assert base.service.search("渔船登记", limit=50).hits[0].key.startswith("yc-")


def test_a_real_elasticsearch_goes_away_and_comes_back(base: Base, elasticsearch: ElasticsearchServer) -> None:
    with Gate(elasticsearch.url) as gate:
        index = ElasticSearchIndex(
            gate.url,
            elasticsearch.username,
            elasticsearch.password,
            prefix=f"away-{uuid.uuid4().hex[:8]}-",
            is_visible_at_once=True,
        )
        service = KnowledgeService(base.database, base.clock, index, MemorySearchIndex(), base.conversation)
        publish_three(base)
        service.ensure_index()
        assert not service.search("居住证").degraded
        gate.shut()
        away = service.search("居住证")
        assert away.degraded
        assert away.hits[0].key == "jzz"
        assert not service.index_health().is_up
        base.publish("jh", article("结婚登记", "领结婚证"))
        assert not service.ensure_index()
        assert service.search("结婚登记").hits[0].key == "jh"
        gate.open()
        rested(service)
        assert service.ensure_index()
        result = service.search("结婚登记")
        assert not result.degraded
        assert result.hits[0].key == "jh"
        index.drop()
        index.close()


def test_a_frozen_elasticsearch_costs_one_time_out_and_no_more(base: Base, elasticsearch: ElasticsearchServer) -> None:
    with Gate(elasticsearch.url) as gate:
        index = ElasticSearchIndex(
            gate.url, elasticsearch.username, elasticsearch.password, prefix=f"frozen-{uuid.uuid4().hex[:8]}-", timeout_seconds=1.0
        )
        service = KnowledgeService(base.database, base.clock, index, MemorySearchIndex(), base.conversation)
        publish_three(base)
        service.ensure_index()
        gate.freeze()
        since = time.monotonic()
        for _ in range(5):
            result = service.search("居住证")
            assert result.degraded
            assert result.hits[0].key == "jzz"
        assert time.monotonic() - since < 4
        gate.open()
        index.drop()
        index.close()
