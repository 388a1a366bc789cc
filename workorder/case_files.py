"""Files of approval cases, CSV and spreadsheets: their rows, each under its field names and with its own fate."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from core.errors import InvalidInputError
from workorder.case_fields import FIELD_TITLES, REQUIRED, field_of_heading

MOST_ROWS = 50_000
LARGEST_FILE = 20 * 1024 * 1024
_LARGEST_UNPACKED = 500 * 1024 * 1024
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SPREADSHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
_LONGEST_CELL = 32_767


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row, numbered as a person counts it in the file; `problem` says why it cannot be read at all."""

    number: int
    values: dict[str, Any]
    problem: str = ""


class CaseFileError(InvalidInputError):
    """The file as a whole cannot be used; nothing of it was taken."""


def read_rows(content: bytes, file_name: str) -> list[FileRow]:
    """Return the rows of a file, by the ending of its name.

    Raises:
        CaseFileError: the file as a whole cannot be used.
    """
    if len(content) > LARGEST_FILE:
        raise CaseFileError(f"文件超过 {LARGEST_FILE // 1024 // 1024} MB")
    ending = file_name.lower().rpartition(".")
    kind = ending[1] + ending[2]
    if kind in {".csv", ".txt"}:
        lines = _csv_lines(_decoded(content))
    elif kind in _SPREADSHEETS:
        lines = iter(_sheet_lines(content))
    else:
        raise CaseFileError("只收 .csv、.xlsx、.xls、.xlsb、.ods 文件")
    return _rows(lines)


def _decoded(content: bytes) -> str:
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if is_utf16 else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CaseFileError("文字编码既不是 UTF-8 也不是 GB18030。请在表格软件里另存为“CSV UTF-8”")


def _csv_lines(text: str) -> Iterator[list[Any]]:
    first = text.lstrip("\n\r").partition("\n")[0]
    delimiter = max(",\t;，", key=first.count)
    if delimiter == "，":
        raise CaseFileError("列之间要用半角逗号隔开，不能用全角逗号")
    csv.field_size_limit(LARGEST_FILE)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as error:
        raise CaseFileError(f"第 {reader.line_num} 行起不是 CSV：{str(error)[:80]}") from error


def _sheet_lines(content: bytes) -> list[list[Any]]:
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as parts:
                if sum(part.file_size for part in parts.infolist()) > _LARGEST_UNPACKED:
                    raise CaseFileError("表格展开后太大")
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if not workbook.sheet_names:
            raise CaseFileError("表格里没有工作表")
        sheet = workbook.get_sheet_by_index(0)
        if sheet.total_height > MOST_ROWS + 1:
            raise CaseFileError(f"超过 {MOST_ROWS:,} 行，请拆分后再导入")
        lines: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise CaseFileError("不是可以读的表格文件") from error
    return lines


def _rows(lines: Iterator[list[Any]]) -> list[FileRow]:
    number = 0
    heading: list[Any] = []
    for number, heading in enumerate(islice(lines, 20), start=1):  # noqa: B007  # a title above the headings is skipped
        if sum(bool(str(cell).strip()) for cell in heading) > 1:
            break
    else:
        raise CaseFileError("第一行要写列名，如：办件编号、事项名称、承办单位、联系电话、办结时间")
    names = _names([str(cell) for cell in heading])
    rows: list[FileRow] = []
    for at, cells in enumerate(lines, start=number + 1):
        if not any(_is_filled(cell) for cell in cells):
            continue
        if len(rows) >= MOST_ROWS:
            raise CaseFileError(f"超过 {MOST_ROWS:,} 行，请拆分后再导入")
        rows.append(_row(at, names, cells))
    if not rows:
        raise CaseFileError("列名下面没有内容")
    return rows


def _names(heading: list[str]) -> list[str | None]:
    names = [field_of_heading(cell) if cell.strip() else None for cell in heading]
    unknown = [cell.strip() for cell, name in zip(heading, names, strict=True) if cell.strip() and name is None]
    if unknown:
        raise CaseFileError(f"不认识的列名：{'、'.join(unknown)[:200]}")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise CaseFileError(f"列名重复：{'、'.join(FIELD_TITLES[name] for name in sorted(twice))}")
    missing = [FIELD_TITLES[name] for name in REQUIRED if name not in names]
    if missing:
        raise CaseFileError(f"缺少列：{'、'.join(missing)}")
    return names


def _row(number: int, names: list[str | None], cells: list[Any]) -> FileRow:
    if any(_is_filled(cell) for cell in cells[len(names) :]):
        return FileRow(number, {}, f"有 {len(cells)} 格，列名只有 {len(names)} 个；多半是内容里的逗号没有加引号")
    values: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        if name is None:
            if _is_filled(cell):
                return FileRow(number, values, "有内容的格上面没有列名")
            continue
        if isinstance(cell, str) and len(cell) > _LONGEST_CELL:
            return FileRow(number, {}, "有一格太长")
        values[name] = _cell(cell)
    return FileRow(number, values)


def _is_filled(cell: Any) -> bool:
    return cell is not None and str(cell).strip() != ""


def _cell(value: Any) -> Any:
    # As our own exports guard what a spreadsheet would take for a formula.
    if isinstance(value, str) and len(value) > 1 and value[0] == "'" and value[1:].startswith(_FORMULA_STARTS):
        return value[1:]
    return value


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_text(heading: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table as CSV that spreadsheets read in Chinese, with a mark of its encoding and guarded cells."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([guarded(str(cell)) for cell in heading])
    writer.writerows([guarded(str(cell)) for cell in row] for row in rows)
    return "\ufeff" + out.getvalue()
