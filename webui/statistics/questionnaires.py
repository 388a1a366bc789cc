"""Questionnaires as statistics sees them: their versions, the questions in them, and which questions are the same in several."""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import rjieba
from flask_babel import lazy_gettext as _l
from sqlalchemy import text

from core.database import Database
from webui.statistics.reads import Filter

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
MOST_LISTED = 10_000


@dataclass(frozen=True)
class Question:
    """A question as it was asked. Two are the same when kind, words and choices are."""

    key: str
    kind: str
    title: str
    options: tuple[tuple[str, str], ...]

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

    def same_question(self, key: str) -> list[Version]:
        """Return the versions, the latest first, that ask a question just as the latest one that has it does."""
        newest = next((found for version in self.versions if (found := version.question(key))), None)
        return [version for version in self.versions if newest is not None and version.question(key) == newest]


@dataclass(frozen=True)
class Answered:
    """A survey behind a number."""

    survey_id: uuid.UUID
    call_id: uuid.UUID | None
    offered_at: datetime
    way: str
    state: str
    unit: str
    region: str
    matter: str
    window: str
    answers: dict[str, Any]


class QuestionnaireReads:
    """Answers questions about questionnaires and the surveys behind the numbers. Reads survey's tables, and only reads."""

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
            return tuple(rows) or ("-",)

    def crossed(self, wanted: Filter, row_key: str, column_key: str) -> dict[tuple[str, str], int]:
        """Return how many people gave each pair of answers to two questions of one survey, of the latest so many."""
        condition, values = _surveys_where(wanted, "a.answered_at")
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT a.said, coalesce(CAST(b.score AS text), b.value #>> '{}'), count(*) FROM ("
                    "SELECT a.survey_id, coalesce(CAST(a.score AS text), a.value #>> '{}') AS said FROM answer a "
                    "JOIN survey s ON s.id = a.survey_id "
                    f"WHERE a.question_key = :row_key AND NOT a.is_late AND s.withdrawn_at IS NULL AND {condition} "
                    f"ORDER BY a.answered_at DESC LIMIT {MOST_CROSSED}) a "
                    "JOIN answer b ON b.survey_id = a.survey_id AND b.question_key = :column_key AND NOT b.is_late GROUP BY 1, 2"
                ),
                {"row_key": row_key, "column_key": column_key, **values},
            ).all()
        return {(str(row), str(column)): count for row, column, count in rows}

    def texts(self, wanted: Filter, question_key: str) -> list[str]:
        """Return what people said in their own words, the latest first, 2,000 at most."""
        condition, values = _surveys_where(wanted, "a.answered_at")
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT a.value #>> '{}' FROM answer a JOIN survey s ON s.id = a.survey_id "
                    "WHERE a.question_key = :question_key AND a.kind = 'text' AND NOT a.is_late AND s.withdrawn_at IS NULL "
                    f"AND {condition} ORDER BY a.answered_at DESC LIMIT {_MOST_TEXTS}"
                ),
                {"question_key": question_key, **values},
            ).scalars()
            return [value for value in rows if value]

    def behind(
        self,
        wanted: Filter,
        question_key: str,
        scores: Sequence[float],
        offset: int,
        limit: int,
        *,
        matter: str = "",
        window: str = "",
        known_total: int | None = None,
    ) -> tuple[list[Answered], int]:
        """Return the surveys that gave one of some scores to a question (any, without scores), the latest first, and how many.

        Counts no further than MOST_LISTED, and nothing where the caller knows the total from the counts.
        """
        condition, values = _surveys_where(wanted, "a.answered_at")
        if scores:
            condition += " AND a.score = ANY(:scores)"
            values["scores"] = list(scores)
        for name, value in (("matter", matter), ("window", window)):
            if value:
                condition += f' AND s."{name}" = :{name}'
                values[name] = value
        source = (
            "FROM answer a JOIN survey s ON s.id = a.survey_id WHERE a.question_key = :question_key AND NOT a.is_late "
            f"AND s.withdrawn_at IS NULL AND {condition}"
        )
        values["question_key"] = question_key
        with self._database.transaction() as session:
            total = known_total
            if total is None:
                total = (
                    session.execute(text(f"SELECT count(*) FROM (SELECT 1 {source} LIMIT {MOST_LISTED}) x"), values).scalar() or 0
                )
            rows = session.execute(
                text(
                    'SELECT s.id, s.call_id, s.offered_at, s.way, s.state, s.unit, s.region, s.matter, s."window", '
                    "(SELECT jsonb_object_agg(w.question_key, w.value) FROM answer w WHERE w.survey_id = s.id) AS said "
                    f"{source} ORDER BY a.answered_at DESC OFFSET :offset LIMIT :limit"
                ),
                {**values, "offset": offset, "limit": limit},
            ).all()
        found = [
            Answered(
                row.id,
                row.call_id,
                row.offered_at,
                row.way,
                row.state,
                row.unit,
                row.region,
                row.matter,
                row.window,
                row.said or {},
            )
            for row in rows
        ]
        return found, total


def _questions(definition: Any) -> Iterable[Question]:
    if isinstance(definition, str):
        definition = json.loads(definition)
    for question in definition.get("questions") or []:
        options = tuple((str(one.get("key", "")), _words(one.get("label"))) for one in question.get("options") or [])
        kind = question.get("kind", "")
        if kind == "yes_no":
            options = tuple({"yes": "是", "no": "否", **{key: label for key, label in options if label}}.items())
        yield Question(question.get("key", ""), kind, _words(question.get("title")), options)


def _words(value: Any) -> str:
    return str(value.get("zh", "")) if isinstance(value, dict) else str(value or "")


def _surveys_where(wanted: Filter, clock: str) -> tuple[str, dict[str, Any]]:
    start, end = wanted.span.bounds
    values: dict[str, Any] = {"start": start, "end": end, "kind": wanted.kind}
    parts = [f"{clock} >= :start AND {clock} < :end AND s.kind = :kind"]
    for name in ("queue_name", "category", "hall", "unit", "region"):
        if value := getattr(wanted, name):
            parts.append(f"s.{name} = :{name}")
            values[name] = value
    if wanted.versions:
        parts.append("CAST(s.questionnaire_version_id AS text) = ANY(:versions)")
        values["versions"] = list(wanted.versions)
    return " AND ".join(parts), values


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
