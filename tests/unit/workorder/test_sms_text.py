"""Parts of a text message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInputError
from workorder.sms_text import MOST_PARTS, Coding, SmsTooLongError, compose, encode, joining_header, split


@pytest.mark.parametrize(
    ("text", "coding", "lengths"),
    [
        ("您好", Coding.UCS2, [2]),
        ("好" * 70, Coding.UCS2, [70]),
        ("好" * 71, Coding.UCS2, [67, 4]),
        ("好" * 134, Coding.UCS2, [67, 67]),
        ("好" * 135, Coding.UCS2, [67, 67, 1]),
        ("a" * 160, Coding.GSM7, [160]),
        ("a" * 161, Coding.GSM7, [153, 8]),
        ("a" * 306, Coding.GSM7, [153, 153]),
        ("€" * 80, Coding.GSM7, [80]),  # an escaped character counts twice
        ("€" * 81, Coding.GSM7, [76, 5]),  # 152 septets: the pair is not cut
        ("ë", Coding.UCS2, [1]),  # looks Latin, is not in the alphabet
        ("😀" * 35, Coding.UCS2, [35]),
        ("😀" * 36, Coding.UCS2, [33, 3]),  # 66 units: the pair is not cut
        ("好" + "😀" * 35, Coding.UCS2, [34, 2]),
    ],
)
def test_parts_hold_what_the_air_holds(text: str, coding: Coding, lengths: list[int]) -> None:
    made = split(text)
    assert made.coding is coding
    assert [len(part) for part in made.parts] == lengths
    assert "".join(made.parts) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=600))
def test_any_text_comes_together_again(text: str) -> None:
    try:
        made = split(text)
    except SmsTooLongError:
        return
    assert "".join(made.parts) == text
    room = 140 if made.coding is Coding.UCS2 else 160
    header = 0 if len(made.parts) == 1 else 6 if made.coding is Coding.UCS2 else 7
    for part in made.parts:
        octets = encode(part, made.coding)
        assert len(octets) + header <= room
        if made.coding is Coding.UCS2:
            assert octets.decode("utf-16-be") == part


def test_the_signature_stands_first_and_once() -> None:
    assert compose("您的办件已办结。", "云川12345").text == "【云川12345】您的办件已办结。"
    assert compose("您好", "【云川12345】").text == "【云川12345】您好"
    assert compose("【云川12345】您好", "云川12345").text == "【云川12345】您好"
    assert compose("【别处】您好", "云川12345").text == "【云川12345】【别处】您好"
    assert compose("Hello", "").coding is Coding.GSM7
    assert compose("Hello", "云川").coding is Coding.UCS2


def test_the_signature_counts() -> None:
    assert len(compose("好" * 65, "云川热").parts) == 1
    assert len(compose("好" * 66, "云川热").parts) == 2


def test_control_characters_go_and_lines_stay() -> None:
    assert compose("第一行\r\n第二行\x00\x1b[31m\x07", "").text == "第一行\n第二行[31m"


@pytest.mark.parametrize("body", ["", "  \n", "\x00\x01", "\ud83d", "您好\udc00"])
def test_what_cannot_be_sent_is_refused(body: str) -> None:
    with pytest.raises(InvalidInputError):
        compose(body, "云川12345")


def test_no_message_goes_on_for_ever() -> None:
    assert len(split("好" * 67 * MOST_PARTS).parts) == MOST_PARTS
    with pytest.raises(SmsTooLongError, match="11"):
        split("好" * (67 * MOST_PARTS + 1))


def test_octets_as_the_specification_writes_them() -> None:
    assert encode("@a€", Coding.GSM7) == b"\x00a\x1b\x65"
    assert encode("好😀", Coding.UCS2) == b"\x59\x7d\xd8\x3d\xde\x00"
    assert joining_header(300, 3, 2) == b"\x05\x00\x03\x2c\x03\x02"
