"""Files of articles, JSONL and XLSX: reading them row by row, each with its own fate, and writing them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from core.errors import InvalidInputError
from kb.article_content import FIELD_TITLES

LARGEST_FILE = 50 * 1024 * 1024
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_LISTS = ("alternatives", "materials")
_NAME_OF = {title: name for name, title in FIELD_TITLES.items()} | {name: name for name in FIELD_TITLES}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row as it stands in the file, numbered as a person counts there; `problem` says why it cannot be read."""

    number: int
    values: dict[str, Any]
    problem: str = ""


def read_rows(path: Path) -> Iterator[FileRow]:
    """Yield the rows of a file.

    Raises:
        InvalidInputError: the file as a whole cannot be read.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InvalidInputError(f"读不到文件 {path.name}：{error.strerror}") from error
    if size > LARGEST_FILE:
        raise InvalidInputError(f"文件超过 {LARGEST_FILE // 1024 // 1024} MB")
    if path.suffix.lower() == ".jsonl":
        return _read_jsonl(path)
    if path.suffix.lower() == ".xlsx":
        return _read_xlsx(path)
    raise InvalidInputError("只能导入 .jsonl 或 .xlsx 文件")


def _read_jsonl(path: Path) -> Iterator[FileRow]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line.decode("utf-8-sig"))
            except UnicodeDecodeError:
                yield FileRow(number, {}, "不是 UTF-8 文字")
            except (ValueError, RecursionError) as error:
                yield FileRow(number, {}, f"不是一个 JSON 对象：{str(error)[:100]}")
            else:
                yield FileRow(number, values) if isinstance(values, dict) else FileRow(number, {}, "不是一个 JSON 对象")


def _read_xlsx(path: Path) -> Iterator[FileRow]:
    try:
        workbook = CalamineWorkbook.from_path(path)
        if not workbook.sheet_names:
            raise InvalidInputError("表格里没有工作表")
        rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise InvalidInputError(f"不是可以读的 .xlsx 文件：{str(error)[:100]}") from error
    header = [str(cell).strip() for cell in rows[0]] if rows else []
    unknown = [cell for cell in header if cell and cell not in _NAME_OF]
    if unknown or not any(header):
        raise InvalidInputError(f"第一行要写列名；不认识：{'、'.join(unknown)[:200]}" if unknown else "第一行要写列名")
    return _named_rows(header, rows[1:])


def _named_rows(header: list[str], rows: Iterable[list[Any]]) -> Iterator[FileRow]:
    for number, row in enumerate(rows, start=2):
        values = {_NAME_OF[name]: _cell(cell) for name, cell in zip(header, row, strict=False) if name}
        if any(value != "" for value in values.values()):
            yield FileRow(number, values)


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date() if value.time() == datetime.min.time() else value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, str) and len(value) > 1 and value[0] == "'" and value[1:].startswith(_FORMULA_STARTS):
        return value[1:]
    return value


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, however often it is saved again."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write articles to a .jsonl or .xlsx file and return how many."""
    suffix = path.suffix.lower()
    if suffix not in {".jsonl", ".xlsx"}:
        raise InvalidInputError("只能导出 .jsonl 或 .xlsx 文件")
    try:
        return _write_jsonl(path, rows) if suffix == ".jsonl" else _write_xlsx(path, rows)
    except OSError as error:
        raise InvalidInputError(f"写不了文件 {path.name}：{error.strerror}") from error


def _write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    written = 0
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
            out.write(json.dumps(plain, ensure_ascii=False) + "\n")
            written += 1
    return written


def _write_xlsx(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    written = 0
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet("知识条目")
        bold, wrapped = workbook.add_format({"bold": True}), workbook.add_format({"text_wrap": True, "valign": "top"})
        for column, title in enumerate(FIELD_TITLES.values()):
            sheet.write_string(0, column, title, bold)
        for row in rows:
            written += 1
            for column, name in enumerate(FIELD_TITLES):
                value = row.get(name)
                text = "\n".join(value) if name in _LISTS and value else "" if value is None else str(value or "")
                sheet.write_string(written, column, guarded(text), wrapped)
        sheet.set_column(0, len(FIELD_TITLES) - 1, 24)
        sheet.freeze_panes(1, 0)
    return written
