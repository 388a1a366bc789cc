"""What an answer counts as, whether a value is one at all, and how it reads. Pure."""

from collections.abc import Iterable

from survey.schema import LONGEST_TEXT_ANSWER, YES, Question, QuestionKind, choices

WORST_BAD_RATING = 2
"""不满意 and 非常不满意 are bad ratings (好差评): each is called back."""


def fits(question: Question, value: object) -> bool:
    """Say whether a value is an answer to the question, in the form that `schema` names."""
    match question.kind:
        case QuestionKind.RATING:
            return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 5
        case QuestionKind.SCALE | QuestionKind.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool) and question.lowest <= value <= question.highest
        case QuestionKind.SINGLE | QuestionKind.YES_NO:
            return isinstance(value, str) and value in {key for key, _ in choices(question)}
        case QuestionKind.MULTIPLE:
            known = {key for key, _ in choices(question)}
            return isinstance(value, list) and bool(value) and len(set(map(str, value))) == len(value) and known.issuperset(value)
        case QuestionKind.TEXT:
            return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT_ANSWER


def score(question: Question, value: object) -> float | None:
    """Return what a fitting value counts as: a grade 1–5 (5 best), a number, 1 or 0 for yes or no; None for words and choices."""
    match question.kind:
        case QuestionKind.RATING | QuestionKind.SCALE | QuestionKind.NUMBER:
            assert isinstance(value, int)
            return float(value)
        case QuestionKind.YES_NO:
            return 1.0 if value == YES else 0.0
        case _:
            return None


def worst_rating(answers: Iterable[tuple[str, float | None]]) -> float | None:
    """Return the lowest grade among (kind, score), or None when nothing was rated."""
    grades = [value for kind, value in answers if kind == QuestionKind.RATING and value is not None]
    return min(grades, default=None)


def is_bad(grade: float | None) -> bool:
    """Say whether a grade asks for a callback that puts things right."""
    return grade is not None and grade <= WORST_BAD_RATING


def in_words(question: Question, value: object, language: str = "zh") -> str:
    """Return a value as people read it."""
    if question.kind in (QuestionKind.TEXT, QuestionKind.NUMBER):
        return str(value)
    words = {key: label.in_language(language) for key, label in choices(question)}
    values = value if isinstance(value, list) else [value]
    return ("、" if language == "zh" else ", ").join(words.get(str(single), str(single)) for single in values)
