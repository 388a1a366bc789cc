"""A questionnaire's answers as the page shows them: distributions, versions side by side, one question across another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _

from webui.statistics import kpi
from webui.statistics.desk import Desk
from webui.statistics.kpi import Ratio
from webui.statistics.questionnaires import Question, QuestionnaireReads, QuestionnaireView, Version, keywords
from webui.statistics.reads import Filter
from webui.statistics.totals import Answers
from webui.statistics.words import Rate

DIMENSIONS = ("unit", "region", "category", "way", "hall", "queue_name")
_MOST_ROWS = 20


@dataclass(frozen=True)
class Choice:
    """One answer and how many gave it."""

    option: str
    label: str
    count: int
    rate: Rate


@dataclass(frozen=True)
class Distribution:
    """One question's answers. `average` is for graded ones, `versions` those of the same question."""

    question: Question
    total: int
    late: int
    withdrawn: int
    choices: list[Choice]
    average: float | None
    versions: list[tuple[Version, Answers, float | None]]
    words: list[tuple[str, int]]
    is_weighted: bool = False


def distributions(desk: Desk, reader: QuestionnaireReads, chosen: QuestionnaireView) -> dict[str, Any]:
    """Return the distribution of every question of the latest version, counting the versions that asked the same."""
    number = desk.query.texts["questionnaire"].partition(":")[2]
    newest = next((version for version in chosen.versions if str(version.version_no) == number), chosen.versions[0])
    found = []
    for question in newest.questions:
        same = [newest] if number else chosen.same_question(question.key)
        wanted = _of(desk.wanted, chosen, [version.version_id for version in same])
        found.append(_distribution(desk, reader, wanted, question, same))
    surveys = desk.reads.surveys(
        _of(desk.wanted, chosen, [version.version_id for version in ([newest] if number else chosen.versions)])
    )
    return {"version": newest, "distributions": found, "surveys": surveys}


def _of(wanted: Filter, chosen: QuestionnaireView, versions: list[str]) -> Filter:
    kind = "after_call" if chosen.key == "after_call" else "callback"
    return replace(wanted, versions=tuple(versions), kind=kind)


def _distribution(desk: Desk, reader: QuestionnaireReads, wanted: Filter, question: Question, same: list[Version]) -> Distribution:
    least = desk.settings.statistics_least_answers
    answers = desk.reads.answers(wanted, question.key)
    if question.kind == "text":
        texts = reader.texts(wanted, question.key)
        return Distribution(question, answers.count, answers.late, answers.withdrawn, [], None, [], keywords(texts))
    everybody = answers.option("*") if question.kind == "multiple" else None
    whole = everybody if everybody else kpi.Tally(
        0, answers.count, sum(one.weight for one in answers.scores), sum(one.squared for one in answers.scores)
    )  # fmt: skip
    options = [option for option, _label in question.options] or [option for option, _tally in answers.tallies]
    if question.kind == "rating":
        options = ["5", "4", "3", "2", "1"]
    if question.kind == "yes_no":
        options = ["1", "0"]
    choices = []
    for option in options:
        tally = answers.option(option)
        ratio = Ratio(tally.count, whole.count, tally.weight, whole.weight, whole.squared)
        choices.append(Choice(option, question.label(option), tally.count, Rate(ratio, None, least)))
    average = (
        kpi.average_score(answers.scores).value
        if question.kind in {"rating", "scale", "number"} and answers.count >= least
        else None
    )
    versions = []
    if len(same) > 1:
        for version in same:
            one = desk.reads.answers(replace(wanted, versions=(version.version_id,)), question.key)
            versions.append((version, one, kpi.average_score(one.scores).value if one.count >= least else None))
    told = [one for one in versions if one[1].count]
    weighted = Ratio(0, whole.count, 0, whole.weight, whole.squared).is_weighted
    return Distribution(
        question, whole.count, answers.late, answers.withdrawn, choices, average, told if len(told) > 1 else [], [], weighted
    )


def cross_tabs(desk: Desk, reader: QuestionnaireReads, chosen: QuestionnaireView, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return one table: a question by a dimension, or by another question, as the address asks."""
    latest = chosen.versions[0]
    questions = [question for question in latest.questions if question.kind in {"rating", "yes_no", "single", "scale"}]
    row = next((question for question in questions if question.key == arguments.get("row")), questions[0] if questions else None)
    by = arguments.get("across", "unit")
    across = [(name, _dimension_words()[name]) for name in DIMENSIONS]
    across += [(question.key, question.title or question.key) for question in questions if row is None or question.key != row.key]
    if by not in dict(across):
        by = "unit"
    shown: dict[str, Any] = {"cross_questions": questions, "cross_row": row, "cross_by": by, "across": across, "cross": None}
    shown["cross_keys"] = {question.key for question in questions}
    if row is None:
        return shown
    same = chosen.same_question(row.key)
    wanted = _of(desk.wanted, chosen, [version.version_id for version in same])
    if by in DIMENSIONS:
        table = {
            name: {option: tally.count for option, tally in answers.tallies}
            for name, answers in desk.reads.answers_by(wanted, row.key, by).items()
        }
        label = {"queue_name": dict(desk.reads.queues()).get}.get(by, lambda name: name)
    else:
        other = latest.question(by)
        pairs = reader.crossed(wanted, row.key, by)
        table = {}
        for (option, column), count in pairs.items():
            table.setdefault(column, {})[option] = count
        label = other.label if other else (lambda name: name)
    columns = [(option, row.label(option)) for option in _options(row, table)]
    rows = [
        (label(name) or name or str(_("未填")), name, sum(counts.values()), [counts.get(option, 0) for option, _label in columns])
        for name, counts in table.items()
    ]
    rows.sort(key=lambda one: -one[2])
    return {**shown, "cross": rows[:_MOST_ROWS], "cross_columns": columns, "cross_least": desk.settings.statistics_least_answers}


def _options(row: Question, table: Mapping[str, Mapping[str, int]]) -> list[str]:
    if row.kind == "rating":
        return ["5", "4", "3", "2", "1"]
    if row.kind == "yes_no":
        return ["1", "0"]
    known = {option for counts in table.values() for option in counts}
    named = [option for option, _label in row.options]
    return named or sorted(known, key=lambda option: (len(option), option))


def _dimension_words() -> dict[str, str]:
    return {
        "unit": _("单位"),
        "region": _("区划"),
        "category": _("分类"),
        "way": _("方式"),
        "hall": _("大厅"),
        "queue_name": _("队列"),
    }
