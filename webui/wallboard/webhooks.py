"""Where figures are pushed: kept, claimed by whoever pushes, and what came of it. The front door of webhooks."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from core import audit
from core.database import Database
from core.errors import ConflictError, InvalidInputError, NotFoundError
from webui.wallboard.models import WallboardWebhook
from webui.wallboard.webhook_addresses import Network, check_known_host, read_address

MOST_WEBHOOKS = 8
SHORTEST_SECONDS, LONGEST_SECONDS = 2, 3600
LEASE = timedelta(seconds=30)
"""Longer than a push may take; when it runs out, another worker pushes."""
_LONGEST_NAME = 40
_LONGEST_PAUSE_SECONDS = 300
_MOST_DOUBLINGS = 8


class BadWebhookError(InvalidInputError):
    """A webhook can't be so. `field` is name or every_seconds."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class WebhookNameTakenError(ConflictError):
    """Another webhook has this name."""


class TooManyWebhooksError(ConflictError):
    """There are as many as can be pushed to side by side."""


class WebhookNotFoundError(NotFoundError):
    """No such webhook."""


@dataclass(frozen=True)
class WebhookView:
    """A webhook as it is listed, with its last result. The secret is not told again."""

    webhook_id: uuid.UUID
    name: str
    address: str
    every_seconds: int
    is_active: bool
    next_at: datetime
    failures: int
    delivered: int
    last_at: datetime | None
    last_delivered_at: datetime | None
    last_status: int | None
    last_error: str
    last_milliseconds: int | None


@dataclass(frozen=True)
class DuePush:
    """A push that this process has in hand."""

    webhook_id: uuid.UUID
    address: str
    secret: str


@dataclass(frozen=True)
class PushResult:
    """What came of a push; `error` is empty when it was taken."""

    status: int | None
    error: str
    milliseconds: int | None


class WebhookService:
    """The front door to webhooks."""

    def __init__(self, database: Database, networks: Sequence[Network]) -> None:
        self._database = database
        self._networks = networks

    def list_webhooks(self) -> list[WebhookView]:
        """Return all, by name."""
        with self._database.transaction() as session:
            return [_view(row) for row in session.scalars(select(WallboardWebhook).order_by(WallboardWebhook.name))]

    def create_webhook(self, actor: str, name: str, address: str, every_seconds: int) -> str:
        """Add a webhook and return the secret that signs its pushes; it can't be shown again.

        Raises:
            BadWebhookError: no name, or seconds outside 2…3600.
            BadWebhookAddressError: an address that may not be pushed to.
            WebhookNameTakenError, TooManyWebhooksError: as they say.
        """
        name = _checked_name(name)
        if not SHORTEST_SECONDS <= every_seconds <= LONGEST_SECONDS:
            raise BadWebhookError("every_seconds")
        check_known_host(read_address(address), self._networks)
        secret = secrets.token_hex(32)
        with self._database.transaction() as session:
            names = session.scalars(select(WallboardWebhook.name)).all()
            if name in names:
                raise WebhookNameTakenError(name)
            if len(names) >= MOST_WEBHOOKS:
                raise TooManyWebhooksError(MOST_WEBHOOKS)
            session.add(
                WallboardWebhook(name=name, address=address.strip(), secret=secret, every_seconds=every_seconds, created_by=actor)
            )
            audit.record(session, actor, "webhook.created", f"webhook:{name}", {"address": address, "every_seconds": every_seconds})
        return secret

    def set_active(self, actor: str, webhook_id: uuid.UUID, is_active: bool) -> None:
        """Pause a webhook, or let it go on at once.

        Raises:
            WebhookNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            row = _find(session, webhook_id)
            row.is_active, row.failures = is_active, 0
            row.next_at = func.clock_timestamp()
            audit.record(session, actor, "webhook.resumed" if is_active else "webhook.paused", f"webhook:{row.name}", {})

    def push_now(self, actor: str, webhook_id: uuid.UUID) -> None:
        """Have a webhook pushed at once, whatever pause it is in; a worker does it within a second.

        Raises:
            WebhookNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            row = _find(session, webhook_id)
            row.next_at = func.clock_timestamp()
            audit.record(session, actor, "webhook.tested", f"webhook:{row.name}", {})

    def remove_webhook(self, actor: str, webhook_id: uuid.UUID) -> None:
        """Take a webhook away.

        Raises:
            WebhookNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            row = _find(session, webhook_id)
            audit.record(session, actor, "webhook.removed", f"webhook:{row.name}", {"address": row.address})
            session.execute(delete(WallboardWebhook).where(WallboardWebhook.id == webhook_id))

    def claim_due(self, most: int) -> list[DuePush]:
        """Take what is due, for the length of a lease; no two processes take the same."""
        now = func.clock_timestamp()
        due = (
            select(WallboardWebhook.id)
            .where(WallboardWebhook.is_active, WallboardWebhook.next_at <= now)
            .order_by(WallboardWebhook.next_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        with self._database.transaction() as session:
            rows = session.execute(
                update(WallboardWebhook)
                .where(WallboardWebhook.id.in_(due))
                .values(next_at=now + LEASE)
                .returning(WallboardWebhook.id, WallboardWebhook.address, WallboardWebhook.secret)
            ).all()
        return [DuePush(row.id, row.address, row.secret) for row in rows]

    def report(self, webhook_id: uuid.UUID, result: PushResult) -> None:
        """Keep what came of a push, and say when the next is due: later and later while it fails."""
        now = func.clock_timestamp()
        with self._database.transaction() as session:
            row = session.get(WallboardWebhook, webhook_id, with_for_update=True)
            if row is None:
                return  # taken away meanwhile
            row.failures = row.failures + 1 if result.error else 0
            row.last_at, row.last_status, row.last_error = now, result.status, result.error
            row.last_milliseconds = result.milliseconds
            if not result.error:
                row.last_delivered_at = now
                row.delivered += 1
            row.next_at = now + timedelta(seconds=pause_seconds(row.every_seconds, row.failures))


def _find(session: Session, webhook_id: uuid.UUID) -> WallboardWebhook:
    row = session.get(WallboardWebhook, webhook_id, with_for_update=True)
    if row is None:
        raise WebhookNotFoundError(webhook_id)
    return row


def pause_seconds(every_seconds: int, failures: int) -> int:
    """Return how long to wait for the next push: doubled with each failure in a row, at most five minutes (or the usual pause)."""
    return min(every_seconds << min(failures, _MOST_DOUBLINGS), max(_LONGEST_PAUSE_SECONDS, every_seconds))


def _view(row: WallboardWebhook) -> WebhookView:
    return WebhookView(
        webhook_id=row.id,
        name=row.name,
        address=row.address,
        every_seconds=row.every_seconds,
        is_active=row.is_active,
        next_at=row.next_at,
        failures=row.failures,
        delivered=row.delivered,
        last_at=row.last_at,
        last_delivered_at=row.last_delivered_at,
        last_status=row.last_status,
        last_error=row.last_error,
        last_milliseconds=row.last_milliseconds,
    )


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadWebhookError("name")
    return name
