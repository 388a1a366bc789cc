"""A text message as others see it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.errors import ConflictError, InvalidInputError, NotFoundError

Decision = Literal["sent", "resend"]


@dataclass(frozen=True, slots=True)
class SmsView:
    """A message. `phone` is whole: whoever shows it masks it."""

    message_id: uuid.UUID
    reference: str
    purpose: str
    phone: str
    body: str
    state: str
    part_count: int
    send_after: datetime
    expires_at: datetime | None
    attempts: int
    error: str | None
    created_at: datetime
    submitted_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class SmsFilter:
    """Which messages to list; what is empty does not matter."""

    state: str = ""
    purpose: str = ""
    phone: str = ""
    phone_tail: str = ""
    reference: str = ""
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class SmsPage:
    """Some of the messages that fit, the newest first, and how many fit."""

    messages: Sequence[SmsView]
    total: int


@dataclass(frozen=True, slots=True)
class SmsToday:
    """How today stands: parts handed over against the cap, and how many messages are in each state that needs somebody."""

    part_count: int
    daily_cap: int
    waiting: Mapping[str, int]


class SmsNotFoundError(NotFoundError):
    """There is no such message."""


class NotSmsNumberError(InvalidInputError):
    """The number takes no text messages: a landline or a short number."""

    def __init__(self) -> None:
        super().__init__("这个号码收不了短信：要手机号码")


class ResolvedAlreadyError(ConflictError):
    """The message is not unknown (any more)."""
