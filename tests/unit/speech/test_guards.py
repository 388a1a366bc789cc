import pytest

from telephony.speech.guards import Decoded, Doubt, doubt, is_invented, is_loop, is_prompt_echo, letters

PROMPT = "营业执照 户口迁移 居住证 异地就医备案"


@pytest.mark.parametrize(
    ("text", "seconds", "why"),
    [
        ("我想问一下营业执照怎么办理", 3.0, None),
        ("好", 0.6, None),
        ("谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢谢", 5.0, Doubt.REPETITIVE),
        ("我要办理我要办理我要办理我要办理我要办理我要办理", 8.0, Doubt.REPETITIVE),
        ("这一句话太长了不可能在一秒钟之内说完的", 1.0, Doubt.TOO_FAST),
        ("好", 5.0, Doubt.TOO_LITTLE),
        ("", 4.0, Doubt.TOO_LITTLE),
        ("我要\ufffd办理", 2.0, Doubt.BROKEN_CHARACTER),
        ("营业执照，户口迁移，居住证", 3.0, Doubt.PROMPT_ECHO),
    ],
)
def test_doubts(text: str, seconds: float, why: Doubt | None) -> None:
    assert doubt(Decoded(text), seconds, PROMPT) is why


def test_a_single_term_of_the_prompt_is_what_people_say() -> None:
    assert not is_prompt_echo("居住证。", PROMPT)
    assert not is_prompt_echo("异地就医", PROMPT)
    assert is_prompt_echo("居住证异地就医", PROMPT)
    assert is_prompt_echo("居住证", "居住证")


@pytest.mark.parametrize(
    "text",
    [
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "字幕by索兰娅",
        "中文字幕志愿者 李某某",
        "感谢观看",
        "謝謝觀看".replace("謝謝觀看", "谢谢观看"),
        "词曲 李宗盛",
        "作词：某某 作曲：某某",
        "[音乐]",
        "（掌声）",
        "♪♪♪",
        "。。。",
        "",
        "Thank you for watching!",
        "优优独播剧场——YoYo Television Series Exclusive",
    ],
)
def test_what_is_made_of_noise_is_dropped(text: str) -> None:
    assert is_invented(Decoded(text), 3.0)


@pytest.mark.parametrize(
    "text",
    [
        "谢谢",
        "好的谢谢您",
        "我要办营业执照",
        "我想看一下收费标准",
        "您好这里是云川市政务服务便民热线",
        "再见",
        "对对对",
        "0000000000",
    ],
)
def test_what_people_say_is_kept(text: str) -> None:
    assert not is_invented(Decoded(text, -0.4, 0.3), 3.0)


def test_no_speech_needs_the_models_doubt_too() -> None:
    assert is_invented(Decoded("我们下次再来", -1.4, 0.8), 3.0)
    assert not is_invented(Decoded("我们下次再来", -0.3, 0.8), 3.0)
    assert is_invented(Decoded("谢谢大家", -0.3, 0.8), 1.0)


def test_numbers_are_no_loops() -> None:
    assert not is_loop("电话是0000000000000")
    assert is_loop("嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯")
    assert not is_loop("好好好")


def test_letters_leave_marks_and_widths_out() -> None:
    assert letters("ＡＢ，c 。") == "abc"
