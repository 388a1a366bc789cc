"""The editor's form of one question, and of the questionnaire's own words: what was typed becomes the schema, and back.

No script builds rows here: a form always has some empty rows more than it needs, and rows left empty are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from survey.schema import COUNTED, Condition, Operator, Question, QuestionKind, QuestionnaireDefinition, Quota, choices

SPARE_ROWS = 2
_MOST_ROWS = 40
_WITH_OPTIONS = {QuestionKind.SINGLE, QuestionKind.MULTIPLE, QuestionKind.YES_NO}
Form = MultiDict[str, str]


def kind_names() -> dict[str, str]:
    """Return the kinds of question and what they are called."""
    return {
        "rating": _("五级好差评"),
        "yes_no": _("是否"),
        "single": _("单选"),
        "multiple": _("多选"),
        "scale": _("打分"),
        "number": _("数字"),
        "text": _("开放题"),
    }


def role_names() -> dict[str, str]:
    """Return what a question may count for, by the key that makes it so."""
    return {"": _("不计入"), "satisfaction": _("满意率"), "resolved": _("解决率")}


@dataclass(frozen=True)
class ConditionChoice:
    """One line of the select of a condition; `value` is what the form sends."""

    value: str
    words: str
    group: str


def condition_choices(definition: QuestionnaireDefinition, place: int) -> list[ConditionChoice]:
    """Return every condition that the question at a place (from 1) may have: it looks back only."""
    found: list[ConditionChoice] = []
    for number, earlier in enumerate(definition.questions[: place - 1], 1):
        group = f"{number}. {earlier.title.zh}"
        found.extend(ConditionChoice(value, words, group) for value, words in _about(earlier))
    return found


def _about(earlier: Question) -> list[tuple[str, str]]:
    key = earlier.key
    lines: list[tuple[str, str]] = []
    match earlier.kind:
        case QuestionKind.RATING:
            lines = [
                (f"{key}|at_most|2", _("不满意、非常不满意")),
                (f"{key}|at_most|3", _("基本满意及以下")),
                (f"{key}|at_least|4", _("满意、非常满意")),
            ]
            lines += [(f"{key}|any_of|{value}", words.zh) for value, words in choices(earlier)]
        case QuestionKind.SCALE:
            scores = range(earlier.lowest, earlier.highest + 1)
            lines = [(f"{key}|at_most|{score}", _("%(score)s 分及以下", score=score)) for score in scores[:-1]]
            lines += [(f"{key}|at_least|{score}", _("%(score)s 分及以上", score=score)) for score in scores[1:]]
        case QuestionKind.NUMBER:
            middle = (earlier.lowest + earlier.highest) // 2
            lines = [(f"{key}|at_most|{middle}", _("不超过 %(number)s", number=middle))]
            lines += [(f"{key}|at_least|{middle}", _("不少于 %(number)s", number=middle))]
        case QuestionKind.TEXT:
            pass
        case _:
            lines = [(f"{key}|any_of|{value}", words.zh) for value, words in choices(earlier)]
    return [*lines, (f"{key}|answered|", _("回答了这一题"))]


def condition_value(condition: Condition) -> str:
    """Return a condition as the select sends it."""
    match condition.operator:
        case Operator.AT_MOST | Operator.AT_LEAST:
            operand = "" if condition.number is None else f"{condition.number:g}"
        case Operator.ANY_OF:
            operand = ",".join(condition.values)
        case _:
            operand = ""
    return f"{condition.question}|{condition.operator}|{operand}"


def condition_words(definition: QuestionnaireDefinition, condition: Condition) -> str:
    """Return a condition in words: 第 2 题：不满意、非常不满意."""
    earlier = definition.question(condition.question)
    if earlier is None:
        return str(_("指向的题目已删除（%(key)s）", key=condition.question))
    known = dict(_about(earlier))
    words = known.get(condition_value(condition))
    if words is None:
        labels = {value: label.zh for value, label in choices(earlier)}
        words = {
            Operator.AT_MOST: _("不超过 %(number)s", number=f"{condition.number:g}" if condition.number is not None else "–"),
            Operator.AT_LEAST: _("不少于 %(number)s", number=f"{condition.number:g}" if condition.number is not None else "–"),
            Operator.ANY_OF: "、".join(labels.get(value, value) for value in condition.values),
        }.get(condition.operator, "–")
    return str(_("第 %(place)s 题：%(words)s", place=definition.number_of(condition.question), words=words))


def read_question(form: Form, old: Question, definition: QuestionnaireDefinition) -> dict[str, Any]:
    """Return what was typed about a question, as the schema takes it; its key stays unless it counts for something else now."""
    kind = form.get("kind", old.kind.value)
    made: dict[str, Any] = {
        "key": _key(form.get("role", role_of(old)), old, definition),
        "kind": kind,
        "title": _words(form, "title"),
        "speech": form.get("speech", ""),
        "required": form.get("required") == "1",
        "show_if": [_condition(value) for value in form.getlist("show_if") if value.strip()],
    }
    if kind in _WITH_OPTIONS:
        made["options"] = _yes_no(form) if kind == QuestionKind.YES_NO else _options(form)
    if kind in (QuestionKind.SCALE, QuestionKind.NUMBER):
        made["lowest"], made["highest"] = form.get("lowest", "") or 0, form.get("highest", "") or 10
    return made


def role_of(question: Question) -> str:
    """Return what a question counts for; empty where it counts for neither rate."""
    return question.key if question.key in COUNTED else ""


def _key(role: str, old: Question, definition: QuestionnaireDefinition) -> str:
    if role in COUNTED:
        return role
    return free_key(definition, "q") if role_of(old) else old.key


def replaced(definition: QuestionnaireDefinition, place: int, made: Question) -> list[Question]:
    """Return the questions with one (by place, from 1) replaced; conditions that look at it follow its key."""
    questions = list(definition.questions)
    old, questions[place - 1] = questions[place - 1].key, made
    return [
        question.model_copy(
            update={
                "show_if": tuple(
                    one.model_copy(update={"question": made.key}) if one.question == old else one for one in question.show_if
                )
            }
        )
        for question in questions
    ]


def _options(form: Form) -> list[dict[str, Any]]:
    rows = list(zip(form.getlist("option_key"), form.getlist("option_zh"), form.getlist("option_en"), strict=False))[:_MOST_ROWS]
    kept = [(key.strip(), zh.strip(), en.strip()) for key, zh, en in rows if zh.strip() or en.strip()]
    known = {key for key, _zh, _en in kept if key}
    made: list[dict[str, Any]] = []
    for key, zh, en in kept:
        own = key or next(f"o{n}" for n in range(1, 100) if f"o{n}" not in known)
        known.add(own)
        made.append({"key": own, "label": {"zh": zh, "en": en}})
    return made


def _yes_no(form: Form) -> list[dict[str, Any]]:
    rows = zip(("yes", "no"), form.getlist("option_zh"), form.getlist("option_en"), strict=False)
    return [{"key": key, "label": {"zh": zh, "en": en}} for key, zh, en in rows if zh.strip()]


def _condition(value: str) -> dict[str, Any]:
    key, operator, operand = [*value.split("|", 2), "", ""][:3]
    made: dict[str, Any] = {"question": key, "operator": operator}
    if operator in (Operator.AT_MOST, Operator.AT_LEAST):
        made["number"] = operand or None
    elif operator == Operator.ANY_OF:
        made["values"] = [single for single in operand.split(",") if single]
    return made


def _words(form: Form, name: str) -> dict[str, str]:
    return {"zh": form.get(f"{name}_zh", ""), "en": form.get(f"{name}_en", "")}


def read_settings(form: Form, old: QuestionnaireDefinition) -> dict[str, Any]:
    """Return what was typed about the whole questionnaire; its questions stay."""
    rows = zip(form.getlist("quota_field"), form.getlist("quota_value"), form.getlist("quota_most"), strict=False)
    quotas = [{"field": f, "value": v if f else "", "most": most} for f, v, most in list(rows)[:_MOST_ROWS] if most.strip()]
    return {
        "title": _words(form, "title"),
        "opening": _words(form, "opening"),
        "opening_speech": form.get("opening_speech", ""),
        "closing": _words(form, "closing"),
        "closing_speech": form.get("closing_speech", ""),
        "expires_after_days": form.get("expires_after_days", ""),
        "repeats": form.get("repeats", ""),
        "quotas": quotas,
        "questions": [question.model_dump(mode="json") for question in old.questions],
    }


_FIELD = {"zh": "_zh", "en": "_en"}


def field_errors(error: ValidationError) -> dict[str, str]:
    """Return what pydantic refused, by the form's field names, in words for people."""
    found: dict[str, str] = {}
    for problem in error.errors():
        path = [str(part) for part in problem["loc"]]
        name = path[0] if path else ""
        if len(path) > 1 and path[1] in _FIELD:
            name += _FIELD[path[1]]
        found[name] = _sentence(problem["type"], problem.get("ctx", {}))
    return found


def _sentence(kind: str, context: Mapping[str, Any]) -> str:
    words: dict[str, str] = {
        "string_too_long": _("最多 %(count)s 个字", count=context.get("max_length", "")),
        "too_long": _("最多 %(count)s 项", count=context.get("max_length", "")),
        "less_than_equal": _("最大 %(number)s", number=context.get("le", "")),
        "greater_than_equal": _("最小 %(number)s", number=context.get("ge", "")),
        "int_parsing": _("要填整数"),
        "float_parsing": _("要填数"),
    }
    return words.get(kind) or str(_("填写的内容无法使用"))


def new_question(definition: QuestionnaireDefinition, kind: str) -> Question:
    """Return an empty question with a key that is free."""
    return Question.model_validate({"key": free_key(definition, "q"), "kind": kind, "title": {}})


def free_key(definition: QuestionnaireDefinition, stem: str) -> str:
    """Return a key that no question has."""
    stem = re.sub(r"\d+$", "", stem)[:36] or "q"
    taken = {question.key for question in definition.questions}
    return next(f"{stem}{number}" for number in range(1, 1000) if f"{stem}{number}" not in taken)


def quota_rows(definition: QuestionnaireDefinition) -> list[Quota | None]:
    """Return the quotas, and some empty rows."""
    return [*definition.quotas, *([None] * SPARE_ROWS)]
