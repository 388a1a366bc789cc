"""The tables of statistics, and nobody else's: what was counted of each day, frozen periods, reports, improvement items.

The counts (`statistics_*`) can be made again from the stages' own tables at any time; the rest cannot.
"""

import uuid
from datetime import date

from sqlalchemy import Double, ForeignKey, Identity, Index, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, JsonList, JsonObject, Timestamp, new_id


class CountedDay(Base):
    """That a day's part (calls, agents, callbacks, surveys) was counted, by which rules, and whether something changed since."""

    __tablename__ = "statistics_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(Text, primary_key=True)
    rules: Mapped[str] = mapped_column(Text, default="")
    built_at: Mapped[Timestamp | None]
    changed_at: Mapped[Timestamp | None]


class CountedMonth(Base):
    """That a month's part was summed up from its days, none of which was counted again since."""

    __tablename__ = "statistics_month"

    month: Mapped[date] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(Text, primary_key=True)


class Slice(Base):
    """One combination of everything that callbacks and surveys can be filtered by; counts name it by its number."""

    __tablename__ = "statistics_slice"
    __table_args__ = (
        UniqueConstraint(
            "kind", "way", "version_id", "queue_name", "hall", "unit", "region", "category", name="uq_statistics_slice_all"
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    # A callback's reason, or a survey's kind: callback, after_call.
    kind: Mapped[str] = mapped_column(Text)
    way: Mapped[str] = mapped_column(Text)
    version_id: Mapped[str] = mapped_column(Text)
    queue_name: Mapped[str] = mapped_column(Text)
    hall: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    region: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)


class CallCount(Base):
    """A day's calls of one queue and one category."""

    __tablename__ = "statistics_calls"

    day: Mapped[date] = mapped_column(primary_key=True)
    queue_name: Mapped[str] = mapped_column(Text, primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    offered: Mapped[int]
    answered: Mapped[int]
    in_time: Mapped[int]
    abandoned: Mapped[int]
    short_abandoned: Mapped[int]
    unserved: Mapped[int]
    handled: Mapped[int]
    waiting_seconds: Mapped[float] = mapped_column(Double)
    talking_seconds: Mapped[float] = mapped_column(Double)
    wrapup_seconds: Mapped[float] = mapped_column(Double)
    direct: Mapped[int]
    followed: Mapped[int]
    resolved: Mapped[int]
    suggested: Mapped[int]
    adopted: Mapped[int]


class HourCount(Base):
    """An hour's calls of one queue, for the rolling 24 hours and the course of a day."""

    __tablename__ = "statistics_hour"

    hour_at: Mapped[Timestamp] = mapped_column(primary_key=True)
    queue_name: Mapped[str] = mapped_column(Text, primary_key=True)
    offered: Mapped[int]
    answered: Mapped[int]
    in_time: Mapped[int]
    abandoned: Mapped[int]


class Spread(Base):
    """How many of a day's calls (measure wait) or segments (lag) lie in one bucket: whole seconds, tenths of a second."""

    __tablename__ = "statistics_spread"

    day: Mapped[date] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(Text, primary_key=True)
    queue_name: Mapped[str] = mapped_column(Text, primary_key=True)
    bucket: Mapped[float] = mapped_column(Double, primary_key=True)
    count: Mapped[int]


class AgentCount(Base):
    """An agent's day: calls (concluded: neither passed on nor lost), seconds in each state, and the ratings after calls."""

    __tablename__ = "statistics_agent"

    day: Mapped[date] = mapped_column(primary_key=True)
    agent_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    answered: Mapped[int]
    concluded: Mapped[int]
    missed: Mapped[int]
    ready_seconds: Mapped[float] = mapped_column(Double)
    ringing_seconds: Mapped[float] = mapped_column(Double)
    talking_seconds: Mapped[float] = mapped_column(Double)
    wrapup_seconds: Mapped[float] = mapped_column(Double)
    paused_seconds: Mapped[float] = mapped_column(Double)
    rating_offered: Mapped[int]
    rated: Mapped[int]
    rating_skipped: Mapped[int]
    rating_hung_up: Mapped[int]
    rated_satisfied: Mapped[int]
    rated_barely: Mapped[int]


class CallbackCount(Base):
    """A day's or month's callbacks of one slice.

    Owed, contacted and refused count by when it was owed; due and in time by the promise.
    """

    __tablename__ = "statistics_callbacks"

    grain: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    slice_id: Mapped[int] = mapped_column(ForeignKey("statistics_slice.id"), primary_key=True)
    owed: Mapped[int]
    contacted: Mapped[int]
    refused: Mapped[int]
    unreachable: Mapped[int]
    done: Mapped[int]
    due: Mapped[int]
    in_time: Mapped[int]
    cancelled: Mapped[int]
    not_sampled: Mapped[int]


class SurveyCount(Base):
    """A day's or month's surveys of one slice, by when they were offered."""

    __tablename__ = "statistics_surveys"

    grain: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    slice_id: Mapped[int] = mapped_column(ForeignKey("statistics_slice.id"), primary_key=True)
    offered: Mapped[int]
    answered: Mapped[int]
    completed: Mapped[int]
    partial: Mapped[int]
    refused: Mapped[int]
    skipped: Mapped[int]
    expired: Mapped[int]
    withdrawn: Mapped[int]


class AnswerCount(Base):
    """A day's or month's answers of one slice to one question, by what was answered and when.

    `option` is the score of a graded answer, the key of a chosen option, "*" for everybody who answered a question with several.
    `excluded` is "", late or withdrawn: kept to be shown, left out of every rate.
    """

    __tablename__ = "statistics_answers"
    __table_args__ = (Index("ix_statistics_answers_question", "question_key", "grain", "day"),)

    grain: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    slice_id: Mapped[int] = mapped_column(ForeignKey("statistics_slice.id"), primary_key=True)
    question_key: Mapped[str] = mapped_column(Text, primary_key=True)
    question_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    option: Mapped[str] = mapped_column(Text, primary_key=True)
    excluded: Mapped[str] = mapped_column(Text, primary_key=True)
    count: Mapped[int]
    weight: Mapped[float] = mapped_column(Double)
    squared: Mapped[float] = mapped_column(Double)


class ReportPeriod(Base):
    """A closed day, week or month: its figures as they were frozen, and what later changes did to them."""

    __tablename__ = "report_period"
    __table_args__ = (UniqueConstraint("kind", "first_day"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(Text)
    first_day: Mapped[date]
    last_day: Mapped[date]
    figures: Mapped[JsonObject]
    rules: Mapped[str] = mapped_column(Text)
    frozen_at: Mapped[Timestamp]
    corrections: Mapped[JsonList] = mapped_column(JSONB, default=list)
    checked_at: Mapped[Timestamp | None]


class ScheduledReport(Base):
    """A report that was made by schedule: both its files, to be downloaded."""

    __tablename__ = "scheduled_report"
    __table_args__ = (UniqueConstraint("kind", "first_day"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(Text)
    first_day: Mapped[date]
    last_day: Mapped[date]
    title: Mapped[str] = mapped_column(Text)
    excel: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    excel_size: Mapped[int]
    pdf_size: Mapped[int]
    made_at: Mapped[Timestamp]


class ImprovementItem(Base):
    """A poor result that somebody must put right (整改事项): what, where, whose, until when, and how it was before and after.

    States: open → closed, then measured again → improved | not_improved.
    """

    __tablename__ = "improvement_item"
    __table_args__ = (Index("ix_improvement_item_state_deadline_on", "state", "deadline_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    measure: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text, default="")
    matter: Mapped[str] = mapped_column(Text, default="")
    window: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text, default="open")
    target: Mapped[float] = mapped_column(Double)
    before: Mapped[JsonObject]
    after: Mapped[JsonObject | None]
    owner: Mapped[str] = mapped_column(Text, default="")
    deadline_on: Mapped[date]
    note: Mapped[str] = mapped_column(Text, default="")
    story: Mapped[JsonList] = mapped_column(JSONB, default=list)
    opened_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    closed_at: Mapped[Timestamp | None]
    measured_at: Mapped[Timestamp | None]
