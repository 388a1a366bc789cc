"""Makes a search query out of what a citizen said or an agent typed: normalized, shortened, without politeness.

Pure: knows nothing about segments, articles or servers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kb.pinyin import syllables
from kb.segmentation import normalize

LONGEST_QUERY = 45
"""Characters of a query that are searched, the last ones: longer queries cost time and find no more."""

SHORTEST_SPOKEN_QUERY = 15
"""Characters a citizen must have said before anything is suggested."""
_SHORTEST_QUESTION = 4

# What callers say around a question, without bearing on it. Compared by sound, because recognition writes
# these badly; therefore none is shorter than two syllables.
FILLERS = (
    "你好", "您好", "喂你好", "喂您好", "请问", "请问一下", "请问下", "麻烦问一下", "麻烦问下", "麻烦您", "麻烦你",
    "我想问一下", "我想问下", "我想问", "想问一下", "想问下", "问一下", "我想咨询一下", "我想咨询", "我要咨询一下",
    "想咨询一下", "咨询一下", "咨询下", "我想了解一下", "想了解一下", "了解一下", "打听一下", "跟您打听一下", "跟你打听个事",
    "就是说", "那个什么", "是这样的", "是这样", "怎么说呢", "你看一下", "您看一下", "你帮我看看", "您帮我看看",
    "帮我查一下", "帮我看一下", "我跟你说", "我跟您说", "你知道吧", "你知道吗", "对不对", "是不是啊", "谢谢", "谢谢你", "谢谢您",
    "谢谢啊", "不好意思", "打扰一下", "同志你好", "同志您好", "师傅你好", "有个事", "有个事情", "有件事", "我有个问题", "有个问题",
    "那个那个", "这个这个", "嗯嗯", "哎呀", "然后呢",
)  # fmt: skip

# Words that ask without saying about what. They come off an article's alternative questions, where they would
# draw every question; in the query itself they do no harm.
QUESTION_WORDS = (
    "怎么办理", "怎么办", "如何办理", "怎么弄", "怎么搞", "怎么", "怎样", "如何", "什么时候", "什么", "是否", "能不能", "可不可以",
    "可以吗", "可以", "行不行", "是不是", "要不要", "有没有", "需不需要", "需要", "哪里", "哪儿", "哪些", "哪个", "多少", "多久",
    "为什么", "请问", "我想", "我要", "想问", "吗", "呢", "啊", "吧", "呀",
)  # fmt: skip

# Words of any errand. They are searched, but say nothing about how well an article fits.
FORMALITIES = (
    "材料", "手续", "办理", "流程", "条件", "要带", "多少钱", "去哪", "哪里办", "什么样", "怎么样", "办一下", "办个",
    "的事情", "找谁",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for: `text`; what it is about: `topic`; and what it was made of."""

    text: str
    topic: str
    original: str

    def __bool__(self) -> bool:
        return bool(self.text)


class _Phrases:
    """Finds phrases by sound, the longest first."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._spoken = {tuple(syllables(phrase)) for phrase in phrases}
        self._longest = max(map(len, self._spoken))
        self._first = {spoken[0] for spoken in self._spoken}

    def removed_from(self, text: str) -> str:
        sounds = syllables(text)
        kept: list[str] = []
        at = 0
        while at < len(text):
            length = self._length_at(sounds, at) if sounds[at] in self._first else 0
            if length:
                # A blank, lest the words on both sides grow together into a word nobody said.
                kept.append(" ")
                at += length
            else:
                kept.append(text[at])
                at += 1
        return "".join(kept)

    def _length_at(self, sounds: list[str], at: int) -> int:
        for length in range(min(self._longest, len(sounds) - at), 1, -1):
            if tuple(sounds[at : at + length]) in self._spoken:
                return length
        return 0


_FILLERS = _Phrases(FILLERS)
_QUESTION_WORDS = sorted(QUESTION_WORDS, key=len, reverse=True)
_ERRAND_WORDS = sorted({*QUESTION_WORDS, *FORMALITIES}, key=len, reverse=True)


def without_fillers(text: str) -> str:
    """Take polite and hesitant phrases off a normalized text; return it unchanged when nothing else would be left."""
    rest = " ".join(_FILLERS.removed_from(text).split())
    return rest if any(character.isalnum() for character in rest) else text


def without_question_words(text: str) -> str:
    """Take asking words off an alternative question; return it unchanged when nothing else would be left."""
    return _without(_QUESTION_WORDS, without_fillers(text))


def _without(words: Iterable[str], text: str) -> str:
    rest = text
    for word in words:
        rest = rest.replace(word, " ")
    return " ".join(rest.split()) if any(character.isalnum() for character in rest) else text


def read_query(text: str, longest: int = LONGEST_QUERY) -> Query:
    """Normalize, take fillers off, and keep the last `longest` characters."""
    wanted = without_fillers(normalize(text))[-longest:].strip()
    return Query(text=wanted, topic=_without(_ERRAND_WORDS, wanted), original=text)


def says_enough(text: str) -> bool:
    """Tell whether a citizen has said enough for a suggestion to be worth its place; politeness alone is no question."""
    plain = normalize(text)
    return _said(plain) >= SHORTEST_SPOKEN_QUERY and _said(_FILLERS.removed_from(plain)) >= _SHORTEST_QUESTION


def _said(text: str) -> int:
    return sum(character.isalnum() for character in text)
