"""Displays of the hall: their playlists, and the tokens by which they get in. The front door of the hall screen's own tables."""

import hashlib
import re
import secrets
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import Clock
from core.database import Database
from core.errors import ConflictError, InvalidInputError, NotFoundError
from webui.wallboard.models import Display, DisplayPage, DisplayToken
from webui.wallboard.playlist import DEFAULT_PLAYLIST, PageKind, PlaylistPage

PREFIX = "tjd_"
TOKEN_KEPT_SECONDS = 5.0
"""How long a token is believed without asking again: a revoked one opens nothing after that."""
DEMONSTRATION_KEY = "hall"
_SEEN_EVERY_SECONDS = 20.0
_MOST_KEPT = 2000
_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_SCREEN = re.compile(r"\d{2,5}x\d{2,5}")
_LONGEST_NAME = 40


class BadDisplayError(InvalidInputError):
    """A display can't be so. `field` is key, name or title."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class DisplayKeyTakenError(ConflictError):
    """Another display has this address."""


class DisplayNotFoundError(NotFoundError):
    """No such display."""


class DisplayTokenNotFoundError(NotFoundError):
    """No such token of this display."""


@dataclass(frozen=True)
class TokenView:
    """A token as it is listed; the token itself is known to nobody."""

    token_id: uuid.UUID
    created_by: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class DisplayView:
    """A display as others see it."""

    display_id: uuid.UUID
    key: str
    name: str
    title: str
    revision: int
    playlist: tuple[PlaylistPage, ...]
    last_seen_at: datetime | None
    last_screen: str
    tokens: tuple[TokenView, ...] = ()

    @property
    def usable_tokens(self) -> int:
        """How many tokens still open it."""
        return sum(token.revoked_at is None for token in self.tokens)


class DisplayService:
    """The front door to displays. One for each process: it remembers for seconds whom it let in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, DisplayView | None]] = {}
        self._seen: dict[uuid.UUID, float] = {}

    def list_displays(self) -> list[DisplayView]:
        """Return all, by name."""
        with self._database.transaction() as session:
            return [_view(session, row) for row in session.scalars(select(Display).order_by(Display.name, Display.key))]

    def get_display(self, display_id: uuid.UUID) -> DisplayView:
        """Return one with its tokens, newest first.

        Raises:
            DisplayNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            return _view(session, _find(session, display_id))

    def create_display(
        self, actor: str, key: str, name: str, title: str = "", playlist: Sequence[PlaylistPage] = DEFAULT_PLAYLIST
    ) -> uuid.UUID:
        """Add a display; nobody can open it before it has a token.

        Raises:
            BadDisplayError: a key that is no address, or no name.
            DisplayKeyTakenError: the key is in use.
        """
        if not _KEY.fullmatch(key):
            raise BadDisplayError("key")
        with self._database.transaction() as session:
            if session.scalar(select(Display.id).where(Display.key == key)):
                raise DisplayKeyTakenError(key)
            row = Display(key=key, name=_line(name, "name"), title=_line(title, "title", required=False), last_screen="")
            session.add(row)
            session.flush()
            _write_pages(session, row.id, playlist)
            audit.record(session, actor, "display.created", f"display:{key}", {"name": row.name})
            return row.id

    def save_display(self, actor: str, display_id: uuid.UUID, name: str, title: str, playlist: Sequence[PlaylistPage]) -> None:
        """Change a display; running screens follow within seconds.

        Raises:
            BadDisplayError: no name.
            DisplayNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            row = _find(session, display_id, lock=True)
            row.name, row.title = _line(name, "name"), _line(title, "title", required=False)
            row.revision += 1
            _write_pages(session, row.id, playlist)
            pages = [page.kind.value for page in playlist]
            audit.record(session, actor, "display.changed", f"display:{row.key}", {"name": row.name, "pages": pages})
        self._forget()

    def remove_display(self, actor: str, display_id: uuid.UUID) -> None:
        """Take a display away with its tokens.

        Raises:
            DisplayNotFoundError: there is none.
        """
        with self._database.transaction() as session:
            row = _find(session, display_id, lock=True)
            audit.record(session, actor, "display.removed", f"display:{row.key}", {"name": row.name})
            session.execute(delete(Display).where(Display.id == display_id))
        self._forget()

    def make_token(self, actor: str, display_id: uuid.UUID) -> str:
        """Make a token and return it; it can't be shown again.

        Raises:
            DisplayNotFoundError: there is none.
        """
        token = PREFIX + secrets.token_urlsafe(32)
        self._add_token(actor, display_id, token)
        return token

    def revoke_token(self, actor: str, display_id: uuid.UUID, token_id: uuid.UUID) -> None:
        """End a token; a screen that uses it goes dark within seconds. Ending it twice changes nothing.

        Raises:
            DisplayTokenNotFoundError: the display has no such token.
        """
        with self._database.transaction() as session:
            row = session.get(DisplayToken, token_id, with_for_update=True)
            if row is None or row.display_id != display_id:
                raise DisplayTokenNotFoundError(token_id)
            if row.revoked_at is None:
                row.revoked_at = self._clock.now()
                key = session.scalar(select(Display.key).where(Display.id == display_id))
                audit.record(session, actor, "display.token_revoked", f"display:{key}", {"token_id": token_id})
        self._forget()

    def display_of_token(self, token: str) -> DisplayView | None:
        """Return the display that a token opens, or None."""
        if not token.startswith(PREFIX) or len(token) > 100:
            return None
        digest = _hash(token)
        now = time.monotonic()
        with self._lock:
            kept = self._known.get(digest)
        if kept and now - kept[0] < TOKEN_KEPT_SECONDS:
            return kept[1]
        with self._database.transaction() as session:
            row = session.scalar(
                select(Display)
                .join(DisplayToken, DisplayToken.display_id == Display.id)
                .where(DisplayToken.token_hash == digest, DisplayToken.revoked_at.is_(None))
            )
            display = _view(session, row) if row else None
        with self._lock:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[digest] = (now, display)
        return display

    def saw(self, display: DisplayView, screen: str) -> None:
        """Note that a display asked for its figures, and how large it is; written at most every twenty seconds."""
        now = time.monotonic()
        with self._lock:
            if now - self._seen.get(display.display_id, float("-inf")) < _SEEN_EVERY_SECONDS:
                return
            self._seen[display.display_id] = now
        with self._database.transaction() as session:
            row = session.get(Display, display.display_id)
            if row is not None:
                row.last_seen_at = self._clock.now()
                if _SCREEN.fullmatch(screen):
                    row.last_screen = screen

    def ensure_demonstration(self, actor: str, name: str, token: str) -> DisplayView:
        """Return the demonstration's display, with all pages, opened by a token that the caller keeps; made when missing."""
        with self._database.transaction() as session:
            display_id = session.scalar(select(Display.id).where(Display.key == DEMONSTRATION_KEY))
        if display_id is None:
            display_id = self.create_display(actor, DEMONSTRATION_KEY, name)
        with self._database.transaction() as session:
            is_known = session.scalar(select(DisplayToken.id).where(DisplayToken.token_hash == _hash(token))) is not None
        if not is_known:
            self._add_token(actor, display_id, token)
        return self.get_display(display_id)

    def _add_token(self, actor: str, display_id: uuid.UUID, token: str) -> None:
        with self._database.transaction() as session:
            row = _find(session, display_id)
            session.add(DisplayToken(display_id=row.id, token_hash=_hash(token), created_by=actor, created_at=self._clock.now()))
            audit.record(session, actor, "display.token_made", f"display:{row.key}", {})

    def _forget(self) -> None:
        with self._lock:
            self._known.clear()


def _find(session: Session, display_id: uuid.UUID, *, lock: bool = False) -> Display:
    row = session.get(Display, display_id, with_for_update=lock or None)
    if row is None:
        raise DisplayNotFoundError(display_id)
    return row


def _view(session: Session, row: Display) -> DisplayView:
    pages = session.execute(
        select(DisplayPage.kind, DisplayPage.seconds).where(DisplayPage.display_id == row.id).order_by(DisplayPage.position)
    )
    tokens = session.scalars(
        select(DisplayToken)
        .where(DisplayToken.display_id == row.id)
        .order_by(DisplayToken.revoked_at.is_not(None), DisplayToken.id.desc())
    )
    return DisplayView(
        display_id=row.id,
        key=row.key,
        name=row.name,
        title=row.title,
        revision=row.revision,
        playlist=tuple(PlaylistPage(PageKind(kind), seconds) for kind, seconds in pages if kind in set(PageKind)),
        last_seen_at=row.last_seen_at,
        last_screen=row.last_screen,
        tokens=tuple(TokenView(token.id, token.created_by, token.created_at, token.revoked_at) for token in tokens),
    )


def _write_pages(session: Session, display_id: uuid.UUID, playlist: Sequence[PlaylistPage]) -> None:
    session.execute(delete(DisplayPage).where(DisplayPage.display_id == display_id))
    for position, page in enumerate(playlist, 1):
        session.add(DisplayPage(display_id=display_id, position=position, kind=page.kind.value, seconds=page.seconds))


def _line(text: str, field: str, *, required: bool = True) -> str:
    text = " ".join(text.split())
    if (required and not text) or len(text) > _LONGEST_NAME or not text.isprintable():
        raise BadDisplayError(field)
    return text


def _hash(token: str) -> str:
    # 256 random bits: a plain hash is enough, and one that can be looked up is needed.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
