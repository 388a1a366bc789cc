"""One page of a written questionnaire: which questions stand on it, and what was sent for them. Used by the citizen's page,
the agent's form and their rehearsals; it knows none of them. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from survey.interview import Accepted, Declined, Interview, NotUnderstood, take_form
from survey.schema import Question, choices

MOST_ON_A_PAGE = 8
_MOST_BYTES = 8_000
"""Of words on one page, so that it stays under 20 KB with everything around them."""
_BYTES_OF_A_CHOICE = 160
_BYTES_OF_A_QUESTION = 400

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class PageTaken:
    """What a sent page gave: answers to keep, and for which questions why not (the reasons of NotUnderstood)."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def page_of(interview: Interview) -> list[Question]:
    """Return the next questions, no more than fit on a small page; empty at the end."""
    page: list[Question] = []
    weight = 0
    for question in interview.page():
        weight += _weight(question, interview.language)
        if page and (weight > _MOST_BYTES or len(page) >= MOST_ON_A_PAGE):
            break
        page.append(question)
    return page


def take_page(interview: Interview, keys: Iterable[str], fields: Fields) -> PageTaken:
    """Take what was sent for questions, in their order; the interview goes on by it. Keys that are none are passed over.

    A question that an answer on the same page has hidden meanwhile is left alone.
    """
    taken = PageTaken()
    wanted = set(keys)
    for question in interview.definition.questions:
        if question.key not in wanted or question not in interview.visible():
            continue
        match take_form(question, fields.get(question.key, ())):
            case Accepted() as accepted:
                interview.keep(question, accepted)
                taken.accepted[question.key] = accepted
            case Declined():
                interview.leave_out(question)
                taken.left_out.append(question.key)
            case NotUnderstood(reason):
                taken.problems[question.key] = reason
    return taken


def _weight(question: Question, language: str) -> int:
    words = [question.title.in_language(language), *(words.in_language(language) for _, words in choices(question))]
    texts = sum(len(text.encode()) for text in words)
    return _BYTES_OF_A_QUESTION + texts + _BYTES_OF_A_CHOICE * len(choices(question))
