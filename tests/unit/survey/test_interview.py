"""Keys, spoken words and form fields as answers."""

import pytest

from survey.interview import (
    Accepted,
    Declined,
    Interview,
    Keypad,
    NotUnderstood,
    gives_up,
    keypad,
    take_form,
    take_key,
    take_speech,
)
from survey.schema import Question
from survey.service import demonstration
from tests.unit.survey.made import question, questionnaire, when


def of(kind: str, **more: object) -> Question:
    return questionnaire(question("q", kind, **more)).questions[0]


RATING, YES_NO, SCALE, TEXT, SINGLE, MULTIPLE = (of(kind) for kind in ("rating", "yes_no", "scale", "text", "single", "multiple"))
NUMBER = of("number", highest=200)
OPTIONAL = of("rating", required=False)
REASONS = demonstration("case_service").question("reason")
DONE = demonstration("case_service").question("resolved")
assert REASONS is not None
assert DONE is not None


@pytest.mark.parametrize(
    ("asked", "keys", "value"),
    [
        (RATING, "1", 5),
        (RATING, "3", 3),
        (RATING, "5", 1),
        (YES_NO, "1", "yes"),
        (YES_NO, "2", "no"),
        (SINGLE, "2", "o2"),
        (MULTIPLE, "31#", ["o1", "o3"]),
        (MULTIPLE, "1133", ["o1", "o3"]),
        (SCALE, "0", 0),
        (SCALE, "10#", 10),
        (NUMBER, "150#", 150),
    ],
)
def test_keys_that_mean_something(asked: Question, keys: str, value: object) -> None:
    taken = take_key(asked, keys)
    assert isinstance(taken, Accepted)
    assert taken.value == value


@pytest.mark.parametrize("keys", ["0", "6", "9", "12", "*", "A", "１", " 7 ", "1*"])
def test_keys_that_mean_nothing(keys: str) -> None:
    assert isinstance(take_key(RATING, keys), NotUnderstood)


def test_the_tenth_option_is_key_0() -> None:
    ten = of("single", options=[{"key": f"o{n}", "label": {"zh": f"项{n}"}} for n in range(1, 11)])
    assert take_key(ten, "0") == Accepted("o10", None)


@pytest.mark.parametrize(
    ("asked", "keys", "reason"),
    [
        (RATING, "", "empty"),
        (RATING, "#", "required"),
        (SCALE, "11#", "range"),
        (NUMBER, "201", "range"),
        (NUMBER, "9" * 40, "range"),
        (MULTIPLE, "14#", "unknown"),
        (TEXT, "5", "unknown"),
    ],
)
def test_why_keys_were_not_understood(asked: Question, keys: str, reason: str) -> None:
    assert take_key(asked, keys) == NotUnderstood(reason)


def test_hash_alone_leaves_an_optional_question_out() -> None:
    assert take_key(OPTIONAL, "#") == Declined()


def test_grades_score_five_for_the_best() -> None:
    assert [take_key(RATING, key) for key in "12345"] == [Accepted(grade, float(grade)) for grade in (5, 4, 3, 2, 1)]
    assert take_key(YES_NO, "1") == Accepted("yes", 1.0)
    assert take_key(YES_NO, "2") == Accepted("no", 0.0)


def test_how_keys_are_gathered() -> None:
    assert keypad(RATING) == Keypad(1, False)
    assert keypad(SCALE) == Keypad(2, True)
    assert keypad(of("scale", highest=5)) == Keypad(1, False)
    assert keypad(NUMBER) == Keypad(3, True)
    assert keypad(MULTIPLE) == Keypad(3, True)


SPOKEN_GRADES = {
    5: """非常满意 很满意 我觉得非常的满意啊 十分滿意 满意极了 非常非常满意 满意，非常满意 对你们工作很满意
        很好 特别好 五星 一 按一 第一个 1""",
    4: """满意 嗯满意 挺满意的 比较满意 满意没有意见 满意，没什么意见 满意，没问题 不错 挺好的 绝对满意 二""",
    3: """基本满意 基本上满意 还算满意 一般 一般般吧 还行 还可以吧 马马虎虎 三""",
    2: """不满意 不太满意 不是很满意 不是非常满意 没有很满意 不怎么满意 谈不上满意 算不上满意 还不满意 有点不满意
        未满意 不够满意 不好 不怎么样 四""",
    1: """非常不满意 很不满意 太不满意了 特别特别不满意 一点都不满意 一点儿也不满意 完全不满意 根本不满意
        不满意极了 非常的不满意 很差 差劲 五""",
}
BOTH_OR_NEITHER = """满意还是不满意 满不满意 满意不满意 满意吗 不是不满意 没有不满意 没什么不满意的 也不是说不满意
    以前不满意现在满意 满意什么呀 满意个鬼 满意才怪 不，满意 怎么可能满意 哪里满意 如果解决了就满意 满意度很低
    别提多满意了 好的 好 嗯 五分 喂 你说什么 六 十 转人工 非常满意不满意 不满意？满意 满意，不满意"""
YES = "是 是的 对 对对对 解决了 已经解决了 都解决了 没错 嗯 办好了 可以 一 谢谢，解决了 是，解决了"
NO = """没有 没 不是 不是的 还没有 没解决 没有解决 还没解决 未解决 解决不了 对不起没有 没有没有 没有，还没解决
    不行 二 不对"""
NEITHER_YES_NOR_NO = """部分解决了 解决了一半 还在处理 解决了吗 是不是 有没有 不是没解决 没有啊解决了 基本解决
    没问题 你好"""
NUMBERS = {"八": 8, "八分": 8, "我给九分": 9, "打十分吧": 10, "零分": 0, "10": 10, "满分": 10, "两分": 2}


@pytest.mark.parametrize(("grade", "said"), [(grade, said) for grade, words in SPOKEN_GRADES.items() for said in words.split()])
def test_spoken_grades(grade: int, said: str) -> None:
    assert take_speech(RATING, said) == Accepted(grade, float(grade))


@pytest.mark.parametrize("said", BOTH_OR_NEITHER.split())
def test_what_could_be_two_grades_is_none(said: str) -> None:
    assert isinstance(take_speech(RATING, said), NotUnderstood)


INTENSIFIERS = ["", "非常", "很", "特别", "十分", "太", "真的很", "我觉得", "对你们的服务", "说实话"]
NEGATIONS = ["不", "不太", "不是很", "没有", "并不", "不怎么", "没那么", "未必"]


@pytest.mark.parametrize("negation", NEGATIONS)
@pytest.mark.parametrize("before", INTENSIFIERS)
@pytest.mark.parametrize("tail", ["", "。", "啊", "的", "，态度差"])
def test_a_negation_never_becomes_a_good_grade(before: str, negation: str, tail: str) -> None:
    taken = take_speech(RATING, f"{before}{negation}满意{tail}")
    assert not isinstance(taken, Accepted) or taken.score in (1.0, 2.0)


@pytest.mark.parametrize("said", ["", "  ", "。", "……"])
def test_silence_is_empty(said: str) -> None:
    assert take_speech(RATING, said) == NotUnderstood("empty")


@pytest.mark.parametrize("said", YES.split())
def test_spoken_yes(said: str) -> None:
    assert take_speech(YES_NO, said) == Accepted("yes", 1.0)


@pytest.mark.parametrize("said", NO.split())
def test_spoken_no(said: str) -> None:
    assert take_speech(YES_NO, said) == Accepted("no", 0.0)


@pytest.mark.parametrize("said", NEITHER_YES_NOR_NO.split())
def test_what_is_neither_yes_nor_no(said: str) -> None:
    assert isinstance(take_speech(YES_NO, said), NotUnderstood)


def test_a_questionnaires_own_words_for_yes_and_no() -> None:
    assert take_speech(DONE, "没有办成") == Accepted("no", 0.0)
    assert take_speech(DONE, "办成了") == Accepted("yes", 1.0)


@pytest.mark.parametrize("said", ["不知道", "不清楚", "我不想说", "不好说", "跳过", "不想评价", "拒绝回答"])
@pytest.mark.parametrize("asked", [RATING, YES_NO, SCALE, TEXT, SINGLE], ids=lambda asked: asked.kind)
def test_who_will_not_say_declines(asked: Question, said: str) -> None:
    assert take_speech(asked, said) == Declined()


@pytest.mark.parametrize(("said", "value"), NUMBERS.items())
def test_spoken_numbers(said: str, value: int) -> None:
    assert take_speech(SCALE, said) == Accepted(value, float(value))
    assert take_speech(NUMBER, "一百二十天") == Accepted(120, 120.0)


@pytest.mark.parametrize("said", ["七八分", "不到八分", "一般", "十一", "一百", "很多", "八点五", "满意"])
def test_what_is_no_number_in_range(said: str) -> None:
    assert isinstance(take_speech(SCALE, said), NotUnderstood)


def test_spoken_choices() -> None:
    assert take_speech(REASONS, "办得慢，还有态度不好") == Accepted(["slow", "attitude"], None)
    assert take_speech(REASONS, "第二个") == Accepted(["slow"], None)
    assert isinstance(take_speech(REASONS, "不是办得慢"), NotUnderstood)
    assert isinstance(take_speech(REASONS, "态度好"), NotUnderstood)
    assert take_speech(SINGLE, "选项2") == Accepted("o2", None)
    assert isinstance(take_speech(SINGLE, "选项1或者选项2"), NotUnderstood)


def test_spoken_words_are_kept_as_they_were_said() -> None:
    assert take_speech(TEXT, "窗口少，没有人。") == Accepted("窗口少，没有人。", None)
    assert take_speech(TEXT, "没有了，谢谢") == Declined()


@pytest.mark.parametrize(
    ("asked", "raw", "taken"),
    [
        (RATING, "5", Accepted(5, 5.0)),
        (RATING, "6", NotUnderstood("unknown")),
        (RATING, [], NotUnderstood("required")),
        (OPTIONAL, [""], Declined()),
        (RATING, ["5", "1"], NotUnderstood("ambiguous")),
        (YES_NO, "no", Accepted("no", 0.0)),
        (SINGLE, "o9", NotUnderstood("unknown")),
        (MULTIPLE, ["o3", "o1"], Accepted(["o1", "o3"], None)),
        (MULTIPLE, ["o1", "x"], NotUnderstood("unknown")),
        (NUMBER, "１５", Accepted(15, 15.0)),
        (NUMBER, "-1", NotUnderstood("unknown")),
        (NUMBER, "1e9", NotUnderstood("unknown")),
        (SCALE, "11", NotUnderstood("range")),
        (TEXT, " 很好\r\n谢谢\x00 ", Accepted("很好\n谢谢", None)),
        (TEXT, "字" * 501, NotUnderstood("too_long")),
    ],
)
def test_form_fields(asked: Question, raw: str | list[str], taken: object) -> None:
    assert take_form(asked, raw) == taken


def test_a_page_ends_before_what_hangs_on_it() -> None:
    definition = demonstration("case_service")
    assert [q.key for q in Interview(definition).page()] == ["satisfaction", "resolved", "recommend"]
    bad = Interview(definition, {"satisfaction": 1, "resolved": "no"}, left_out=["recommend"])
    assert [q.key for q in bad.page()] == ["reason", "words"]
    good = Interview(definition, {"satisfaction": 5, "resolved": "no", "recommend": 3})
    assert [q.key for q in good.page()] == ["words"]


def test_answers_may_be_changed_on_the_way() -> None:
    definition = questionnaire(question("a"), question("b", "yes_no", show_if=when("a", "at_most", number=2)))
    interview = Interview(definition)
    first = definition.questions[0]
    interview.keep(first, Accepted(1, 1.0))
    assert [q.key for q in interview.unanswered_required()] == ["b"]
    interview.keep(first, Accepted(5, 5.0))
    assert interview.next_question() is None
    interview.leave_out(first)
    assert interview.next_question() is None
    assert interview.left_out == ["a"]
    assert [q.key for q in interview.unanswered_required()] == ["a"]


def test_the_telephone_gives_a_question_up_after_its_repeats() -> None:
    definition = questionnaire(question("a"), repeats=2)
    assert [gives_up(definition, misses) for misses in (1, 2, 3)] == [False, False, True]
