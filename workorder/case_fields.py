"""The fields of an approval case (办件): their names in files and requests, and what each may hold.

Pure: raw values in, checked values or the sentences that say what is wrong out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from core.clock import LOCAL_ZONE
from core.errors import InvalidInputError
from core.phone import BadPhoneError, normalise_phone

FIELD_TITLES = {
    "number": "办件编号",
    "matter": "事项名称",
    "matter_code": "事项编码",
    "unit": "承办单位",
    "hall": "大厅",
    "window": "窗口",
    "region": "区域",
    "category": "分类",
    "applicant": "申请人",
    "phone": "联系电话",
    "is_confidential": "保密",
    "result": "办理结果",
    "accepted_at": "受理时间",
    "closed_at": "办结时间",
}
REQUIRED = ("number", "matter", "unit", "phone")
# Other headings that approval systems write.
_ALIASES = {
    "number": ("办件号", "办件编码", "业务编号", "流水号", "编号", "case number", "case no", "case_number"),
    "matter": ("事项", "办理事项", "事项标题", "matter name"),
    "matter_code": ("实施编码", "事项编号", "matter code"),
    "unit": ("办理部门", "受理部门", "实施机构", "部门", "department"),
    "hall": ("政务大厅", "办事大厅"),
    "window": ("办理窗口", "窗口编号"),
    "region": ("区划", "行政区划", "district"),
    "category": ("办件类型", "事项分类", "主题"),
    "applicant": ("申请人姓名", "申请人名称", "姓名"),
    "phone": ("电话", "手机", "手机号", "手机号码", "联系方式", "联系人电话", "申请人电话", "telephone", "mobile"),
    "is_confidential": ("是否保密", "confidential"),
    "result": ("结果", "办结结果"),
    "accepted_at": ("受理日期", "accepted at", "accepted"),
    "closed_at": ("办结日期", "办结时间点", "closed at", "closed"),
}
_LONGEST = {"number": 64, "matter": 200, "matter_code": 64, "phone": 40} | dict.fromkeys(
    ("unit", "hall", "window", "region", "category", "applicant", "result"), 100
)
_NUMBER = re.compile(r"[0-9A-Za-z\u3400-\u9fff][0-9A-Za-z\u3400-\u9fff\-_/.:#()（）〔〕\[\]【】]*")
_TRUE, _FALSE = {"是", "保密", "y", "yes", "true", "1"}, {"", "否", "不保密", "n", "no", "false", "0"}
_TIMES = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d"),
    *("%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日", "%Y%m%d%H%M%S", "%Y%m%d"),
)
_EARLIEST = datetime(1990, 1, 1, tzinfo=LOCAL_ZONE)
_CLOCKS_DIFFER = timedelta(minutes=10)


class InvalidCaseError(InvalidInputError):
    """Values of a case that cannot be used. `problems`: field → what is wrong, in Chinese, without the value."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("；".join(f"{FIELD_TITLES.get(name, name)}：{problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class CaseFields:
    """A case as its source tells it. `values` holds only what the source names: what it leaves out stays as it is."""

    number: str
    values: Mapping[str, Any]


def field_of_heading(heading: str) -> str | None:
    """Return the field that a column's heading means, in Chinese or English; None when unknown."""
    return _FIELD_OF.get(_folded(heading))


def read_case(raw: Mapping[str, Any], now: datetime) -> CaseFields:
    """Return the checked values of a case.

    Args:
        raw: values by field name: text, or dates as a spreadsheet or JSON gives them.
        now: a case cannot have been closed later than this.

    Raises:
        InvalidCaseError: what is wrong, for every wrong field at once.
    """
    problems: dict[str, str] = {name: "没有这个字段" for name in raw if name not in FIELD_TITLES}
    values: dict[str, Any] = {}
    for name in FIELD_TITLES:
        if name not in raw and name not in REQUIRED:
            continue
        try:
            values[name] = _read(name, raw.get(name), now)
        except InvalidInputError as error:
            problems[name] = str(error)
    accepted, closed = values.get("accepted_at"), values.get("closed_at")
    if accepted and closed and closed < accepted and closed.date() != accepted.date():
        problems["closed_at"] = "早于受理时间"
    if problems:
        raise InvalidCaseError(problems)
    return CaseFields(values.pop("number"), values)


def _read(name: str, value: Any, now: datetime) -> Any:
    if name in {"accepted_at", "closed_at"}:
        return _moment(value, now)
    if name == "is_confidential":
        return _yes_or_no(value)
    text = _text(name, value)
    if name in REQUIRED and not text:
        raise InvalidInputError("必须填写")
    if name == "number" and not _NUMBER.fullmatch(text):
        raise InvalidInputError("只能有汉字、字母、数字和 - _ / . : # 括号，以汉字、字母或数字开头")
    if name == "phone":
        try:
            return normalise_phone(text)
        except BadPhoneError:
            raise InvalidInputError("不是电话号码：手机写 11 位，固定电话带区号") from None
    return text


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > 2**53:
            # A spreadsheet keeps 15 digits of a number: the last ones of a longer one are already lost.
            raise InvalidInputError("太长的数字在表格里会丢位，请把这一列设为文本")
        value = str(value)
    if not isinstance(value, str):
        raise InvalidInputError("要写成文字")
    # Codes and numbers have one way of writing; in words full-width signs are meant.
    text = unicodedata.normalize("NFKC" if name in {"number", "matter_code", "phone"} else "NFC", value).strip()
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise InvalidInputError("含有不能保存的字符")
    if len(text) > _LONGEST[name]:
        raise InvalidInputError(f"最多 {_LONGEST[name]} 个字")
    return text


def _yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    written = "" if value is None else str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    folded = written.strip().lower()
    if folded in _TRUE | _FALSE:
        return folded in _TRUE
    raise InvalidInputError("只能写 是 或 否")


def _moment(value: Any, now: datetime) -> datetime | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    moment = _parsed(value)
    if moment is None:
        raise InvalidInputError("时间要写成 2026-03-18 10:32:18")
    try:
        moment = moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)
        moment = moment.astimezone(LOCAL_ZONE)
    except (OverflowError, ValueError):
        raise InvalidInputError("时间不对") from None
    if moment < _EARLIEST:
        raise InvalidInputError("早于 1990 年")
    if moment > now + _CLOCKS_DIFFER:
        raise InvalidInputError("晚于现在")
    return moment


def _parsed(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), LOCAL_ZONE)
    if isinstance(value, float) and value.is_integer():
        value = str(int(value))
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = value.strip()
    for written in _TIMES:
        try:
            return datetime.strptime(text, written).replace(tzinfo=LOCAL_ZONE)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _folded(heading: str) -> str:
    text = unicodedata.normalize("NFKC", heading).strip().lower()
    return re.sub(r"[\s_*:：]+|\(.*\)$", "", text)


_FIELD_OF = {_folded(heading): name for name, title in FIELD_TITLES.items() for heading in (name, title, *_ALIASES[name])}
