"""Rehearses a questionnaire without keeping anything: a whole call with the engine that leads real ones, or a form as typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from survey.form_page import Fields, take_page
from survey.interview import Interview
from survey.ports import LineGoneError, Recorded
from survey.schema import Question, QuestionnaireDefinition
from survey.scoring import in_words
from survey.survey_state import SurveyState, honest_end
from survey.telephone import Ending, TelephoneInterview

MOST_MOVES = 200
_SCRATCH = Path("rehearsal")


class Act(StrEnum):
    """What the person on the telephone does."""

    KEYS = "keys"
    SPEECH = "speech"
    SILENCE = "silence"
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True)
class Move:
    """One act, with the keys or the words."""

    act: Act
    text: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line of the rehearsal. who: line (the telephone speaks), person, or note (what was made of it)."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How far it came: everything said, the question that waits (None: it is over), the answers, and the end's name."""

    lines: tuple[Spoken, ...]
    question: Question | None
    answers: dict[str, object]
    state: SurveyState


class _WaitingError(Exception):
    """The next move has not been made yet."""


class _RehearsedLine:
    """A telephone line (survey.ports.Line) on which the moves are already known."""

    unique_id = "rehearsal"

    def __init__(self, moves: Sequence[Move]) -> None:
        self.lines: list[Spoken] = []
        self._moves = list(moves)
        self._keys = ""
        self._texts: dict[Path, str] = {}

    def prompt(self, text: str) -> Path:
        file = Path(f"{len(self._texts)}.wav")
        self._texts[file] = text
        return file

    def heard(self, file: Path, expected: str = "") -> str:
        return self._texts[file]

    def note(self, text: str) -> None:
        self.lines.append(Spoken("note", text))

    def variable(self, name: str) -> str:
        return ""

    def play(self, file: Path, stop_keys: str) -> str:
        self.lines.append(Spoken("line", self._texts[file]))
        return ""

    def wait_for_key(self, seconds: float) -> str:
        key, self._keys = self._keys[:1], self._keys[1:]
        return key

    def record(self, file: Path, seconds: float, silence_seconds: float, stop_keys: str, *, beep: bool = False) -> Recorded:
        self._keys = ""
        if not self._moves:
            raise _WaitingError
        move = self._moves.pop(0)
        match move.act:
            case Act.KEYS if move.text:
                self.lines.append(Spoken("person", f"按 {move.text}"))
                self._keys = move.text[1:]
                return Recorded(key=move.text[0])
            case Act.SPEECH if move.text:
                self.lines.append(Spoken("person", f"说“{move.text}”"))
                self._texts[file] = move.text
                return Recorded(file=file)
            case Act.HANG_UP:
                self.lines.append(Spoken("person", "挂机"))
                raise LineGoneError
            case _:
                self.lines.append(Spoken("person", "不出声"))
                return Recorded()

    def hang_up(self) -> None:
        pass


class _NotedInterview(Interview):
    """An interview that says in the rehearsal when it goes on without an answer."""

    line: _RehearsedLine

    def leave_out(self, question: Question) -> None:
        super().leave_out(question)
        self.line.note("没有回答这一题，往下问")


def rehearse_call(definition: QuestionnaireDefinition, moves: Sequence[Move], *, may_opt_out: bool = True) -> Rehearsal:
    """Return a telephone interview after these moves; moves after its end change nothing."""
    line = _RehearsedLine(moves[:MOST_MOVES])
    interview = _NotedInterview(definition)
    interview.line = line
    led = TelephoneInterview(
        line,
        interview,
        line.prompt,
        lambda question, taken, _heard: line.note(f"记为：{in_words(question, taken.value)}"),
        ears=line.heard,
        scratch=_SCRATCH,
        may_opt_out=may_opt_out,
    )
    try:
        ending: Ending | None = led.run()
    except _WaitingError:
        return Rehearsal(tuple(line.lines), interview.next_question(), interview.answers, SurveyState.STARTED)
    except LineGoneError:
        ending = None
    return Rehearsal(tuple(line.lines), None, interview.answers, _state(interview, ending))


def rehearse_form(definition: QuestionnaireDefinition, fields: Fields, language: str = "zh") -> tuple[Interview, dict[str, str]]:
    """Return a form as it stands after these fields were sent, as an agent sees it, and why some were not taken."""
    interview = Interview(definition, language=language)
    sent = [key for key, values in fields.items() if any(value.strip() for value in values)]
    return interview, take_page(interview, sent, fields).problems


def _state(interview: Interview, ending: Ending | None) -> SurveyState:
    wanted = (
        {
            Ending.FINISHED: SurveyState.COMPLETED,
            Ending.REFUSED: SurveyState.REFUSED,
            Ending.OPTED_OUT: SurveyState.REFUSED,
        }.get(ending, SurveyState.PARTIAL)
        if ending
        else SurveyState.PARTIAL
    )
    return honest_end(wanted, answers=len(interview.answers), required_left=len(interview.unanswered_required()))
