"""A text message as the air carries it: its signature, its alphabet, and the parts it is cut into.

Sources: 3GPP TS 23.038 (the 7-bit alphabet and UCS-2) and TS 23.040 9.2.3.24.1 (the six octets that join the parts).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidInputError

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
_ESCAPE = 0x1B
_CODES = {character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE} | {
    character: bytes([_ESCAPE, code]) for character, code in _EXTENDED.items()
}
MOST_PARTS = 10


class Coding(StrEnum):
    """The alphabet of a message: `gsm7` where every character is in it, else `ucs2`."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


# Units (septets, or UTF-16 code units) in a message of one part, and in each part of a longer one.
_ROOM = {Coding.GSM7: (160, 153), Coding.UCS2: (70, 67)}


class EmptySmsError(InvalidInputError):
    """Nothing to send."""


class SmsTooLongError(InvalidInputError):
    """More parts than may be sent at once."""

    def __init__(self, part_count: int) -> None:
        super().__init__(f"短信要分成 {part_count} 条，最多 {MOST_PARTS} 条")
        self.part_count = part_count


class UnsendableTextError(InvalidInputError):
    """Half a character: a lone surrogate that no alphabet holds."""

    def __init__(self) -> None:
        super().__init__("短信里有不能发送的字符")


@dataclass(frozen=True, slots=True)
class SmsText:
    """A whole message, signature first, and its parts in order."""

    text: str
    coding: Coding
    parts: tuple[str, ...]


def compose(body: str, signature: str = "") -> SmsText:
    """Return a message as it will be sent: 【signature】 first, line ends made one kind, control characters gone.

    Raises:
        EmptySmsError, SmsTooLongError, UnsendableTextError: what they say.
    """
    words = _clean(body)
    if not words:
        raise EmptySmsError("短信没有内容")
    name = signature.strip().strip("【】").strip()
    head = f"【{name}】" if name else ""
    return split(words if head and words.startswith(head) else head + words)


def split(text: str) -> SmsText:
    """Cut a text into parts. No character is cut in two: neither an escaped one nor a surrogate pair."""
    coding = Coding.GSM7 if all(character in _CODES for character in text) else Coding.UCS2
    whole, part = _ROOM[coding]
    widths = [_width(character, coding) for character in text]
    if sum(widths) <= whole:
        return SmsText(text, coding, (text,))
    parts: list[str] = []
    start = used = 0
    for at, width in enumerate(widths):
        if used + width > part:
            parts.append(text[start:at])
            start, used = at, 0
        used += width
    parts.append(text[start:])
    if len(parts) > MOST_PARTS:
        raise SmsTooLongError(len(parts))
    return SmsText(text, coding, tuple(parts))


def encode(text: str, coding: Coding) -> bytes:
    """Return a text in its alphabet: one octet a septet (the gateway packs them), or UTF-16 with the high octet first."""
    if coding is Coding.GSM7:
        return b"".join(_CODES[character] for character in text)
    return text.encode("utf-16-be")


def joining_header(reference: int, part_count: int, part_no: int) -> bytes:
    """Return the user data header that says: part `part_no` (from 1) of `part_count` of message `reference` (0–255)."""
    return bytes([5, 0, 3, reference & 0xFF, part_count, part_no])


def _width(character: str, coding: Coding) -> int:
    return len(_CODES[character]) if coding is Coding.GSM7 else 2 if ord(character) > 0xFFFF else 1


def _clean(body: str) -> str:
    if any(0xD800 <= ord(character) <= 0xDFFF for character in body):
        raise UnsendableTextError
    lines = body.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character for character in lines if character == "\n" or unicodedata.category(character) != "Cc").strip()
