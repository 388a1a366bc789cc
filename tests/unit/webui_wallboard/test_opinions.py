"""Nothing of fewer than five people can be worked out from what the hall shows, however one subtracts.

The unknowns are how many gave which grade, by which way, on which day. All that is published is a sum over some of them; a group is
worked out when its own sum follows from the published ones. What is published as zero makes its unknowns known.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webui.statistics.kpi import Tally
from webui.wallboard.figures import LEAST, Rate, Satisfaction
from webui.wallboard.opinions import GRADES, WAYS, AnswerCount, hidden, satisfaction, told_days

MONDAY = date(2026, 3, 2)
WINDOW = [MONDAY + timedelta(days=later) for later in range(30)]
TODAY = WINDOW[-1] + timedelta(days=1)
Cell = tuple[date, str, int]
Counts = Mapping[Cell, int]
Known = tuple[frozenset[Cell], int]


def rows(counts: Counts, question: str = "satisfaction", kind: str = "callback") -> list[AnswerCount]:
    return [
        AnswerCount(day, kind, way, question, Tally(float(grade), count, float(count), float(count)))
        for (day, way, grade), count in counts.items()
    ]


def body(counts: Counts, today: date = TODAY, *, barely: bool = False) -> Satisfaction:
    window = [today - timedelta(days=back) for back in range(30, 0, -1)]
    closed = rows({cell: count for cell, count in counts.items() if cell[0] in set(window)})
    present = rows({cell: count for cell, count in counts.items() if cell[0] == today})
    return satisfaction(closed, present, window, counts_barely=barely)


# --- what one who reads everything knows


def published(counts: Counts, today: date, *, barely: bool = False) -> list[Known]:
    """Return each published number as the cells that it is the sum of, and the number."""
    told = body(counts, today, barely=barely)
    window = [day.day for day in told.daily]
    by_day: dict[date, int] = defaultdict(int)
    for (day, _way, _grade), count in counts.items():
        by_day[day] += count
    days = told_days(by_day, window)
    least = 3 if barely else 4
    found: list[Known] = []

    def add(rate: Rate, belongs: Callable[[Cell], bool], among: Iterable[date]) -> None:
        if rate.whole is not None and rate.part is not None:
            cells = frozenset(cell for cell in product(among, WAYS, GRADES) if belongs(cell))
            found.append((cells, rate.whole))
            found.append((frozenset(cell for cell in cells if cell[2] >= least), rate.part))

    add(told.rate, lambda _cell: True, days)
    add(told.today, lambda _cell: True, [today])
    for one in told.daily:
        add(one.rate, lambda _cell: True, [one.day])
    for way in told.ways:
        add(way.rate, lambda cell, way=way.way: cell[1] == way, days)  # type: ignore[misc]
    found += [(frozenset(product(days, WAYS, [grade.score])), grade.count) for grade in told.grades if grade.count is not None]
    for cells, number in found:
        assert sum(counts.get(cell, 0) for cell in cells) == number
    return found


def worked_out(known: Sequence[Known], groups: Sequence[frozenset[Cell]]) -> list[frozenset[Cell]]:
    """Return which groups' sums follow from the known ones."""
    empty = {cell for cells, number in known if number == 0 for cell in cells}
    cells = sorted({cell for group, _number in known for cell in group} | {cell for group in groups for cell in group})
    place = {cell: at for at, cell in enumerate(cell for cell in cells if cell not in empty)}

    def row(group: Iterable[Cell]) -> np.ndarray:
        made = np.zeros(len(place))
        made[[place[cell] for cell in group if cell in place]] = 1
        return made

    matrix = np.unique(np.array([row(group) for group, _number in known] or [np.zeros(len(place))]), axis=0)
    found = []
    for group in groups:
        wanted = row(group)
        weights = np.linalg.lstsq(matrix.T, wanted, rcond=None)[0]
        if np.allclose(matrix.T @ weights, wanted, atol=1e-6):
            found.append(group)
    return found


def small(counts: Counts, groups: Iterable[frozenset[Cell]]) -> list[frozenset[Cell]]:
    return [group for group in groups if 0 < sum(counts.get(cell, 0) for cell in group) < LEAST]


def of_day(day: date) -> frozenset[Cell]:
    return frozenset(product([day], WAYS, GRADES))


# Few days with anything, and mostly few answers: where numbers are large there is nothing to protect.
CELLS = st.tuples(st.sampled_from([*WINDOW[:9], *WINDOW[-4:], TODAY]), st.sampled_from(WAYS), st.sampled_from(GRADES))
COUNTS = st.dictionaries(CELLS, st.one_of(st.integers(1, 4), st.integers(1, 12)), max_size=30)


@settings(max_examples=150, deadline=None)
@given(COUNTS, st.booleans())
def test_nobody_small_follows_from_one_body(counts: dict[Cell, int], barely: bool) -> None:
    known = published(counts, TODAY, barely=barely)
    rated = {cell[0] for cell in max((cells for cells, _number in known), key=len, default=frozenset())}
    groups = [of_day(day) for day in [*WINDOW, TODAY]]
    groups += [frozenset(product(rated, [way], GRADES)) for way in WAYS]
    groups += [frozenset(product(rated, WAYS, [grade])) for grade in GRADES]
    assert worked_out(known, small(counts, groups)) == []


@settings(max_examples=25, deadline=None)
@given(COUNTS, st.integers(2, 12))
def test_nor_do_days_follow_from_the_totals_of_many_days(counts: dict[Cell, int], mornings: int) -> None:
    """The totals, the days and the present day of many mornings together; ways and grades are left to each body by itself."""
    known: list[Known] = []
    for morning in range(mornings):
        for present in (MONDAY + timedelta(days=6 + morning), TODAY + timedelta(days=morning)):
            known += [one for one in published(counts, present) if len({cell[1:] for cell in one[0]}) == len(WAYS) * len(GRADES)]
    groups = [of_day(day) for day in [*WINDOW, TODAY]]
    assert worked_out(known, small(counts, groups)) == []


# --- what one who knows the rules too can narrow down to one number


@pytest.mark.parametrize("parts", [2, 3])
def test_of_the_parts_of_a_whole_no_small_one_is_the_only_possible(parts: int) -> None:
    """Every table there is, sorted by what is shown of it: in each heap a hidden small part has several values."""
    heaps: dict[object, list[tuple[int, ...]]] = defaultdict(list)
    for table in product(range(15), repeat=parts):
        untold = hidden(dict(enumerate(table)))
        heaps[sum(table), tuple(None if at in untold else count for at, count in enumerate(table))].append(table)
    for (total, _shown), tables in heaps.items():  # type: ignore[misc]
        for at in range(parts):
            values = {table[at] for table in tables}
            # Beyond what was drawn, the tables of a large total are not all there.
            assert len(values) > 1 or not 0 < min(values) < LEAST or total > 14


def test_of_a_weeks_small_days_none_is_the_only_possible() -> None:
    week = WINDOW[:7]
    heaps: dict[object, list[tuple[int, ...]]] = defaultdict(list)
    for few in product((0, 1, 2, 3, 4, 6), repeat=5):
        counts = (*few, 6, 7)
        told = told_days(dict(zip(week, counts, strict=True)), week)
        total = sum(count for day, count in zip(week, counts, strict=True) if day in told)
        heaps[total, tuple(count if count >= LEAST else None for count in counts)].append(counts)
    for tables in heaps.values():
        for at in range(7):
            values = {table[at] for table in tables}
            assert len(values) > 1 or not 0 < min(values) < LEAST


# --- the rules by example


def test_small_days_are_counted_when_their_week_is_over() -> None:
    counts = dict.fromkeys(WINDOW[:7], 3) | {WINDOW[2]: 8, WINDOW[8]: 2, WINDOW[9]: 4}
    assert told_days(counts, WINDOW[:7]) == set(WINDOW[:7])
    assert told_days(counts, WINDOW[:6]) == {WINDOW[2]}  # Sunday is not over
    assert told_days(counts, WINDOW[1:10]) == {WINDOW[2]}  # Monday has left
    assert told_days({WINDOW[0]: 4}, WINDOW[:7]) == set()


def test_two_days_that_must_both_be_four_stay_out() -> None:
    large = dict.fromkeys(WINDOW[2:7], 9)
    assert told_days({WINDOW[0]: 4, WINDOW[1]: 4} | large, WINDOW[:7]) == set(large)
    assert told_days({WINDOW[0]: 4, WINDOW[1]: 3} | large, WINDOW[:7]) == set(WINDOW[:7])


def test_a_hidden_part_takes_the_smallest_other_with_it() -> None:
    assert hidden({"agent": 90, "ivr": 20, "web": 3}) == {"web", "ivr"}
    assert hidden({"agent": 90, "ivr": 1, "web": 2}) == {"agent", "ivr", "web"}
    assert hidden({"agent": 90, "ivr": 3, "web": 2}) == {"ivr", "web"}
    assert hidden({"agent": 90, "ivr": 0, "web": 0}) == set()
    assert hidden({"agent": 90, "ivr": 0, "web": 2}) == {"agent", "web"}
    assert hidden({"agent": 90, "ivr": 4, "web": 4}) == {"agent", "ivr", "web"}  # else both must be four


def shown(told: Satisfaction) -> dict[int, int | None]:
    return {grade.score: grade.count for grade in told.grades}


def test_a_hidden_grade_takes_one_of_its_own_side_with_it() -> None:
    """The rate tells how many were satisfied: a second gap on the other side would hide nothing."""
    day = WINDOW[-1]
    told = body({(day, "agent", 5): 90, (day, "agent", 4): 20, (day, "agent", 3): 7, (day, "agent", 1): 2})
    assert shown(told) == {5: 90, 4: 20, 3: None, 2: 0, 1: None}
    told = body({(day, "agent", 5): 90, (day, "agent", 4): 3, (day, "agent", 3): 7, (day, "agent", 2): 6})
    assert shown(told) == {5: None, 4: None, 3: 7, 2: 6, 1: 0}
    assert all((grade.percent is None) is (grade.count is None) for grade in told.grades)
    barely = {(day, "agent", 5): 90, (day, "agent", 4): 20, (day, "agent", 3): 7, (day, "agent", 2): 6, (day, "agent", 1): 2}
    assert shown(body(barely, barely=True)) == {5: 90, 4: 20, 3: 7, 2: None, 1: None}


def test_the_present_day_stands_by_itself() -> None:
    counts = {(WINDOW[-1], "ivr", 5): 6, (TODAY, "ivr", 1): 3}
    told = body(counts)
    assert (told.rate.part, told.rate.whole, told.today.is_suppressed) == (6, 6, True)
    told = body({**counts, (TODAY, "web", 5): 2})
    assert (told.rate.whole, told.today.part, told.today.whole) == (6, 2, 5)
    assert [day.day for day in told.daily] == WINDOW
