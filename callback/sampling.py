"""Decides who of many is asked: repeatable from a seed and the subject's own key, with the weight that makes up for the others."""

import hashlib
from dataclasses import dataclass

from callback.rule import AllSampled, Sampling, ShareSampled, StrataSampled, Subject

_RANGE = 2**64


@dataclass(frozen=True)
class Draw:
    """Whether a subject is asked; `weight` is 1 ÷ share, and 0 where a stratum is asked not at all."""

    is_sampled: bool
    weight: float
    stratum: str
    seed: str


def draw(sampling: Sampling, natural_key: str, subject: Subject) -> Draw:
    """Return whether a subject is asked. The same seed and key give the same answer on any machine, in any order."""
    match sampling:
        case AllSampled():
            return Draw(is_sampled=True, weight=1.0, stratum="", seed="")
        case ShareSampled(share=share, seed=seed):
            stratum = ""
        case StrataSampled(by=by, shares=shares, other=other, seed=seed):
            stratum = getattr(subject, by) or ""
            share = shares.get(stratum, other)
    return Draw(_number(seed, natural_key) < share, 1.0 / share if share else 0.0, stratum, seed)


def _number(seed: str, key: str) -> float:
    """Return a number in 0…1 that looks random and is always the same for a seed and a key."""
    # A separator that no key holds, so that seed and key cannot be shifted against one another.
    digest = hashlib.sha256(f"{seed}\x1f{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _RANGE
