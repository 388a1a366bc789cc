"""What may be launched, and what is refused with which words."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.interview import Interview
from survey.logic import check, shown_answers
from survey.schema import QuestionnaireDefinition
from survey.service import DEMONSTRATION, demonstration
from tests.unit.survey.made import any_questionnaire, question, questionnaire, when


@pytest.mark.parametrize("key", DEMONSTRATION)
def test_the_demonstration_is_sound(key: str) -> None:
    assert check(demonstration(key)) == []


PATIENT = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

BAD: list[tuple[str, QuestionnaireDefinition, str]] = [
    ("no title", questionnaire(question("a"), title={"zh": ""}), "没有标题"),
    ("no question", questionnaire(), "至少要有一题"),
    ("double key", questionnaire(question("a"), question("b"), question("a")), "第 1、3 题的代号都是“a”"),
    ("no words", questionnaire(question("a", title={"zh": "  "})), "第 1 题没有写题目"),
    (
        "empty option",
        questionnaire(question("a", "single", options=[{"key": "x", "label": {"zh": "甲"}}, {"key": "y", "label": {}}])),
        "选项没有写文字",
    ),
    ("one option", questionnaire(question("a", "single", options=[{"key": "x", "label": {"zh": "甲"}}])), "至少要有两个选项"),
    (
        "eleven options",
        questionnaire(question("a", "multiple", options=[{"key": f"o{n}", "label": {"zh": f"项{n}"}} for n in range(11)])),
        "最多 10 个",
    ),
    (
        "double option",
        questionnaire(question("a", "single", options=[{"key": "x", "label": {"zh": "甲"}}, {"key": "x", "label": {"zh": "乙"}}])),
        "两个选项的代号相同",
    ),
    (
        "double label",
        questionnaire(question("a", "single", options=[{"key": "x", "label": {"zh": "甲"}}, {"key": "y", "label": {"zh": "甲"}}])),
        "两个选项的文字相同",
    ),
    ("own condition", questionnaire(question("a", show_if=when("a"))), "看的是自己"),
    ("forward", questionnaire(question("a", show_if=when("b")), question("b", show_if=when("a"))), "看的是后面的第 2 题，会绕圈"),
    ("dangling", questionnaire(question("a"), question("b", show_if=when("gone"))), "没有这一题"),
    ("size of words", questionnaire(question("a", "text"), question("b", show_if=when("a", "at_most", number=2))), "不是数"),
    ("no number", questionnaire(question("a"), question("b", show_if=when("a", "at_most"))), "没有填数"),
    ("no value", questionnaire(question("a"), question("b", show_if=when("a", "any_of"))), "没有选任何回答"),
    ("not a value", questionnaire(question("a", "yes_no"), question("b", show_if=when("a", "any_of", values=["maybe"]))), "maybe"),
    ("choice of words", questionnaire(question("a", "text"), question("b", show_if=when("a", "any_of", values=["x"]))), "开放题"),
    ("never true", questionnaire(question("a"), question("b", show_if=when("a", "at_most", number=0))), "谁也看不到"),
    (
        "contradiction",
        questionnaire(question("a"), question("b", show_if=when("a", "at_most", number=2) + when("a", "at_least", number=4))),
        "谁也看不到",
    ),
    (
        "contradiction through another",
        questionnaire(
            question("a"),
            question("b", "yes_no", show_if=when("a", "at_most", number=2)),
            question("c", show_if=when("b") + when("a", "at_least", number=3)),
        ),
        "第 3 题的显示条件永远不会成立",
    ),
    ("scale", questionnaire(question("a", "scale", lowest=5, highest=5)), "最低分要小于最高分"),
    ("number", questionnaire(question("a", "number", lowest=-1, highest=5)), "不能是负数"),
    ("variable", questionnaire(question("a"), opening={"zh": "{phone} 您好"}), "{phone} 认不出"),
    ("spoken variable", questionnaire(question("a"), opening_speech="您办理的{matter}"), "不能有花括号"),
    ("grades", questionnaire(question("a", options=[{"key": "x", "label": {"zh": "甲"}}])), "没有选项"),
]


@pytest.mark.parametrize(("definition", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_makes_no_sense_is_refused(definition: QuestionnaireDefinition, words: str) -> None:
    assert words in "；".join(problem.text for problem in check(definition))


def test_a_problem_names_its_question() -> None:
    problems = check(questionnaire(question("a"), question("b", show_if=when("c")), question("c")))
    assert [problem.place for problem in problems] == [2]


def test_conditions_that_can_hold_are_reachable() -> None:
    sound = questionnaire(
        question("a"),
        question("b", "multiple", show_if=when("a", "at_most", number=2)),
        question("c", "number", highest=200, show_if=when("b", "any_of", values=["o1"]) + when("b", "any_of", values=["o3"])),
        question("d", "text", show_if=when("c", "at_least", number=150)),
        question("e", show_if=when("d") + when("c", "at_most", number=150)),
    )
    assert check(sound) == []


def test_a_changed_answer_hides_what_hung_on_it() -> None:
    definition = questionnaire(
        question("a"), question("b", "yes_no", show_if=when("a", "at_most", number=2)), question("c", "text", show_if=when("b"))
    )
    assert shown_answers(definition, {"a": 5, "b": "no", "c": "…"}) == {"a": 5}
    assert shown_answers(definition, {"a": 1, "b": "no", "c": "…"}) == {"a": 1, "b": "no", "c": "…"}


def test_an_answer_behind_a_question_does_not_show_it() -> None:
    """Only a draft that was never checked has such a condition; it must not be asked again and again."""
    definition = questionnaire(question("a", show_if=when("b")), question("b"))
    assert Interview(definition, {"a": 3, "b": 3}).next_question() is None


_ANSWERS: dict[str, Any] = {
    "rating": 1,
    "single": "o1",
    "multiple": ["o1", "o2"],
    "number": 3,
    "scale": 10,
    "yes_no": "no",
    "text": "…",
}


@PATIENT
@given(any_questionnaire(), st.randoms(use_true_random=False))
def test_an_interview_always_ends(definition: QuestionnaireDefinition, dice: Any) -> None:
    """Even of a questionnaire that was never checked: each question is asked at most once."""
    answers: dict[str, object] = {}
    left_out: list[str] = []
    for _ in range(len(definition.questions)):
        asked = Interview(definition, answers, left_out=left_out).next_question()
        if asked is None:
            break
        if dice.random() < 0.3:
            left_out.append(asked.key)
        else:
            answers[asked.key] = _ANSWERS[asked.kind]
    assert Interview(definition, answers, left_out=left_out).next_question() is None


@PATIENT
@given(any_questionnaire())
def test_what_passes_the_check_can_be_answered_to_the_end(definition: QuestionnaireDefinition) -> None:
    if check(definition):
        return
    interview = Interview(definition)
    places = []
    while (asked := interview.next_question()) is not None:
        places.append(definition.number_of(asked.key))
        interview = Interview(definition, {**interview.answers, asked.key: _ANSWERS[asked.kind]})
    assert places == sorted(places), "a question came after one that stands behind it"
    assert interview.unanswered_required() == []
