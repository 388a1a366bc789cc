"""The tables of callback, and nobody else's."""

import uuid

from sqlalchemy import Double, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, JsonObject, Timestamp, new_id


class CallbackRule(Base):
    """A rule of who is rung back (回访规则); what it says lies in its versions."""

    __tablename__ = "callback_rule"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(Text, unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    version_no: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class CallbackRuleVersion(Base):
    """One wording of a rule, never changed: a callback says by which it came about."""

    __tablename__ = "callback_rule_version"
    __table_args__ = (UniqueConstraint("rule_id", "version_no"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    rule_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("callback_rule.id"))
    version_no: Mapped[int]
    definition: Mapped[JsonObject]
    author: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class Callback(Base):
    """A call that we owe: 回访 after a service, 回拨 of a missed or promised call. `natural_key` makes owing it twice harmless.

    States: owed → done | given_up | cancelled; `not_sampled` keeps who could have been asked and was not, for the weights.
    """

    __tablename__ = "callback"
    __table_args__ = (
        Index("ix_callback_due", "priority", "next_at", postgresql_where=text("state = 'owed'")),
        # By the way that is tried now: the few text messages are found among many calls, and the other way round.
        Index("ix_callback_due_way", text("(ways[way_no + 1])"), "priority", "next_at", postgresql_where=text("state = 'owed'")),
        Index("ix_callback_phone", "phone"),
        Index("ix_callback_created_at", "created_at"),
        Index("ix_callback_state_finished_at", "state", "finished_at"),
        Index("ix_callback_campaign", "campaign", postgresql_where=text("campaign <> ''")),
        # Whom a day's preview names as not drawn, among the many who were not.
        Index("ix_callback_not_sampled", "next_at", postgresql_where=text("state = 'not_sampled'")),
        Index("ix_callback_promised_by", "promised_by", postgresql_where=text("promised_by IS NOT NULL")),
        # Missed calls: one entry a number, until it is closed.
        Index(
            "uq_callback_missed_call_phone",
            "phone",
            unique=True,
            postgresql_where=text("state = 'owed' AND reason = 'missed_call'"),
        ),
        # A number keeps one place in a queue.
        Index(
            "uq_callback_queue_place",
            "phone",
            "queue_name",
            unique=True,
            postgresql_where=text("state = 'owed' AND reason = 'queue_callback'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    natural_key: Mapped[str] = mapped_column(Text, unique=True)
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="owed")
    disposition: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    person: Mapped[str] = mapped_column(Text, default="")
    rule_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("callback_rule_version.id"))
    questionnaire_version_id: Mapped[uuid.UUID | None]
    # The way now is ways[way_no]; agent, ivr or sms each.
    ways: Mapped[list[str]] = mapped_column(ARRAY(Text))
    way_no: Mapped[int] = mapped_column(default=0)
    priority: Mapped[int] = mapped_column(default=50)
    next_at: Mapped[Timestamp]
    # The time that the citizen asked for: its own window holds, and no gap.
    asked_at: Mapped[Timestamp | None]
    # Why it was put off, cancelled or given up, in the words of `Hindrance`, or as somebody wrote it.
    why: Mapped[str] = mapped_column(Text, default="")
    promised_by: Mapped[Timestamp | None]
    expires_at: Mapped[Timestamp | None]
    contacted_at: Mapped[Timestamp | None]
    attempt_count: Mapped[int] = mapped_column(default=0)
    weight: Mapped[float] = mapped_column(Double, default=1.0)
    stratum: Mapped[str] = mapped_column(Text, default="")
    seed: Mapped[str] = mapped_column(Text, default="")
    # What lies behind it; the words are copied so that no later stage needs another's tables.
    call_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    survey_id: Mapped[uuid.UUID | None]
    campaign: Mapped[str] = mapped_column(Text, default="")
    queue_name: Mapped[str | None] = mapped_column(Text)
    queued_at: Mapped[Timestamp | None]
    hall: Mapped[str] = mapped_column(Text, default="")
    unit: Mapped[str] = mapped_column(Text, default="")
    region: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(Text, default="")
    matter_code: Mapped[str] = mapped_column(Text, default="")
    matter: Mapped[str] = mapped_column(Text, default="")
    window: Mapped[str] = mapped_column(Text, default="")
    # An agent who previews it holds it until then; nobody else is shown it and the dialer leaves it.
    held_by: Mapped[uuid.UUID | None]
    held_until: Mapped[Timestamp | None]
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    finished_at: Mapped[Timestamp | None]


class CallbackAttempt(Base):
    """One try to reach one person. Its id is also the channel's: written before anything is dialled.

    States: planned (row committed, nothing dialled yet) → dialled (asked of the switch, or the message handed on) → answered →
    ended: the line is free again. The disposition may come before that or after.
    """

    __tablename__ = "callback_attempt"
    __table_args__ = (
        UniqueConstraint("callback_id", "attempt_no"),
        # Never one number twice at once.
        Index("uq_callback_attempt_phone", "phone", unique=True, postgresql_where=text("state <> 'ended' AND way <> 'sms'")),
        Index("ix_callback_attempt_open", "planned_at", postgresql_where=text("state <> 'ended'")),
        Index("ix_callback_attempt_phone_planned_at", "phone", "planned_at"),
        Index("ix_callback_attempt_planned_at", "planned_at"),
        Index("ix_callback_attempt_agent_id_planned_at", "agent_id", "planned_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    callback_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("callback.id"))
    attempt_no: Mapped[int]
    way: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="planned")
    is_survey: Mapped[bool]
    agent_id: Mapped[uuid.UUID | None]
    call_id: Mapped[uuid.UUID | None]
    survey_id: Mapped[uuid.UUID | None]
    disposition: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text, default="")
    planned_at: Mapped[Timestamp]
    dialled_at: Mapped[Timestamp | None]
    answered_at: Mapped[Timestamp | None]
    ended_at: Mapped[Timestamp | None]
    # The dialer that has it in hand; run out, any dialer reconciles it with the switch.
    lease_until: Mapped[Timestamp | None]


class OptOut(Base):
    """A number that wants no surveys and campaigns; it still gets the calls it asked for. Lifted only by the person's own word."""

    __tablename__ = "opt_out"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    phone: Mapped[str] = mapped_column(Text, index=True)
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[Timestamp]
    lifted_at: Mapped[Timestamp | None]
    lifted_by: Mapped[str | None] = mapped_column(Text)
