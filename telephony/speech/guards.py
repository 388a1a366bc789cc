"""Tells invented text from heard text: Whisper fills noise with subtitles, echoes its prompt and runs in loops.

The limits are Whisper's own (compression ratio, no-speech, mean log-probability) and what Mandarin speakers can utter.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

COMPRESSION_LIMIT: Final = 2.4
SHORTEST_COMPRESSIBLE_BYTES: Final = 24
CHARACTERS_A_SECOND: Final = 9.0  # fast Mandarin is 6 to 7 syllables a second
FEWEST_CHARACTERS_A_SECOND: Final = 0.8  # slow dictation of a number is about 1.5
SPEECH_TO_EXPECT_TEXT_SECONDS: Final = 3.0
NO_SPEECH_LIMIT: Final = 0.6
LOG_PROBABILITY_LIMIT: Final = -1.0
HOPELESS_LOG_PROBABILITY: Final = -2.0  # measured: words made of noise -2.4 to -7, test speech above -1

# What Whisper writes over noise and music: the credits of the subtitles it was trained on.
_SUBTITLES: Final = re.compile(
    r"字幕(?:by|由|制作|提供|志愿者|组|校对|翻译|视频)|(?:中文|简体|繁体)字幕|amara|明镜与?点点|点点栏目|请不吝|不吝点赞"
    r"|点赞.{0,3}订阅|订阅.{0,3}转发|打赏支持|优优独播|yoyotelevision|独播剧场|社群提供"
    r"|(?:谢谢|感谢)(?:大家)?(?:的)?(?:观看|收看|收听|欣赏)|(?:下期|下集)再?见|(?:下集|精彩)预告|更多精彩内容|订阅我的?频道"
    r"|(?:词|曲|编曲|作词|作曲|演唱|主唱)[:：]?.{0,6}(?:词|曲|编曲|作词|作曲|演唱)"
    r"|subtitl|subscribe|thankyouforwatching|thanksforwatching|copyright|mbc|www\."
)
# Words that a silent line is turned into; a citizen may say them too, so they fall only when the recogniser doubts itself.
_DOUBTFUL: Final = frozenset(
    {"谢谢", "谢谢大家", "嗯", "啊", "哦", "请", "好", "是", "音乐", "掌声", "you", "bye", "byebye", "thankyou", "the"}
)
_NOT_WORDS: Final = re.compile(r"[\W_]+")
_BRACKETED: Final = re.compile(r"^[\s♪♫*]*(?:[\[(（【〔].{0,12}[\])）】〕]|[♪♫*]+)[\s♪♫*。.]*$")
_LOOP: Final = re.compile(r"(.{1,12}?)\1{4,}")
_LOOP_OF_ONE_SHARE: Final = 0.5


class Doubt(StrEnum):
    """Why a text is not believed at first sight."""

    REPETITIVE = "repetitive"
    TOO_FAST = "too_fast"
    TOO_LITTLE = "too_little"
    BROKEN_CHARACTER = "broken_character"
    PROMPT_ECHO = "prompt_echo"
    NO_SPEECH = "no_speech"


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the recogniser wrote for one window.

    `mean_log_probability` is per token; `no_speech_probability` is the model's own opinion that nobody spoke.
    """

    text: str
    mean_log_probability: float = 0.0
    no_speech_probability: float = 0.0


def letters(text: str) -> str:
    """Return `text` without marks and spaces, in one case: what two texts are compared by."""
    return _NOT_WORDS.sub("", unicodedata.normalize("NFKC", text)).lower()


def compression_ratio(text: str) -> float:
    """Return how far zlib shrinks `text`; above 2.4 Whisper's authors take it for a loop."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def is_loop(text: str) -> bool:
    """Tell whether one phrase fills the text by repetition (digits apart: a number may hold 00000)."""
    bare = letters(text)
    for found in _LOOP.finditer(bare):
        if not found.group(1).isdecimal() and len(found.group()) >= max(8, _LOOP_OF_ONE_SHARE * len(bare)):
            return True
    return False


def is_prompt_echo(text: str, prompt: str) -> bool:
    """Tell whether `text` is the prompt, or a piece of it that no speaker would list: two terms or more in its order."""
    bare = letters(text)
    if not bare or not prompt or bare not in letters(prompt):
        return False
    if bare == letters(prompt):
        return True
    terms = [letters(term) for term in re.split(r"[\s,，、。;；]+", prompt)]
    return not any(bare in term for term in terms)


def doubt(decoded: Decoded, speech_seconds: float, prompt: str = "") -> Doubt | None:
    """Return why `decoded` should be decoded again with the 30 s window, or None.

    Args:
        decoded: what the short window gave.
        speech_seconds: how long somebody spoke, pads included.
        prompt: the terms that the decoder was given.
    """
    text = decoded.text
    if "\ufffd" in text:
        return Doubt.BROKEN_CHARACTER
    is_squeezed = len(text.encode()) > SHORTEST_COMPRESSIBLE_BYTES and compression_ratio(text) > COMPRESSION_LIMIT
    if is_squeezed or is_loop(text):
        return Doubt.REPETITIVE
    count = len(letters(text))
    if count > max(12, CHARACTERS_A_SECOND * speech_seconds):
        return Doubt.TOO_FAST
    if is_prompt_echo(text, prompt):
        return Doubt.PROMPT_ECHO
    if prompt and decoded.no_speech_probability > NO_SPEECH_LIMIT:
        return Doubt.NO_SPEECH  # a prompt makes the model sure of what it invents; without one it doubts
    if speech_seconds >= SPEECH_TO_EXPECT_TEXT_SECONDS and count < FEWEST_CHARACTERS_A_SECOND * speech_seconds:
        return Doubt.TOO_LITTLE
    return None


def is_invented(decoded: Decoded, speech_seconds: float, prompt: str = "") -> bool:
    """Tell whether a final text must be dropped: nobody said it."""
    bare = letters(decoded.text)
    if not bare or _BRACKETED.match(decoded.text) or _SUBTITLES.search(bare):
        return True
    if decoded.mean_log_probability < HOPELESS_LOG_PROBABILITY:
        return True
    unsure = decoded.no_speech_probability > NO_SPEECH_LIMIT
    if unsure and (decoded.mean_log_probability < LOG_PROBABILITY_LIMIT or bare in _DOUBTFUL):
        return True
    why = doubt(decoded, speech_seconds, prompt)
    return why in {Doubt.REPETITIVE, Doubt.TOO_FAST, Doubt.PROMPT_ECHO}
