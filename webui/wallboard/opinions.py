"""What citizens said, as the hall may know it: nothing of fewer than five people, neither told nor to be worked out. Pure.

Whoever subtracts one number from another must not come to fewer than five either, nor who compares yesterday's totals with
today's. So a total is made of groups of five and more that are counted together or not at all, and the present day stands by
itself. A share tells of everybody in it: that 58 of 60 were satisfied also says that two were not.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from webui.statistics import kpi
from webui.statistics.kpi import BARELY_SATISFIED, SATISFIED, Tally
from webui.wallboard.figures import LEAST, DayRate, Grade, Rate, Satisfaction, WayRate, opinion_rate

GRADES = (5, 4, 3, 2, 1)
WAYS = ("agent", "ivr", "web")
Part = TypeVar("Part", bound=Hashable)


@dataclass(frozen=True)
class AnswerCount:
    """Answers of one day with one score to one question, by how they were asked."""

    day: date
    kind: str
    way: str
    question: str
    tally: Tally


def satisfaction(
    closed: Sequence[AnswerCount], present: Sequence[AnswerCount], window: Sequence[date], *, counts_barely: bool
) -> Satisfaction:
    """Return what was said on closed days, and apart from these on the present one."""

    def ratio(rows: Iterable[AnswerCount]) -> kpi.Ratio:
        return kpi.satisfaction((row.tally for row in rows), counts_barely=counts_barely)

    rated = _counted(_said(closed, "callback", "satisfaction"), window)
    solved = _counted(_said(closed, "callback", "resolved"), window)
    after_call = _counted(_said(closed, "after_call", "satisfaction"), window)
    by_way = {way: [row for row in rated if row.way == way] for way in WAYS}
    untold = hidden({way: sum(row.tally.count for row in rows) for way, rows in by_way.items()})
    return Satisfaction(
        days=len(window),
        rate=opinion_rate(ratio(rated)),
        solved=opinion_rate(kpi.solved_rate(row.tally for row in solved)),
        grades=_grades(rated, BARELY_SATISFIED if counts_barely else SATISFIED),
        daily=[DayRate(day=day, rate=opinion_rate(ratio(row for row in rated if row.day == day))) for day in window],
        ways=[
            WayRate(way=way, rate=Rate(is_suppressed=True) if way in untold else opinion_rate(ratio(rows)))
            for way, rows in by_way.items()
        ],
        today=opinion_rate(ratio(_said(present, "callback", "satisfaction"))),
        after_call=opinion_rate(ratio(after_call)),
    )


def told_days(counts: Mapping[date, int], window: Sequence[date]) -> set[date]:
    """Return the days of a window that are counted: those of five answers and more, and the smaller days of a whole week together.

    A week's smaller days come into the total and leave it at one time, or stay out where their sum would tell of one.
    """
    told = {day for day in window if counts.get(day, 0) >= LEAST}
    for monday in window:
        week = [monday + timedelta(days=later) for later in range(7)]
        if monday.weekday() or week[-1] > window[-1]:
            continue
        small = [day for day in week if day not in told]
        if _keeps([counts.get(day, 0) for day in small]):
            told.update(small)
    return told


def hidden(counts: Mapping[Part, int]) -> set[Part]:
    """Return which parts of a known whole stay untold: the small ones, and the next larger until the others no longer tell them."""
    untold = {part for part, count in counts.items() if 0 < count < LEAST}
    while untold and not _keeps([counts[part] for part in untold]):
        larger = [count for part, count in counts.items() if count >= LEAST and part not in untold]
        if not larger:
            return set(counts)
        # All of one size: which of them was taken would tell.
        untold |= {part for part, count in counts.items() if count == min(larger)}
    return untold


def _keeps(counts: Sequence[int]) -> bool:
    """Say whether the sum of some tells of none: they are five and more together, and may be fewer than four somewhere."""
    return len(counts) > 1 and sum(counts) >= LEAST and set(counts) != {LEAST - 1}


def _said(rows: Iterable[AnswerCount], kind: str, question: str) -> list[AnswerCount]:
    return [row for row in rows if row.kind == kind and row.question == question]


def _counted(rows: Sequence[AnswerCount], window: Sequence[date]) -> list[AnswerCount]:
    by_day: Counter[date] = Counter()
    for row in rows:
        by_day[row.day] += row.tally.count
    told = told_days(by_day, window)
    return [row for row in rows if row.day in told]


def _grades(rated: Iterable[AnswerCount], satisfied_from: int) -> list[Grade]:
    """Return the grades from 5 down. The rate tells how many were satisfied: either side is a whole by itself."""
    counts: Counter[int] = Counter()
    for row in rated:
        counts[round(row.tally.score)] += row.tally.count
    total = counts.total()
    sides = [[grade for grade in GRADES if (grade >= satisfied_from) is side] for side in (True, False)]
    untold = set(GRADES) if total < LEAST else set().union(*(hidden({grade: counts[grade] for grade in side}) for side in sides))
    return [
        Grade(score=grade, count=None, percent=None)
        if grade in untold
        else Grade(score=grade, count=counts[grade], percent=round(100 * counts[grade] / total, 1))
        for grade in GRADES
    ]
