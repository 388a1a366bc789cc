"""The draft of a call's record: the citizen's sentences, shorter, with nothing added."""

from webui.desk_draft import LONGEST, draft


def test_greetings_and_fillers_go_and_sentences_stay() -> None:
    said = ["喂，你好。", "嗯，我想问一下，居住证到期了怎么补办？", "好的，谢谢。"]
    assert draft(said, []) == "市民：居住证到期了怎么补办。"


def test_hidden_numbers_stay_hidden_and_repeats_are_told_once() -> None:
    said = ["我身份证是〔证件号〕，要登记吗？", "我身份证是〔证件号〕，要登记吗？"]
    assert draft(said, []) == "市民：我身份证是〔证件号〕，要登记吗。"


def test_adopted_answers_are_named_in_order() -> None:
    text = draft(["孩子上学要居住证吗？"], ["随迁子女入学", "居住证签注", "随迁子女入学"])
    assert text.splitlines()[1] == "已答复：随迁子女入学；居住证签注"


def test_nothing_of_substance_gives_no_draft() -> None:
    assert draft([], ["居住证签注"]) == ""
    assert draft(["喂？", "嗯嗯。", "好的，知道了，谢谢，再见。"], []) == ""


def test_a_long_talk_keeps_its_question_and_its_end() -> None:
    said = [f"这是第{n}件完全不同的事情要请你们处理" for n in range(60)]
    text = draft(said, [])
    assert "第0件" in text
    assert "第59件" in text
    assert len(text) < LONGEST + 20
