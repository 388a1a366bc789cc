"""Which words the live recogniser keeps, and how the others leave the model's file."""

import struct

import numpy as np
import pytest

from telephony.adapters.whisper_words import MandarinWords, cut_rows, is_mandarin

ROWS = 5
TABLE = np.arange(ROWS * 3, dtype=np.float16).reshape(ROWS, 3)
SCALES = np.arange(ROWS, dtype=np.float32)
OTHER = np.arange(6, dtype=np.int8).reshape(2, 3)


def text(written: str) -> bytes:
    return struct.pack("<H", len(written) + 1) + written.encode() + b"\0"


def variable(name: str, kind: int, table: np.ndarray) -> bytes:
    shape = struct.pack(f"<B{table.ndim}I", table.ndim, *table.shape)
    return text(name) + shape + struct.pack("<BI", kind, table.nbytes) + table.tobytes()


def model(table: np.ndarray, scales: np.ndarray, version: int = 6) -> bytes:
    """A model as CTranslate2 writes it: a table of words in half precision with a scale each, another table and an alias."""
    variables = [
        variable("decoder/embeddings/weight", 4, table),
        variable("decoder/embeddings/weight_scale", 0, scales),
        variable("encoder/weight", 1, OTHER),
        variable("encoder/num_heads", 2, np.array(8, np.int16)),
    ]
    head = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    aliases = struct.pack("<I", 1) + text("decoder/projection/weight") + text("decoder/embeddings/weight")
    return head + b"".join(variables) + aliases


@pytest.mark.parametrize("word", ["我", "办理", "，", " 2024", "10086", "\ufffd", "\ufffd\ufffd", " A", "ok", " 。", "號", "%"])
def test_words_that_mandarin_is_written_with(word: str) -> None:
    assert is_mandarin(word)


@pytest.mark.parametrize("word", ["the", " please", "é", "Привет", "の", "가", "가\ufffd", "ا", "我の", "中é"])
def test_words_of_other_languages(word: str) -> None:
    assert not is_mandarin(word)


def test_every_table_of_words_loses_the_same_rows_and_nothing_else_changes() -> None:
    kept = [0, 3, 4]
    assert cut_rows(model(TABLE, SCALES), ROWS, kept) == model(TABLE[kept], SCALES[kept])


def test_the_way_between_the_ids_and_back() -> None:
    words = MandarinWords([2, 5, 9])
    assert words.to_kept([9, 7, 2]) == [2, 0]
    assert words.to_whole([2, 0]) == [9, 2]


def test_a_file_that_is_cut_short_anywhere_is_refused() -> None:
    whole = model(TABLE, SCALES)
    end_of_tables = len(whole) - len(struct.pack("<I", 1) + text("decoder/projection/weight") + text("decoder/embeddings/weight"))
    for length in range(end_of_tables):
        with pytest.raises(ValueError, match=r"model\.bin"):
            cut_rows(whole[:length], ROWS, [0])


def test_another_format_and_a_model_without_words_are_refused() -> None:
    with pytest.raises(ValueError, match="format 7, not 6"):
        cut_rows(model(TABLE, SCALES, version=7), ROWS, [0])
    with pytest.raises(ValueError, match="no table of 6 words"):
        cut_rows(model(TABLE, SCALES), ROWS + 1, [0])
