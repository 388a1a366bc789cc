"""What the telephone says: the questionnaire's own readings, or some put together from its words. Pure."""

from survey.schema import Question, QuestionKind, QuestionnaireDefinition, choices

_SPOKEN_TOO = "也可以直接说出来。"


def spoken_question(question: Question) -> str:
    """Return the reading of a question, with its keys."""
    if question.speech:
        return question.speech
    title = question.title.zh
    if title and title[-1] not in "。？！?!":
        title += "。"
    return title + _how_to_answer(question)


def spoken_expected(question: Question) -> str:
    """Return the words that an answer is likely to be, as a recogniser takes them; empty where anything may be said."""
    if question.kind in (QuestionKind.RATING, QuestionKind.YES_NO, QuestionKind.SINGLE, QuestionKind.MULTIPLE):
        return "、".join(words.zh for _, words in choices(question))
    return ""


def spoken_opening(definition: QuestionnaireDefinition) -> str:
    """Return what is said before the first question; may be empty."""
    return definition.opening_speech


def spoken_closing(definition: QuestionnaireDefinition) -> str:
    """Return what is said at the end."""
    return definition.closing_speech or "谢谢您，再见。"


def _how_to_answer(question: Question) -> str:
    match question.kind:
        case QuestionKind.SCALE:
            end = "，按完请按井号键" if question.highest > 9 else ""
            return f"请按 {question.lowest} 到 {question.highest}{end}。{_SPOKEN_TOO}"
        case QuestionKind.NUMBER:
            return f"请按数字，按完请按井号键。{_SPOKEN_TOO}"
        case QuestionKind.TEXT:
            return "请在提示音后说，说完请按井号键。"
        case QuestionKind.MULTIPLE:
            return f"{_keys(question)}。可以选几项，选完请按井号键。"
        case _:
            return f"{_keys(question)}。{_SPOKEN_TOO}"


def _keys(question: Question) -> str:
    return "，".join(f"{words.zh}请按 {place % 10}" for place, (_, words) in enumerate(choices(question), 1))
