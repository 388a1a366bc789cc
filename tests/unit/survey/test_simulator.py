"""Rehearsed calls and forms, by the engine that leads real ones."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.logic import check
from survey.schema import QuestionnaireDefinition
from survey.service import demonstration
from survey.simulator import MOST_MOVES, Act, Move, rehearse_call, rehearse_form
from survey.survey_state import SurveyState
from tests.unit.survey.made import any_questionnaire, question, questionnaire

CASE = demonstration("case_service")
MOVES = st.lists(
    st.one_of(
        st.builds(Move, st.just(Act.KEYS), st.text("0123456789*#", max_size=3)),
        st.builds(Move, st.just(Act.SPEECH), st.sampled_from(["满意", "不满意", "没有", "八分", "选项2", "嗯", ""])),
        st.builds(Move, st.sampled_from([Act.SILENCE, Act.HANG_UP])),
    ),
    max_size=12,
)
PATIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def keys(*texts: str) -> list[Move]:
    return [Move(Act.KEYS, text) for text in texts]


def test_a_call_answered_by_keys_and_by_voice() -> None:
    moves = [Move(Act.SPEECH, "不太满意"), *keys("2", "10#", "26#"), Move(Act.SPEECH, "窗口太少")]
    over = rehearse_call(CASE, moves)
    assert over.state is SurveyState.COMPLETED
    assert over.question is None
    assert over.answers == {
        "satisfaction": 2,
        "resolved": "no",
        "recommend": 10,
        "reason": ["slow", "unsolved"],
        "words": "窗口太少",
    }
    assert over.lines[-1].text == CASE.closing_speech


def test_it_waits_for_the_next_move() -> None:
    begun = rehearse_call(CASE, [])
    assert (begun.state, begun.answers) == (SurveyState.STARTED, {})
    assert begun.question == CASE.questions[0]
    assert begun.lines[0].text == CASE.opening_speech


def test_a_hang_up_keeps_what_was_answered() -> None:
    broken = rehearse_call(CASE, [*keys("1"), Move(Act.HANG_UP), *keys("1", "1")])
    assert (broken.state, broken.answers) == (SurveyState.PARTIAL, {"satisfaction": 5})
    assert rehearse_call(CASE, [Move(Act.HANG_UP)]).state is SurveyState.SKIPPED


def test_wrong_keys_are_asked_again_and_then_passed_over() -> None:
    definition = questionnaire(question("a"), question("b", "yes_no"), repeats=1)
    over = rehearse_call(definition, keys("7", "8", "1"))
    assert over.answers == {"b": "yes"}
    assert over.state is SurveyState.PARTIAL, "a required question has no answer"


def test_refusing_by_key() -> None:
    assert rehearse_call(CASE, keys("0")).state is SurveyState.REFUSED
    assert rehearse_call(CASE, keys("1", "9")).answers == {"satisfaction": 5}


@PATIENT
@given(any_questionnaire(), MOVES)
def test_every_call_ends_or_waits(definition: QuestionnaireDefinition, moves: list[Move]) -> None:
    rehearsed = rehearse_call(definition, moves)
    assert (rehearsed.question is None) == (rehearsed.state is not SurveyState.STARTED)


@PATIENT
@given(any_questionnaire().filter(lambda definition: not check(definition)))
def test_whoever_says_nothing_is_let_go(definition: QuestionnaireDefinition) -> None:
    assert rehearse_call(definition, [Move(Act.SILENCE)] * MOST_MOVES).question is None


def test_a_form_shows_what_its_answers_call_for() -> None:
    interview, problems = rehearse_form(CASE, {"satisfaction": ["1"], "recommend": ["99"], "csrf_token": ["x"]})
    assert problems == {"recommend": "range"}
    assert [one.key for one in interview.visible()] == ["satisfaction", "resolved", "recommend", "reason", "words"]
    assert [one.key for one in interview.unanswered_required()] == ["resolved"]
