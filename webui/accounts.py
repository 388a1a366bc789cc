"""People and their roles: made, changed, disabled, found. Every change is an audit row in the same transaction."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import Clock
from core.database import Database
from core.errors import ConflictError, InvalidInputError, NotFoundError
from webui import passwords
from webui.models import LoginSession, User
from webui.permissions import Role

_USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")


class BadUsernameError(InvalidInputError):
    """Not a log-in name: small letters, digits, dot, dash; 2–32 characters; a letter first."""


class BadRoleError(InvalidInputError):
    """No role was given, or one that does not exist."""


class MissingNameError(InvalidInputError):
    """A person needs a name that others can read."""


class UsernameTakenError(ConflictError):
    """Somebody has this log-in name."""


class AgentTakenError(ConflictError):
    """Another person answers as this agent."""


class LastAdminError(ConflictError):
    """Nobody would be left who may manage users."""


class UserNotFoundError(NotFoundError):
    """No such person."""


@dataclass(frozen=True)
class UserRow:
    """A person as the users page shows them."""

    user_id: uuid.UUID
    username: str
    display_name: str
    roles: tuple[str, ...]
    agent_id: uuid.UUID | None
    has_totp: bool
    is_disabled: bool
    locked_until: datetime | None
    last_login_at: datetime | None
    open_sessions: int


class AccountService:
    """The front door to people."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create_user(
        self,
        actor: str,
        *,
        username: str,
        display_name: str,
        password: str,
        roles: Sequence[str],
        agent_id: uuid.UUID | None = None,
        must_change_password: bool = True,
    ) -> uuid.UUID:
        """Add a person and return their id.

        Raises:
            BadUsernameError, MissingNameError, BadRoleError, WeakPasswordError: nothing was written.
            UsernameTakenError, AgentTakenError: somebody else has it.
        """
        username = username.strip().lower()
        if not _USERNAME.fullmatch(username):
            raise BadUsernameError
        passwords.check_strength(password, username)
        user = User(
            username=username,
            display_name=_checked_name(display_name),
            password_hash=passwords.hash_password(password),
            roles=_checked_roles(roles),
            agent_id=agent_id,
            must_change_password=must_change_password,
        )
        with self._database.transaction() as session:
            if session.scalar(select(User.id).where(User.username == username)):
                raise UsernameTakenError
            _check_agent(session, agent_id, None)
            session.add(user)
            session.flush()
            audit.record(session, actor, "user.created", f"user:{username}", {"name": user.display_name, "roles": user.roles})
            return user.id

    def change_user(
        self, actor: str, user_id: uuid.UUID, *, display_name: str, roles: Sequence[str], agent_id: uuid.UUID | None
    ) -> None:
        """Change name, roles and agent; a person who lost a right loses it at the next request."""
        with self._database.transaction() as session:
            user = _get(session, user_id)
            before = {"name": user.display_name, "roles": user.roles, "agent": str(user.agent_id or "")}
            user.display_name, user.roles = _checked_name(display_name), _checked_roles(roles)
            _check_agent(session, agent_id, user_id)
            user.agent_id = agent_id
            session.flush()
            _check_admin_left(session)
            after = {"name": user.display_name, "roles": user.roles, "agent": str(user.agent_id or "")}
            changed = {key: {"from": before[key], "to": after[key]} for key in before if before[key] != after[key]}
            if changed:
                audit.record(session, actor, "user.changed", f"user:{user.username}", changed)

    def check_agent(self, agent_id: uuid.UUID | None, user_id: uuid.UUID | None = None) -> None:
        """Raise AgentTakenError when an agent is another person's; ask before anything of the seat is changed."""
        with self._database.transaction() as session:
            _check_agent(session, agent_id, user_id)

    def set_disabled(self, actor: str, user_id: uuid.UUID, disabled: bool) -> None:
        """Shut a person out at once, or let them in again."""
        with self._database.transaction() as session:
            user = _get(session, user_id)
            if (user.disabled_at is not None) == disabled:
                return
            user.disabled_at = self._clock.now() if disabled else None
            session.flush()
            _check_admin_left(session)
            if disabled:
                _revoke_all(session, user_id, self._clock.now())
            audit.record(session, actor, "user.disabled" if disabled else "user.enabled", f"user:{user.username}")

    def unlock(self, actor: str, user_id: uuid.UUID) -> None:
        """Take back a lock-out."""
        with self._database.transaction() as session:
            user = _get(session, user_id)
            user.locked_until, user.failed_logins = None, 0
            audit.record(session, actor, "user.unlocked", f"user:{user.username}")

    def reset_password(self, actor: str, user_id: uuid.UUID) -> str:
        """Give a new password, to be changed at the next log-in; end all sessions and the second step. Returns it."""
        password = passwords.make_password()
        with self._database.transaction() as session:
            user = _get(session, user_id)
            user.password_hash, user.must_change_password = passwords.hash_password(password), True
            user.totp_secret, user.locked_until, user.failed_logins = None, None, 0
            _revoke_all(session, user_id, self._clock.now())
            audit.record(session, actor, "password.reset", f"user:{user.username}")
        return password

    def revoke_sessions(self, actor: str, user_id: uuid.UUID) -> int:
        """End all of a person's log-ins; return how many."""
        with self._database.transaction() as session:
            user = _get(session, user_id)
            count = _revoke_all(session, user_id, self._clock.now())
            audit.record(session, actor, "session.revoked", f"user:{user.username}", {"count": count})
            return count

    def get_user(self, user_id: uuid.UUID) -> UserRow:
        """Return one person."""
        with self._database.transaction() as session:
            return self._row(_get(session, user_id), self._open_sessions(session))

    def list_users(self, text: str = "", role: str = "", status: str = "") -> list[UserRow]:
        """Return the people, by name; `status` is active, disabled or locked."""
        now = self._clock.now()
        query = select(User).order_by(User.username)
        if text:
            pattern = f"%{text.replace('%', '').replace('_', '')}%"
            query = query.where(or_(User.username.ilike(pattern), User.display_name.ilike(pattern)))
        if role:
            query = query.where(User.roles.contains([role]))
        if status == "active":
            query = query.where(User.disabled_at.is_(None))
        elif status == "disabled":
            query = query.where(User.disabled_at.is_not(None))
        elif status == "locked":
            query = query.where(User.locked_until > now)
        with self._database.transaction() as session:
            sessions = self._open_sessions(session)
            return [self._row(user, sessions) for user in session.scalars(query)]

    def names(self) -> dict[str, str]:
        """Return what everybody is called, by log-in name, the disabled too: what they wrote stays."""
        with self._database.transaction() as session:
            return dict(session.execute(select(User.username, User.display_name)).all())

    def person_by_agent(self, agent_id: uuid.UUID) -> str | None:
        """Return the log-in name of the person behind an agent."""
        with self._database.transaction() as session:
            return session.scalar(select(User.username).where(User.agent_id == agent_id))

    def _open_sessions(self, session: Session) -> dict[uuid.UUID, int]:
        query = (
            select(LoginSession.user_id, func.count())
            .where(LoginSession.revoked_at.is_(None), LoginSession.expires_at > self._clock.now())
            .group_by(LoginSession.user_id)
        )
        return dict(session.execute(query).all())

    def _row(self, user: User, sessions: dict[uuid.UUID, int]) -> UserRow:
        locked = user.locked_until if user.locked_until and user.locked_until > self._clock.now() else None
        return UserRow(
            user_id=user.id,
            username=user.username,
            display_name=user.display_name,
            roles=tuple(user.roles),
            agent_id=user.agent_id,
            has_totp=user.totp_secret is not None,
            is_disabled=user.disabled_at is not None,
            locked_until=locked,
            last_login_at=user.last_login_at,
            open_sessions=sessions.get(user.id, 0),
        )


def _check_agent(session: Session, agent_id: uuid.UUID | None, user_id: uuid.UUID | None) -> None:
    if agent_id is None:
        return
    holder = session.scalar(select(User.id).where(User.agent_id == agent_id))
    if holder is not None and holder != user_id:
        raise AgentTakenError


def _get(session: Session, user_id: uuid.UUID) -> User:
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise UserNotFoundError(user_id)
    return user


def _checked_name(name: str) -> str:
    name = " ".join(name.split())[:64]
    if not name:
        raise MissingNameError
    return name


def _checked_roles(roles: Sequence[str]) -> list[str]:
    if not roles or not set(roles) <= set(Role):
        raise BadRoleError(sorted(set(roles) - set(Role)))
    return [role.value for role in Role if role in roles]


def _check_admin_left(session: Session) -> None:
    query = select(func.count()).select_from(User).where(User.roles.contains([Role.ADMIN.value]), User.disabled_at.is_(None))
    anyone = select(func.count()).select_from(User)
    if session.scalar(anyone) and not session.scalar(query):
        raise LastAdminError


def _revoke_all(session: Session, user_id: uuid.UUID, now: datetime) -> int:
    query = (
        update(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now)
        .values(revoked_at=now)
        .returning(LoginSession.id)
    )
    return len(session.scalars(query).all())
