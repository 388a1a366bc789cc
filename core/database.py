"""PostgreSQL through SQLAlchemy: one session a service call, and no SQLAlchemy error passes this file."""

import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import DateTime, Engine, MetaData, create_engine, exc, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from core.errors import ConflictError, InvalidInputError, UnavailableError

Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True))]
JsonObject = Annotated[dict[str, Any], mapped_column(JSONB)]
JsonList = Annotated[list[Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    """All tables. The naming convention must stand before the first migration: Alembic drops constraints by name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def new_id() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562): 48 bits of milliseconds, then randomness, so ids sort by the time they were made."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


class DatabaseUnavailableError(UnavailableError):
    """PostgreSQL does not answer."""


class RowConflictError(ConflictError):
    """A constraint of the database refused the write."""

    def __init__(self, constraint: str | None) -> None:
        super().__init__(constraint or "constraint")
        self.constraint = constraint


class BadValueError(InvalidInputError):
    """PostgreSQL cannot store a value (too long, out of range, a NUL character)."""


class Database:
    """The pool of connections of one process."""

    def __init__(self, url: str, pool_size: int = 5, max_overflow: int = 10) -> None:
        self.url = url
        self.engine: Engine = create_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_pre_ping=True,
            pool_timeout=10,
            hide_parameters=True,  # an error's text goes to the log
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session, commit it at the end, roll it back on any error.

        Raises:
            DatabaseUnavailableError: no connection, or it broke.
            RowConflictError: a constraint refused the write.
            BadValueError: a value that PostgreSQL cannot hold.
        """
        try:
            with self._sessions.begin() as session:
                yield session
        except exc.IntegrityError as error:
            diagnostics = getattr(error.orig, "diag", None)
            raise RowConflictError(getattr(diagnostics, "constraint_name", None)) from error
        except exc.DataError as error:
            raise BadValueError(str(error.orig)) from error
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            raise DatabaseUnavailableError(str(error.orig) if isinstance(error, exc.DBAPIError) else str(error)) from error

    def ping(self) -> None:
        """Raise DatabaseUnavailableError unless PostgreSQL answers."""
        with self.transaction() as session:
            session.execute(text("select 1"))

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def sqlalchemy_url(url: str) -> str:
    """Return the URL with the psycopg 3 driver named, whatever way the site wrote it."""
    scheme, rest = url.split("://", 1)
    return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else url


def libpq_url(url: str) -> str:
    """Return the URL as libpq and psycopg read it."""
    return "postgresql://" + url.split("://", 1)[1]
