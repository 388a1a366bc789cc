"""Telephone and identity numbers as types that never print themselves whole."""

import re

_SHOWN_HEAD = 3
_SHOWN_TAIL = 4
_SHORTEST_MASKED = 7


def mask_phone(number: str) -> str:
    """Return a number fit for every eye: 13800138000 → 138****8000; short service numbers stay; empty stays empty."""
    digits = re.sub(r"[^\d+*#]", "", number)
    if len(digits) < _SHORTEST_MASKED:
        return digits
    if len(digits) < _SHOWN_HEAD + _SHOWN_TAIL + 2:
        return digits[:2] + "****" + digits[-2:]
    return digits[:_SHOWN_HEAD] + "****" + digits[-_SHOWN_TAIL:]


def mask_identity(number: str) -> str:
    """Return an identity-card number with the birthday and order hidden: 110101********0015."""
    return number[:6] + "*" * max(0, len(number) - 10) + number[-4:] if len(number) > 10 else "*" * len(number)


class PhoneNumber(str):
    """A telephone number. `str()` gives it whole, `repr()` and logs give it masked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"PhoneNumber({mask_phone(str(self))!r})"

    @property
    def masked(self) -> str:
        """The number as shown to those without the right to see it."""
        return mask_phone(str(self))
