import json

import pytest

from core.settings import PROJECT_DIR
from kb.pinyin import initials, syllable
from kb.segmentation import Segmenter, Tokens, bigrams, characters, normalize, pinyin_bigrams

USER_WORDS = {"云川通": 10_000, "开办一件事": 10_000, "容缺受理": 500}


def demonstration_texts() -> list[str]:
    rows = [
        json.loads(line)
        for path in sorted((PROJECT_DIR / "kb" / "demo").glob("articles_*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [text for row in rows for text in (row["title"], row["answer"], *row["alternatives"])]


@pytest.fixture(scope="module")
def engines() -> tuple[Segmenter, Segmenter]:
    return Segmenter(USER_WORDS, "rjieba"), Segmenter(USER_WORDS, "jieba")


def test_both_engines_cut_alike_with_the_editors_words(engines: tuple[Segmenter, Segmenter]) -> None:
    fast, reference = engines
    assert (fast.engine, reference.engine) == ("rjieba", "jieba")
    texts = demonstration_texts()
    assert len(texts) > 700
    for text in [*texts, "在云川通上办开办一件事，支持容缺受理", "ABC科技公司2026年", "", "，。！"]:
        plain = normalize(text)
        assert fast.words(plain) == reference.words(plain), text


def test_an_editors_word_is_kept_whole() -> None:
    assert "容缺受理" not in Segmenter(engine="rjieba").words("支持容缺受理")
    assert "容缺受理" in Segmenter({"容缺受理": 10_000}, "rjieba").words("支持容缺受理")


def test_long_words_are_found_with_the_words_inside() -> None:
    assert {"营业执照", "营业", "执照"} <= set(Segmenter().words("补领营业执照"))


def test_four_kinds() -> None:
    tokens = Segmenter().tokens("办KTV，要2个证")
    assert tokens.characters == ("办", "ktv", "要", "2", "个", "证")
    assert tokens.bigrams == ("办", "ktv", "要", "2", "个证")
    assert tokens.pinyin == ("ban", "ktv", "yao", "2", "ge'zheng")
    assert "ktv" in tokens.words


def test_homophones_differ_in_characters_and_agree_in_pinyin() -> None:
    right, heard = "公积金提取", "公鸡金提取"
    assert bigrams(right) != bigrams(heard)
    assert characters(right) != characters(heard)
    assert pinyin_bigrams(right) == pinyin_bigrams(heard)


def test_pairs_do_not_reach_over_punctuation() -> None:
    assert "证办" not in bigrams("身份证。办理")


def test_normal_form_drops_what_deceives() -> None:
    assert normalize("ＫＴＶ\u202e\u200b①\x00\n二") == "ktv1 二"


def test_tokens_add_up() -> None:
    assert Tokens(words=("a",), characters=("a",)) + Tokens(words=("b",)) == Tokens(words=("a", "b"), characters=("a",))
    assert not Tokens()


@pytest.mark.parametrize(("character", "sound"), [("绿", "lv"), ("女", "nv"), ("行", "xing"), ("a", ""), ("，", "")])
def test_syllable(character: str, sound: str) -> None:
    assert syllable(character) == sound


def test_initials() -> None:
    assert initials("公积金A卡") == "gjjak"
