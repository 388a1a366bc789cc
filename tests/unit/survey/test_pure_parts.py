"""The small pure modules: pages of a form, scores, states, readings, openings, links."""

import uuid

import pytest

from survey.form_page import MOST_ON_A_PAGE, page_of, take_page
from survey.interview import Interview
from survey.links import Links
from survey.opening import opening_words
from survey.schema import Question
from survey.scoring import fits, in_words, is_bad, score, worst_rating
from survey.service import demonstration
from survey.spoken import spoken_closing, spoken_question
from survey.survey_state import ENDS, NEXT, SurveyMoveError, SurveyState, honest_end, next_state
from tests.unit.survey.made import question, questionnaire, when

S = SurveyState


def of(kind: str, **more: object) -> Question:
    return questionnaire(question("q", kind, **more)).questions[0]


def test_a_page_is_short() -> None:
    many = questionnaire(*(question(f"q{n}", "yes_no") for n in range(20)))
    assert len(page_of(Interview(many))) == MOST_ON_A_PAGE
    long = questionnaire(*(question(f"q{n}", "text", title={"zh": "长" * 1000}) for n in range(5)))
    assert 1 <= len(page_of(Interview(long))) < 5
    assert page_of(Interview(questionnaire())) == []


def test_a_page_is_taken_as_far_as_it_can_be() -> None:
    definition = questionnaire(
        question("a"), question("b", "yes_no", show_if=when("a", "at_most", number=2)), question("c", "text", required=False)
    )
    interview = Interview(definition)
    taken = take_page(interview, ["a", "b", "c", "nonsense"], {"a": ["5"], "b": ["yes"], "c": [" "]})
    assert set(taken.accepted) == {"a"}, "b is hidden by the answer before it"
    assert (taken.left_out, taken.problems) == (["c"], {})
    assert interview.next_question() is None
    again = take_page(Interview(definition), ["a"], {})
    assert again.problems == {"a": "required"}


@pytest.mark.parametrize(
    ("kind", "value", "counted", "words"),
    [
        ("rating", 5, 5.0, "非常满意"),
        ("rating", 1, 1.0, "非常不满意"),
        ("yes_no", "no", 0.0, "否"),
        ("scale", 0, 0.0, "0"),
        ("number", 7, 7.0, "7"),
        ("single", "o2", None, "选项2"),
        ("multiple", ["o1", "o3"], None, "选项1、选项3"),
        ("text", "好", None, "好"),
    ],
)
def test_scores_and_words(kind: str, value: object, counted: float | None, words: str) -> None:
    asked = of(kind)
    assert fits(asked, value)
    assert score(asked, value) == counted
    assert in_words(asked, value) == words


@pytest.mark.parametrize("kind", ["rating", "yes_no", "scale", "number", "single", "multiple", "text"])
@pytest.mark.parametrize("value", [None, True, -1, 11, 3.0, "", "x" * 501, [], ["o1", "o1"], [1], {"a": 1}])
def test_what_is_no_value_never_fits(kind: str, value: object) -> None:
    assert not fits(of(kind), value)


def test_bad_ratings() -> None:
    assert [is_bad(grade) for grade in (None, 1, 2, 3, 5)] == [False, True, True, False, False]
    assert worst_rating([("rating", 4.0), ("scale", 0.0), ("rating", 2.0), ("rating", None)]) == 2.0
    assert worst_rating([("scale", 0.0)]) is None


def test_every_state_has_a_row_and_ends_are_ends() -> None:
    assert set(NEXT) == set(S)
    assert all(not NEXT[end] for end in ENDS)
    assert next_state(S.OFFERED, S.STARTED) is S.STARTED
    for end in ENDS:
        for wanted in S:
            with pytest.raises(SurveyMoveError):
                next_state(end, wanted)


@pytest.mark.parametrize(
    ("wanted", "answers", "left", "really"),
    [
        (S.COMPLETED, 3, 0, S.COMPLETED),
        (S.COMPLETED, 3, 1, S.PARTIAL),
        (S.COMPLETED, 0, 0, S.COMPLETED),
        (S.COMPLETED, 0, 1, S.SKIPPED),
        (S.PARTIAL, 1, 1, S.PARTIAL),
        (S.PARTIAL, 0, 1, S.SKIPPED),
        (S.EXPIRED, 1, 1, S.PARTIAL),
        (S.EXPIRED, 0, 1, S.EXPIRED),
        (S.SKIPPED, 2, 0, S.PARTIAL),
        (S.HUNG_UP, 0, 1, S.HUNG_UP),
        (S.HUNG_UP, 1, 0, S.PARTIAL),
        (S.REFUSED, 2, 1, S.REFUSED),
    ],
)
def test_ends_are_honest(wanted: S, answers: int, left: int, really: S) -> None:
    assert honest_end(wanted, answers=answers, required_left=left) is really


def test_readings_are_put_together_where_nobody_wrote_any() -> None:
    assert spoken_question(of("rating", title={"zh": "满意吗"})).startswith("满意吗。非常满意请按 1，满意请按 2")
    assert "选项3请按 3。可以选几项，选完请按井号键。" in spoken_question(of("multiple"))
    assert "请按 0 到 10，按完请按井号键" in spoken_question(of("scale"))
    assert "请按 1 到 5。" in spoken_question(of("scale", lowest=1, highest=5))
    assert spoken_question(of("text", speech="自己写的。")) == "自己写的。"
    assert spoken_closing(questionnaire()) == "谢谢您，再见。"


def test_openings_name_what_they_know() -> None:
    definition = demonstration("case_service")
    assert opening_words(definition, matter="落户", unit="", hall="市民中心").startswith("您在市民中心办理的“落户”已经办结")
    assert opening_words(definition, matter="", unit="", hall="").startswith("您在政务服务大厅办理的“有关事项”")
    assert "your matter" in opening_words(definition, matter="", unit="", hall="", language="en")
    assert opening_words(definition, matter="{unit}{0.__class__}", unit="x", hall="y").count("{0.__class__}") == 1


def test_links_open_with_their_own_key_alone() -> None:
    survey_id = uuid.uuid4()
    token = Links("k" * 40).token(survey_id)
    assert Links("k" * 40).survey_id(token) == survey_id
    assert Links("l" * 40).survey_id(token) is None
    assert Links("k" * 40).survey_id(token[:-5]) is None
