"""The figures of the hall screen as they leave the house: aggregates only, small groups left out. Pure.

A group of people is told of from five on: fewer could be recognised. What the hotline itself does (waiting, answered,
abandoned) is no group of people who said something, and is never left out.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pydantic import BaseModel, Field

from webui.statistics.intervals import interval
from webui.statistics.kpi import Ratio

LEAST = 5
"""From how many on a rating or a topic is shown."""


class Rate(BaseModel):
    """A share and what it is made of; percent is null over nothing.

    All null and `is_suppressed` where fewer than five gave it, or where it would tell of fewer than five.
    """

    part: int | None = None
    whole: int | None = None
    percent: float | None = None
    low: float | None = Field(None, description="95% Wilson 区间下限，%")
    high: float | None = Field(None, description="95% Wilson 区间上限，%")
    is_suppressed: bool = False


class Live(BaseModel):
    """This moment. All null while nothing is heard from the telephone system: an old number would pass for a new one."""

    waiting: int | None = Field(None, description="正在排队的来电，含正在振铃的")
    longest_wait_seconds: float | None = Field(None, description="现在等待最久的来电等了多久；无人等待为 0")
    agents_on_duty: int | None = Field(None, description="已登录的坐席")


class Hour(BaseModel):
    """One hour of today."""

    hour: int
    answered: int
    abandoned: int


class Today(BaseModel):
    """Since midnight of the hall."""

    offered: int
    answered: int
    abandoned: int
    average_wait_seconds: float | None = Field(None, description="已接听来电的平均等待")
    in_time: Rate = Field(description="目标秒数内接听 ÷ 来电")
    hours: list[Hour]


class Grade(BaseModel):
    """How many gave one grade, 5 best; null where it is left out."""

    score: int
    count: int | None
    percent: float | None


class DayRate(BaseModel):
    """One day's satisfaction."""

    day: date
    rate: Rate


class WayRate(BaseModel):
    """Satisfaction by the way of asking: agent, ivr or web."""

    way: str
    rate: Rate


class Satisfaction(BaseModel):
    """What citizens said in callbacks of the last closed days, up to yesterday; after-call ratings and the present day apart.

    Days of fewer than five are counted together once their week is over, or not at all.
    """

    days: int
    rate: Rate
    solved: Rate
    grades: list[Grade]
    daily: list[DayRate]
    ways: list[WayRate]
    today: Rate = Field(description="今日满意率，不计入近 30 天")
    after_call: Rate = Field(description="挂机评价，与回访分开统计")


class Topic(BaseModel):
    """What was asked, and in how many calls."""

    topic: str
    calls: int


class Reason(BaseModel):
    """Callbacks done today for one reason."""

    reason: str
    done: int


class Callbacks(BaseModel):
    """The calls that we owe."""

    done_today: int
    due_now: int
    attempts_today: int
    missed_today: int = Field(description="今日漏接待回拨的号码")
    missed_settled: int = Field(description="其中已回拨或市民已再次打通的")
    reasons: list[Reason]
    contact: Rate = Field(description="接触率：联系到的 ÷ 应回访的")


class WallFigures(BaseModel):
    """Everything that a hall screen shows."""

    at: datetime = Field(description="数据截至")
    live: Live
    today: Today
    connect: Rate = Field(description="24 小时接通率，到上一个整点为止")
    connect_target: float
    answer_target_seconds: int
    satisfaction: Satisfaction
    topics_today: list[Topic]
    topics: list[Topic] = Field(description="与满意率同一时段的热点，不含今日")
    callbacks: Callbacks


def operating_rate(ratio: Ratio) -> Rate:
    """Return a share of the hotline's own work: shown whatever its size."""
    return Rate(part=round(ratio.part), whole=round(ratio.whole), percent=_rounded(ratio.percent))


def opinion_rate(ratio: Ratio) -> Rate:
    """Return a share of what people said, with its Wilson interval; nothing of it below five."""
    if ratio.whole < LEAST:
        return Rate(is_suppressed=True)
    span = interval(ratio)
    return Rate(
        part=round(ratio.part),
        whole=round(ratio.whole),
        percent=_rounded(ratio.percent),
        low=_rounded(100 * span.low) if span else None,
        high=_rounded(100 * span.high) if span else None,
    )


def hot_topics(counts: Mapping[str, int], most: int = 8) -> list[Topic]:
    """Return the topics asked most, of five calls or more."""
    enough = [(topic, calls) for topic, calls in counts.items() if topic and calls >= LEAST]
    return [Topic(topic=topic, calls=calls) for topic, calls in sorted(enough, key=lambda row: (-row[1], row[0]))[:most]]


def hours(counts: Mapping[int, tuple[int, int]], until: int) -> list[Hour]:
    """Return today's hours up to the present one, those without a call too."""
    return [
        Hour(hour=hour, answered=counts.get(hour, (0, 0))[0], abandoned=counts.get(hour, (0, 0))[1]) for hour in range(until + 1)
    ]


def reasons(counts: Sequence[tuple[str, int]]) -> list[Reason]:
    """Return what was done today by reason, most first."""
    return [Reason(reason=reason, done=done) for reason, done in sorted(counts, key=lambda row: (-row[1], row[0]))]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
