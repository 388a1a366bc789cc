import pytest

from telephony.speech.normalization import normalize


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        ("您好,我想問一下營業執照怎麼辦理?需要帶哪些材料", "您好，我想问一下营业执照怎么办理？需要带哪些材料"),
        ("您好 我想問一下 需要什麼", "您好，我想问一下，需要什么"),
        ("ＡＢＣ１２３", "ABC123"),
        ("一共3.5萬元", "一共3.5万元"),
        ("上午9:30到11:30", "上午9:30到11:30"),
        ("好的。。。。再見", "好的。再见"),
        ("真的嗎???", "真的吗？"),
        ("，我要投诉。", "我要投诉。"),
        ("用iPhone 15 辦理", "用iPhone 15 办理"),
        ("你好\u202e\u0000\ufffd世界\u2028再见", "你好世界，再见"),
        ("一三八零零", "一三八零零"),
        ("12,345", "12,345"),
        ("  \n ", ""),
        ("？！…", ""),
        ("", ""),
    ],
)
def test_normalize(heard: str, text: str) -> None:
    assert normalize(heard) == text


def test_twice_is_once() -> None:
    for text in ("您好 我想問 ,一下?", "第1,234號... (辦理)", "A.B.中文.下一句"):
        assert normalize(normalize(text)) == normalize(text)
