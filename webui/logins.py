"""Getting in and staying in: passwords, lock-out, the second step, sessions that can be revoked."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import Clock
from core.database import Database
from core.errors import InvalidInputError, NotFoundError
from core.settings import Settings
from webui import passwords
from webui.models import LoginSession, User
from webui.person import Person

_SEEN_EVERY = timedelta(minutes=1)
_STEP_SECONDS = 30


class WrongPasswordError(InvalidInputError):
    """The present password that was given is not the right one."""


class WrongCodeError(InvalidInputError):
    """The six digits do not fit, or were used already."""


class SessionNotFoundError(NotFoundError):
    """No such log-in of this person."""


@dataclass(frozen=True)
class Accepted:
    """The step was passed; `needs_code` says that the second step follows."""

    user_id: uuid.UUID
    needs_code: bool


@dataclass(frozen=True)
class Refused:
    """The step was not passed; `locked_until` when the account is shut for a while."""

    locked_until: datetime | None = None


@dataclass(frozen=True)
class SessionRow:
    """One log-in as its owner sees it."""

    session_id: uuid.UUID
    created_at: datetime
    last_seen_at: datetime
    address: str
    browser: str


class LoginService:
    """The front door to log-ins."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    # --- the two steps

    def check_password(self, username: str, password: str, address: str) -> Accepted | Refused:
        """Take the first step. Failures are counted, and the account is shut for a while after too many."""
        now = self._clock.now()
        with self._database.transaction() as session:
            user = session.scalar(select(User).where(User.username == username.strip().lower()).with_for_update())
            correct = passwords.is_correct(user.password_hash if user else None, password)
            if user is None:
                # What was typed may be a password in the wrong field: it isn't kept.
                audit.record(session, "-", "login.failed", "user:-", {"address": address})
                return Refused()
            if user.locked_until and user.locked_until > now:
                self._record_refusal(session, user, address, "locked")
                return Refused(user.locked_until)
            if not correct:
                return self._count_failure(session, user, address)
            if user.disabled_at is not None:
                self._record_refusal(session, user, address, "disabled")
                return Refused()
            if passwords.needs_rehash(user.password_hash):
                user.password_hash = passwords.hash_password(password)
            return Accepted(user.id, user.totp_secret is not None)

    def check_code(self, user_id: uuid.UUID, code: str, address: str) -> Accepted | Refused:
        """Take the second step; a code works once. Failures count like wrong passwords."""
        now = self._clock.now()
        with self._database.transaction() as session:
            user = session.get(User, user_id, with_for_update=True)
            if user is None or user.disabled_at is not None:
                return Refused()
            if user.locked_until and user.locked_until > now:
                return Refused(user.locked_until)
            step = _matching_step(user.totp_secret, code, now, user.totp_last_step)
            if step is None:
                return self._count_failure(session, user, address)
            user.totp_last_step = step
            return Accepted(user.id, False)

    @staticmethod
    def _record_refusal(session: Session, user: User, address: str, why: str) -> None:
        audit.record(session, user.username, "login.refused", f"user:{user.username}", {"address": address, "why": why})

    def _count_failure(self, session: Session, user: User, address: str) -> Refused:
        user.failed_logins += 1
        detail = {"address": address, "failures": user.failed_logins}
        audit.record(session, user.username, "login.failed", f"user:{user.username}", detail)
        if user.failed_logins < self._settings.login_failures:
            return Refused()
        user.failed_logins = 0
        user.locked_until = self._clock.now() + timedelta(minutes=self._settings.lockout_minutes)
        audit.record(session, user.username, "login.locked", f"user:{user.username}", {"minutes": self._settings.lockout_minutes})
        return Refused(user.locked_until)

    # --- sessions

    def open_session(self, user_id: uuid.UUID, address: str, browser: str) -> str:
        """Log in after all steps; return the token for the cookie."""
        token, now = secrets.token_urlsafe(32), self._clock.now()
        with self._database.transaction() as session:
            user = session.get_one(User, user_id)
            user.failed_logins, user.locked_until, user.last_login_at = 0, None, now
            session.add(
                LoginSession(
                    user_id=user_id,
                    token_hash=_hash(token),
                    created_at=now,
                    last_seen_at=now,
                    expires_at=now + timedelta(hours=self._settings.session_hours),
                    address=address,
                    browser=browser[:200],
                )
            )
            audit.record(session, user.username, "login.succeeded", f"user:{user.username}", {"address": address})
        return token

    def person_of_session(self, token: str) -> Person | None:
        """Return who a cookie's token belongs to, or None when it is revoked, too old or the person is disabled."""
        now = self._clock.now()
        query = (
            select(LoginSession, User)
            .join(User, User.id == LoginSession.user_id)
            .where(
                LoginSession.token_hash == _hash(token),
                LoginSession.revoked_at.is_(None),
                LoginSession.expires_at > now,
                User.disabled_at.is_(None),
            )
        )
        with self._database.transaction() as session:
            found = session.execute(query).one_or_none()
            if found is None:
                return None
            login, user = found
            if now - login.last_seen_at > _SEEN_EVERY:
                login.last_seen_at = now
            return Person(
                user_id=user.id,
                username=user.username,
                display_name=user.display_name,
                roles=tuple(user.roles),
                agent_id=user.agent_id,
                session_id=login.id,
                handle=token,
                must_change_password=user.must_change_password,
            )

    def close_session(self, person: Person) -> None:
        """Log out."""
        with self._database.transaction() as session:
            session.execute(update(LoginSession).where(LoginSession.id == person.session_id).values(revoked_at=self._clock.now()))
            audit.record(session, person.username, "logout", f"user:{person.username}")

    def list_sessions(self, person: Person) -> list[SessionRow]:
        """Return a person's open log-ins, newest first."""
        query = (
            select(LoginSession)
            .where(
                LoginSession.user_id == person.user_id,
                LoginSession.revoked_at.is_(None),
                LoginSession.expires_at > self._clock.now(),
            )
            .order_by(LoginSession.created_at.desc())
        )
        with self._database.transaction() as session:
            return [
                SessionRow(row.id, row.created_at, row.last_seen_at, row.address, row.browser) for row in session.scalars(query)
            ]

    def revoke_session(self, person: Person, session_id: uuid.UUID) -> None:
        """End one of one's own log-ins."""
        with self._database.transaction() as session:
            row = session.scalar(select(LoginSession).where(LoginSession.id == session_id, LoginSession.user_id == person.user_id))
            if row is None:
                raise SessionNotFoundError(session_id)
            row.revoked_at = row.revoked_at or self._clock.now()
            audit.record(session, person.username, "session.revoked", f"user:{person.username}", {"session": str(session_id)})

    # --- one's own password and second step

    def change_password(self, person: Person, present: str, new: str) -> None:
        """Change one's own password and end one's other log-ins.

        Raises:
            WrongPasswordError: the present one is wrong.
            WeakPasswordError: the new one won't do, or is the present one.
        """
        passwords.check_strength(new, person.username)
        with self._database.transaction() as session:
            user = session.get_one(User, person.user_id, with_for_update=True)
            if not passwords.is_correct(user.password_hash, present):
                raise WrongPasswordError
            if new == present:
                raise passwords.WeakPasswordError("same")
            user.password_hash, user.must_change_password = passwords.hash_password(new), False
            session.execute(
                update(LoginSession)
                .where(LoginSession.user_id == user.id, LoginSession.id != person.session_id, LoginSession.revoked_at.is_(None))
                .values(revoked_at=self._clock.now())
            )
            audit.record(session, person.username, "password.changed", f"user:{person.username}")

    def has_second_step(self, person: Person) -> bool:
        """Say whether the person's log-in asks for a code."""
        with self._database.transaction() as session:
            return session.get_one(User, person.user_id).totp_secret is not None

    def switch_second_step_on(self, person: Person, secret: str, code: str) -> None:
        """Keep the secret once a code from it shows that the person's device has it."""
        step = _matching_step(secret, code, self._clock.now(), None)
        if step is None:
            raise WrongCodeError
        with self._database.transaction() as session:
            user = session.get_one(User, person.user_id, with_for_update=True)
            user.totp_secret, user.totp_last_step = secret, step
            audit.record(session, person.username, "totp.enabled", f"user:{person.username}")

    def switch_second_step_off(self, person: Person, password: str) -> None:
        """Forget the secret; the password is asked again."""
        with self._database.transaction() as session:
            user = session.get_one(User, person.user_id, with_for_update=True)
            if not passwords.is_correct(user.password_hash, password):
                raise WrongPasswordError
            user.totp_secret = None
            audit.record(session, person.username, "totp.disabled", f"user:{person.username}")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _matching_step(secret: str | None, code: str, now: datetime, last_step: int | None) -> int | None:
    # RFC 6238 with one step of drift to either side; a step that was used is gone.
    if not secret or not code.isascii() or not code.isdigit():
        return None
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_SECONDS
    for step in (present - 1, present, present + 1):
        if secrets.compare_digest(totp.generate_otp(step), code) and (last_step is None or step > last_step):
            return step
    return None
