"""Writes the digits of a Chinese sentence as they are to be said; pure, so the product's own tests can check it.

Counts and sums are read as numbers, telephone numbers and years digit by digit, 1 in a telephone number as 幺, 2 before a measure
word as 两.
"""

import re

DIGITS = "零一二三四五六七八九"
TELEPHONE_DIGITS = "零幺二三四五六七八九"
MEASURES = "个位名次天件条项份张家户间本年元块人种类处米吨点小分秒周岁倍万亿"
MEASURE = f"(?:[{MEASURES}]|公里|平方|工作日)"


def read_digits(digits: str, names: str = DIGITS) -> str:
    """Say each digit by itself."""
    return "".join(names[int(digit)] for digit in digits)


def _read_section(number: int) -> str:
    """Say 1 to 9999, with one 零 for each gap."""
    spoken, gap = "", False
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // power % 10
        if digit:
            spoken += ("零" if gap and spoken else "") + DIGITS[digit] + unit
        gap = not digit
    return spoken


def read_number(number: int) -> str:
    """Say a whole number from 0 up to 999,999,999,999."""
    if not 0 <= number < 10**12:
        raise ValueError(f"cannot say {number} as a number: expected 0 to 999,999,999,999")
    if number == 0:
        return DIGITS[0]
    spoken, gap, left = "", False, number
    for power, unit in ((10**8, "亿"), (10**4, "万"), (1, "")):
        section, left = divmod(left, power)
        if section:
            spoken += ("零" if spoken and (gap or section < 1000) else "") + _read_section(section) + unit
        gap = not section
    return spoken[1:] if spoken.startswith("一十") else spoken


def read_decimal(text: str) -> str:
    """Say 3, 3.5 or 0.25."""
    whole, _, fraction = text.partition(".")
    return read_number(int(whole)) + ("点" + read_digits(fraction) if fraction else "")


def _read_time(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    spoken = ("两" if hour == 2 else read_number(hour)) + "点"
    if minute == 0:
        return spoken + "整"
    return spoken + ("零" if minute < 10 else "") + read_number(minute) + "分"


def _read_count(match: re.Match[str]) -> str:
    return "两" if match[0] == "2" else read_decimal(match[0])


def _read_telephone(match: re.Match[str]) -> str:
    return read_digits(re.sub(r"\D", "", match[0]), TELEPHONE_DIGITS)


RULES = (
    (r"(\d{4})(?=年)", lambda match: read_digits(match[0])),
    (r"(?<![\d:])([01]?\d|2[0-4])[:：]([0-5]\d)(?![\d:])", _read_time),
    (r"(\d{1,12}(?:\.\d+)?)[%％]", lambda match: "百分之" + read_decimal(match[1])),
    (r"(?<=[拨打话线码])\d{3,}", _read_telephone),
    (rf"(?<![\d.第-])[1-9]\d{{0,11}}(?:\.\d+)?(?={MEASURE})", _read_count),
    (r"0\d{2,3}-\d{7,8}", _read_telephone),
    (r"(?<![\d.])(?:0\d+|\d{5,})(?![\d.])", _read_telephone),
    (r"\d{1,4}\.\d+|\d{1,4}", lambda match: read_decimal(match[0])),
)


def spoken(text: str) -> str:
    """Return the text with every number written out in Chinese characters."""
    for pattern, read in RULES:
        text = re.sub(pattern, read, text, flags=re.ASCII)
    return text
