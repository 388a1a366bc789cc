"""The tables of workorder, and nobody else's."""

import uuid
from datetime import date

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, JsonObject, Timestamp, new_id


class ApprovalCase(Base):
    """An approval case (办件) of the hall's approval system. `number` is that system's; the same number again changes the row."""

    __tablename__ = "approval_case"
    __table_args__ = (
        Index("ix_approval_case_closed_at", "closed_at"),
        Index("ix_approval_case_phone", "phone"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(Text, unique=True)
    matter_code: Mapped[str] = mapped_column(Text, default="")
    matter: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    hall: Mapped[str] = mapped_column(Text, default="")
    window: Mapped[str] = mapped_column(Text, default="")
    region: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(Text, default="")
    applicant: Mapped[str] = mapped_column(Text, default="")
    phone: Mapped[str] = mapped_column(Text)
    is_confidential: Mapped[bool] = mapped_column(default=False)
    result: Mapped[str] = mapped_column(Text, default="")
    accepted_at: Mapped[Timestamp | None]
    closed_at: Mapped[Timestamp | None]
    source: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class CaseImport(Base):
    """One import of approval cases, with what was refused and why, row by row."""

    __tablename__ = "case_import"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    file_name: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    created_count: Mapped[int] = mapped_column(default=0)
    changed_count: Mapped[int] = mapped_column(default=0)
    unchanged_count: Mapped[int] = mapped_column(default=0)
    refused_count: Mapped[int] = mapped_column(default=0)
    refused: Mapped[list[JsonObject]] = mapped_column(JSONB, default=list)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class SmsMessage(Base):
    """A text message (短信). `reference` is the natural key of why it is sent: asking twice sends once.

    States: queued → submitting → submitted → delivered | failed; unknown when the gateway may or may not have taken it: a person
    decides. `submitted_at` is when it was last taken to the gateway.
    """

    __tablename__ = "sms_message"
    __table_args__ = (
        Index("ix_sms_message_phone_created_at", "phone", "created_at"),
        Index("ix_sms_message_waiting", "send_after", postgresql_where=text("state = 'queued'")),
        Index("ix_sms_message_submitted_on", "submitted_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    purpose: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="queued")
    part_count: Mapped[int]
    send_after: Mapped[Timestamp]
    expires_at: Mapped[Timestamp | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    submitted_at: Mapped[Timestamp | None]
    finished_at: Mapped[Timestamp | None]


class SmsPart(Base):
    """One part of a text message as the gateway knows it; a receipt may come before our own row says that it was taken."""

    __tablename__ = "sms_part"
    __table_args__ = (UniqueConstraint("gateway", "gateway_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("sms_message.id"), index=True)
    part_no: Mapped[int | None]
    gateway: Mapped[str] = mapped_column(Text)
    gateway_id: Mapped[str] = mapped_column(Text)
    receipt: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[Timestamp | None]


class SmsDay(Base):
    """How many parts were handed to the gateway on one local day, against the daily cap."""

    __tablename__ = "sms_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    part_count: Mapped[int] = mapped_column(default=0)
