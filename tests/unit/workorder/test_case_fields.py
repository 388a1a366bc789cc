"""What a case's values may be."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import LOCAL_ZONE
from workorder.case_fields import FIELD_TITLES, InvalidCaseError, field_of_heading, read_case

NOW = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)
RAW: dict[str, Any] = {"number": "YC-2026-0001", "matter": "居住证申领", "unit": "市公安局", "phone": "138 0013 8000"}


def problems(**changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidCaseError) as refused:
        read_case(RAW | changes, NOW)
    return refused.value.problems


def test_what_is_left_out_is_not_there() -> None:
    case = read_case(RAW, NOW)
    assert case.number == "YC-2026-0001"
    assert case.values == {"matter": "居住证申领", "unit": "市公安局", "phone": "13800138000"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-03-17 09:05:01", "2026-03-17 09:05:01"),
        ("2026-03-17 09:05", "2026-03-17 09:05:00"),
        ("2026-03-17", "2026-03-17 00:00:00"),
        ("2026/3/7 9:05", "2026-03-07 09:05:00"),
        ("2026年3月7日", "2026-03-07 00:00:00"),
        ("20260317090501", "2026-03-17 09:05:01"),
        ("20260317", "2026-03-17 00:00:00"),
        (20260317.0, "2026-03-17 00:00:00"),
        ("2026-03-17T01:05:01Z", "2026-03-17 09:05:01"),
        ("2026-03-17T09:05:01+08:00", "2026-03-17 09:05:01"),
        (datetime(2026, 3, 17, 9, 5), "2026-03-17 09:05:00"),
        (date(2026, 3, 17), "2026-03-17 00:00:00"),
    ],
)
def test_times_as_systems_write_them(written: Any, read: str) -> None:
    closed = read_case(RAW | {"closed_at": written}, NOW).values["closed_at"]
    assert closed == datetime.fromisoformat(read).replace(tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("昨天", "时间要写成"),
        ("2026-02-30", "时间要写成"),
        ("2026-03-19", "晚于现在"),
        ("1899-12-31", "早于 1990"),
        ("0001-01-01", "早于 1990"),
        ("9999-12-31T23:59:59-12:00", "时间不对"),
        (["2026-03-17"], "时间要写成"),
        (46098.5, "时间要写成"),
        ("9" * 100, "时间要写成"),
    ],
)
def test_times_that_are_none(written: Any, said: str) -> None:
    assert said in problems(closed_at=written)["closed_at"]


def test_a_case_is_not_closed_before_it_was_accepted() -> None:
    assert problems(accepted_at="2026-03-17", closed_at="2026-03-16")["closed_at"] == "早于受理时间"
    # A source that writes days in one column and times in the other.
    read_case(RAW | {"accepted_at": "2026-03-17 10:00", "closed_at": "2026-03-17"}, NOW)


@pytest.mark.parametrize("number", ["=1+1", "-1", "@sum", "", "  ", "a b", "编号\x00", "x" * 65, "<script>", "'; --", "\u202eabc"])
def test_numbers_that_are_none(number: str) -> None:
    assert set(problems(number=number)) == {"number"}


@pytest.mark.parametrize(
    ("number", "kept"), [("ＹＣ２０２６", "YC2026"), ("云政许〔2026〕1号", "云政许〔2026〕1号"), (20260001.0, "20260001")]
)
def test_numbers_in_one_form(number: Any, kept: str) -> None:
    assert read_case(RAW | {"number": number}, NOW).number == kept


def test_a_number_that_a_spreadsheet_cut_short_is_said() -> None:
    assert "文本" in problems(number=float(360102202603180001234))["number"]


def test_everything_wrong_is_said_at_once_and_without_the_values() -> None:
    raw = {"number": "", "matter": "x" * 201, "unit": None, "phone": "1380013800", "is_confidential": "也许", "colour": "red"}
    with pytest.raises(InvalidCaseError) as refused:
        read_case(raw, NOW)
    assert set(refused.value.problems) == {"number", "matter", "unit", "phone", "is_confidential", "colour"}
    assert "1380013800" not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "read"), [("是", True), ("保密", True), ("Y", True), (1.0, True), ("否", False), ("", False), (0, False)]
)
def test_yes_and_no(written: Any, read: bool) -> None:
    assert read_case(RAW | {"is_confidential": written}, NOW).values["is_confidential"] is read


def test_hostile_words_are_only_words() -> None:
    evil = '=HYPERLINK("http://x")<script>'
    assert read_case(RAW | {"matter": evil, "applicant": evil}, NOW).values["matter"] == evil
    assert problems(matter="一\x1b[2J二")["matter"] == "含有不能保存的字符"
    assert problems(applicant="\ud800")["applicant"] == "含有不能保存的字符"


@given(
    st.dictionaries(
        st.sampled_from(list(FIELD_TITLES)), st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
    )
)
def test_any_values_are_read_or_refused(raw: dict[str, Any]) -> None:
    try:
        case = read_case(RAW | raw, NOW)
    except InvalidCaseError:
        return
    assert set(case.values) | {"number"} <= set(FIELD_TITLES)
    assert case.values["phone"].lstrip("+").isdigit()


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("办件编号", "number"),
        (" 办件编号* ", "number"),
        ("Case Number", "number"),
        ("number", "number"),
        ("联系电话（手机）", "phone"),
        ("手机号", "phone"),
        ("承办单位", "unit"),
        ("办结时间", "closed_at"),
        ("CLOSED_AT", "closed_at"),
        ("是否保密", "is_confidential"),
        ("颜色", None),
        ("", None),
    ],
)
def test_headings_in_both_languages(heading: str, field: str | None) -> None:
    assert field_of_heading(heading) == field
