"""Character error rate of Mandarin, and whether one recogniser's is worse than another's. Pure."""

import random
import re
import unicodedata
from functools import cache
from typing import Any

import opencc

_NUMERALS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_NUMBER = re.compile(r"\d+(?=(年)?)")


def comparable(text: str) -> str:
    """Return `text` as it is compared: NFKC, simplified, numerals in Chinese, one case, no marks and spaces."""
    text = _simplifier().convert(unicodedata.normalize("NFKC", text)).lower()
    text = _NUMBER.sub(lambda m: _spoken(m.group(), is_year=bool(m.group(1))), text)
    return re.sub(r"[\W_]+", "", text).replace("幺", "一").replace("〇", "零")


def distance(reference: str, heard: str) -> int:
    """Return the fewest insertions, deletions and substitutions between two texts."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, 1):
        corner, row[0] = row[0], i
        for j, found in enumerate(heard, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (wanted != found))
    return row[-1]


def error_rate(pairs: list[tuple[int, int]]) -> float:
    """Return errors ÷ reference characters over (errors, length) pairs."""
    return sum(errors for errors, _ in pairs) / sum(length for _, length in pairs)


def paired_bootstrap(
    mine: list[tuple[int, int]], other: list[tuple[int, int]], *, rounds: int = 10_000, seed: int = 20260318
) -> dict[str, float]:
    """Return the difference of two error rates on the same utterances (mine − other) with its 95 % interval.

    Utterances are drawn with replacement, the same ones for both. Mine is worse when the whole interval lies above 0.
    """
    generator = random.Random(seed)
    count = len(mine)
    differences = []
    for _ in range(rounds):
        drawn = generator.choices(range(count), k=count)
        length = sum(mine[i][1] for i in drawn)
        differences.append(sum(mine[i][0] - other[i][0] for i in drawn) / length)
    differences.sort()
    return {
        "difference": error_rate(mine) - error_rate(other),
        "low": differences[int(0.025 * rounds)],
        "high": differences[int(0.975 * rounds)],
    }


def interval(pairs: list[tuple[int, int]], *, rounds: int = 10_000, seed: int = 20260318) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of an error rate."""
    generator = random.Random(seed)
    rates = sorted(error_rate(generator.choices(pairs, k=len(pairs))) for _ in range(rounds))
    return rates[int(0.025 * rounds)], rates[int(0.975 * rounds)]


def _spoken(number: str, *, is_year: bool) -> str:
    """Return a number as it is read: up to four digits as a quantity, years and longer ones digit by digit."""
    if len(number) > 4 or is_year or (len(number) > 1 and number[0] == "0"):
        return "".join(_NUMERALS[int(digit)] for digit in number)
    read = ""
    for place, digit in zip(range(len(number) - 1, -1, -1), number, strict=True):
        if digit != "0":
            read += _NUMERALS[int(digit)] + _PLACES[place]
        elif read and not read.endswith("零"):
            read += "零"
    read = read.rstrip("零") or "零"
    return read.removeprefix("一") if read.startswith("一十") else read


@cache
def _simplifier() -> Any:
    return opencc.OpenCC("t2s")
