"""Cuts what was said into what may be read and what was hidden, for templates."""

import re
from typing import NamedTuple

from flask import Flask
from flask_babel import gettext as _

_HIDDEN = re.compile(r"(〔(?:证件号|电话号|卡号)〕)")


class Piece(NamedTuple):
    """A stretch of text; a hidden one names only what was there."""

    text: str
    is_hidden: bool


def hidden_pieces(text: str) -> list[Piece]:
    """Return the stretches of a segment."""
    return [
        Piece(_(piece[1:-1]), True) if _HIDDEN.fullmatch(piece) else Piece(piece, False) for piece in _HIDDEN.split(text) if piece
    ]


def install(app: Flask) -> None:
    """Give templates the filter."""
    app.jinja_env.filters["hidden_pieces"] = hidden_pieces
