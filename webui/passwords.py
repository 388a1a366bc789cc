"""Passwords: hashing, and which ones are good enough."""

import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import InvalidInputError

SHORTEST = 10
LONGEST = 200  # argon2 takes any length; a megabyte of password is an attack
_hasher = PasswordHasher()
# Checked when the account does not exist, so that both answers take as long.
_NOBODY = _hasher.hash(secrets.token_hex(16))


class WeakPasswordError(InvalidInputError):
    """The new password is too short, too long or says the account's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def hash_password(password: str) -> str:
    """Return the argon2id hash."""
    return _hasher.hash(password)


def is_correct(password_hash: str | None, password: str) -> bool:
    """Say whether the password fits; takes the same time for an account that does not exist."""
    try:
        return _hasher.verify(password_hash or _NOBODY, password[:LONGEST]) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Say whether the hash was made with older parameters."""
    return _hasher.check_needs_rehash(password_hash)


def check_strength(password: str, username: str) -> None:
    """Raise WeakPasswordError unless the password may be used."""
    if len(password) < SHORTEST:
        raise WeakPasswordError("short")
    if len(password) > LONGEST:
        raise WeakPasswordError("long")
    if len(username) > 3 and username.lower() in password.lower():
        raise WeakPasswordError("name")
    if len(set(password)) < 4:
        raise WeakPasswordError("plain")


def make_password() -> str:
    """Return a fresh password without letters that are easily mistaken."""
    alphabet = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
    return "".join(secrets.choice(alphabet) for _ in range(14))
