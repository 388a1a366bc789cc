import uuid
from dataclasses import replace
from datetime import date

import pytest

from kb.adapters.memory_search_index import MemorySearchIndex, lucene_length
from kb.ports import IndexEntry, IndexRequest
from kb.segmentation import Segmenter, Tokens

SEGMENTER = Segmenter()
DAY = date(2026, 3, 18)


def entry(number: int, text: str, version: int = 1) -> IndexEntry:
    return IndexEntry(uuid.UUID(int=number), version, SEGMENTER.tokens(text[:6]), SEGMENTER.tokens(text))


def found(index: MemorySearchIndex, text: str) -> list[int]:
    return [hit.article_id.int for hit in index.search(IndexRequest(SEGMENTER.tokens(text), DAY))]


@pytest.mark.parametrize(
    ("length", "stored"), [(0, 0), (23, 23), (24, 24), (39, 39), (40, 40), (41, 40), (57, 56), (300, 280), (1000, 984)]
)
def test_lengths_are_rounded_as_lucene_rounds_them(length: int, stored: int) -> None:
    # Lucene's SmallFloat.intToByte4: 24 exact values, then four significant bits of the rest.
    assert lucene_length(length) == stored


def test_scores_do_not_depend_on_what_was_replaced() -> None:
    texts = ["居住证签注要本人去", "公积金提取要合同", "护照到期换发要预约"]
    plain, edited = MemorySearchIndex(), MemorySearchIndex()
    plain.rebuild(entry(at, text) for at, text in enumerate(texts))
    edited.rebuild(entry(at, "社保卡补办流程") for at, _ in enumerate(texts))
    for version in range(2, 120):
        edited.put(entry(at, text, version) for at, text in enumerate(texts))
    request = IndexRequest(SEGMENTER.tokens("居住证签注"), DAY)
    assert found(edited, "社保卡") == []
    assert edited.count() == 3
    # Dead slots are dropped once they are many; then even the statistics are those of the living.
    assert edited.search(request)[0].score == pytest.approx(plain.search(request)[0].score, rel=0.4)
    edited._content.drop_dead()
    assert edited.search(request) == plain.search(request)


def test_rarity_falls_with_every_article_that_has_the_token() -> None:
    index = MemorySearchIndex()
    index.rebuild([entry(1, "居住证"), entry(2, "居住证护照"), entry(3, "公积金")])
    assert index.rarity("characters", "证") < index.rarity("characters", "护") < index.rarity("characters", "鹿")


def test_a_token_that_only_titles_have_is_not_unseen() -> None:
    index = MemorySearchIndex()
    index.rebuild([replace(entry(1, "居住证"), title=SEGMENTER.tokens("鹿")), entry(2, "公积金")])
    assert index.rarity("characters", "鹿") < index.rarity("characters", "象")


def test_an_index_never_built_has_no_count() -> None:
    index = MemorySearchIndex()
    assert index.count() is None
    assert index.search(IndexRequest(Tokens(), DAY)) == []
    index.rebuild([])
    assert index.count() == 0
