"""A questionnaire on the telephone: keys, speech, silence, keys that mean nothing, and citizens who do not want to."""

from pathlib import Path

import pytest

from core.errors import UnavailableError
from survey.interview import Accepted, Interview
from survey.ports import LineGoneError
from survey.prompting import Phrase
from survey.schema import Question
from survey.service import demonstration
from survey.spoken import spoken_closing, spoken_opening, spoken_question
from survey.telephone import Ending, TelephoneInterview
from tests.fakes.line import CUT, HANG_UP, SILENCE, FakeLine

DEFINITION = demonstration("case_service")
SAID = {question.key: spoken_question(question) for question in DEFINITION.questions}
OPENING, CLOSING = spoken_opening(DEFINITION), spoken_closing(DEFINITION)


class Call:
    """One interview over a FakeLine."""

    def __init__(self, tmp_path: Path, *moves: str, **more: object) -> None:
        self.line = FakeLine(moves)
        self.interview = Interview(DEFINITION)
        self.kept: dict[str, object] = {}
        self.words: dict[str, str] = {}
        options: dict[str, object] = {"ears": self.line.ears, "scratch": tmp_path, **more}
        self.call = TelephoneInterview(self.line, self.interview, self.line.prompt, self.keep, **options)  # type: ignore[arg-type]

    def keep(self, question: Question, taken: Accepted, heard: str) -> None:
        self.kept[question.key] = taken.value
        self.words[question.key] = heard

    def run(self) -> Ending:
        return self.call.run()


def test_keys_all_the_way(tmp_path: Path) -> None:
    call = Call(tmp_path, "1", "1", "10", "say:大厅很干净")
    assert call.run() is Ending.FINISHED
    assert call.kept == {"satisfaction": 5, "resolved": "yes", "recommend": 10, "words": "大厅很干净"}
    assert call.line.heard == [
        OPENING,
        Phrase.HINT,
        SAID["satisfaction"],
        SAID["resolved"],
        SAID["recommend"],
        SAID["words"],
        CLOSING,
    ]


def test_what_is_recorded_is_deleted_once_it_was_heard(tmp_path: Path) -> None:
    call = Call(tmp_path, "say:不满意", "say:没有办成", "say:三分", "24#", SILENCE)
    assert call.run() is Ending.FINISHED
    assert call.kept == {"satisfaction": 2, "resolved": "no", "recommend": 3, "reason": ["slow", "materials"]}
    assert call.words["satisfaction"] == "不满意"
    assert len(call.line.files) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_key_breaks_into_the_prompt(tmp_path: Path) -> None:
    # The first breaks into the opening and answers nothing; the second into the question.
    call = Call(tmp_path, "barge:1", "barge:2", "1", "9#", "#")
    assert call.run() is Ending.FINISHED
    assert call.kept == {"satisfaction": 4, "resolved": "yes", "recommend": 9}
    assert Phrase.HINT not in call.line.heard


def test_a_key_into_the_explanation_is_the_answer(tmp_path: Path) -> None:
    call = Call(tmp_path, "7", "barge:3", "1", "#", "#")
    assert call.run() is Ending.FINISHED
    assert call.kept == {"satisfaction": 3, "resolved": "yes"}
    assert call.line.heard.count(SAID["satisfaction"]) == 1


def test_keys_that_mean_nothing_are_explained_and_given_up(tmp_path: Path) -> None:
    call = Call(tmp_path, "7", "8", "6", "1", "#", "#")
    assert call.run() is Ending.FINISHED
    assert call.line.heard.count(Phrase.WRONG_KEY) == 2
    assert call.line.heard.count(SAID["satisfaction"]) == 3
    assert call.kept == {"resolved": "yes"}


def test_a_number_out_of_range_is_explained(tmp_path: Path) -> None:
    call = Call(tmp_path, "1", "1", "11", "4#", "#")
    call.run()
    assert Phrase.OUT_OF_RANGE in call.line.heard
    assert call.kept["recommend"] == 4


def test_a_required_question_is_not_left_out_by_hash(tmp_path: Path) -> None:
    call = Call(tmp_path, "#", "1", "1", "#", "#")
    assert call.run() is Ending.FINISHED
    assert Phrase.REQUIRED in call.line.heard
    assert call.kept["satisfaction"] == 5


def test_the_star_repeats(tmp_path: Path) -> None:
    call = Call(tmp_path, "*", "*", "1", "1", "1*", "5#", "#")
    assert call.run() is Ending.FINISHED
    assert call.line.heard.count(SAID["satisfaction"]) == 3
    assert call.line.heard.count(SAID["recommend"]) == 2
    assert call.kept["recommend"] == 5


def test_a_telephone_that_only_sends_stars_comes_to_an_end(tmp_path: Path) -> None:
    call = Call(tmp_path, *["*"] * 100)
    assert call.run() is Ending.FINISHED
    assert call.kept == {}
    assert len(call.line.heard) < 60


def test_two_silences_end_it_and_keep_what_was_said(tmp_path: Path) -> None:
    call = Call(tmp_path, "2", SILENCE, SILENCE)
    assert call.run() is Ending.SILENT
    assert call.kept == {"satisfaction": 4}
    assert call.line.heard[-2:] == [SAID["resolved"], Phrase.SILENT]


def test_silences_with_an_answer_between_them_do_not_add_up(tmp_path: Path) -> None:
    call = Call(tmp_path, SILENCE, "1", SILENCE, "1", SILENCE, "#", SILENCE)
    assert call.run() is Ending.FINISHED
    assert call.kept == {"satisfaction": 5, "resolved": "yes"}


@pytest.mark.parametrize(
    ("key", "ending", "goodbye"), [("9", Ending.OPTED_OUT, Phrase.OPTED_OUT), ("0", Ending.REFUSED, Phrase.REFUSED)]
)
def test_who_does_not_want_to_says_so_with_one_key(tmp_path: Path, key: str, ending: Ending, goodbye: str) -> None:
    at_once = Call(tmp_path, f"barge:{key}")
    assert at_once.run() is ending
    assert at_once.line.heard == [OPENING, goodbye]
    later = Call(tmp_path, "1", key)
    assert later.run() is ending
    assert later.kept == {"satisfaction": 5}
    # Where the key is an answer it is one.
    number = Call(tmp_path, "1", "1", f"{key}#", "#")
    assert number.run() is Ending.FINISHED
    assert number.kept["recommend"] == int(key)


def test_nine_means_nothing_where_nobody_asked_to_be_left_alone(tmp_path: Path) -> None:
    call = Call(tmp_path, "9", "1", "1", "#", "#", may_opt_out=False)
    assert call.run() is Ending.FINISHED
    assert Phrase.WRONG_KEY in call.line.heard
    assert Phrase.HINT not in call.line.heard


def test_a_hang_up_keeps_what_was_answered(tmp_path: Path) -> None:
    call = Call(tmp_path, "4", HANG_UP)
    with pytest.raises(LineGoneError):
        call.run()
    assert call.kept == {"satisfaction": 2}


@pytest.mark.parametrize(
    ("moves", "ending", "goodbye"),
    [
        (["1", "1", "#", "#", CUT], Ending.FINISHED, CLOSING),
        (["1", "9", CUT], Ending.OPTED_OUT, Phrase.OPTED_OUT),
        (["1", "0", CUT], Ending.REFUSED, Phrase.REFUSED),
        ([SILENCE, SILENCE, CUT], Ending.SILENT, Phrase.SILENT),
    ],
)
def test_who_hangs_up_at_the_goodbye_has_said_all(tmp_path: Path, moves: list[str], ending: Ending, goodbye: str) -> None:
    call = Call(tmp_path, *moves)
    assert call.run() is ending
    assert call.line.heard[-1] == goodbye


def test_what_is_not_understood_is_asked_again(tmp_path: Path) -> None:
    call = Call(tmp_path, "say:满意还是不满意呢", "say:非常满意", "1", "#", "#")
    assert call.run() is Ending.FINISHED
    assert Phrase.NOT_UNDERSTOOD in call.line.heard
    assert call.kept["satisfaction"] == 5


def test_without_ears_there_are_keys_and_no_free_words(tmp_path: Path) -> None:
    line = FakeLine(["barge:1", "barge:1", "barge:1", "barge:10"])
    kept: dict[str, object] = {}
    interview = Interview(DEFINITION)
    ending = TelephoneInterview(line, interview, line.prompt, lambda q, taken, _: kept.update({q.key: taken.value})).run()
    assert ending is Ending.FINISHED
    assert kept == {"satisfaction": 5, "resolved": "yes", "recommend": 10}
    assert SAID["words"] not in line.heard


def test_ears_that_fail_leave_the_keys(tmp_path: Path) -> None:
    def deaf(_: Path, __: str) -> str:
        raise UnavailableError("no weights")

    call = Call(tmp_path, "say:非常满意", "barge:1", "barge:1", "barge:#", ears=deaf)
    # The explanation is broken into with the answer, and nobody is asked to speak again.
    assert call.run() is Ending.FINISHED
    assert call.kept == {"satisfaction": 5, "resolved": "yes"}
    assert SAID["words"] not in call.line.heard
    assert list(tmp_path.iterdir()) == []


def test_an_interview_goes_on_where_it_was(tmp_path: Path) -> None:
    line = FakeLine(["1", "#", "#"])
    interview = Interview(DEFINITION, {"satisfaction": 3})
    call = TelephoneInterview(line, interview, line.prompt, lambda *_: None, ears=line.ears, scratch=tmp_path)
    assert call.run(with_opening=False) is Ending.FINISHED
    assert line.heard[0] == SAID["resolved"]
