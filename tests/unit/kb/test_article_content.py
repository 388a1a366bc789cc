from datetime import date, datetime
from typing import Any

import pytest

from kb.article_content import InvalidArticleError, read_content

GOOD: dict[str, Any] = {
    "title": "居住证怎么办",
    "alternatives": ["外地人办居住证", "租房能办居住证吗"],
    "unit": "市公安局",
    "region": "云川市",
    "category": "户政",
    "answer": "带身份证到派出所。",
    "valid_from": "2025-01-01",
}


def test_good_words_are_kept() -> None:
    content = read_content(GOOD | {"valid_to": "2026/12/31", "materials": "身份证；户口簿;身份证"})
    assert content.valid_to == date(2026, 12, 31)
    assert content.materials == ("身份证", "户口簿")
    assert content.fee == ""


def test_validity_includes_both_ends() -> None:
    content = read_content(GOOD | {"valid_to": "2026-12-31"})
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [content.is_valid_on(day) for day in days] == [False, True, True, False]
    assert read_content(GOOD).is_valid_on(date(2099, 1, 1))


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"title": None}, "title", "至少 2 个字"),
        ({"title": "长" * 201}, "title", "最多 200 个字"),
        ({"unit": "  "}, "unit", "必须填写"),
        ({"answer": "\u200b\x00"}, "answer", "必须填写"),
        ({"answer": {"a": 1}}, "answer", "要写成文字"),
        ({"valid_from": None}, "valid_from", "日期要写成 2026-03-18"),
        ({"valid_from": "去年"}, "valid_from", "日期要写成 2026-03-18"),
        ({"valid_from": 20250101}, "valid_from", "日期要写成 2026-03-18"),
        ({"valid_from": datetime(2025, 1, 1, 8)}, "valid_from", "日期不能带时刻"),
        ({"valid_to": "2024-01-01"}, "valid_to", "失效日期早于生效日期"),
        ({"alternatives": [{"x": 1}]}, "alternatives", "要写成文字"),
        ({"alternatives": [f"问法{at}" for at in range(51)]}, "alternatives", "最多 50 项"),
        ({"alternatives": ["长" * 201]}, "alternatives", "最多 200 个字"),
        ({"materials": 7}, "materials", "要写成列表"),
        ({"price": "1"}, "price", "不认识的字段"),
    ],
)
def test_every_problem_is_named(change: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(InvalidArticleError) as refused:
        read_content(GOOD | change)
    assert refused.value.problems == {field: problem}


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidArticleError) as refused:
        read_content({})
    assert set(refused.value.problems) == {"title", "unit", "region", "category", "answer", "valid_from"}
    assert "标题：必须填写" in str(refused.value)


def test_hostile_characters_are_dropped_and_markup_is_text() -> None:
    content = read_content(GOOD | {"title": "<script>\u202e居住\u2028证\x00</script>", "answer": "一\r\n二\u200f\x1b[31m"})
    assert content.title == "<script>居住 证</script>"
    assert content.answer == "一\n二[31m"
