"""Cuts a Whisper model down to the words that Mandarin is written with, in memory, before it is loaded.

With every token it writes, the decoder scores its whole vocabulary; of the 51,865 words of the multilingual one nine tenths
belong to other languages. Without their rows an utterance costs a quarter less, and the rest of the network is untouched.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LONGEST_LATIN: Final = 2  # letters: longer words are spelt; with three, an utterance costs a twentieth more
_LISTS_OF_IDS: Final = ("lang_ids", "suppress_ids", "suppress_ids_begin")
_FEWEST_MULTILINGUAL: Final = 51865  # OpenAI's English-only models have one word less
# What CTranslate2 3 and 4 write (specs/model_spec.py): name, lengths, type, size and data of each variable, then aliases.
_FORMAT: Final = 6


class MandarinWords:
    """The ids (ascending) of a model's words that are kept, and the way between them and the model's own."""

    def __init__(self, kept: Sequence[int]) -> None:
        self.kept = kept
        self._new = {old: new for new, old in enumerate(kept)}

    def to_kept(self, ids: Iterable[int]) -> list[int]:
        """Return the ids as the cut model knows them; a word that was cut away falls out."""
        return [self._new[each] for each in ids if each in self._new]

    def to_whole(self, ids: Iterable[int]) -> list[int]:
        """Return ids that the cut model wrote as the tokenizer knows them."""
        return [self.kept[each] for each in ids]


def mandarin_words(tokenizer: Tokenizer) -> MandarinWords:
    """Choose Han, figures, marks, bytes of characters, Latin of up to two letters, and Whisper's own signs except times."""
    from tokenizers.decoders import ByteLevel

    text_of = ByteLevel()
    words = tokenizer.get_vocab()
    first_sign, last_sign = words["<|endoftext|>"], words["<|notimestamps|>"]  # the words before them, the times after
    return MandarinWords(
        sorted(
            number
            for word, number in words.items()
            if first_sign <= number <= last_sign or (number < first_sign and is_mandarin(text_of.decode([word])))
        )
    )


def is_mandarin(text: str) -> bool:
    """Tell whether Mandarin can be written with the word `text` (U+FFFD stands for a piece of a character)."""
    letters = [letter for letter in text if letter.isalpha()]
    if all(_HAN.fullmatch(letter) for letter in letters):
        return True
    return text.isascii() and len(letters) <= _LONGEST_LATIN


def cut_model(folder: Path, tokenizer: Tokenizer, words: MandarinWords) -> dict[str, bytes]:
    """Return the files of the model in `folder` (CTranslate2's), by name, with no other words than `words`.

    Raises:
        ValueError: a format that isn't known, an English-only model, or a file that is cut short.
    """
    size = _vocabulary_size(folder)
    if size < _FEWEST_MULTILINGUAL:
        raise ValueError(f"its vocabulary of {size} words is that of an English-only model")
    config: Mapping[str, Any] = json.loads((folder / "config.json").read_bytes())
    renumbered = {name: words.to_kept(config[name]) for name in _LISTS_OF_IDS if name in config}
    return {
        "model.bin": cut_rows((folder / "model.bin").read_bytes(), size, words.kept),
        "config.json": json.dumps(dict(config) | renumbered).encode(),
        "vocabulary.json": json.dumps([tokenizer.id_to_token(each) for each in words.kept]).encode(),
    }


def _vocabulary_size(folder: Path) -> int:
    if (written := folder / "vocabulary.json").is_file():
        return len(json.loads(written.read_bytes()))
    return (folder / "vocabulary.txt").read_bytes().rstrip(b"\n").count(b"\n") + 1


def cut_rows(raw: bytes, size: int, kept: Sequence[int]) -> bytes:
    """Return a model file with only the rows `kept` of every table that has `size` rows, one a word.

    Raises:
        ValueError: a format that isn't known, no such table, or a file that is cut short.
    """
    source, parts = io.BytesIO(raw), list[bytes]()

    def take(count: int) -> bytes:
        if len(piece := source.read(count)) < count:
            raise ValueError(f"model.bin ends after {len(raw)} bytes")
        parts.append(piece)
        return piece

    def number(width: int) -> int:
        return int.from_bytes(take(width), "little")

    if (version := number(4)) != _FORMAT:
        raise ValueError(f"model.bin has format {version}, not {_FORMAT}: convert the model again")
    take(number(2))  # the kind of model
    take(4)  # its revision
    has_cut = False
    for _ in range(number(4)):
        take(number(2))  # the variable's name
        shape = [number(4) for _ in range(number(1))]
        take(1)  # the type of its numbers
        data = take(number(4))
        if shape and shape[0] == size:
            table = np.frombuffer(data, np.uint8).reshape(size, -1)[kept].tobytes()
            place = -3 - len(shape)  # of the first length; before the data come the other lengths, the type and the size
            parts[place] = len(kept).to_bytes(4, "little")
            parts[-2:] = [len(table).to_bytes(4, "little"), table]
            has_cut = True
    if not has_cut:
        raise ValueError(f"model.bin has no table of {size} words")
    return b"".join([*parts, source.read()])
