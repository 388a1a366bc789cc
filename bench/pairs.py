"""Whether articles that are easily confused are told apart: each alternative question is asked as if it had never been written."""

from __future__ import annotations

from dataclasses import dataclass

from bench.knowledge import DEMONSTRATION, SmallBase, read_lines
from kb.article_content import ArticleContent

_FIRST = 3


@dataclass(frozen=True)
class PairFigures:
    """Of both articles' alternatives, each left out of its article and asked: how many rank the own article above the other."""

    pairs: int
    questions: int
    own_above_other: float
    own_in_three: float
    pairs_told_apart: int

    def __str__(self) -> str:
        return (
            f"{self.pairs_told_apart} of {self.pairs} pairs told apart (own article above the other for most questions); "
            f"of {self.questions} held-out questions {self.own_above_other:.3f} rank their own article above the other, "
            f"{self.own_in_three:.3f} have it in the first three"
        )


def tell_pairs_apart(articles: dict[str, ArticleContent]) -> dict[str, PairFigures]:
    """Return the figures for each kind of pair."""
    base = SmallBase(articles)
    pairs: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(DEMONSTRATION.glob("pairs_*.jsonl")):
        for row in read_lines(path):
            if row["a"] != row["b"]:
                pairs.setdefault(row["kind"], []).append((row["a"], row["b"]))
    ranks = {key: _held_out_ranks(base, articles[key], key) for kind in pairs.values() for pair in kind for key in pair}
    return {kind: _figures(listed, ranks) for kind, listed in pairs.items()}


def _held_out_ranks(base: SmallBase, article: ArticleContent, key: str) -> list[list[str]]:
    """Return, for each alternative of an article, the keys found in order while the article lacks it."""
    found = []
    for left_out in article.alternatives:
        others = tuple(text for text in article.alternatives if text != left_out)
        base.replace(key, article.model_copy(update={"alternatives": others}))
        found.append([hit.key for hit in base.candidates(left_out, limit=50)])
    base.replace(key, article)
    return found


def _figures(pairs: list[tuple[str, str]], ranks: dict[str, list[list[str]]]) -> PairFigures:
    questions = above = in_three = apart = 0
    for first, second in pairs:
        won = asked = 0
        for own, other in ((first, second), (second, first)):
            for found in ranks[own]:
                asked += 1
                won += _place(found, own) < _place(found, other)
                in_three += own in found[:_FIRST]
        questions += asked
        above += won
        apart += 2 * won > asked
    return PairFigures(len(pairs), questions, round(above / questions, 3), round(in_three / questions, 3), apart)


def _place(found: list[str], key: str) -> int:
    return found.index(key) if key in found else len(found)
