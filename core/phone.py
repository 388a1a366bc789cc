"""One way of writing a telephone number: what people type and files hold, as the digits that are stored and dialled."""

import re
import unicodedata

import phonenumbers

from core.errors import InvalidInputError

_REGION = "CN"
_LONGEST_TYPED = 40
_MOBILE = re.compile(r"1[3-9]\d{9}")
# The public short numbers of the mainland. The library's plan holds them not to be numbers.
_SHORT = re.compile(r"11[0249]|12[02]|1200[0-9]|12[1-9]\d{2}|100\d{2}|1010\d{4}|95\d{3}|95\d{6}|96\d{3,4}")
# Spaces, dashes, dots, brackets and the marks that spreadsheets and phones leave behind.
_BETWEEN = re.compile(r"[\s\-‐‑‒–—―−.·()\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_TYPED = re.compile(r"\+?[0-9]+")


class BadPhoneError(InvalidInputError):
    """What was typed is no telephone number that can be dialled. It is not kept in the error: it may be a mistyped person."""


def normalise_phone(text: str) -> str:
    """Return a number as digits: 11 of a mobile, area code and number of a landline, `+CC…` from elsewhere, or a short number.

    Spaces, dashes, brackets, full-width digits, +86 and 0086 are tolerated.

    Raises:
        BadPhoneError: anything else, a landline without its area code among it.
    """
    if not isinstance(text, str) or len(text) > _LONGEST_TYPED:
        raise BadPhoneError
    typed = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    if not _TYPED.fullmatch(typed):
        raise BadPhoneError
    home = re.sub(r"^(\+86|0086)", "", typed)
    if _SHORT.fullmatch(typed):
        return typed
    if _MOBILE.fullmatch(home):
        # The library learns of new blocks late; a mobile number is known by its shape.
        return home
    return _by_plan(typed)


def is_mobile(phone: str) -> bool:
    """Say whether a stored number can be sent a text message."""
    return _MOBILE.fullmatch(phone) is not None


def _by_plan(typed: str) -> str:
    try:
        number = phonenumbers.parse(typed, _REGION)
    except phonenumbers.NumberParseException as error:
        raise BadPhoneError from error
    if not phonenumbers.is_valid_number(number):
        raise BadPhoneError
    if number.country_code != phonenumbers.country_code_for_region(_REGION):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return re.sub(r"\D", "", national)
