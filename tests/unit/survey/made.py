"""Questionnaires for tests: short to write, and generated ones."""

from typing import Any

from hypothesis import strategies as st

from survey.schema import QuestionnaireDefinition


def question(key: str, kind: str = "rating", **more: Any) -> dict[str, Any]:
    """Return a sound question."""
    made: dict[str, Any] = {"key": key, "kind": kind, "title": {"zh": f"题目 {key}？"}}
    if kind in ("single", "multiple"):
        made["options"] = [{"key": f"o{n}", "label": {"zh": f"选项{n}"}} for n in range(1, 4)]
    return made | more


def questionnaire(*questions: dict[str, Any], **more: Any) -> QuestionnaireDefinition:
    """Return a questionnaire of these questions."""
    return QuestionnaireDefinition.model_validate({"title": {"zh": "试题"}, "questions": list(questions), **more})


def when(key: str, operator: str = "answered", **more: Any) -> list[dict[str, Any]]:
    """Return a single condition."""
    return [{"question": key, "operator": operator, **more}]


_KINDS = st.sampled_from(["rating", "single", "multiple", "number", "scale", "yes_no", "text"])
_OPERATORS = st.sampled_from(["at_most", "at_least", "any_of", "answered"])


@st.composite
def any_questionnaire(draw: st.DrawFn) -> QuestionnaireDefinition:
    """Any shape that the schema lets through: conditions may point forwards, at themselves or nowhere, keys may be double."""
    count = draw(st.integers(1, 7))
    keys = [f"q{n}" for n in range(count)]
    questions = []
    for key in keys:
        conditions = [
            {
                "question": draw(st.sampled_from([*keys, "nowhere"])),
                "operator": draw(_OPERATORS),
                "number": draw(st.one_of(st.none(), st.integers(-2, 12))),
                "values": draw(st.lists(st.sampled_from(["1", "3", "5", "yes", "no", "o1", "o2", "x"]), max_size=2)),
            }
            for _ in range(draw(st.integers(0, 2)))
        ]
        own = draw(st.sampled_from(keys)) if draw(st.integers(0, 9)) == 0 else key
        questions.append(question(own, draw(_KINDS), required=draw(st.booleans()), show_if=conditions))
    return questionnaire(*questions)
