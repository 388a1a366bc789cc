"""What a questionnaire says: its questions, their words, when each is shown, and its limits. Shape only; `logic` judges sense.

A value is kept as: rating and scale and number an int (a rating is its grade, 5 best), single the option's key, multiple a list of
keys, yes_no "yes" or "no", text a string.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_QUESTIONS = 30
MOST_OPTIONS = 30
LONGEST_TEXT_ANSWER = 500
YES, NO = "yes", "no"

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class QuestionKind(StrEnum):
    """How a question is answered."""

    RATING = "rating"
    SINGLE = "single"
    MULTIPLE = "multiple"
    NUMBER = "number"
    SCALE = "scale"
    YES_NO = "yes_no"
    TEXT = "text"


COUNTED: dict[str, QuestionKind] = {"satisfaction": QuestionKind.RATING, "resolved": QuestionKind.YES_NO}
"""What a question may count for (满意率, 解决率): its key, by which statistics finds it, and the kind that it must have."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Frozen):
    """A text in Chinese and, when somebody translated it, in English."""

    zh: Paragraph = ""
    en: Paragraph = ""

    def in_language(self, language: str) -> str:
        """Return the text in a language, or in Chinese when it has none."""
        return (self.en or self.zh) if language == "en" else self.zh


class Option(_Frozen):
    """One answer to choose. Its telephone key is its place: 1 to 9, then 0."""

    key: Key
    label: Words


class Operator(StrEnum):
    """How a condition looks at an earlier answer."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    ANY_OF = "any_of"
    ANSWERED = "answered"


class Condition(_Frozen):
    """Something about an earlier answer: `number` for at_most and at_least, `values` (as text: "no", "3", an option) for any_of."""

    question: str
    operator: Operator
    number: float | None = None
    values: tuple[str, ...] = ()


class Question(_Frozen):
    """One question. `speech` is what the telephone says; empty, it is put together from the title and the options.

    For yes_no two options with the keys yes and no may give other words. `lowest` and `highest` bound number and scale.
    """

    key: Key
    kind: QuestionKind
    title: Words
    speech: Paragraph = ""
    required: bool = True
    options: Annotated[tuple[Option, ...], Field(max_length=MOST_OPTIONS)] = ()
    lowest: int = 0
    highest: int = 10
    show_if: Annotated[tuple[Condition, ...], Field(max_length=5)] = ()


class Quota(_Frozen):
    """No more than `most` answered surveys, of all (`field` empty) or of those whose context has the value in the field."""

    field: Literal["", "hall", "unit", "region", "category", "queue_name", "way"] = ""
    value: Line = ""
    most: Annotated[int, Field(ge=1, le=10_000_000)]


class QuestionnaireDefinition(_Frozen):
    """All of one version. {matter}, {unit} and {hall} in `opening` are filled in where it is written; speech has none of them."""

    title: Words
    opening: Words = Words()
    opening_speech: Paragraph = ""
    closing: Words = Words()
    closing_speech: Paragraph = ""
    questions: Annotated[tuple[Question, ...], Field(max_length=MOST_QUESTIONS)] = ()
    quotas: Annotated[tuple[Quota, ...], Field(max_length=20)] = ()
    expires_after_days: Annotated[int, Field(ge=1, le=90)] = 7
    # How often the telephone says a question again when nothing, or nothing that fits, is heard.
    repeats: Annotated[int, Field(ge=0, le=5)] = 2

    def question(self, key: str) -> Question | None:
        """Return a question by its key."""
        return next((question for question in self.questions if question.key == key), None)

    def number_of(self, key: str) -> int:
        """Return the place of a question, from 1; 0 when there is none."""
        return next((place for place, question in enumerate(self.questions, 1) if question.key == key), 0)


# The five grades (好差评) are the country's: a questionnaire words the question, never the grades. Key 1 is the best.
GRADES: dict[int, Words] = {
    5: Words(zh="非常满意", en="Very satisfied"),
    4: Words(zh="满意", en="Satisfied"),
    3: Words(zh="基本满意", en="Fairly satisfied"),
    2: Words(zh="不满意", en="Dissatisfied"),
    1: Words(zh="非常不满意", en="Very dissatisfied"),
}
_YES_NO = {YES: Words(zh="是", en="Yes"), NO: Words(zh="否", en="No")}


def choices(question: Question) -> list[tuple[str, Words]]:
    """Return what can be chosen, as (value in text, words), in the order of telephone keys; empty for number and text."""
    match question.kind:
        case QuestionKind.RATING:
            return [(str(grade), words) for grade, words in GRADES.items()]
        case QuestionKind.YES_NO:
            own = {option.key: option.label for option in question.options}
            return [(value, own.get(value, words)) for value, words in _YES_NO.items()]
        case QuestionKind.SINGLE | QuestionKind.MULTIPLE:
            return [(option.key, option.label) for option in question.options]
        case QuestionKind.SCALE:
            return [(str(number), Words(zh=str(number))) for number in range(question.lowest, question.highest + 1)]
        case _:
            return []
