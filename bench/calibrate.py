"""Fits the confidence of suggestions, and the threshold below which nothing is shown, on questions with known answers.

`python -m bench.calibrate` reads the demonstration articles and tests/data/questions/calibration.jsonl, in process, and
writes kb/calibration.json. It never reads the test questions. A site calibrates on its own: `--questions` and `--articles`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from bench.knowledge import Question, SmallBase, brief_forms, load_articles, load_questions
from core.settings import PROJECT_DIR
from kb.ranking import CALIBRATION_FILE, FEATURES

Floats = npt.NDArray[np.float64]
WRONGLY_SHOWN = 0.1
"""The share of unanswerable questions that may show anything, held out: leaves room below the 0.20 that is promised."""
_RIDGE = 1.0
_FOLDS = 10
_ROUNDS = 10


@dataclass(frozen=True)
class Fit:
    """A logistic over standardized features."""

    means: Floats
    deviations: Floats
    weights: Floats
    intercept: float

    def probability(self, features: Floats) -> Floats:
        """Return the probability of each row."""
        return 1 / (1 + np.exp(-self.intercept - ((features - self.means) / self.deviations) @ self.weights))


def fit_logistic(features: Floats, is_right: Floats) -> Fit:
    """Fit by Newton's method with a ridge on every weight but the intercept."""
    means, deviations = features.mean(0), features.std(0) + 1e-9
    rows = np.column_stack([np.ones(len(features)), (features - means) / deviations])
    ridge = np.diag([1e-6] + [_RIDGE] * features.shape[1])
    weights = np.zeros(rows.shape[1])
    for _ in range(100):
        probability = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (probability - is_right) + ridge @ weights
        curvature = (rows * (probability * (1 - probability))[:, None]).T @ rows + ridge
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return Fit(means, deviations, weights[1:], float(weights[0]))


@dataclass(frozen=True)
class Candidates:
    """The articles found for one question: their features, and which of them are right. Brief forms share a `group`."""

    group: str
    is_answerable: bool
    features: Floats
    is_right: npt.NDArray[np.bool_]


def held_out(candidates: Sequence[Candidates], seed: int = 1) -> list[Floats]:
    """Return each question's probabilities from fits that did not see the question, averaged over random folds."""
    random = np.random.default_rng(seed)
    sums = [np.zeros(len(found.features)) for found in candidates]
    for _ in range(_ROUNDS):
        # A question and its brief form are left out together.
        groups = sorted({found.group for found in candidates})
        fold_of = dict(zip(groups, random.permutation(len(groups)) % _FOLDS, strict=True))
        fold = np.array([fold_of[found.group] for found in candidates])
        for left_out in range(_FOLDS):
            fit = _fit([found for found, at in zip(candidates, fold, strict=True) if at != left_out])
            for at in np.flatnonzero(fold == left_out).tolist():
                sums[at] += fit.probability(candidates[at].features)
    return [total / _ROUNDS for total in sums]


def _fit(candidates: Sequence[Candidates]) -> Fit:
    return fit_logistic(
        np.concatenate([found.features for found in candidates]),
        np.concatenate([found.is_right for found in candidates]).astype(np.float64),
    )


def shares(candidates: Sequence[Candidates], confidences: Sequence[Floats], threshold: int) -> tuple[float, float]:
    """Return the share of answerable questions showing a right article in three, and of unanswerable ones showing anything."""
    right = wrong = answerable = 0
    for found, confidence in zip(candidates, confidences, strict=True):
        best = np.argsort(-confidence, kind="stable")[:3]
        shown = best[np.rint(100 * confidence[best]) >= threshold]
        if found.is_answerable:
            answerable += 1
            right += bool(found.is_right[shown].any())
        else:
            wrong += bool(len(shown))
    return right / answerable, wrong / max(1, len(candidates) - answerable)


def choose_threshold(candidates: Sequence[Candidates], confidences: Sequence[Floats]) -> int:
    """Return the lowest confidence at which few enough unanswerable questions show anything."""
    return next(at for at in range(1, 101) if shares(candidates, confidences, at)[1] <= WRONGLY_SHOWN)


def candidates_of(base: SmallBase, questions: Sequence[Question]) -> list[Candidates]:
    """Search every question and measure what was found."""
    result = []
    for question in questions:
        found = base.candidates(question.text)
        features = np.array([hit.features for hit in found], dtype=np.float64).reshape(len(found), len(FEATURES))
        is_right = np.array([base.is_right(question, hit.key) for hit in found], dtype=np.bool_)
        result.append(Candidates(question.id.removesuffix("-brief"), question.is_answerable, features, is_right))
    return result


@click.command()
@click.option("--articles", multiple=True, type=click.Path(exists=True, path_type=Path), help="JSONL; default: the demonstration.")
@click.option(
    "--questions", type=click.Path(exists=True, path_type=Path), default=PROJECT_DIR / "tests/data/questions/calibration.jsonl"
)
@click.option("--out", type=click.Path(path_type=Path), default=CALIBRATION_FILE)
def main(articles: tuple[Path, ...], questions: Path, out: Path) -> None:
    """Fit and write the calibration."""
    base = SmallBase(load_articles(articles))
    written = load_questions(questions)
    candidates = candidates_of(base, [*written, *brief_forms(questions)])
    confidences = held_out(candidates)
    fit = _fit(candidates)
    # The threshold rests on the questions as people wrote them.
    candidates, confidences = candidates[: len(written)], confidences[: len(written)]
    threshold = choose_threshold(candidates, confidences)
    right, wrong = shares(candidates, confidences, threshold)
    calibration = {
        "made_by": "python -m bench.calibrate",
        "made_on": datetime.now(UTC).date().isoformat(),
        "questions": len(candidates),
        "articles": base.size,
        "held_out": {"threshold": threshold, "right_shown_in_three": round(right, 3), "unanswerable_shown": round(wrong, 3)},
        "features": list(FEATURES),
        "means": [round(float(value), 6) for value in fit.means],
        "deviations": [round(float(value), 6) for value in fit.deviations],
        "weights": [round(float(value), 6) for value in fit.weights],
        "intercept": round(fit.intercept, 6),
        "threshold": threshold,
    }
    out.write_text(json.dumps(calibration, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    click.echo(f"confidence  right in three  unanswerable shown   ({len(candidates)} questions, {base.size} articles, held out)")
    for at in range(5, 100, 5):
        shown, wrongly = shares(candidates, confidences, at)
        click.echo(f"{at:10d}  {shown:14.3f}  {wrongly:18.3f}")
    click.echo(f"threshold {threshold}: {right:.3f} right in three, {wrong:.3f} wrongly shown → {out}")


if __name__ == "__main__":
    main()
