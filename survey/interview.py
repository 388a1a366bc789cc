"""Asks one questionnaire: which question comes next, and what a key, a spoken word or a form field means as its answer.

The telephone, the web page and the agent's form all use it; it knows none of them, and no database.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from survey import scoring
from survey.logic import shown_answers, shown_questions
from survey.schema import LONGEST_TEXT_ANSWER, Question, QuestionKind, QuestionnaireDefinition, choices
from survey.spoken_answers import Silence, Unclear, Unwilling, heard_value

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer, and what it counts as."""

    value: object
    score: float | None


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Nothing that fits. Reasons: empty, required, unknown, range, too_long, ambiguous."""

    reason: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The person leaves this question out."""


Taken = Accepted | NotUnderstood | Declined


@dataclass(frozen=True, slots=True)
class Keypad:
    """How keys are gathered: at most so many, and whether # ends them (else the last possible key does)."""

    longest: int
    ends_with_hash: bool


def keypad(question: Question) -> Keypad:
    """Return how the telephone gathers the keys of a question. Text has none but #, which ends speaking."""
    match question.kind:
        case QuestionKind.MULTIPLE:
            return Keypad(len(question.options), True)
        case QuestionKind.NUMBER:
            return Keypad(len(str(question.highest)), True)
        case QuestionKind.SCALE:
            return Keypad(len(str(question.highest)), question.highest > 9)
        case QuestionKind.TEXT:
            return Keypad(0, True)
        case _:
            return Keypad(1, False)


class Interview:
    """One person's way through a questionnaire. Values are as `schema` says; questions left out are not asked again."""

    def __init__(
        self,
        definition: QuestionnaireDefinition,
        answers: Mapping[str, object] | None = None,
        language: str = "zh",
        left_out: Iterable[str] = (),
    ) -> None:
        self.definition = definition
        self.language = language
        self._given = dict(answers or {})
        self._left_out = set(left_out)

    @property
    def answers(self) -> dict[str, object]:
        """The answers that count: not those of questions that a changed answer has hidden."""
        return shown_answers(self.definition, self._given)

    @property
    def left_out(self) -> list[str]:
        """The keys of the questions that were left out, in order."""
        return [question.key for question in self.definition.questions if question.key in self._left_out]

    def visible(self) -> list[Question]:
        """Return the questions shown by the answers so far, answered or not."""
        return shown_questions(self.definition, self._given)

    def next_question(self) -> Question | None:
        """Return the first question that is shown and neither answered nor left out; None at the end."""
        return next(iter(self._open()), None)

    def page(self) -> list[Question]:
        """Return the open questions that can be asked at once: up to the first whose being shown hangs on one of them."""
        page: list[Question] = []
        waiting = {question.key for question in self._open()}
        for question in self.definition.questions:
            if any(condition.question == asked.key for condition in question.show_if for asked in page):
                break
            if question.key in waiting:
                page.append(question)
        return page

    def keep(self, question: Question, taken: Accepted) -> None:
        """Hold an answer and go on."""
        self._given[question.key] = taken.value
        self._left_out.discard(question.key)

    def leave_out(self, question: Question) -> None:
        """Go on without an answer to this question."""
        self._given.pop(question.key, None)
        self._left_out.add(question.key)

    def unanswered_required(self) -> list[Question]:
        """Return the required questions that are shown and have no answer."""
        answers = self.answers
        return [question for question in self.visible() if question.required and question.key not in answers]

    def _open(self) -> list[Question]:
        answers = self.answers
        return [q for q in self.visible() if q.key not in answers and q.key not in self._left_out]


def take_key(question: Question, digits: str) -> Taken:
    """Return what telephone keys mean. A closing # may be there or not; # alone leaves an optional question out."""
    keys = digits.strip().removesuffix("#")
    if not keys:
        return _nothing(question) if digits.strip() else NotUnderstood("empty")
    if not (keys.isascii() and keys.isdigit()):
        return NotUnderstood("unknown")
    match question.kind:
        case QuestionKind.SCALE | QuestionKind.NUMBER:
            return _fitting(question, int(keys), "range") if len(keys) <= 9 else NotUnderstood("range")
        case QuestionKind.MULTIPLE:
            chosen = [_choice_of_key(question, key) for key in dict.fromkeys(keys)]
            if None in chosen:
                return NotUnderstood("unknown")
            return _fitting(question, [value for value, _ in choices(question) if value in chosen], "unknown")
        case QuestionKind.TEXT:
            return NotUnderstood("unknown")
        case _:
            value = _choice_of_key(question, keys) if len(keys) == 1 else None
            return NotUnderstood("unknown") if value is None else _fitting(question, _typed(question, value), "unknown")


def take_speech(question: Question, text: str) -> Taken:
    """Return what a short spoken answer means. In doubt it is not understood: asking again costs less than a wrong grade."""
    heard = heard_value(question, text)
    match heard:
        case Silence():
            return NotUnderstood("empty")
        case Unclear():
            return NotUnderstood("ambiguous")
        case Unwilling():
            return Declined()
        case _:
            return _fitting(question, heard, "range")


def take_form(question: Question, raw: str | Sequence[str]) -> Taken:
    """Return what a form sent for a question: nothing, one or several texts."""
    texts = [raw] if isinstance(raw, str) else list(raw)
    sent = [cleaned for text in texts if (cleaned := _NOT_TEXT.sub("", text).strip())]
    if not sent:
        return _nothing(question)
    if question.kind is QuestionKind.MULTIPLE:
        unknown = set(sent) - {value for value, _ in choices(question)}
        if unknown:
            return NotUnderstood("unknown")
        return _fitting(question, [value for value, _ in choices(question) if value in sent], "unknown")
    if len(sent) > 1:
        return NotUnderstood("ambiguous")
    return _one_field(question, sent[0])


def _one_field(question: Question, text: str) -> Taken:
    match question.kind:
        case QuestionKind.TEXT:
            # Browsers count a line's end as one character and send two.
            words = text.replace("\r\n", "\n")
            return _fitting(question, words, "too_long") if len(words) <= LONGEST_TEXT_ANSWER else NotUnderstood("too_long")
        case QuestionKind.NUMBER | QuestionKind.SCALE:
            digits = unicodedata.normalize("NFKC", text)
            if not re.fullmatch(r"[0-9]{1,9}", digits):
                return NotUnderstood("unknown")
            return _fitting(question, int(digits), "range")
        case _:
            known = {value for value, _ in choices(question)}
            return _fitting(question, _typed(question, text), "unknown") if text in known else NotUnderstood("unknown")


def _nothing(question: Question) -> Taken:
    return NotUnderstood("required") if question.required else Declined()


def _choice_of_key(question: Question, key: str) -> str | None:
    values = [value for value, _ in choices(question)]
    place = 10 if key == "0" else int(key)
    return values[place - 1] if place <= len(values) else None


def _typed(question: Question, value: str) -> object:
    return int(value) if question.kind is QuestionKind.RATING else value


def _fitting(question: Question, value: object, otherwise: str) -> Taken:
    if not scoring.fits(question, value):
        return NotUnderstood(otherwise)
    return Accepted(value, scoring.score(question, value))


def gives_up(definition: QuestionnaireDefinition, misses: int) -> bool:
    """Say whether the telephone goes on without an answer: after so many silences and wrong keys at one question."""
    return misses > definition.repeats
