"""Bearer tokens of programs: made, listed, revoked, recognised. Kept as hashes; a token is shown once."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.clock import Clock
from core.database import Database
from core.errors import ConflictError, InvalidInputError, NotFoundError
from webui.models import ApiToken
from webui.permissions import Role
from webui.person import Person

PREFIX = "tj_"
LONGEST_DAYS = 3650
_SHORTEST_TOKEN = 32
_LONGEST_NAME = 64
_SEEN_EVERY = timedelta(minutes=1)


class BadTokenError(InvalidInputError):
    """A token can't be made so. `field` is name, role, days or token."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class TokenNameTakenError(ConflictError):
    """A token of this name is in use: the audit would not tell the two apart."""


class TokenKnownError(ConflictError):
    """This very token was imported before."""


class TokenNotFoundError(NotFoundError):
    """No such token."""


@dataclass(frozen=True)
class TokenRow:
    """A token as the page of tokens shows it."""

    token_id: uuid.UUID
    name: str
    role: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    is_usable: bool


class TokenService:
    """The front door to tokens."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create_token(self, actor: str, name: str, role: str, days: int | None = None) -> str:
        """Make a token with one role and return it; without `days` it lasts until revoked.

        Raises:
            BadTokenError: no name, an unknown role, or days outside 1…3650.
            TokenNameTakenError: a token of this name is in use.
        """
        token = PREFIX + secrets.token_urlsafe(32)
        with self._database.transaction() as session:
            name = _checked_name(name)
            if self._usable_of_name(session, name):
                raise TokenNameTakenError(name)
            self._add(session, actor, name, role, token, days)
        return token

    def import_token(self, actor: str, name: str, role: str, token: str) -> None:
        """Add a token that was made elsewhere, in place of the present one of that name.

        Raises:
            BadTokenError: as above, or the token is shorter than 32 characters.
            TokenKnownError: the token is known, usable or not.
        """
        if len(token) < _SHORTEST_TOKEN or not token.isascii():
            raise BadTokenError("token")
        with self._database.transaction() as session:
            if session.scalar(select(ApiToken.id).where(ApiToken.token_hash == _hash(token))):
                raise TokenKnownError(name)
            name = _checked_name(name)
            for former in self._usable_of_name(session, name):
                self._revoke(session, actor, former)
            self._add(session, actor, name, role, token, None)

    def list_tokens(self) -> list[TokenRow]:
        """Return all tokens, those in use first, then by name."""
        now = self._clock.now()
        with self._database.transaction() as session:
            rows = [_row(token, now) for token in session.scalars(select(ApiToken))]
        return sorted(rows, key=lambda row: (not row.is_usable, row.name, row.created_at))

    def revoke_token(self, actor: str, token_id: uuid.UUID) -> None:
        """End a token at its next use; ending it twice changes nothing.

        Raises:
            TokenNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            token = session.get(ApiToken, token_id, with_for_update=True)
            if token is None:
                raise TokenNotFoundError(token_id)
            if token.revoked_at is None:
                self._revoke(session, actor, token)

    def person_of_token(self, token: str) -> Person | None:
        """Return the program behind a token, or None when it is unknown, revoked or expired."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row = session.scalar(select(ApiToken).where(ApiToken.token_hash == _hash(token)))
            if row is None or not _is_usable(row, now):
                return None
            if row.last_used_at is None or now - row.last_used_at > _SEEN_EVERY:
                row.last_used_at = now
            return Person(user_id=None, username=f"token:{row.name}", display_name=row.name, roles=(row.role,))

    def _add(self, session: Session, actor: str, name: str, role: str, token: str, days: int | None) -> None:
        if role not in set(Role):
            raise BadTokenError("role")
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise BadTokenError("days")
        now = self._clock.now()
        session.add(
            ApiToken(
                name=name,
                token_hash=_hash(token),
                role=role,
                created_by=actor,
                created_at=now,
                expires_at=now + timedelta(days=days) if days else None,
            )
        )
        audit.record(session, actor, "token.created", f"token:{name}", {"role": role, "days": days})

    def _revoke(self, session: Session, actor: str, token: ApiToken) -> None:
        token.revoked_at = self._clock.now()
        audit.record(session, actor, "token.revoked", f"token:{token.name}", {"role": token.role})

    def _usable_of_name(self, session: Session, name: str) -> list[ApiToken]:
        now = self._clock.now()
        rows = session.scalars(select(ApiToken).where(ApiToken.name == name, ApiToken.revoked_at.is_(None)))
        return [row for row in rows if _is_usable(row, now)]


def _is_usable(token: ApiToken, now: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)


def _row(token: ApiToken, now: datetime) -> TokenRow:
    return TokenRow(
        token_id=token.id,
        name=token.name,
        role=token.role,
        created_by=token.created_by,
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
        is_usable=_is_usable(token, now),
    )


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadTokenError("name")
    return name


def _hash(token: str) -> str:
    # The token is 256 random bits: a plain hash is enough, and one that can be looked up is needed.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
