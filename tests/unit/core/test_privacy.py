"""Numbers never print themselves whole."""

import pytest

from core.privacy import PhoneNumber, mask_identity, mask_phone


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800138000", "138****8000"),
        ("02288886666", "022****6666"),
        ("+8613800138000", "+86****8000"),
        ("88886666", "88****66"),
        ("12345", "12345"),
        ("", ""),
        ("138\u20280013<script>8000", "138****8000"),
    ],
)
def test_masking_keeps_what_people_recognise(number: str, shown: str) -> None:
    assert mask_phone(number) == shown


def test_a_number_in_a_log_is_masked() -> None:
    assert "0013" not in repr(PhoneNumber("13800138000"))
    assert PhoneNumber("13800138000") == "13800138000"


def test_identity_numbers_hide_the_birthday() -> None:
    assert mask_identity("110101199003070015") == "110101********0015"
