"""A written questionnaire as its template sees it: the citizen's page and its preview are the same sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from survey.form_page import page_of
from survey.interview import Interview
from survey.schema import LONGEST_TEXT_ANSWER, Question, QuestionKind, choices

_SECONDS_A_QUESTION = 12


@dataclass(frozen=True)
class Choice:
    """One thing to choose."""

    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True)
class Field:
    """One question as it is asked in writing."""

    key: str
    number: int
    kind: str
    title: str
    required: bool
    choices: list[Choice]
    typed: str
    problem: str
    lowest: int
    highest: int


@dataclass(frozen=True)
class Sheet:
    """The questions of one page, and where it stands. `asked` and `passed` travel with the form: nothing else remembers them."""

    fields: list[Field]
    asked: str
    passed: str
    total: int
    minutes: int
    is_first: bool
    is_last: bool


def reason_words(reason: str) -> str:
    """Return why an answer was not taken, for people."""
    words: dict[str, str] = {
        "required": _("这一题要请您回答。"),
        "range": _("这个数不在范围里，请核对。"),
        "too_long": _("最多 %(count)s 个字，请写短一些。", count=LONGEST_TEXT_ANSWER),
        "ambiguous": _("这一题只能选一个。"),
    }
    return words.get(reason) or str(_("这个回答看不懂，请重新回答。"))


def next_sheet(interview: Interview) -> Sheet:
    """Return the next page of an interview; without fields at the end."""
    return sheet_of(interview, page_of(interview), {}, {})


def sheet_of(
    interview: Interview, page: Sequence[Question], typed: Mapping[str, Sequence[str]], problems: Mapping[str, str]
) -> Sheet:
    """Return these questions as a page, with what was typed and why it was not taken."""
    visible = interview.visible()
    on_page = {question.key for question in page}
    # What may still appear depends on this page: then nobody can say that it is the last.
    is_last = all(
        question.key in on_page or question.key in interview.answers or question.key in interview.left_out
        for question in interview.definition.questions
        if question in visible or any(condition.question in on_page for condition in question.show_if)
    )
    return Sheet(
        fields=[field_of(interview, question, typed.get(question.key), problems.get(question.key, "")) for question in page],
        asked=",".join(question.key for question in page),
        passed=",".join(interview.left_out),
        total=len(visible),
        minutes=max(1, round(len(visible) * _SECONDS_A_QUESTION / 60)),
        is_first=bool(page) and page[0].key == visible[0].key,
        is_last=is_last,
    )


def field_of(interview: Interview, question: Question, typed: Sequence[str] | None = None, problem: str = "") -> Field:
    """Return one question, with what was typed or else what was answered."""
    chosen = list(typed) if typed is not None else texts_of(interview.answers.get(question.key))
    return Field(
        key=question.key,
        number=next((n for n, shown in enumerate(interview.visible(), 1) if shown.key == question.key), 0),
        kind=question.kind.value,
        title=question.title.in_language(interview.language),
        required=question.required,
        choices=[Choice(value, words.in_language(interview.language), value in chosen) for value, words in choices(question)],
        typed=chosen[0] if chosen and question.kind in (QuestionKind.TEXT, QuestionKind.NUMBER) else "",
        problem=reason_words(problem) if problem else "",
        lowest=question.lowest,
        highest=question.highest,
    )


def texts_of(value: object) -> list[str]:
    """Return a kept value as a form would send it."""
    if value is None:
        return []
    return [str(single) for single in value] if isinstance(value, list) else [str(value)]


def passed_keys(text: str) -> list[str]:
    """Return the keys that a form says were left out."""
    return [key for key in text[:2000].split(",") if key]
