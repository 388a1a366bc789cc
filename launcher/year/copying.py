"""Copies columns into a table as fast as PostgreSQL takes them. What a row does not name gets the model's own default."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Column as TableColumn
from sqlalchemy import Table

from core.database import Base
from launcher.year.arrays import NEVER, Ids, Ints

_NULL = "\\N"
_CHUNK = 50_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Cells(Protocol):
    """A column's values, as PostgreSQL's COPY reads them."""

    def __len__(self) -> int: ...

    def cells(self, part: slice) -> list[str]:
        """Return some of them."""
        ...


@dataclass(frozen=True)
class Keys:
    """Ids; the row is NULL where `places` (into them) is below 0."""

    ids: Ids
    places: Ints | None = None

    def __len__(self) -> int:
        return len(self.ids if self.places is None else self.places)

    def cells(self, part: slice) -> list[str]:
        if self.places is None:
            return _hex(self.ids[part])
        places = self.places[part]
        if not len(self.ids):
            return [_NULL] * len(places)
        found = _hex(self.ids[np.maximum(places, 0)])
        return [_NULL if place < 0 else text for place, text in zip(places.tolist(), found, strict=True)]


def _hex(ids: Ids) -> list[str]:
    text = np.ascontiguousarray(ids).tobytes().hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]


@dataclass(frozen=True)
class Times:
    """Moments; the connection's time zone is UTC."""

    at: Ints

    def __len__(self) -> int:
        return len(self.at)

    def cells(self, part: slice) -> list[str]:
        at = self.at[part]
        texts = np.datetime_as_string(at.astype("datetime64[us]")).tolist()
        return [_NULL if value == NEVER else text for value, text in zip(at.tolist(), texts, strict=True)]


@dataclass(frozen=True)
class Words:
    """Words of a vocabulary by their places; NULL where the place is below 0."""

    vocabulary: Sequence[str]
    places: NDArray[Any]

    def __len__(self) -> int:
        return len(self.places)

    def cells(self, part: slice) -> list[str]:
        known = [*(word.translate(_ESCAPES) for word in self.vocabulary), _NULL]
        return [known[place] for place in np.maximum(self.places[part], -1).tolist()]


@dataclass(frozen=True)
class Texts:
    """Any texts; NULL for None. The function makes them, so that not all are held at once."""

    count: int
    make: Callable[[range], Sequence[str | None]]

    def __len__(self) -> int:
        return self.count

    def cells(self, part: slice) -> list[str]:
        made = self.make(range(*part.indices(self.count)))
        return [_NULL if text is None else text.translate(_ESCAPES) for text in made]


@dataclass(frozen=True)
class Numbers:
    """Whole numbers or fractions; NULL for nan."""

    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values)

    def cells(self, part: slice) -> list[str]:
        values = self.values[part].tolist()
        return [_NULL if value != value else str(value) for value in values]


@dataclass(frozen=True)
class Same:
    """One value in every row."""

    value: str | None
    count: int

    def __len__(self) -> int:
        return self.count

    def cells(self, part: slice) -> list[str]:
        text = _NULL if self.value is None else self.value.translate(_ESCAPES)
        return [text] * len(range(*part.indices(self.count)))


def copy_rows(connection: psycopg.Connection[Any], model: type[Base], columns: Mapping[str, Cells]) -> int:
    """Copy rows and return how many; every column must be as long as the others."""
    counts = {len(cells) for cells in columns.values()}
    assert len(counts) == 1, f"{model.__tablename__}: { ({name: len(cells) for name, cells in columns.items()}) }"
    count = counts.pop()
    table = model.__table__
    assert isinstance(table, Table)
    given = {**columns, **_defaults(table, columns, count)}
    names = sql.SQL(", ").join(sql.Identifier(name) for name in given)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, count, _CHUNK):
            part = slice(start, min(start + _CHUNK, count))
            rows = zip(*(cells.cells(part) for cells in given.values()), strict=True)
            copy.write(("\n".join(map("\t".join, rows)) + "\n").encode())
    return count


def _defaults(table: Table, columns: Mapping[str, Cells], count: int) -> dict[str, Cells]:
    unknown = set(columns) - set(table.columns.keys())
    assert not unknown, f"{table.name} has no {unknown}"
    found: dict[str, Cells] = {}
    for column in table.columns:
        if column.name in columns or column.server_default is not None or _numbers_itself(table, column):
            continue
        if column.default is not None and column.default.is_scalar:
            found[column.name] = Same(str(column.default.arg), count)  # type: ignore[attr-defined]
        else:
            assert column.nullable, f"{table.name}.{column.name} needs a value"
    return found


def _numbers_itself(table: Table, column: TableColumn[Any]) -> bool:
    return column is table.autoincrement_column
