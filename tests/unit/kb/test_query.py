import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.query import read_query, says_enough, without_question_words


@pytest.mark.parametrize(
    ("said", "searched"),
    [
        ("你好，我想问一下居住证怎么办", "， 居住证怎么办"),
        ("泥嚎请闻居住证怎么办", "居住证怎么办"),  # as recognition may write the same politeness
        ("喂您好，请问", "喂您好,请问"),  # nothing else was said: kept as it is
        ("身份证丢了谢谢你啊", "身份证丢了 啊"),
        ("", ""),
    ],
)
def test_fillers_go_by_their_sound(said: str, searched: str) -> None:
    assert read_query(said).text == searched.replace("，", ",")


def test_a_filler_leaves_a_gap_so_that_no_word_grows_over_it() -> None:
    assert read_query("护你好照").text == "护 照"


def test_only_the_end_of_a_long_talk_is_searched() -> None:
    assert read_query("前" * 100 + "公积金" * 5).text == "前" * 30 + "公积金" * 5


def test_topic_has_no_words_of_any_errand() -> None:
    query = read_query("请问居住证怎么办理需要什么材料")
    assert query.text == "居住证怎么办理需要什么材料"
    assert query.topic == "居住证"


def test_question_words_come_off_alternatives_but_never_all_of_them() -> None:
    assert without_question_words("公积金怎么取") == "公积金 取"
    assert without_question_words("怎么办") == "怎么办"


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("身份证丢了" * 3, True),
        ("一二三四五，六七八九十！一二三四", False),
        ("。" * 50, False),
        ("喂您好请问一下我想问一下麻烦您帮我看一下谢谢谢谢您", False),
    ],
)
def test_only_what_was_really_said_counts(text: str, enough: bool) -> None:
    assert says_enough(text) is enough


@given(st.text(max_size=300))
def test_any_text_makes_a_query_no_longer_than_allowed(text: str) -> None:
    query = read_query(text)
    assert len(query.text) <= 45
    assert len(query.topic) <= 45
    assert "\x00" not in query.text
    assert query.original == text
