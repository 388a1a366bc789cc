"""The tables of telephony, and nobody else's."""

import uuid
from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, JsonObject, Timestamp, new_id


class Queue(Base):
    """A line of waiting citizens (队列). `name` is what Asterisk calls it, `title` what people do."""

    __tablename__ = "queue"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)


class Agent(Base):
    """A seat at the hotline (坐席): what the person did, and what the line does. The shown state is derived from both."""

    __tablename__ = "agent"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    sip_password: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(default=True)
    # The person's: log-in, pause, wrap-up.
    logged_in_at: Mapped[Timestamp | None]
    pause_reason: Mapped[str | None] = mapped_column(Text)
    wrapup_until: Mapped[Timestamp | None]
    # The line's, as Asterisk last told it.
    is_registered: Mapped[bool] = mapped_column(default=False)
    line_state: Mapped[str] = mapped_column(Text, default="idle")
    call_id: Mapped[uuid.UUID | None]
    # Derived, kept for lists and for how long.
    state: Mapped[str] = mapped_column(Text, default="offline")
    state_since: Mapped[Timestamp] = mapped_column(server_default=func.now())
    notice: Mapped[str | None] = mapped_column(Text)

    queues: Mapped[list["AgentQueue"]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class AgentQueue(Base):
    """That an agent serves a queue."""

    __tablename__ = "agent_queue"

    agent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    queue_name: Mapped[str] = mapped_column(ForeignKey("queue.name"), primary_key=True)


class AgentStateChange(Base):
    """One stretch of time in one state."""

    __tablename__ = "agent_state_change"
    __table_args__ = (Index("ix_agent_state_change_agent_id_started_at", "agent_id", "started_at"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    agent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agent.id"))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    call_id: Mapped[uuid.UUID | None]
    started_at: Mapped[Timestamp]
    ended_at: Mapped[Timestamp | None]


class Call(Base):
    """A citizen's call (通话), from the ring to the end."""

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("node", "linkedid"),
        Index("ix_call_started_at", "started_at"),
        Index("ix_call_queued_at", "queued_at"),
        Index("ix_call_caller_number_started_at", "caller_number", "started_at"),
        Index("ix_call_agent_id_started_at", "agent_id", "started_at"),
        Index("ix_call_unique_id", "unique_id"),
        Index("ix_call_running", "node", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(Text, unique=True)
    node: Mapped[str] = mapped_column(Text)
    linkedid: Mapped[str] = mapped_column(Text)
    unique_id: Mapped[str] = mapped_column(Text, default="")
    caller_number: Mapped[str] = mapped_column(Text)
    caller_name: Mapped[str] = mapped_column(Text, default="")
    dialled: Mapped[str] = mapped_column(Text, default="")
    # "in", or "out" for a call that an agent placed: figures of the hotline's service count only the first.
    direction: Mapped[str] = mapped_column(Text, default="in", server_default="in")
    queue_name: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)
    agent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("agent.id"))
    channel: Mapped[str | None] = mapped_column(Text)
    agent_channel: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[Timestamp]
    queued_at: Mapped[Timestamp | None]
    answered_at: Mapped[Timestamp | None]
    held_at: Mapped[Timestamp | None]
    ended_at: Mapped[Timestamp | None]
    waiting_seconds: Mapped[float | None]
    talking_seconds: Mapped[float | None]
    hold_seconds: Mapped[float] = mapped_column(default=0)
    is_confidential: Mapped[bool] = mapped_column(default=False)


class OutboundDial(Base):
    """A call that we placed, by the attempt that it belongs to: asked of the exchange once, never again."""

    __tablename__ = "outbound_dial"
    __table_args__ = (
        Index("ix_outbound_dial_running", "asked_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_outbound_dial_unique_id", "unique_id"),
    )

    attempt_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    # ivr, queue or agent: who speaks with the citizen.
    then: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("agent.id"))
    call_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("call.id"))
    # The citizen's channel, once there is one.
    unique_id: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[Timestamp]
    dialled_at: Mapped[Timestamp | None]
    answered_at: Mapped[Timestamp | None]
    ended_at: Mapped[Timestamp | None]
    result: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text, default="")


class CallLeg(Base):
    """One agent's part in a call: rung, and answered or not."""

    __tablename__ = "call_leg"
    __table_args__ = (
        UniqueConstraint("call_id", "unique_id"),
        Index("ix_call_leg_unique_id", "unique_id"),
        Index("ix_call_leg_agent_id_rang_at", "agent_id", "rang_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("call.id"))
    agent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agent.id"))
    unique_id: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    rang_at: Mapped[Timestamp]
    answered_at: Mapped[Timestamp | None]
    ended_at: Mapped[Timestamp | None]
    outcome: Mapped[str | None] = mapped_column(Text)


class CallEvent(Base):
    """One line of a call's story (经过). `natural_key` makes recording the same fact twice harmless."""

    __tablename__ = "call_event"
    __table_args__ = (UniqueConstraint("call_id", "natural_key"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("call.id"))
    natural_key: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]
    kind: Mapped[str] = mapped_column(Text)
    detail: Mapped[JsonObject]


class Recording(Base):
    """One party's recording of a call. `path` is relative to the recordings folder; state is recording, kept, lost or deleted."""

    __tablename__ = "recording"
    __table_args__ = (UniqueConstraint("call_id", "party"), Index("ix_recording_delete_on", "delete_on"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("call.id"))
    party: Mapped[str] = mapped_column(Text)
    node: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    started_at: Mapped[Timestamp]
    seconds: Mapped[float | None]
    state: Mapped[str] = mapped_column(Text, default="recording")
    loss_reason: Mapped[str | None] = mapped_column(Text)
    delete_on: Mapped[date | None]


class Transcript(Base):
    """Which text of a call counts: the live one until the one made from the recording replaces it."""

    __tablename__ = "transcript"

    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("call.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    engine: Mapped[str] = mapped_column(Text, default="")
    error: Mapped[str | None] = mapped_column(Text)
    updated_at: Mapped[Timestamp]


class Segment(Base):
    """One utterance of one party (转写片段). Seconds count from the call's `started_at`; text is already masked."""

    __tablename__ = "segment"
    __table_args__ = (Index("ix_segment_call_id_kind_start_seconds", "call_id", "kind", "start_seconds"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("call.id"))
    kind: Mapped[str] = mapped_column(Text)
    party: Mapped[str] = mapped_column(Text)
    start_seconds: Mapped[float]
    end_seconds: Mapped[float]
    started_at: Mapped[Timestamp]
    text: Mapped[str] = mapped_column(Text)
    lag_seconds: Mapped[float | None]
    hops: Mapped[JsonObject]
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class CallNote(Base):
    """What was written of a call (通话记录): type, category, note and result.

    Each agent who had the call writes their own part; `parts` is `[[agent id, text], …]` in the order of writing, `note` all of it.
    """

    __tablename__ = "call_note"

    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("call.id"), primary_key=True)
    agent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("agent.id"))
    kind: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(Text, default="")
    note: Mapped[str] = mapped_column(Text, default="")
    parts: Mapped[list[list[str]]] = mapped_column(JSONB, server_default="[]")
    disposition: Mapped[str] = mapped_column(Text, default="")
    updated_at: Mapped[Timestamp]
    finished_at: Mapped[Timestamp | None]


def note_parts(row: CallNote) -> list[tuple[str, str]]:
    """Return who wrote what of a call, in the order of writing; a note kept without parts is all its agent's."""
    return [(author, text) for author, text in row.parts] or ([(str(row.agent_id), row.note)] if row.note else [])
