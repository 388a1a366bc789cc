"""Finds runs of digits in Chinese text as people say and recognisers write them, and says which of them identify a person.

Pure text: a run may mix Arabic and Chinese digits, 幺 for one, 三个八 for 888, pauses and fillers between its groups. Amounts,
dates, years, times, windows and service numbers are runs too, and are told apart here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BREAK: Final = "\x1f"  # where one segment ends and the party's next one begins
SHORTEST_RUN: Final = 7

_WRITTEN_AS: Final = ("0零〇○洞Oo", "1一壹幺妖腰", "2二贰两俩", "3三叁", "4四肆", "5五伍", "6六陆", "7七柒拐", "8八捌", "9九玖勾")
_DIGITS: Final = {character: str(value) for value, characters in enumerate(_WRITTEN_AS) for character in characters}
_ALWAYS: Final = "0-9零一二三四五六七八九〇○幺壹贰叁肆伍陆柒捌玖"
# Read as digits beside another digit only: each is an ordinary word too.
_BESIDE: Final = "妖腰两俩洞拐勾Oo"
# No colon: a clock time is no part of a number. Gaps are possessive in the patterns below: hostile text must not cost time.
_SEPARATOR: Final = r"[\s,，、。.．…;；!！?？\-－—–~·_/*()（）]"
_FILLER: Final = (
    r"(?:嗯|呃|额|啊|哦|呀|呢|吧|哎|唉|诶|那个|这个|然后是?|后面是?|接着是?"
    r"|再来是?|接下来是?|下面是?|就是|还有|杠|空格|横杠|对|是的?|好的?)"
)
_GAP: Final = rf"(?:{_SEPARATOR}|{BREAK}|{_FILLER})"
_DIGIT: Final = rf"(?:[{_ALWAYS}]|(?<=[{_ALWAYS}{_BESIDE}])[{_BESIDE}]|[{_BESIDE}](?=[{_ALWAYS}{_BESIDE}]))"
_REPEATED_DIGIT: Final = rf"(?:[二两三四五六234-6]个[{_ALWAYS}](?![月年天人块元]))"
_UNIT: Final = rf"(?:{_REPEATED_DIGIT}|{_DIGIT})"
# A run: digits, and between them gaps; 十百千万亿 next to a digit make a quantity of it and are no gap.
_RUN: Final = re.compile(rf"{_UNIT}(?:{_GAP}{{0,16}}+{_UNIT})*+")
_CHECK_LETTER: Final = re.compile(rf"{_GAP}{{0,4}}+(?:[XxＸ×✕]|叉|埃克斯|艾克斯|艾克思|爱克斯|大写X)(?![A-Za-z])")
# Words whose first or last character only looks like a digit.
_WORDS: Final = re.compile(
    r"一(?=[共下般个定样直起些点会次种边切旦并律概致向再方键网站件家套]|[是否])|(?<=[统唯万同])一|二(?=[手维胎孩])|三(?=[证方])|(?<=[十百千万亿点第])"
    rf"[{_ALWAYS}两]|[{_ALWAYS}两](?=[十百千万亿])"
)
_WRITTEN_DATE: Final = re.compile(
    r"(?<![\d])(?<!\d[-./])(?:19|20)\d\d([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?![-./]?\d)"
)
_TOLERATED: Final = r"(?![\d年月日号点时分秒元块角钱万千百十亿楼层室厅路米平人个岁天周期至到的和与或跟是在转])[\u4e00-\u9fff]"
_FUZZY: Final = re.compile(rf"[{_ALWAYS}{_BESIDE}](?:{_GAP}{{0,2}}+(?:{_TOLERATED}(?=[{_ALWAYS}]))?[{_ALWAYS}{_BESIDE}])*+")
_FUZZY_SHORTEST: Final = 9
_FUZZY_MOST_STRANGERS: Final = 2

_QUANTITY_AFTER: Final = re.compile(
    r"\s*(?:元|块|万|亿|千|百|十|人民币|美元|港币|平方|平米|㎡|公里|千米|米|吨|公斤|%|％|‰|人次|多?户|多?人(?!工))"
)
_LIST_UNIT_AFTER: Final = re.compile(r"\s*(?:号|窗|楼|层|室|厅|路|点|日|月|年|个|岁|周|期|项|条|页|小时|分钟|天|次)")
_YEAR: Final = r"(?:19|20)\d\d"
_DATE_GROUPS: Final = re.compile(rf"{_YEAR}[ \-./](?:0?[1-9]|1[0-2])[ \-./](?:0?[1-9]|[12]\d|3[01])")
_COMPACT_DATE: Final = re.compile(rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_YEARS: Final = re.compile(rf"{_YEAR}(?: {_YEAR})*")
_SERVICE_NUMBER: Final = r"(?:12\d{3}|96\d{3,4}|95\d{3}|100\d\d|11\d|12[0-2])"
_SERVICE: Final = re.compile(rf"{_SERVICE_NUMBER}(?: {_SERVICE_NUMBER})*")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})*,000(?:\.\d\d)?")
_COUNTING: Final = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"


class Kind(StrEnum):
    """What a long run most likely is."""

    IDENTITY = "identity"
    PHONE = "phone"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Run:
    """Digits found in a text: where, and what they are (None: nothing that identifies anybody)."""

    start: int
    end: int
    digits: str
    kind: Kind | None


def runs(text: str) -> Iterator[Run]:
    """Yield every run of digits in `text` in order, the harmless ones too; segments are joined by `BREAK`."""
    hidden = _WRITTEN_DATE.sub(_hide, _WORDS.sub(_hide, text))
    taken = [run for match in _RUN.finditer(hidden) for run in _split_at_breaks(hidden, match.start(), match.end())]
    blurred = [run for run in _fuzzy_runs(hidden) if not any(t.kind and t.start <= run.start and run.end <= t.end for t in taken)]
    for run in blurred:
        taken = [t for t in taken if t.end <= run.start or t.start >= run.end]
        taken.append(run)
    yield from sorted(taken, key=lambda run: run.start)


def _hide(match: re.Match[str]) -> str:
    return "\x00" * len(match.group())


def kind_of(digits: str) -> Kind:
    """Return what a run of at least seven digits is taken for: its length and first digits decide."""
    count = len(digits)
    if digits.endswith("X") or count == 18 or (count == 15 and not digits.startswith(("62", "3"))):
        return Kind.IDENTITY
    if count in {22, 33} and all(digits[i] == "1" for i in range(0, count, 11)):
        return Kind.PHONE
    return Kind.PHONE if count < 15 else Kind.CARD


def digits_of(text: str) -> str:
    """Return the digits that a run's text stands for."""
    text = re.sub(
        rf"([二两三四五六234-6])个([{_ALWAYS}])",
        lambda m: _DIGITS[m.group(2)] * int(_DIGITS[m.group(1)]),
        text,
    )
    return "".join(_DIGITS[c] for c in text if c in _DIGITS)


def _split_at_breaks(text: str, start: int, end: int) -> Iterator[Run]:
    """Yield the run, in parts where a break only happens to lie between two numbers.

    After a break a run goes on only by two digits or more, not followed by a measure word, or by digits alone:
    「…八〇〇〇」「三号窗口」 and 「…八〇〇〇」「一共」 are two things.
    """
    at = start
    while (found := text.find(BREAK, at, end)) >= 0:
        piece_end = text.find(BREAK, found + 1, end)
        piece_end = end if piece_end < 0 else piece_end
        piece = text[found + 1 : piece_end]
        whole = piece_end < end or piece_end == len(text) or text[piece_end] == BREAK
        count = len(digits_of(piece))
        starts_alone = not digits_of(text[found + 1 : found + 1 + len(piece) - len(piece.lstrip())])
        goes_on = starts_alone and (whole or (count >= 2 and not _measured(text, piece_end, count)))
        if not goes_on:
            yield _judged(text, start, _rstrip(text, start, found))
            start = _lstrip(text, found + 1, end)
            if start >= end:
                return
        at = found + 1
    yield _judged(text, start, end)


def _measured(text: str, end: int, count: int) -> bool:
    return count <= 4 and bool(_LIST_UNIT_AFTER.match(text, end) or _QUANTITY_AFTER.match(text, end))


def _rstrip(text: str, start: int, end: int) -> int:
    last = max((i for i in range(start, end) if text[i] in _DIGITS), default=start - 1)
    return last + 1


def _lstrip(text: str, start: int, end: int) -> int:
    return next((i for i in range(start, end) if text[i] in _DIGITS), end)


def _judged(text: str, start: int, end: int) -> Run:
    digits = digits_of(text[start:end])
    letter = _CHECK_LETTER.match(text, end)
    if letter and len(digits) == 17:
        return Run(start, letter.end(), digits + "X", Kind.IDENTITY)
    kind = kind_of(digits) if len(digits) >= SHORTEST_RUN and not _is_harmless(text, start, end, digits) else None
    return Run(start, end, digits, kind)


def _is_harmless(text: str, start: int, end: int, digits: str) -> bool:
    raw = text[start:end]
    if text[max(0, start - 1) : start] in {"¥", "￥", "$"} or _THOUSANDS.fullmatch(raw):
        return True
    is_unbroken = not re.search(_GAP, raw.replace(",", "").replace(".", "", 1))
    if len(digits) < 15 and is_unbroken and _QUANTITY_AFTER.match(text, end):
        return True
    groups = [digits_of(part) for part in re.split(rf"{_GAP}+", raw) if digits_of(part)]
    spaced = " ".join(groups)
    if _YEARS.fullmatch(spaced) or _SERVICE.fullmatch(spaced) or _DATE_GROUPS.fullmatch(spaced) or _COMPACT_DATE.fullmatch(spaced):
        return True
    if spaced == _COUNTING[: len(spaced)] and len(groups) > 1:
        return True
    return len(groups) > 2 and max(map(len, groups)) <= 3 and "、" in raw and bool(_LIST_UNIT_AFTER.match(text, end))


def _fuzzy_runs(text: str) -> Iterator[Run]:
    """Yield long runs in which the recogniser took a digit or two for another word (吧 for 八)."""
    for match in _FUZZY.finditer(text):
        raw = match.group()
        strangers = re.findall(rf"{_TOLERATED}", re.sub(rf"[{_ALWAYS}{_BESIDE}]|{_GAP}", "", raw))
        digits = digits_of(raw)
        if strangers and len(strangers) <= _FUZZY_MOST_STRANGERS and len(digits) >= _FUZZY_SHORTEST and BREAK not in raw:
            yield Run(match.start(), match.end(), digits, kind_of("0" * (len(digits) + len(strangers))))
