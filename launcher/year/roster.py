"""Who sits when: five groups change through four shifts and a day of rest, with a meal in the middle of each shift."""

import numpy as np

from launcher.year.arrays import HOUR, MINUTE, Ints, midnight
from launcher.year.plan import YearPlan

GROUPS = 5
# Local hours from and to, and of the meal; the night shift ends on the next morning. The last group rests.
SHIFTS: tuple[tuple[float, float, float], ...] = ((7.0, 15.0, 11.0), (8.5, 17.5, 12.0), (13.0, 21.0, 17.5), (21.0, 31.0, 26.0))
MEAL_MINUTES = 30
_SURNAMES = "陈李周许冯王张刘杨赵黄吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐于董萧程曹袁邓傅沈曾彭吕"
_GIVEN = (
    "敏",
    "建国",
    "思远",
    "婷",
    "志强",
    "雪",
    "佳宁",
    "海涛",
    "丽",
    "晨",
    "子涵",
    "国栋",
    "欣怡",
    "磊",
    "静",
    "文博",
    "晓燕",
    "浩",
    "梦洁",
    "伟",
)
KNOWN_NAMES = ("陈敏", "李建国")
"""Of the first two seats, whose people the demonstration already has."""


def agent_names(seats: int) -> list[str]:
    """Return a name for each seat."""
    names = [
        _SURNAMES[(number * 7) % len(_SURNAMES)] + _GIVEN[(number * 3 + number // 20) % len(_GIVEN)] for number in range(seats)
    ]
    return [*KNOWN_NAMES, *names[len(KNOWN_NAMES) :]]


def agent_numbers(seats: int) -> list[str]:
    """Return the extension of each seat, from 8001."""
    return [str(8001 + number) for number in range(seats)]


def windows(plan: YearPlan, seat: int) -> tuple[Ints, Ints]:
    """Return from when to when a seat takes calls, in order: each shift is two stretches with the meal between."""
    starts, ends = [], []
    # Groups start their turn on different days; within a group people come some minutes apart.
    late = (seat // GROUPS % 4) * 5 * MINUTE
    for number, day in enumerate([*plan.calendar[:1], *plan.calendar]):
        turn = (number + seat) % GROUPS
        if turn == GROUPS - 1:
            continue
        begin, end, meal = SHIFTS[turn]
        # The first day stands twice: its morning belongs to a night shift of the day before.
        base = midnight(day) - (24 * HOUR if number == 0 else 0)
        meal_at = base + int(meal * HOUR) + (seat // GROUPS % 5) * MEAL_MINUTES * MINUTE
        starts += [base + int(begin * HOUR) + late, meal_at + MEAL_MINUTES * MINUTE]
        ends += [meal_at, base + int(end * HOUR) + late]
    return np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)
