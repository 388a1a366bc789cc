"""What a display shows in turn: the kinds of page, for how long each, and what a playlist may be."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidInputError

PAGE_SECONDS = 20
SHORTEST_SECONDS, LONGEST_SECONDS = 5, 600
MOST_PAGES = 6


class PageKind(StrEnum):
    """A page of the hall screen."""

    OPERATION = "operation"
    SATISFACTION = "satisfaction"
    TOPICS = "topics"


@dataclass(frozen=True)
class PlaylistPage:
    """One page and the seconds that it stays."""

    kind: PageKind
    seconds: int = PAGE_SECONDS


DEFAULT_PLAYLIST = tuple(PlaylistPage(kind) for kind in PageKind)


class BadPlaylistError(InvalidInputError):
    """A playlist has one to six known pages, each of 5 to 600 seconds."""


def read_playlist(rows: Sequence[tuple[str, str]]) -> tuple[PlaylistPage, ...]:
    """Return the playlist that a form sent as (kind, seconds); rows without a kind are left out.

    Raises:
        BadPlaylistError: no page, too many, an unknown kind, or seconds that are none.
    """
    found = []
    for kind, seconds in rows:
        if not kind:
            continue
        text = seconds.strip() or str(PAGE_SECONDS)
        if kind not in set(PageKind) or not (text.isascii() and text.isdigit() and len(text) <= 3):
            raise BadPlaylistError
        if not SHORTEST_SECONDS <= int(text) <= LONGEST_SECONDS:
            raise BadPlaylistError
        found.append(PlaylistPage(PageKind(kind), int(text)))
    if not 1 <= len(found) <= MOST_PAGES:
        raise BadPlaylistError
    return tuple(found)
