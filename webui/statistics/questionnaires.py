"""Questionnaires as statistics sees them: their versions, the questions in them, and which questions are the same in several."""

import json
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import rjieba
from flask_babel import lazy_gettext as _l
from sqlalchemy import text

from core.database import Database
from webui.statistics.kpi import Tally
from webui.statistics.reads import Filter, rows_where

# fmt: off
_STOP = frozenset({
    "我们", "你们", "他们", "没有", "但是", "因为", "所以", "如果", "一个", "一下", "可以", "什么", "怎么", "比较", "非常", "已经",
    "还是", "就是", "这个", "那个", "这样", "不是", "时候", "现在", "知道", "觉得", "感觉", "希望", "一些", "不会", "不能",
    "还有", "而且", "自己",
})
# fmt: on
GRADES = {"5": _l("非常满意"), "4": _l("满意"), "3": _l("基本满意"), "2": _l("不满意"), "1": _l("非常不满意")}
_YES_NO_WORDS = {"是": _l("是"), "否": _l("否")}
_MOST_TEXTS = 2000
MOST_CROSSED = 50_000
_NO_VERSION = str(uuid.UUID(int=0))


@dataclass(frozen=True)
class Question:
    """A question as it was asked. Two are the same when kind, words, choices and bounds are."""

    key: str
    kind: str
    title: str
    options: tuple[tuple[str, str], ...]
    bounds: tuple[int, int] | None = None

    def label(self, option: str) -> str:
        """Return what an answer is called."""
        if self.kind == "rating":
            return str(GRADES.get(option, option))
        if self.kind == "yes_no":
            said = dict(self.options).get(_YES_NO.get(option, option), option)
            return str(_YES_NO_WORDS.get(said, said))
        return dict(self.options).get(option, option)


_YES_NO = {"1": "yes", "0": "no"}


@dataclass(frozen=True)
class Version:
    """One version of a questionnaire."""

    version_id: str
    version_no: int
    questions: tuple[Question, ...]

    def question(self, key: str) -> Question | None:
        """Return a question by its key."""
        return next((question for question in self.questions if question.key == key), None)


@dataclass(frozen=True)
class QuestionnaireView:
    """A questionnaire that was launched at least once."""

    key: str
    title: str
    versions: tuple[Version, ...]

    def version(self, number: str) -> Version:
        """Return the version of a number, or the latest one."""
        return next((version for version in self.versions if str(version.version_no) == number), self.versions[0])

    def same_question(self, number: str, *keys: str) -> list[Version]:
        """Return the versions, the latest first, that ask questions just as the latest one that has them does; or the one named."""
        if number:
            return [self.version(number)]
        found = list(self.versions)
        for key in keys:
            newest = next((question for version in found if (question := version.question(key))), None)
            found = [version for version in found if newest is not None and version.question(key) == newest]
        return found


class QuestionnaireReads:
    """Answers questions about questionnaires and what was answered. Reads survey's tables, and only reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[QuestionnaireView]:
        """Return every questionnaire with the versions that were launched, the latest first."""
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT q.key, q.title, CAST(v.id AS text), v.version_no, v.definition FROM questionnaire q "
                    "JOIN questionnaire_version v ON v.questionnaire_id = q.id WHERE v.state <> 'draft' "
                    "ORDER BY q.title, v.version_no DESC"
                )
            ).all()
        found: dict[str, tuple[str, list[Version]]] = {}
        for key, title, version_id, number, definition in rows:
            found.setdefault(key, (title, []))[1].append(Version(version_id, number, tuple(_questions(definition))))
        return [QuestionnaireView(key, title, tuple(versions)) for key, (title, versions) in found.items()]

    def versions_of(self, chosen: str) -> tuple[str, ...]:
        """Return the ids meant by a questionnaire's key, or by key:number for one version; one that fits nothing otherwise."""
        key, _, number = chosen.partition(":")
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT CAST(v.id AS text) FROM questionnaire_version v JOIN questionnaire q ON q.id = v.questionnaire_id "
                    "WHERE q.key = :key AND (:number = '' OR CAST(v.version_no AS text) = :number)"
                ),
                {"key": key, "number": number},
            ).scalars()
            return tuple(rows) or (_NO_VERSION,)

    def crossed(self, wanted: Filter, row_key: str, column_key: str) -> dict[tuple[str, str], Tally]:
        """Return who gave each pair of answers to two questions of one survey, of the latest so many, with their weights."""
        condition, values = _surveys_where(wanted)
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT a.said, coalesce(CAST(b.score AS text), b.value #>> '{}'), count(*), sum(a.weight), "
                    "sum(a.weight * a.weight) FROM ("
                    "SELECT a.survey_id, coalesce(CAST(a.score AS text), a.value #>> '{}') AS said, s.weight FROM answer a "
                    f"JOIN survey s ON s.id = a.survey_id WHERE a.question_key = :row_key AND {condition} "
                    f"ORDER BY a.answered_at DESC LIMIT {MOST_CROSSED}) a "
                    "JOIN answer b ON b.survey_id = a.survey_id AND b.question_key = :column_key AND NOT b.is_late GROUP BY 1, 2"
                ),
                {"row_key": row_key, "column_key": column_key, **values},
            ).all()
        return {(str(row), str(column)): Tally(0, *sums) for row, column, *sums in rows}

    def texts(self, wanted: Filter, question_key: str) -> list[str]:
        """Return what people said to an open question, the latest first, 2,000 at most."""
        condition, values = _surveys_where(wanted)
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT a.value #>> '{}' FROM answer a JOIN survey s ON s.id = a.survey_id WHERE "
                    f"a.question_key = :question_key AND {condition} "
                    f"ORDER BY a.answered_at DESC LIMIT {_MOST_TEXTS}"
                ),
                {"question_key": question_key, **values},
            ).scalars()
            return [value for value in rows if value]


def _questions(definition: Any) -> Iterable[Question]:
    if isinstance(definition, str):
        definition = json.loads(definition)
    for question in definition.get("questions") or []:
        options = tuple((str(one.get("key", "")), _words(one.get("label"))) for one in question.get("options") or [])
        kind = question.get("kind", "")
        if kind == "yes_no":
            options = tuple({"yes": "是", "no": "否", **{key: label for key, label in options if label}}.items())
        bounds = (question.get("lowest", 0), question.get("highest", 10)) if kind in {"scale", "number"} else None
        yield Question(question.get("key", ""), kind, _words(question.get("title")), options, bounds)


def _words(value: Any) -> str:
    return str(value.get("zh", "")) if isinstance(value, dict) else str(value or "")


def _surveys_where(wanted: Filter) -> tuple[str, dict[str, Any]]:
    parts, values = rows_where(wanted, "s", "answered_at", clock_of="a")
    parts += ["s.kind = :kind", "NOT a.is_late", "s.withdrawn_at IS NULL"]
    return " AND ".join(parts), {**values, "kind": wanted.kind}


@cache
def _cutter() -> Any:
    # Reads its dictionary on first use, in a tenth of a second.
    return rjieba.Jieba()


def keywords(texts: Iterable[str], most: int = 20) -> list[tuple[str, int]]:
    """Return the words that most people used, each person counted once a word; single characters and filler are left out."""
    found: Counter[str] = Counter()
    for one in texts:
        found.update({word for word in _cutter().cut(one) if len(word) > 1 and word not in _STOP and not word.isascii()})
    return sorted(found.items(), key=lambda row: (-row[1], row[0]))[:most]
