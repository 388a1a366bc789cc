"""What an article says, checked and cleaned: the one shape that editing, import, revisions and search share."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from core.errors import InvalidInputError

Status = Literal["draft", "published", "retired"]

FIELD_TITLES = {
    "key": "编号",
    "matter": "事项名称",
    "matter_code": "事项编码",
    "title": "标题",
    "alternatives": "其他问法",
    "unit": "承办单位",
    "region": "区域",
    "category": "分类",
    "answer": "答复",
    "conditions": "办理条件",
    "materials": "所需材料",
    "promised_time": "承诺时限",
    "fee": "收费",
    "window": "办理窗口",
    "valid_from": "生效日期",
    "valid_to": "失效日期",
    "source": "依据来源",
    "status": "状态",
}
"""Every field of an import with its title on pages and in spreadsheets, in the order of columns."""


class InvalidArticleError(InvalidInputError):
    """An article that cannot be kept. `problems` maps a field's name to what is wrong with it, in Chinese."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("；".join(f"{FIELD_TITLES.get(name, name)}：{text}" for name, text in problems.items()))
        self.problems = dict(problems)


def _is_kept(character: str) -> bool:
    return character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _cleaned(value: Any) -> Any:
    """Drop control and invisible characters (a NUL stops PostgreSQL, a direction mark deceives the eye) and outer blanks."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    lines = value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(filter(_is_kept, lines)).strip()


def _one_line(value: str) -> str:
    return " ".join(value.split())


def _line(value: Any) -> Any:
    cleaned = _cleaned(value)
    return _one_line(cleaned) if isinstance(cleaned, str) else cleaned


def _listed(value: Any) -> Any:
    if value is None:
        return ()
    if isinstance(value, str):
        # A cell with lines is one item a line: a semicolon then belongs to the item. A single line is divided at semicolons.
        value = value.split("\n") if "\n" in value else value.replace("；", "\n").replace(";", "\n").split("\n")
    if not isinstance(value, list | tuple):
        return value
    cleaned = [_one_line(_cleaned(item)) if isinstance(item, str) else item for item in value]
    kept = [item for item in cleaned if item != ""]
    return tuple(item for at, item in enumerate(kept) if item not in kept[:at])


def _day(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool | int | float):
        # pydantic would read a number as seconds since 1970.
        raise PydanticCustomError("article_date", "日期要写成 2026-03-18")
    return value.strip().replace("/", "-") if isinstance(value, str) else value


_Title = Annotated[str, BeforeValidator(_line), Field(min_length=2, max_length=200)]
_Name = Annotated[str, BeforeValidator(_line), Field(min_length=1, max_length=100)]
_Code = Annotated[str, BeforeValidator(_line), Field(max_length=100)]
_Short = Annotated[str, BeforeValidator(_line), Field(max_length=500)]
_Prose = Annotated[str, BeforeValidator(_cleaned), Field(max_length=5_000)]
_Answer = Annotated[str, BeforeValidator(_cleaned), Field(min_length=1, max_length=20_000)]
_Question = Annotated[str, Field(min_length=2, max_length=200)]
_Material = Annotated[str, Field(min_length=1, max_length=500)]


class ArticleContent(BaseModel):
    """The words of one revision. A `None` in `valid_to` means until further notice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: _Title
    alternatives: Annotated[tuple[_Question, ...], BeforeValidator(_listed), Field(max_length=50)] = ()
    matter: _Short = ""
    matter_code: _Code = ""
    unit: _Name
    region: _Name
    category: _Name
    answer: _Answer
    conditions: _Prose = ""
    materials: Annotated[tuple[_Material, ...], BeforeValidator(_listed), Field(max_length=100)] = ()
    promised_time: _Short = ""
    fee: _Short = ""
    window: _Short = ""
    valid_from: Annotated[date, BeforeValidator(_day)]
    valid_to: Annotated[date | None, BeforeValidator(_day)] = None
    source: _Short = ""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> ArticleContent:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise PydanticCustomError("article_validity", "失效日期早于生效日期")
        return self

    def is_valid_on(self, day: date) -> bool:
        """Tell whether the article may be told to citizens on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


_PROBLEMS = {
    "missing": "必须填写",
    "extra_forbidden": "不认识的字段",
    "string_type": "要写成文字",
    "tuple_type": "要写成列表",
    "date_type": "日期要写成 2026-03-18",
    "date_parsing": "日期要写成 2026-03-18",
    "date_from_datetime_parsing": "日期要写成 2026-03-18",
    "date_from_datetime_inexact": "日期不能带时刻",
}


def _problem(error: Any) -> str:
    kind, limits = error["type"], error.get("ctx", {})
    if kind in {"string_too_short", "too_short"}:
        return "必须填写" if limits["min_length"] == 1 else f"至少 {limits['min_length']} 个字"
    if kind in {"string_too_long", "too_long"}:
        is_list = error["loc"] in {("alternatives",), ("materials",)}
        return f"最多 {limits['max_length']} {'项' if is_list else '个字'}"
    return _PROBLEMS.get(kind) or str(error["msg"])


def read_content(raw: Mapping[str, Any]) -> ArticleContent:
    """Check and clean what an editor typed or a file holds.

    Raises:
        InvalidArticleError: with every problem, by field.
    """
    try:
        return ArticleContent.model_validate(dict(raw))
    except ValidationError as failed:
        problems: dict[str, str] = {}
        for error in failed.errors():
            name = str(error["loc"][0]) if error["loc"] else "valid_to"
            problems.setdefault(name, _problem(error))
        raise InvalidArticleError(problems) from failed
