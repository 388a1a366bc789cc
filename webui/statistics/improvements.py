"""Poor results that somebody must put right (整改): opened by the counts, worked on by people, measured again once closed."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, text

from core.clock import local_date
from core.database import Database
from core.errors import ConflictError, NotFoundError
from core.settings import Settings
from webui.statistics.counting import Span
from webui.statistics.intervals import interval
from webui.statistics.kpi import BARELY_SATISFIED, SATISFIED, Ratio
from webui.statistics.models import ImprovementItem
from webui.statistics.reads import SATISFACTION

OPEN, CLOSED, IMPROVED, NOT_IMPROVED, UNMEASURED = STATES = ("open", "closed", "improved", "not_improved", "unmeasured")
SYSTEM = "system"
# Answers may come slowly: measured again when there are enough, given up after so many times the usual stretch.
_PATIENCE = 4


class ImprovementNotFoundError(NotFoundError):
    """No such item."""


class ImprovementClosedError(ConflictError):
    """The item is closed: what it says is part of the record."""


@dataclass(frozen=True)
class Place:
    """Whose result: a unit, and a matter and window of it where these are known."""

    unit: str
    matter: str = ""
    window: str = ""


@dataclass(frozen=True)
class Item:
    """An item as pages show it."""

    item_id: uuid.UUID
    place: Place
    state: str
    target: float
    before: dict[str, Any]
    after: dict[str, Any] | None
    owner: str
    deadline_on: date
    note: str
    story: list[dict[str, Any]]
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    measured_at: datetime | None


def measured(ratio: Ratio, span: Span) -> dict[str, Any]:
    """Return a rate with its weights and days, as it is kept with an item."""
    return {
        **asdict(ratio),
        "value": ratio.value,
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
    }


def kept_ratio(kept: dict[str, Any]) -> Ratio:
    """Return a rate as it was measured, weights and all."""
    return Ratio(*(kept[one.name] for one in fields(Ratio)))


def is_poor(ratio: Ratio, target: float, least: int) -> bool:
    """Say whether a rate misses its target, in percent, and not by chance: even the upper end of its interval lies below."""
    found = interval(ratio)
    return ratio.whole >= least and found is not None and 100 * found.high < target


def verdict(before: dict[str, Any], after: Ratio, target: float) -> str:
    """Return improved when the target is reached, or the whole interval lies above what was measured before."""
    found = interval(after)
    if found is None or after.value is None:
        return UNMEASURED
    reached = 100 * after.value >= target
    return IMPROVED if reached or found.low > (before["value"] or 0.0) else NOT_IMPROVED


class Improvements:
    """Opens, edits, closes and measures items."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._days = settings.improvement_days
        self._target = settings.satisfaction_target
        self._least = settings.statistics_least_answers
        self._satisfied = BARELY_SATISFIED if settings.satisfaction_counts_barely else SATISFIED

    # --- by the worker

    def open_poor_results(self, now: datetime) -> int:
        """Open an item for each poor result of the latest days that has none; return how many."""
        today = local_date(now)
        span = Span(today - timedelta(days=self._days), today - timedelta(days=1))
        rates = self._rates(span)
        poor = {place: ratio for place, ratio in rates.items() if place.window and is_poor(ratio, self._target, self._least)}
        for place, ratio in rates.items():
            # The unit as a whole, or a matter, only where nothing nearer was found.
            nearer = any(other.unit == place.unit and (not place.matter or other.matter == place.matter) for other in poor)
            if not place.window and place.matter and not nearer and is_poor(ratio, self._target, self._least):
                poor[place] = ratio
        for place, ratio in rates.items():
            if (
                not place.matter
                and not any(other.unit == place.unit for other in poor)
                and is_poor(ratio, self._target, self._least)
            ):
                poor[place] = ratio
        opened = 0
        for place, ratio in sorted(poor.items(), key=lambda row: row[1].value or 0.0):
            opened += self._open(place, ratio, span, now)
        return opened

    def _open(self, place: Place, ratio: Ratio, span: Span, now: datetime) -> bool:
        with self._database.transaction() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(1953723490)"))
            recent = now - timedelta(days=self._days)
            query = select(ImprovementItem).where(
                ImprovementItem.unit == place.unit, ImprovementItem.matter == place.matter, ImprovementItem.window == place.window
            )
            # Closed lately: its days of proof are still running.
            if any(row.state == OPEN or (row.closed_at is not None and row.closed_at > recent) for row in session.scalars(query)):
                return False
            session.add(
                ImprovementItem(
                    measure=SATISFACTION,
                    unit=place.unit,
                    matter=place.matter,
                    window=place.window,
                    target=self._target,
                    before=measured(ratio, span),
                    deadline_on=local_date(now) + timedelta(days=self._days),
                    story=[{"at": now.isoformat(), "who": SYSTEM, "what": "opened"}],
                    opened_by=SYSTEM,
                    opened_at=now,
                )
            )
        return True

    def measure_again(self, now: datetime) -> int:
        """Measure what was closed long enough ago; return how many items got a verdict."""
        with self._database.transaction() as session:
            rows = [
                (row.id, Place(row.unit, row.matter, row.window), row.closed_at, row.before, row.target)
                for row in session.scalars(select(ImprovementItem).where(ImprovementItem.state == CLOSED))
                if row.closed_at is not None and row.closed_at <= now - timedelta(days=self._days)
            ]
        done = 0
        for item_id, place, closed_at, before, target in rows:
            span = Span(local_date(closed_at) + timedelta(days=1), local_date(now) - timedelta(days=1))
            ratio = self._rates(span, place).get(place, Ratio(0, 0))
            is_enough = ratio.whole >= self._least
            if not is_enough and now - closed_at < timedelta(days=_PATIENCE * self._days):
                continue
            state = verdict(before, ratio, target) if is_enough else UNMEASURED
            with self._database.transaction() as session:
                row = session.get_one(ImprovementItem, item_id)
                row.after, row.measured_at, row.state = measured(ratio, span), now, state
                row.story = [*row.story, {"at": now.isoformat(), "who": SYSTEM, "what": state}]
            done += 1
        return done

    def _rates(self, span: Span, only: Place | None = None) -> dict[Place, Ratio]:
        """Return the satisfaction of every unit, matter of it, and window for it."""
        start, end = span.bounds
        condition = "AND s.unit = :unit" if only else ""
        with self._database.transaction() as session:
            rows = session.execute(
                text(
                    'SELECT s.unit, s.matter, s."window", count(*) FILTER (WHERE a.score >= :satisfied), count(*), '
                    "coalesce(sum(s.weight) FILTER (WHERE a.score >= :satisfied), 0), sum(s.weight), sum(s.weight * s.weight) "
                    "FROM answer a JOIN survey s ON s.id = a.survey_id "
                    "WHERE a.question_key = :question AND a.kind = 'rating' AND a.answered_at >= :start AND a.answered_at < :end "
                    "AND NOT a.is_late AND s.withdrawn_at IS NULL AND s.kind = 'callback' AND s.unit <> '' "
                    f'{condition} GROUP BY GROUPING SETS ((s.unit), (s.unit, s.matter), (s.unit, s.matter, s."window"))'
                ),
                {"satisfied": self._satisfied, "question": SATISFACTION, "start": start, "end": end}
                | ({"unit": only.unit} if only else {}),
            ).all()
        found = {}
        for unit, matter, window, part, whole, weighted_part, weighted_whole, squared in rows:
            # A set without a column gives None there; an answer without a matter or window gives an empty text, and no place.
            if matter != "" and window != "":
                found[Place(unit, matter or "", window or "")] = Ratio(part, whole, weighted_part, weighted_whole, squared)
        return found

    # --- by people

    def items(self, states: Sequence[str] = ()) -> list[Item]:
        """Return items, open ones by deadline first."""
        with self._database.transaction() as session:
            query = select(ImprovementItem).order_by(
                ImprovementItem.state != OPEN, ImprovementItem.deadline_on, ImprovementItem.opened_at.desc()
            )
            if states:
                query = query.where(ImprovementItem.state.in_(states))
            return [_item(row) for row in session.scalars(query.limit(500))]

    def get(self, item_id: uuid.UUID) -> Item:
        """Return one item.

        Raises:
            ImprovementNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            row = session.get(ImprovementItem, item_id)
            if row is None:
                raise ImprovementNotFoundError(str(item_id))
            return _item(row)

    def edit(self, item_id: uuid.UUID, *, owner: str, deadline_on: date, note: str, actor: str, now: datetime) -> None:
        """Change who answers for an open item, until when, and what is done.

        Raises:
            ImprovementNotFoundError, ImprovementClosedError
        """
        self._change(item_id, {"owner": owner, "deadline_on": deadline_on, "note": note}, "edited", actor, now)

    def close(self, item_id: uuid.UUID, *, actor: str, now: datetime) -> None:
        """Close an open item: from the next day on it is measured again.

        Raises:
            ImprovementNotFoundError, ImprovementClosedError
        """
        self._change(item_id, {"state": CLOSED, "closed_at": now}, "closed", actor, now)

    def _change(self, item_id: uuid.UUID, values: dict[str, Any], what: str, actor: str, now: datetime) -> None:
        with self._database.transaction() as session:
            row = session.get(ImprovementItem, item_id, with_for_update=True)
            if row is None:
                raise ImprovementNotFoundError(str(item_id))
            if row.state != OPEN:
                raise ImprovementClosedError(str(item_id))
            for name, value in values.items():
                setattr(row, name, value)
            row.story = [*row.story, {"at": now.isoformat(), "who": actor, "what": what}]


def _item(row: ImprovementItem) -> Item:
    return Item(
        row.id,
        Place(row.unit, row.matter, row.window),
        row.state,
        row.target,
        row.before,
        row.after,
        row.owner,
        row.deadline_on,
        row.note,
        row.story,
        row.opened_by,
        row.opened_at,
        row.closed_at,
        row.measured_at,
    )
