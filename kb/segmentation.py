"""Cuts text into the four kinds of token that are indexed and searched: words, bigrams, characters, pinyin.

Segmenting happens here and not in the search server, so that any server will do, and so that a change of the
dictionary is ours to time. Knows nothing about where the tokens go.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from kb.pinyin import syllable

Engine = Literal["auto", "rjieba", "jieba"]

# Runs of Chinese characters, or of letters and digits; whatever lies between only separates.
_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef]+|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The same text four times, each kind in reading order."""

    words: tuple[str, ...] = ()
    bigrams: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    pinyin: tuple[str, ...] = ()

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(*(getattr(self, kind) + getattr(other, kind) for kind in KINDS))

    def __bool__(self) -> bool:
        return bool(self.characters)


KINDS = tuple(field.name for field in fields(Tokens))


def normalize(text: str) -> str:
    """Return the text in NFKC and lower case, without control and invisible characters."""
    folded = unicodedata.normalize("NFKC", text).lower()
    if folded.isprintable():
        return folded
    return "".join(" " if character.isspace() else character for character in folded if _is_visible(character))


def _is_visible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] != "C"


def _is_chinese(run: str) -> bool:
    return not run[0].isascii()


def _runs(text: str) -> list[str]:
    return _RUN.findall(text)


def _pairs(run: Sequence[str], glue: str) -> list[str]:
    if len(run) == 1:
        return [run[0]]
    return [glue.join(run[at : at + 2]) for at in range(len(run) - 1)]


def characters(text: str) -> tuple[str, ...]:
    """Return every Chinese character, and every run of letters or digits as one."""
    found: list[str] = []
    for run in _runs(text):
        found.extend(run if _is_chinese(run) else [run])
    return tuple(found)


def bigrams(text: str) -> tuple[str, ...]:
    """Return neighbouring characters in pairs; a lone one and a run of letters stand for themselves."""
    found: list[str] = []
    for run in _runs(text):
        found.extend(_pairs(run, "") if _is_chinese(run) else [run])
    return tuple(found)


def pinyin_bigrams(text: str) -> tuple[str, ...]:
    """Return neighbouring syllables in pairs ("gong'ji"), which a homophone written for another still matches."""
    found: list[str] = []
    for run in _runs(text):
        if _is_chinese(run):
            found.extend(_pairs([syllable(character) or character for character in run], "'"))
        else:
            found.append(run)
    return tuple(found)


class Segmenter:
    """Cuts words by jieba's dictionary and the editors' own words; the other three kinds need no dictionary."""

    def __init__(self, words: Mapping[str, int] | None = None, engine: Engine = "auto") -> None:
        """Load the dictionary; `words` maps the editors' words to how frequent they count as."""
        wanted = {normalize(word).strip(): frequency for word, frequency in (words or {}).items()}
        self.engine, self._cut = _cutter({word: wanted[word] for word in sorted(wanted) if word}, engine)

    def words(self, text: str) -> tuple[str, ...]:
        """Return the words of an already normalized text in search mode: long words and the words inside them."""
        return tuple(word for word in self._cut(text) if _RUN.search(word))

    def tokens(self, text: str) -> Tokens:
        """Normalize and cut into all four kinds."""
        plain = normalize(text)
        return Tokens(
            words=tuple("".join(word.split()) for word in self.words(plain)),
            bigrams=bigrams(plain),
            characters=characters(plain),
            pinyin=pinyin_bigrams(plain),
        )


def _cutter(words: Mapping[str, int], engine: Engine) -> tuple[str, Callable[[str], list[str]]]:
    if engine != "jieba":
        try:
            import rjieba
        except ImportError:
            if engine == "rjieba":
                raise
        else:
            fast = rjieba.Jieba()
            for word, frequency in words.items():
                fast.add_word(word, frequency, None)
            return "rjieba", fast.cut_for_search
    import jieba

    jieba.setLogLevel(logging.WARNING)
    slow = jieba.Tokenizer()
    for word, frequency in words.items():
        slow.add_word(word, frequency)
    return "jieba", slow.lcut_for_search
