"""When a question is shown, and whether a questionnaire makes sense. Conditions look back only, so every way ends. Pure."""

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from survey.schema import COUNTED, Condition, Operator, Question, QuestionKind, QuestionnaireDefinition, choices

MOST_KEYS = 10
"""Keys 1 to 9 and 0."""
LONGEST_TITLE = 200
LONGEST_LABEL = 60
LONGEST_OPENING = 500
_MOST_TRIED = 50_000
_WRONG_KIND = {
    QuestionKind.RATING: "计入满意率，题型要选五级好差评。",
    QuestionKind.YES_NO: "计入解决率，题型要选是否。",
}
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_KNOWN_PLACEHOLDERS = {"{matter}", "{unit}", "{hall}"}
Answers = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in Chinese, and with which question (by place, from 1; None: the whole)."""

    text: str
    place: int | None = None


def holds(condition: Condition, answers: Answers) -> bool:
    """Say whether a condition holds; a question that was not answered makes none true."""
    if condition.question not in answers:
        return False
    value = answers[condition.question]
    match condition.operator:
        case Operator.ANSWERED:
            return True
        case Operator.ANY_OF:
            given = value if isinstance(value, list) else [value]
            return any(str(single) in condition.values for single in given)
        case Operator.AT_MOST:
            return isinstance(value, int | float) and condition.number is not None and value <= condition.number
        case Operator.AT_LEAST:
            return isinstance(value, int | float) and condition.number is not None and value >= condition.number


def is_shown(question: Question, answers: Answers) -> bool:
    """Say whether all conditions of a question hold."""
    return all(holds(condition, answers) for condition in question.show_if)


def shown_questions(definition: QuestionnaireDefinition, answers: Answers) -> list[Question]:
    """Return the questions shown by the answers before them, answered or not."""
    kept: dict[str, object] = {}
    shown = []
    for question in definition.questions:
        if is_shown(question, kept):
            shown.append(question)
            if question.key in answers:
                kept[question.key] = answers[question.key]
    return shown


def shown_answers(definition: QuestionnaireDefinition, answers: Answers) -> dict[str, object]:
    """Return the answers that still count: those of questions shown by the answers before them."""
    return {question.key: answers[question.key] for question in shown_questions(definition, answers) if question.key in answers}


def check(definition: QuestionnaireDefinition) -> list[Problem]:
    """Return everything that keeps a questionnaire from being launched; nothing when it is sound."""
    problems = [*_whole(definition)]
    for place, question in enumerate(definition.questions, 1):
        texts = [*_words(question), *_answers(question), *_conditions(definition, place, question)]
        if not texts and not _is_reachable(definition, question):
            texts = [f"第 {place} 题的显示条件永远不会成立，谁也看不到这一题。"]
        problems.extend(Problem(text if text.startswith("第") else f"第 {place} 题{text}", place) for text in texts)
    return problems


def _whole(definition: QuestionnaireDefinition) -> Iterable[Problem]:
    if not definition.title.zh:
        yield Problem("问卷没有标题。")
    if not definition.questions:
        yield Problem("问卷没有题目，至少要有一题。")
    keys = [question.key for question in definition.questions]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        places = "、".join(str(place) for place, other in enumerate(keys, 1) if other == key)
        yield Problem(f"第 {places} 题的代号都是“{key}”，代号不能重复。")
    for words in (definition.opening.zh, definition.opening.en):
        for name in sorted(set(_PLACEHOLDER.findall(words)) - _KNOWN_PLACEHOLDERS):
            yield Problem(f"开头语里的 {name} 认不出，只能用 {{matter}}、{{unit}}、{{hall}}。")
    if (
        max(len(words) for words in (definition.opening.zh, definition.opening.en, definition.closing.zh, definition.closing.en))
        > LONGEST_OPENING
    ):
        yield Problem(f"开头语或结束语太长，最多 {LONGEST_OPENING} 个字。")
    spoken = [definition.opening_speech, definition.closing_speech, *(question.speech for question in definition.questions)]
    if any(_PLACEHOLDER.search(text) for text in spoken):
        yield Problem("电话读法是事先合成的语音，不能有花括号里的变量。")


def _words(question: Question) -> Iterable[str]:
    if not question.title.zh:
        yield "没有写题目。"
    if max(len(question.title.zh), len(question.title.en)) > LONGEST_TITLE:
        yield f"的题目太长，最多 {LONGEST_TITLE} 个字。"
    if any(max(len(option.label.zh), len(option.label.en)) > LONGEST_LABEL for option in question.options):
        yield f"有选项太长，最多 {LONGEST_LABEL} 个字。"
    if any(not option.label.zh for option in question.options):
        yield "有选项没有写文字。"


def _answers(question: Question) -> Iterable[str]:
    if COUNTED.get(question.key, question.kind) is not question.kind:
        yield _WRONG_KIND[COUNTED[question.key]]
    keys = [option.key for option in question.options]
    if len(set(keys)) < len(keys):
        yield "有两个选项的代号相同。"
    labels = [option.label.zh for option in question.options if option.label.zh]
    if len(set(labels)) < len(labels):
        yield "有两个选项的文字相同。"
    yield from _kind(question, keys)


def _kind(question: Question, keys: list[str]) -> Iterable[str]:
    match question.kind:
        case QuestionKind.SINGLE | QuestionKind.MULTIPLE if len(keys) < 2:
            yield "至少要有两个选项。"
        case QuestionKind.SINGLE | QuestionKind.MULTIPLE if len(keys) > MOST_KEYS:
            yield f"有 {len(keys)} 个选项，电话上只有 0 到 9 十个按键，最多 {MOST_KEYS} 个。"
        case QuestionKind.YES_NO if not set(keys) <= {"yes", "no"}:
            yield "是否题的选项只能是“是”和“否”两个。"
        case QuestionKind.SCALE if not 0 <= question.lowest < question.highest <= 10:
            yield "打分的范围只能在 0 到 10 之间，最低分要小于最高分。"
        case QuestionKind.NUMBER if not 0 <= question.lowest < question.highest <= 999_999_999:
            yield "数字的范围不对：最小值不能是负数，且要小于最大值。"
        case QuestionKind.RATING | QuestionKind.TEXT if keys:
            yield "这种题型没有选项。"
        case _:
            pass


def _conditions(definition: QuestionnaireDefinition, place: int, question: Question) -> Iterable[str]:
    for condition in question.show_if:
        asked = definition.number_of(condition.question)
        earlier = definition.question(condition.question)
        if earlier is None:
            yield f"的显示条件指向“{condition.question}”，但没有这一题。"
        elif asked == place:
            yield "的显示条件看的是自己，永远绕不出来。"
        elif asked > place:
            yield f"的显示条件看的是后面的第 {asked} 题，会绕圈；只能看前面的题。"
        else:
            yield from _operands(condition, earlier, asked)


def _operands(condition: Condition, earlier: Question, asked: int) -> Iterable[str]:
    numeric = earlier.kind in (QuestionKind.RATING, QuestionKind.SCALE, QuestionKind.NUMBER)
    match condition.operator:
        case Operator.AT_MOST | Operator.AT_LEAST:
            if not numeric:
                yield f"的显示条件比较大小，但第 {asked} 题的回答不是数。"
            elif condition.number is None:
                yield "的显示条件没有填数。"
        case Operator.ANY_OF:
            known = {value for value, _ in choices(earlier)}
            if earlier.kind is QuestionKind.TEXT:
                yield f"的显示条件要选项，但第 {asked} 题是开放题。"
            elif not condition.values:
                yield "的显示条件没有选任何回答。"
            elif known and (unknown := sorted(set(condition.values) - known)):
                yield f"的显示条件里的“{'、'.join(unknown)}”不是第 {asked} 题的回答。"
            elif not known and not all(value.isdecimal() for value in condition.values):
                yield "的显示条件只能填数。"
        case Operator.ANSWERED:
            pass


def _is_reachable(definition: QuestionnaireDefinition, target: Question) -> bool:
    """Try every telling answer to the questions that decide over this one. Too many of them to try counts as reachable."""
    deciding = _deciding(definition, target)
    earlier = [question for question in definition.questions if question.key in deciding]
    domains = [_telling_values(definition, question) for question in earlier]
    for number, values in enumerate(itertools.product(*domains)):
        if number >= _MOST_TRIED:
            return True
        given = {question.key: value for question, value in zip(earlier, values, strict=True) if value is not None}
        if is_shown(target, shown_answers(definition, given)):
            return True
    return False


def _deciding(definition: QuestionnaireDefinition, target: Question) -> set[str]:
    found: set[str] = set()
    waiting = [condition.question for condition in target.show_if]
    while waiting:
        key = waiting.pop()
        question = definition.question(key)
        if key in found or question is None:
            continue
        found.add(key)
        waiting.extend(condition.question for condition in question.show_if)
    return found


def _telling_values(definition: QuestionnaireDefinition, question: Question) -> list[object]:
    """Return values that stand for all others. No condition can ask for something not chosen, so all options at once are enough."""
    match question.kind:
        case QuestionKind.RATING:
            return [5, 4, 3, 2, 1]
        case QuestionKind.SCALE:
            return list(range(question.lowest, question.highest + 1))
        case QuestionKind.YES_NO | QuestionKind.SINGLE:
            return [value for value, _ in choices(question)]
        case QuestionKind.MULTIPLE:
            return [[option.key for option in question.options]]
        case QuestionKind.TEXT:
            return ["…"]
        case QuestionKind.NUMBER:
            asked = [
                condition for other in definition.questions for condition in other.show_if if condition.question == question.key
            ]
            edges = {question.lowest, question.highest}
            edges |= {int(condition.number) + step for condition in asked if condition.number is not None for step in (-1, 0, 1)}
            edges |= {int(value) for condition in asked for value in condition.values if value.isdecimal()}
            return [edge for edge in sorted(edges) if question.lowest <= edge <= question.highest]
