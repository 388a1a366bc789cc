"""How sure a hit is: two measures of a match, weighed by a logistic that was fitted on questions with known answers.

Pure. The coefficients and the threshold stand in calibration.json, written by `python -m bench.calibrate`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kb.ports import TermStatistics
from kb.segmentation import KINDS, Tokens

CALIBRATION_FILE = Path(__file__).with_name("calibration.json")
FEATURES = ("evidence", "likeness")
_UNSEEN = "\0"


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted logistic. Below `threshold` (a confidence of 0…100) nothing is suggested."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    threshold: int

    def probability(self, features: Sequence[float]) -> float:
        """Return how likely an article with these features is the right one, 0…1."""
        scaled = ((value - mean) / deviation for value, mean, deviation in zip(features, self.means, self.deviations, strict=True))
        return 1 / (1 + math.exp(-self.intercept - sum(w * x for w, x in zip(self.weights, scaled, strict=True))))


@cache
def read_calibration(path: Path = CALIBRATION_FILE) -> Calibration:
    """Return the calibration of a file."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    if tuple(raw["features"]) != FEATURES:
        raise ValueError(f"{path} was fitted on {raw['features']}: run python -m bench.calibrate")
    return Calibration(tuple(raw["means"]), tuple(raw["deviations"]), tuple(raw["weights"]), raw["intercept"], raw["threshold"])


Weighed = tuple[tuple[dict[str, float], float], ...]
"""A text as a vector for each kind of token, rare tokens weighing more, with the vector's length."""


def weigh(tokens: Tokens, statistics: TermStatistics) -> Weighed:
    """Return the vectors of a text."""
    vectors = (
        {token: times * statistics.rarity(kind, token) for token, times in Counter(getattr(tokens, kind)).items()} for kind in KINDS
    )
    return tuple((vector, math.sqrt(sum(weight * weight for weight in vector.values()))) for vector in vectors)


class Judge:
    """Measures how well articles match one query. `topic` is the query without the words of any errand."""

    def __init__(self, topic: Tokens, statistics: TermStatistics) -> None:
        self._topic = weigh(topic, statistics)
        self._unit = statistics.rarity("characters", _UNSEEN)

    def features(self, score: float, questions: Iterable[Weighed]) -> tuple[float, float]:
        """Return the measures of a match, in the order of FEATURES.

        evidence: the logarithm of the BM25 score, counted in tokens that no article has, so that it means the same in
            a small and a large collection.
        likeness: the cosine between the topic and the most similar of the article's questions, mean of the four kinds.
        """
        evidence = math.log1p(score / self._unit) if self._unit > 0 else 0.0
        return evidence, max((self._likeness(question) for question in questions), default=0.0)

    def _likeness(self, question: Weighed) -> float:
        total = 0.0
        for (asked, asked_length), (other, other_length) in zip(self._topic, question, strict=True):
            if asked_length and other_length:
                shared = sum(weight * other[token] for token, weight in asked.items() if token in other)
                total += shared / (asked_length * other_length)
        return total / len(KINDS)


def confidence(probability: float) -> int:
    """Return a probability as people read it, 0…100."""
    return round(100 * probability)
