"""Fifty rows a page; filters and the page number live in the address."""

from dataclasses import dataclass
from urllib.parse import quote

from flask import Flask, request
from werkzeug.datastructures import MultiDict

SIZE = 50


def page_number() -> int:
    """Return the page that the address asks for, from 1."""
    return max(1, min(request.args.get("page", 1, type=int), 1_000_000))


def address(**changes: str | int | None) -> str:
    """Return the present address with some of its conditions changed; None takes one away."""
    arguments = MultiDict(request.args)
    for name, value in changes.items():
        arguments.pop(name, None)
        if value not in (None, ""):
            arguments[name] = str(value)
    query = "&".join(f"{_quote(name)}={_quote(value)}" for name, value in arguments.items(multi=True) if value)
    return f"{request.path}?{query}" if query else request.path


def without(name: str) -> str:
    """Return the address without one condition, from the first page."""
    return address(**{name: None, "page": None})


def _quote(text: str) -> str:
    return quote(text, safe="")


@dataclass(frozen=True)
class Page:
    """Which rows of how many are shown."""

    number: int
    total: int
    size: int = SIZE

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.total // self.size)

    @property
    def first(self) -> int:
        """The first row shown, from 1."""
        return min((self.number - 1) * self.size + 1, self.total)

    @property
    def last(self) -> int:
        """The last row shown."""
        return min(self.number * self.size, self.total)

    @property
    def offset(self) -> int:
        """How many rows lie before."""
        return (self.number - 1) * self.size

    @property
    def previous_address(self) -> str | None:
        """Where the page before is."""
        return address(page=self.number - 1) if self.number > 1 else None

    @property
    def next_address(self) -> str | None:
        """Where the next page is."""
        return address(page=self.number + 1) if self.number < self.pages else None


def install(app: Flask) -> None:
    """Let templates change conditions of the present address."""
    app.jinja_env.globals["address"] = address
