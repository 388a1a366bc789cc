"""A questionnaire's answers as the page shows them: distributions, versions side by side, one question across another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import NotFoundError
from webui.errors import says
from webui.statistics import kpi
from webui.statistics.desk import Desk
from webui.statistics.kpi import Ratio, Tally
from webui.statistics.questionnaires import Question, QuestionnaireReads, QuestionnaireView, Version, keywords
from webui.statistics.reads import AFTER_CALL, Filter
from webui.statistics.totals import Answers
from webui.statistics.words import Rate

WAY_WORDS = {"ivr": _l("自动语音"), "web": _l("短信链接"), "agent": _l("坐席回访")}
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


@dataclass(frozen=True)
class CrossRow:
    """A line of a cross-tab: who answered, and each answer as a share of them."""

    label: str
    whole: Ratio
    cells: list[Rate]


class UnknownQuestionnaireError(NotFoundError):
    """No questionnaire of that name was ever launched."""


says(UnknownQuestionnaireError, lambda error: _("没有这份问卷，或者它还没有启用过。"))


def questionnaire_context(desk: Desk, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that the page of one questionnaire shows; its export shows the same.

    Raises:
        UnknownQuestionnaireError: the address names one that was never launched.
    """
    reader = QuestionnaireReads(desk.house.database)
    known = reader.all()
    asked = desk.query.texts["questionnaire"].partition(":")[0]
    chosen = next((view for view in known if view.key == asked), None)
    if asked and chosen is None:
        raise UnknownQuestionnaireError(asked)
    chosen = chosen or next((view for view in known if view.key != AFTER_CALL), None)
    shown: dict[str, Any] = {"chosen": chosen}
    if chosen:
        shown |= distributions(desk, reader, chosen)
        shown |= cross_tabs(desk, reader, chosen, arguments)
    return shown


def distributions(desk: Desk, reader: QuestionnaireReads, chosen: QuestionnaireView) -> dict[str, Any]:
    """Return the distribution of every question of the latest version, counting the versions that asked the same."""
    number = _number(desk)
    version = chosen.version(number)
    found = []
    for question in version.questions:
        same = chosen.same_question(number, question.key)
        found.append(_distribution(desk, reader, of_questionnaire(desk.wanted, chosen, same), question, same))
    surveys = desk.reads.surveys(of_questionnaire(desk.wanted, chosen, [version] if number else chosen.versions))
    return {"version": version, "distributions": found, "surveys": surveys}


def _number(desk: Desk) -> str:
    return desk.query.texts["questionnaire"].partition(":")[2]


def of_questionnaire(wanted: Filter, chosen: QuestionnaireView, versions: Sequence[Version]) -> Filter:
    """Return the filter of some versions of a questionnaire."""
    kind = AFTER_CALL if chosen.key == AFTER_CALL else "callback"
    return replace(wanted, versions=tuple(version.version_id for version in versions), kind=kind)


def _distribution(desk: Desk, reader: QuestionnaireReads, wanted: Filter, question: Question, same: list[Version]) -> Distribution:
    least = desk.settings.statistics_least_answers
    answers = desk.reads.answers(wanted, question.key)
    if question.kind == "text":
        texts = reader.texts(wanted, question.key)
        return Distribution(question, answers.count, answers.late, answers.withdrawn, [], None, [], keywords(texts))
    everybody = answers.option("*") if question.kind == "multiple" else None
    whole = everybody or _together(answers.scores)
    options = [option for option, _label in question.options] or [option for option, _tally in answers.tallies]
    if question.kind == "rating":
        options = ["5", "4", "3", "2", "1"]
    if question.kind == "yes_no":
        options = ["1", "0"]
    choices = []
    for option in options:
        ratio = _share(answers.option(option), whole)
        choices.append(Choice(option, question.label(option), answers.option(option).count, Rate(ratio, None, least)))
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
    weighted = _share(whole, whole).is_weighted
    return Distribution(
        question, whole.count, answers.late, answers.withdrawn, choices, average, told if len(told) > 1 else [], [], weighted
    )


def _together(tallies: Iterable[Tally]) -> Tally:
    rows = list(tallies)
    return Tally(0, sum(one.count for one in rows), sum(one.weight for one in rows), sum(one.squared for one in rows))


def _share(part: Tally, whole: Tally) -> Ratio:
    return Ratio(part.count, whole.count, part.weight, whole.weight, whole.squared)


def cross_tabs(desk: Desk, reader: QuestionnaireReads, chosen: QuestionnaireView, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return one table: a question by a dimension, or by another question, as the address asks."""
    number, least = _number(desk), desk.settings.statistics_least_answers
    latest = chosen.version(number)
    questions = [question for question in latest.questions if question.kind in {"rating", "yes_no", "single", "scale"}]
    row = next((question for question in questions if question.key == arguments.get("row")), questions[0] if questions else None)
    by = arguments.get("across", "unit")
    across = [(name, _dimension_words()[name]) for name in DIMENSIONS]
    across += [(question.key, question.title or question.key) for question in questions if row is None or question.key != row.key]
    if by not in dict(across):
        by = "unit"
    shown: dict[str, Any] = {"cross_questions": questions, "cross_row": row, "cross_by": by, "across": across, "cross": None}
    shown |= {"cross_is_latest": by not in DIMENSIONS, "cross_least": least}
    if row is None:
        return shown
    table: dict[str, dict[str, Tally]] = defaultdict(dict)
    if by in DIMENSIONS:
        same = chosen.same_question(number, row.key)
        for name, answers in desk.reads.answers_by(of_questionnaire(desk.wanted, chosen, same), row.key, by).items():
            table[name] = dict(answers.tallies)
        labels = {"queue_name": dict(desk.reads.queues()), "way": WAY_WORDS}.get(by, {})
        names = {name: str(labels.get(name, name)) for name in table}
    else:
        other = next(question for question in questions if question.key == by)
        # Both questions in the same words, or the table would mix what does not belong together.
        same = chosen.same_question(number, row.key, by)
        for (option, column), tally in reader.crossed(of_questionnaire(desk.wanted, chosen, same), row.key, by).items():
            table[column][option] = tally
        names = {name: other.label(name) for name in table}
    columns = [(option, row.label(option)) for option in _options(row, table)]
    none = Tally(0, 0, 0, 0)
    lines = []
    for name, tallies in table.items():
        whole = _together(tallies.values())
        cells = [Rate(_share(tallies.get(option, none), whole), None, least) for option, _label in columns]
        lines.append(CrossRow(names[name] or str(_("未填")), _share(whole, whole), cells))
    lines.sort(key=lambda one: -one.whole.whole)
    return {**shown, "cross": lines[:_MOST_ROWS], "cross_columns": columns}


def _options(row: Question, table: Mapping[str, Mapping[str, Tally]]) -> list[str]:
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
