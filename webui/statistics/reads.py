"""Questions about what was counted. Every answer says from which days; a filter narrows what it applies to and nothing else.

Calls know a queue and a category; callbacks and surveys know everything. What does not apply to a measure is not silently
ignored: the page asks `Filter.narrows_calls` and says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import local_date
from core.database import Database
from survey.schema import COUNTED
from webui.statistics.counting import CALLBACKS as CALLBACK_PART
from webui.statistics.counting import SURVEYS, Span
from webui.statistics.kpi import HourCount, Tally
from webui.statistics.totals import AgentTotals, Answers, CallbackTotals, CallTotals, Sums, SurveyTotals

Totals = TypeVar("Totals", bound=Sums)
SATISFACTION, RESOLVED = COUNTED
"""The keys of the two questions that the rates are made of, in every questionnaire that asks them."""
AFTER_CALL = "after_call"
# Callbacks and answers are followed from day to day over so many days; over more by month, which is summed up already.
MOST_DAYS = 62
_DIMENSIONS = ("queue_name", "hall", "unit", "region", "category", "way", "kind", "version_id")


@dataclass(frozen=True)
class Filter:
    """What to count: days, and any of the conditions."""

    span: Span
    queue_name: str = ""
    category: str = ""
    hall: str = ""
    unit: str = ""
    region: str = ""
    versions: tuple[str, ...] = ()
    kind: str = "callback"

    @property
    def narrows_calls(self) -> bool:
        """Whether a condition is set that calls do not know."""
        return bool(self.hall or self.unit or self.region or self.versions)

    @property
    def narrows_agents(self) -> bool:
        """Whether a condition is set that agents' days do not know."""
        return bool(self.queue_name or self.category)

    def at(self, span: Span) -> "Filter":
        """Return the same conditions on other days."""
        return replace(self, span=span)


@dataclass(frozen=True)
class _Where:
    condition: str
    values: dict[str, Any]


class StatisticsReads:
    """Answers questions; changes nothing. Whoever needs the present asks `Counting.ensure` before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- calls

    def calls(self, wanted: Filter) -> CallTotals:
        """Return the calls of all days together."""
        return self._calls(wanted, "''").get("", CallTotals())

    def calls_by_day(self, wanted: Filter) -> dict[date, CallTotals]:
        """Return the calls of each day that had any."""
        return self._calls(wanted, "day")

    def calls_by(self, wanted: Filter, dimension: str) -> dict[str, CallTotals]:
        """Return the calls by queue_name or category."""
        assert dimension in {"queue_name", "category"}
        return self._calls(wanted, dimension)

    def _calls(self, wanted: Filter, group: str) -> dict[Any, CallTotals]:
        where = _calls_where(wanted)
        if wanted.category:
            where = _Where(f"{where.condition} AND category = :category", {**where.values, "category": wanted.category})
        with self._database.transaction() as session:
            return _grouped(session, CallTotals, "statistics_calls", group, where)

    def hours(self, wanted: Filter, since: datetime, until: datetime) -> list[HourCount]:
        """Return the hours that had calls, of one queue or all."""
        condition = " AND queue_name = :queue_name" if wanted.queue_name else ""
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT hour_at, CAST(sum(answered) AS int), CAST(sum(offered) AS int) FROM statistics_hour "
                    f"WHERE hour_at >= :since AND hour_at < :until{condition} GROUP BY 1 ORDER BY 1"
                ),
                {"since": since, "until": until} | ({"queue_name": wanted.queue_name} if wanted.queue_name else {}),
            )
            return [HourCount(at, answered, offered) for at, answered, offered in rows]

    def spread(self, wanted: Filter, measure: str) -> list[tuple[float, int]]:
        """Return (value, how many) of wait or lag."""
        where = _calls_where(wanted)
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT bucket, CAST(sum(count) AS int) FROM statistics_spread "
                    f"WHERE measure = :measure AND {where.condition} GROUP BY 1 ORDER BY 1"
                ),
                {"measure": measure, **where.values},
            )
            return [(float(bucket), count) for bucket, count in rows]

    # --- agents

    def agents(self, wanted: Filter) -> dict[str, AgentTotals]:
        """Return the sums of each agent, by the agent's id."""
        with self._database.transaction() as session:
            found: dict[Any, AgentTotals] = _grouped(
                session, AgentTotals, "statistics_agent", "CAST(agent_id AS text)", _days_where(wanted.span)
            )
        return found

    def agents_by_day(self, wanted: Filter) -> dict[date, AgentTotals]:
        """Return everybody's sums by day."""
        with self._database.transaction() as session:
            return _grouped(session, AgentTotals, "statistics_agent", "day", _days_where(wanted.span))

    def agent_names(self) -> dict[str, str]:
        """Return every agent's name and number by id."""
        with self._database.transaction() as session:
            return {
                str(key): f"{name} {number}" for key, name, number in session.execute(text("SELECT id, name, number FROM agent"))
            }

    # --- callbacks and surveys

    def callbacks(self, wanted: Filter) -> CallbackTotals:
        """Return the callbacks of all days together."""
        return self._sliced(CallbackTotals, "statistics_callbacks", CALLBACK_PART, wanted, "''").get("", CallbackTotals())

    def callbacks_by(self, wanted: Filter, dimension: str) -> dict[str, CallbackTotals]:
        """Return the callbacks by one dimension of a slice."""
        assert dimension in _DIMENSIONS
        return self._sliced(CallbackTotals, "statistics_callbacks", CALLBACK_PART, wanted, f"l.{dimension}")

    def callbacks_over(self, wanted: Filter) -> dict[date, CallbackTotals]:
        """Return the callbacks by day, or by month over many days."""
        group, by_day = _over(wanted.span)
        return self._sliced(CallbackTotals, "statistics_callbacks", CALLBACK_PART, wanted, group, by_day=by_day)

    def surveys(self, wanted: Filter) -> SurveyTotals:
        """Return the surveys of all days together."""
        return self._sliced(SurveyTotals, "statistics_surveys", SURVEYS, wanted, "''").get("", SurveyTotals())

    def surveys_by(self, wanted: Filter, dimension: str) -> dict[str, SurveyTotals]:
        """Return the surveys by one dimension of a slice."""
        assert dimension in _DIMENSIONS
        return self._sliced(SurveyTotals, "statistics_surveys", SURVEYS, wanted, f"l.{dimension}")

    def _sliced(
        self, kind: type[Totals], table: str, part: str, wanted: Filter, group: str, *, by_day: bool = False
    ) -> dict[Any, Totals]:
        with self._database.transaction() as session:
            where = _sliced_where(session, wanted, part, is_survey=kind is SurveyTotals, by_day=by_day)
            return _grouped(session, kind, f"{table} a JOIN statistics_slice l ON l.id = a.slice_id", group, where)

    def answers(self, wanted: Filter, question_key: str) -> Answers:
        """Return the answers to one question."""
        return self._answers(wanted, question_key, "''").get("", Answers())

    def answers_by(self, wanted: Filter, question_key: str, dimension: str) -> dict[str, Answers]:
        """Return the answers to one question by one dimension of a slice."""
        assert dimension in _DIMENSIONS
        return self._answers(wanted, question_key, f"l.{dimension}")

    def answers_over(self, wanted: Filter, question_key: str) -> dict[date, Answers]:
        """Return the answers to one question by the day they were given, or by month over many days."""
        group, by_day = _over(wanted.span)
        return self._answers(wanted, question_key, group, by_day=by_day)

    def _answers(self, wanted: Filter, question_key: str, group: str, *, by_day: bool = False) -> dict[Any, Answers]:
        with self._database.transaction() as session:
            where = _sliced_where(session, wanted, SURVEYS, is_survey=True, by_day=by_day)
            # Asked as another kind, the same key is no grade and no yes or no.
            kind = COUNTED.get(question_key)
            rows = session.execute(
                text(
                    "SELECT g, option, excluded, CAST(sum(count) AS int), sum(weight), sum(squared) FROM ("
                    f"SELECT {group} AS g, a.option, a.excluded, a.count, a.weight, a.squared FROM statistics_answers a "
                    f"JOIN statistics_slice l ON l.id = a.slice_id WHERE a.question_key = :question_key AND {where.condition} "
                    f"{'AND a.question_kind = :question_kind ' if kind else ''}"
                    # Whoever chose several options is left out once.
                    "AND (a.excluded = '' OR a.question_kind <> 'multiple' OR a.option = '*')"
                    ") x GROUP BY 1, 2, 3"
                ),
                {"question_key": question_key, **({"question_kind": kind.value} if kind else {}), **where.values},
            ).all()
        return _answers_of(rows)

    # --- what can be chosen

    def choices(self) -> dict[str, list[str]]:
        """Return what callbacks and surveys were counted by, for the filters."""
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT 'hall', hall FROM statistics_slice WHERE hall <> '' UNION SELECT 'unit', unit FROM statistics_slice "
                    "WHERE unit <> '' UNION SELECT 'region', region FROM statistics_slice WHERE region <> '' UNION "
                    "SELECT 'category', category FROM statistics_slice WHERE category <> '' UNION "
                    "SELECT 'category', category FROM statistics_calls WHERE category <> '' ORDER BY 1, 2"
                )
            ).all()
        found: dict[str, list[str]] = defaultdict(list)
        for name, value in rows:
            found[name].append(value)
        return found

    def queues(self) -> list[tuple[str, str]]:
        """Return every queue's name and title."""
        with self._database.transaction() as session:
            return [(name, title) for name, title in session.execute(text("SELECT name, title FROM queue ORDER BY title"))]


def _answers_of(rows: Iterable[Any]) -> dict[Any, Answers]:
    tallies: dict[Any, list[tuple[str, Tally]]] = defaultdict(list)
    left: dict[Any, dict[str, int]] = defaultdict(lambda: {"late": 0, "withdrawn": 0})
    for group, option, excluded, count, weight, squared in rows:
        if excluded:
            left[group][excluded] += count
        else:
            tallies[group].append((option, Tally(_score(option), count, float(weight), float(squared))))
    keys = set(tallies) | set(left)
    return {
        key: Answers(tuple(sorted(tallies[key], key=lambda row: row[1].score)), left[key]["late"], left[key]["withdrawn"])
        for key in keys
    }


def _score(option: str) -> float:
    try:
        return float(option)
    except ValueError:
        return 0.0


def _grouped(session: Session, kind: type[Totals], table: str, group: str, where: _Where) -> dict[Any, Totals]:
    names = [one.name for one in fields(kind)]
    sums = ", ".join(f"sum({name})" for name in names)
    rows = session.execute(text(f"SELECT {group} AS g, {sums} FROM {table} WHERE {where.condition} GROUP BY 1"), where.values)
    is_whole = [one.type == "int" or one.type is int for one in fields(kind)]
    return {
        row[0]: kind(*(int(value or 0) if whole else float(value or 0) for value, whole in zip(row[1:], is_whole, strict=True)))
        for row in rows
    }


def _days_where(span: Span) -> _Where:
    return _Where("day BETWEEN :first AND :last", {"first": span.first, "last": span.last})


def _calls_where(wanted: Filter) -> _Where:
    where = _days_where(wanted.span)
    if not wanted.queue_name:
        return where
    return _Where(f"{where.condition} AND queue_name = :queue_name", {**where.values, "queue_name": wanted.queue_name})


def _sliced_where(session: Session, wanted: Filter, part: str, *, is_survey: bool, by_day: bool) -> _Where:
    """Return the condition on a month's sums where there are any, and on days otherwise."""
    months = [] if by_day else _whole_months(session, wanted.span, part)
    conditions, values = _grain_conditions(wanted.span, months)
    parts = [f"({' OR '.join(conditions)})"]
    for name in ("queue_name", "category", "hall", "unit", "region"):
        if value := getattr(wanted, name):
            parts.append(f"l.{name} = :{name}")
            values[name] = value
    if wanted.versions:
        parts.append("l.version_id = ANY(:versions)")
        values["versions"] = list(wanted.versions)
    if is_survey and wanted.kind:
        parts.append("l.kind = :kind")
        values["kind"] = wanted.kind
    return _Where(" AND ".join(parts), values)


def _over(span: Span) -> tuple[str, bool]:
    return ("a.day", True) if span.days <= MOST_DAYS else ("CAST(date_trunc('month', a.day) AS date)", False)


def rows_where(wanted: Filter, table: str, clock: str, clock_of: str = "") -> tuple[list[str], dict[str, Any]]:
    """Return the conditions on the stages' own rows: `table` knows all of a filter, `clock_of` has the moment if it is another."""
    start, end = wanted.span.bounds
    parts = [f"{clock_of or table}.{clock} >= :start AND {clock_of or table}.{clock} < :end"]
    values: dict[str, Any] = {"start": start, "end": end}
    for name in ("queue_name", "category", "hall", "unit", "region"):
        if value := getattr(wanted, name):
            parts.append(f"{table}.{name} = :{name}")
            values[name] = value
    if wanted.versions:
        # Not as text: of that PostgreSQL knows nothing, and would read every survey for the latest few.
        parts.append(f"{table}.questionnaire_version_id = ANY(CAST(:versions AS uuid[]))")
        values["versions"] = list(wanted.versions)
    return parts, values


def _whole_months(session: Session, span: Span, part: str) -> list[date]:
    rows = session.execute(
        text(
            "SELECT month FROM statistics_month WHERE part = :part AND month >= :first "
            "AND CAST(month + interval '1 month - 1 day' AS date) <= :last ORDER BY 1"
        ),
        {"part": part, "first": span.first, "last": span.last},
    )
    return list(rows.scalars())


def _grain_conditions(span: Span, months: Sequence[date]) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    first = span.first
    for number, month in enumerate([*months, span.last + timedelta(days=1)]):
        if first < month:
            conditions.append(f"(a.grain = 'day' AND a.day BETWEEN :from_{number} AND :until_{number})")
            values |= {f"from_{number}": first, f"until_{number}": month - timedelta(days=1)}
        if number < len(months):
            first = (month + timedelta(days=32)).replace(day=1)
    if months:
        conditions.append("(a.grain = 'month' AND a.day = ANY(:months))")
        values["months"] = list(months)
    return conditions or ["false"], values


def span_of_days(now: datetime, days: int) -> Span:
    """Return the latest days up to and with today."""
    today = local_date(now)
    return Span(today - timedelta(days=days - 1), today)
