"""Makes recognised text read like Chinese: compatibility forms, simplified characters, Chinese punctuation.

Numbers stay as they were spoken or written; masking them is `redaction`'s business and comes after.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final, Protocol, cast

import opencc

_HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff"
_FULL_WIDTH: Final = {",": "，", "?": "？", "!": "！", ":": "：", ";": "；", "(": "（", ")": "）"}
_AFTER_HAN: Final = re.compile(rf"(?<=[{_HAN}”》）〕])\s*([,?!:;()])|([,?!:;()])\s*(?=[{_HAN}“《（〔])")
_STOP_AFTER_HAN: Final = re.compile(rf"(?<=[{_HAN}])\.(?=\s|$|[{_HAN}])")
_DOTS: Final = re.compile(r"\.{2,}|。{2,}|…+")
_REPEATED: Final = re.compile(r"([，。？！：；、])(?:\s*[，。：；、])+|([？！])\2+")
_REPEATED_ASCII: Final = re.compile(r"([?!])\1+")
_GAP_IN_HAN: Final = re.compile(rf"(?<=[{_HAN}])\s+(?=[{_HAN}])")
_SPACE_AT_MARK: Final = re.compile(r"\s*([，。？！：；、（）])\s*")
_SPACES: Final = re.compile(r"\s+")
_WORD: Final = re.compile(r"\w")


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@cache
def _converter() -> _Converter:
    return cast(_Converter, opencc.OpenCC("t2s"))


def normalize(text: str) -> str:
    """Return `text` in simplified characters with Chinese punctuation, on one line, without control characters.

    Whisper separates clauses by spaces where it leaves punctuation out; between two Han characters a space becomes a comma.
    """
    text = unicodedata.normalize("NFKC", text)
    # Cc, Cf and Co: nothing that can steer a terminal or turn the reading direction is stored.
    text = "".join(
        " " if unicodedata.category(c) in {"Zl", "Zp", "Zs"} or c in "\t\r\n" else c
        for c in text
        if c != "\ufffd" and (c in "\t\r\n" or unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs"})
    )
    text = _converter().convert(text)
    text = _REPEATED_ASCII.sub(r"\1", _DOTS.sub("。", text))
    text = _STOP_AFTER_HAN.sub("。", text)
    text = _AFTER_HAN.sub(lambda m: _FULL_WIDTH[m.group(1) or m.group(2)], text)
    text = _SPACE_AT_MARK.sub(r"\1", text)
    text = _GAP_IN_HAN.sub("，", text)
    text = _REPEATED.sub(lambda m: m.group(1) or m.group(2), text)
    if not _WORD.search(text):
        return ""  # nothing but marks was "heard"
    return _SPACES.sub(" ", text).strip().lstrip("，。、；：？！,.;: ")
