"""The tables of the hall screen: displays, what they show in turn, by which tokens they get in, and where figures are pushed."""

import uuid

from sqlalchemy import BigInteger, ForeignKey, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Timestamp, new_id


class Display(Base):
    """A screen of the hall (大屏). `key` stands in its address."""

    __tablename__ = "display"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    # The headline of its pages; empty for the site's own.
    title: Mapped[str] = mapped_column(Text, default="")
    # Goes up with every change: a running page sees by it that its playlist is another.
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    last_seen_at: Mapped[Timestamp | None]
    last_screen: Mapped[str] = mapped_column(Text, default="")


class DisplayPage(Base):
    """One page of a display's playlist (播放单)."""

    __tablename__ = "display_page"

    display_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("display.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    seconds: Mapped[int] = mapped_column(default=20)


class DisplayToken(Base):
    """What a display shows instead of a log-in. Kept as a hash; opens that display's figures and nothing else."""

    __tablename__ = "display_token"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    display_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("display.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(Text, unique=True)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp]
    revoked_at: Mapped[Timestamp | None]


class WallboardWebhook(Base):
    """Where the hall's own multimedia system is told the figures (推送). The secret signs, so it can't be kept as a hash."""

    __tablename__ = "wallboard_webhook"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(Text)
    every_seconds: Mapped[int] = mapped_column(default=10)
    is_active: Mapped[bool] = mapped_column(default=True)
    # Also the lease: whoever pushes moves it on first, so that no two workers push at once.
    next_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    failures: Mapped[int] = mapped_column(default=0)
    delivered: Mapped[int] = mapped_column(BigInteger, default=0)
    last_at: Mapped[Timestamp | None]
    last_delivered_at: Mapped[Timestamp | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(Text, default="")
    last_milliseconds: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
