"""Values of requests are read as strictly as the document says."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from webui.api.fields import Asked, Day, FullLine, Identifier, PagedQuery

KNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize("written", ["1.5", "1e1", "+1", "1_0", " 1", "", "0", "-1", "９", "9" * 5000, "100001"])
def test_a_page_number_is_a_plain_positive_number(written: str) -> None:
    with pytest.raises(ValidationError):
        PagedQuery.model_validate({"page": written})


def test_rows_before_a_page() -> None:
    assert PagedQuery.model_validate({"page": "3", "size": "20"}).offset == 40
    assert PagedQuery().offset == 0
    assert PagedQuery.model_validate({"page": "2.0"}).page == 2, "whole to JSON Schema, so whole to us"


@pytest.mark.parametrize("written", ["{" + KNOWN + "}", "urn:uuid:" + KNOWN, KNOWN.replace("-", ""), KNOWN + "\n", "", "\0"])
def test_an_identifier_is_written_in_one_way(written: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Identifier).validate_python(written)


def test_an_identifier_in_capitals_is_the_same() -> None:
    assert str(TypeAdapter(Identifier).validate_python(KNOWN.upper())) == KNOWN


NO_DAYS = ["2026-02-30", "2026-3-1", "20260318", "2026-03-18T00:00:00", 86400, 1.5, True, "", "２０２６-03-18"]


@pytest.mark.parametrize("written", NO_DAYS)
def test_a_day_is_a_day_of_the_calendar(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Day).validate_python(written)


def test_a_day() -> None:
    assert TypeAdapter(Day).validate_python("2026-03-18") == date(2026, 3, 18)


@pytest.mark.parametrize("written", ["a\0b", "\ud800", "", "字" * 201, 5, None, ["a"]])
def test_text_that_no_table_can_hold_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(FullLine).validate_python(written)


def test_an_unknown_name_is_refused() -> None:
    class Filter(Asked):
        unit: str = ""

    with pytest.raises(ValidationError, match="units"):
        Filter.model_validate({"units": "公安局"})
