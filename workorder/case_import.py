"""Import of approval cases from a file: a broken row is refused and told, the others are kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from core import audit
from core.clock import Clock
from core.database import Database, JsonObject, new_id
from workorder.case_fields import FIELD_TITLES, CaseFields, InvalidCaseError, read_case
from workorder.case_files import CaseFileError, FileRow, read_rows
from workorder.case_view import CaseImportReport, ImportNotFoundError, RefusedRow
from workorder.cases import keep
from workorder.models import CaseImport

_BATCH = 500
_LONGEST_SHOWN = 64
_LONGEST_NAME = 200


class CaseImporting:
    """Takes cases in from files and remembers what was refused."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def import_cases(self, content: Path | bytes, file_name: str, actor: str) -> CaseImportReport:
        """Take in a file row by row. The same file again changes nothing.

        Raises:
            CaseFileError: the file as a whole cannot be used; nothing of it was taken.
        """
        name = "".join(character for character in file_name if character.isprintable())[-_LONGEST_NAME:]
        if isinstance(content, Path):
            try:
                content = content.read_bytes()
            except OSError as error:
                raise CaseFileError(f"读不到文件 {name}：{error.strerror}") from error
        rows = read_rows(content, name)
        refused: list[RefusedRow] = []
        counts = {"created": 0, "changed": 0, "unchanged": 0}
        checked = self._checked(rows, refused)
        while batch := list(islice(checked, _BATCH)):
            with self._database.transaction() as session:
                done = keep(session, batch, f"import:{name}")
            for _case_id, change in done.values():
                counts[change] += 1
        return self._finish(name, actor, counts, refused)

    def latest(self, limit: int = 20) -> list[CaseImportReport]:
        """Return the latest imports, the newest first, without the rows that they refused."""
        with self._database.transaction() as session:
            newest = select(CaseImport).order_by(CaseImport.created_at.desc(), CaseImport.id.desc()).limit(limit)
            return [_report(row, ()) for row in session.scalars(newest.options(defer(CaseImport.refused)))]

    def get(self, import_id: uuid.UUID) -> CaseImportReport:
        """Return one import with every row that it refused."""
        with self._database.transaction() as session:
            row = session.get(CaseImport, import_id)
            if row is None:
                raise ImportNotFoundError(str(import_id))
            return _report(row, row.refused)

    def _checked(self, rows: Sequence[FileRow], refused: list[RefusedRow]) -> Iterator[CaseFields]:
        now = self._clock.now()
        first_row_of: dict[str, int] = {}
        for row in rows:
            shown = _shown(row.values.get("number"))
            if row.problem:
                refused.append(RefusedRow(row.number, shown, "", row.problem))
                continue
            try:
                case = read_case(row.values, now)
            except InvalidCaseError as error:
                refused += [RefusedRow(row.number, shown, field, problem) for field, problem in error.problems.items()]
                continue
            if case.number in first_row_of:
                refused.append(RefusedRow(row.number, shown, "number", f"与第 {first_row_of[case.number]} 行重复"))
                continue
            first_row_of[case.number] = row.number
            yield case

    def _finish(self, name: str, actor: str, counts: dict[str, int], refused: list[RefusedRow]) -> CaseImportReport:
        with self._database.transaction() as session:
            row = CaseImport(
                id=new_id(),
                file_name=name,
                actor=actor,
                created_count=counts["created"],
                changed_count=counts["changed"],
                unchanged_count=counts["unchanged"],
                refused_count=len({problem.row for problem in refused}),
                refused=[asdict(problem) for problem in refused],
                created_at=func.clock_timestamp(),
            )
            session.add(row)
            session.flush()
            session.refresh(row)
            detail = {"file": name, **counts, "refused": row.refused_count}
            audit.record(session, actor, "case.imported", f"case_import:{row.id}", detail)
            return _report(row, row.refused)


def _report(row: CaseImport, refused: Sequence[JsonObject]) -> CaseImportReport:
    return CaseImportReport(
        import_id=row.id,
        file_name=row.file_name,
        actor=row.actor,
        created_at=row.created_at,
        created=row.created_count,
        changed=row.changed_count,
        unchanged=row.unchanged_count,
        refused_rows=row.refused_count,
        refused=[RefusedRow(**problem) for problem in refused],
    )


def field_title(field: str) -> str:
    """Return how a report names a field."""
    return FIELD_TITLES.get(field, field) or "整行"


def _shown(value: object) -> str:
    text = "" if value is None else str(value)
    return "".join(character for character in text if character.isprintable()).strip()[:_LONGEST_SHOWN]
