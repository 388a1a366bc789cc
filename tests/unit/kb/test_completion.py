import pytest

from kb.completion import Completion
from kb.hotwords import choose_hotwords
from kb.segmentation import Segmenter

COMPLETION = Completion(["公积金贷款申请", "单位公积金开户", "身份证到期换领", "KTV 娱乐许可", "居住证"])


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("公积金", ["公积金贷款申请", "单位公积金开户"]),
        ("gjj", ["公积金贷款申请", "单位公积金开户"]),
        ("GongJi", ["公积金贷款申请", "单位公积金开户"]),
        ("juzhu", ["居住证"]),
        ("uzhu", []),  # no syllable begins there
        ("ktv", ["KTV 娱乐许可"]),
        ("到期", ["身份证到期换领"]),
        ("", []),
        ("  ，", []),
        ("\x00", []),
    ],
)
def test_completion(typed: str, offered: list[str]) -> None:
    assert COMPLETION.complete(typed) == offered


def test_completion_is_limited() -> None:
    assert len(Completion(f"居住证{at}" for at in range(50)).complete("jzz", limit=3)) == 3


def test_hotwords_are_few_and_shared_words_come_first() -> None:
    phrases = ["居住证首次申领", "居住证到期签注", "公积金贷款", "个体工商户"]
    words = choose_hotwords({"云川通": 1}, phrases, Segmenter(), longest=16).split("、")
    assert words[:2] == ["云川通", "居住证"]
    assert sum(len(word) + 1 for word in words) <= 16
