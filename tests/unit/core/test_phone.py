"""Telephone numbers as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from core.phone import is_mobile, normalise_phone


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("13800138000", "13800138000"),
        (" 138-0013-8000 ", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("+86-13800138000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("＋８６（１３８）００１３８０００", "13800138000"),
        ("\u202d13800138000\u202c", "13800138000"),  # as copied from a phone's contacts
        ("19912345678", "19912345678"),
        ("16212345678", "16212345678"),
        ("010-62345678", "01062345678"),
        ("(0755) 2345 6789", "075523456789"),
        ("+86 10 6234 5678", "01062345678"),
        ("4008123456", "4008123456"),
        ("400-812-3456", "4008123456"),
        ("12345", "12345"),
        ("110", "110"),
        ("95588", "95588"),
        ("96110", "96110"),
        ("+852 9123 4567", "+85291234567"),
        ("00852 91234567", "+85291234567"),
        ("+1 650-253-0000", "+16502530000"),
    ],
)
def test_a_number_has_one_form(typed: str, stored: str) -> None:
    assert normalise_phone(typed) == stored
    assert normalise_phone(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "无",
        "1380013800",  # one digit short
        "138001380001",
        "12800138000",
        "62345678",  # a landline without its area code
        "00000000000",
        "13800138000转8001",
        "13800138000,13900139000",
        "1-800-FLOWERS",
        "=13800138000",
        "1.38E+10",
        "13800138000\x00",
        "+",
        "+999123456789",
        "++8613800138000",
        "1" * 400,
        "٠١٠٦٢٣٤٥٦٧٨",  # digits, but not ours
        "'; drop table call; --",
    ],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        normalise_phone(typed)
    assert str(refused.value) == ""  # a mistyped number is somebody's too: logs do not get it


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        stored = normalise_phone(text)
    except InvalidInputError:
        return
    assert stored.removeprefix("+").isascii()
    assert stored.removeprefix("+").isdigit()
    assert normalise_phone(stored) == stored


def test_only_mobiles_take_text_messages() -> None:
    assert is_mobile("13800138000")
    assert not is_mobile("01062345678")
    assert not is_mobile("12345")
    assert not is_mobile("+85291234567")
