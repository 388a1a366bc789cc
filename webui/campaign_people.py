"""Reads a list of people to be asked: pasted lines or a CSV file, with or without a heading. Pure."""

import csv
import io

from core.errors import InvalidInputError

_HEADINGS = {
    "phone": ("phone", "电话", "号码", "手机", "手机号", "联系电话", "电话号码"),
    "person": ("person", "name", "姓名", "市民", "联系人", "申请人"),
    "hall": ("hall", "大厅"),
    "unit": ("unit", "单位", "承办单位", "部门"),
    "region": ("region", "区域", "区划"),
    "category": ("category", "分类", "类别"),
    "matter_code": ("matter_code", "事项编码"),
    "matter": ("matter", "事项", "事项名称", "内容"),
    "window": ("window", "窗口"),
}
_FIELDS = {word: name for name, words in _HEADINGS.items() for word in words}
_WITHOUT_HEADING = ("phone", "person", "matter", "unit")
MOST_PEOPLE = 50_000
LARGEST_LIST = 5_000_000


class UnreadableListError(InvalidInputError):
    """The list is no text, or has a heading without a column of numbers."""


def decoded(content: bytes) -> str:
    """Return the text of a file as spreadsheets write it.

    Raises:
        UnreadableListError: it is none.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UnreadableListError


def read_people(text: str) -> list[dict[str, str]]:
    """Return the people of a list; a row without anything in it is none.

    Raises:
        UnreadableListError: a heading has no column of numbers, or there are too many rows.
    """
    lines = text.replace("\x00", "").replace("，", ",").replace("\t", ",").splitlines()
    try:
        rows = [[cell.strip() for cell in cells] for cells in csv.reader(io.StringIO("\n".join(lines)))]
    except csv.Error as error:
        raise UnreadableListError from error
    rows = [cells for cells in rows if any(cells)]
    if len(rows) > MOST_PEOPLE + 1:
        raise UnreadableListError
    names: list[str | None] = list(_WITHOUT_HEADING)
    if rows and any(cell.lower() in _FIELDS for cell in rows[0]):
        names = [_FIELDS.get(cell.lower()) for cell in rows.pop(0)]
        if "phone" not in names:
            raise UnreadableListError
    return [{name: cell for name, cell in zip(names, cells, strict=False) if name} for cells in rows]
