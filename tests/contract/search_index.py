"""What every search index promises, asked of the one in memory and of Elasticsearch alike."""

import uuid
from collections.abc import Iterator
from datetime import date

import pytest

from core.errors import UnavailableError
from kb.ports import FOR_EVER, IndexEntry, IndexRequest, SearchIndex
from kb.segmentation import Segmenter, Tokens

SEGMENTER = Segmenter()
TODAY = date(2026, 3, 18)


def entry(number: int, title: str, text: str = "", version: int = 1, **facts: object) -> IndexEntry:
    """Return an article with a small id."""
    tokens = SEGMENTER.tokens
    return IndexEntry(uuid.UUID(int=number), version, tokens(title), tokens(text), **facts)  # type: ignore[arg-type]


def request(text: str, on: date = TODAY, **wanted: object) -> IndexRequest:
    """Return a request for a text."""
    return IndexRequest(SEGMENTER.tokens(text), on, **wanted)  # type: ignore[arg-type]


class SearchIndexContract:
    """Subclasses give the fixture `index`: an index that was never built."""

    def found(self, index: SearchIndex, text: str, **wanted: object) -> list[int]:
        return [hit.article_id.int for hit in index.search(request(text, **wanted))]

    @pytest.fixture
    def filled(self, index: SearchIndex) -> SearchIndex:
        held = index.rebuild(
            [
                entry(1, "居住证到期签注", "居住证满一年要签注", unit="公安局", region="云川市", category="户政"),
                entry(2, "公积金提取", "买房租房可以提取公积金", unit="公积金中心", region="云川市", category="住房"),
                entry(3, "居住证首次申领", "外地人第一次办居住证", unit="公安局", region="高新区", category="户政"),
                entry(4, "护照换发", "护照到期换发", unit="公安局", region="云川市", category="出入境"),
            ]
        )
        assert held == 4
        return index

    def test_the_best_comes_first(self, filled: SearchIndex) -> None:
        assert self.found(filled, "居住证签注")[:2] == [1, 3]

    def test_a_homophone_finds_what_was_meant(self, filled: SearchIndex) -> None:
        assert self.found(filled, "公鸡斤题取")[:1] == [2]

    def test_nothing_matches_and_nothing_is_found(self, filled: SearchIndex) -> None:
        assert self.found(filled, "葡萄") == []
        assert filled.search(IndexRequest(Tokens(), TODAY)) == []

    def test_limit(self, filled: SearchIndex) -> None:
        assert len(self.found(filled, "居住证公积金护照", limit=2)) == 2

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"unit": "公安局"}, {1, 3}),
            ({"region": "高新区"}, {3}),
            ({"category": "户政", "region": "云川市"}, {1}),
            ({"unit": "没有这个单位"}, set()),
        ],
    )
    def test_a_choice_narrows_and_brings_nothing_that_does_not_match(
        self, filled: SearchIndex, wanted: dict[str, object], expected: set[int]
    ) -> None:
        assert set(self.found(filled, "居住证", **wanted)) == expected

    def test_only_what_is_valid_and_published_is_found(self, index: SearchIndex) -> None:
        index.rebuild(
            [
                entry(1, "居住证", valid_from=date(2026, 3, 18), valid_to=date(2026, 3, 20)),
                entry(2, "居住证", valid_to=date(2026, 3, 17)),
                entry(3, "居住证", valid_from=date(2026, 3, 19)),
                entry(4, "居住证", valid_from=date(2020, 1, 1), valid_to=FOR_EVER),
                entry(5, "居住证", is_published=False),
            ]
        )
        assert set(self.found(index, "居住证")) == {1, 4}
        assert set(self.found(index, "居住证", on=date(2026, 3, 20))) == {1, 3, 4}
        assert set(self.found(index, "居住证", on=date(2030, 1, 1))) == {3, 4}

    def test_ties_come_in_the_order_of_ids(self, index: SearchIndex) -> None:
        index.rebuild([entry(number, "居住证签注", "到窗口办理") for number in (7, 3, 5)])
        assert self.found(index, "居住证") == [3, 5, 7]

    def test_put_adds_and_replaces(self, filled: SearchIndex) -> None:
        filled.put([entry(2, "社保卡补办", "社保卡丢了", version=2), entry(5, "结婚登记")])
        assert self.found(filled, "公积金") == []
        assert self.found(filled, "社保卡")[:1] == [2]
        assert self.found(filled, "结婚登记")[:1] == [5]
        assert filled.count() == 5

    def test_an_older_version_is_ignored_and_the_same_does_no_harm(self, filled: SearchIndex) -> None:
        filled.put([entry(2, "社保卡补办", version=9)])
        filled.put([entry(2, "公积金提取", version=8), entry(2, "公积金提取", version=9)])
        assert self.found(filled, "公积金") == []
        assert self.found(filled, "社保卡") == [2]

    def test_rebuild_forgets_what_is_gone(self, filled: SearchIndex) -> None:
        assert filled.rebuild([entry(4, "护照换发", version=1)]) == 1
        assert self.found(filled, "居住证") == []
        assert self.found(filled, "护照") == [4]
        assert filled.count() == 1

    def test_a_failed_build_leaves_the_old_index(self, filled: SearchIndex) -> None:
        def broken() -> Iterator[IndexEntry]:
            yield entry(9, "公积金提取")
            raise RuntimeError("the database went away")

        with pytest.raises(RuntimeError):
            filled.rebuild(broken())
        assert self.found(filled, "公积金") == [2]
        assert filled.count() == 4

    def test_an_index_never_built_says_so(self, index: SearchIndex) -> None:
        assert index.count() is None

    def test_hostile_text_is_only_text(self, filled: SearchIndex) -> None:
        filled.put([entry(6, '"}}],"query":{"match_all":{}} OR *:* ~ \\ <script>', "居住证\x00\u202e")])
        assert self.found(filled, '"match_all" *:* ~2 \\ <script>')[:1] == [6]
        assert 6 in self.found(filled, "居住证")

    def test_a_very_long_query_is_answered(self, filled: SearchIndex) -> None:
        assert self.found(filled, "居住证签注公积金护照换发" * 40)

    def scores(self, index: SearchIndex, text: str) -> list[tuple[int, float]]:
        """Return what was found with its scores."""
        return [(hit.article_id.int, hit.score) for hit in index.search(request(text, limit=50))]


__all__ = ["SearchIndexContract", "UnavailableError", "entry", "request"]
