"""What a run of `call_latency` comes to: utterances beside what was heard of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

TARGETS = {"4": 1.7, "6": 2.5}
"""p95 from the last sounding sample to the segment in the page, in seconds, by simultaneous calls."""
_GROWTH_SECONDS = 0.1  # medians of under a hundred utterances differ by that much without a cause
_CLIPPED_SECONDS = 1.0
_SHARES = {"p50": 0.5, "p95": 0.95, "max": 1.0}
_HOPS = (
    ("sent to bridge", "sent", "last_sample"),
    ("end of speech noticed", "last_sample", "endpoint"),
    ("waiting for the decoder", "endpoint", "decode_start"),
    ("decoding", "decode_start", "decode_end"),
    ("to the commit", "decode_end", "commit"),
    ("commit to page", "commit", "page"),
)


@dataclass(frozen=True)
class Measured:
    """What callers, database and pages saw. Times are seconds since the epoch.

    `said`: utterances as sent; `segments`: live segments with their hops; `pairs`: (suggestion, segment that brought it);
    `appeared`: by caller's number, when lines came up on the page, and which cards it showed from when; `cores`: by calls;
    `shed`: utterances given up.
    """

    said: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    pairs: set[tuple[str, str]]
    appeared: dict[str, dict[str, Any]]
    cores: dict[int, dict[str, float]]
    shed: int


def figures(measured: Measured) -> dict[str, dict[str, Any]]:
    """Return the figures by number of calls."""
    phases = {}
    for calls, cores in measured.cores.items():
        said = sorted((one for one in measured.said if one["phase"] == str(calls)), key=lambda one: one["last"])
        phases[str(calls)] = _phase(measured, said) | {"cores": cores}
    phases[max(phases)]["shed"] = measured.shed
    return phases


def targets(phases: dict[str, dict[str, Any]]) -> list[str]:
    """Return what was missed, in words."""
    missed = [
        f"p95 at {calls} calls is {phases[calls]['waits']['to the segment']['p95']} s, not {most} s"
        for calls, most in TARGETS.items()
        if not phases[calls]["waits"]["to the segment"]["n"] or phases[calls]["waits"]["to the segment"]["p95"] > most
    ]
    missed += [f"{phase['lost']} utterances lost at {calls} calls" for calls, phase in phases.items() if phase["lost"]]
    missed += [f"{phase['shed']} utterances shed" for phase in phases.values() if phase.get("shed")]
    first, _, last = phases["4"]["trend"] or [0.0, 0.0, 0.0]
    if last > first + _GROWTH_SECONDS:
        missed.append(f"the lag grew from {first} s to {last} s")
    return missed


def _phase(measured: Measured, said: list[dict[str, Any]]) -> dict[str, Any]:
    waits: list[float] = []
    first_card: list[float] = []
    hops: dict[str, list[float]] = {name: [] for name, _, _ in _HOPS}
    lost, clipped = [], 0
    for one in said:
        heard = [segment for segment in measured.segments if _is_of(segment, one)]
        shown = [(segment, page) for segment in heard if (page := _shown_at(measured, segment))]
        if not shown:
            lost.append({"number": one["number"], "file": one["file"], "committed": len(heard)})
            continue
        segment, page = max(shown, key=lambda pair: pair[0]["end"])
        clipped += segment["end"] < one["last"] - _CLIPPED_SECONDS
        waits.append(page - one["last"])
        moments = {**segment["hops"], "sent": one["last"], "page": page}
        for name, begin, end in _HOPS:
            hops[name].append(moments[end] - moments[begin])
        if card := _card_at(measured, segment):
            first_card.append(card - one["last"])
    third = len(waits) // 3
    return {
        "utterances": len(said),
        "lost": len(lost),
        "lost_ones": lost,
        "clipped": clipped,
        "waits": {"to the segment": _summary(waits), "to the first new suggestion": _summary(first_card)},
        "hops": {name: _summary(values) for name, values in hops.items()},
        "trend": [round(median(part), 3) for part in (waits[:third], waits[third:-third], waits[-third:])] if third else None,
    }


def _is_of(segment: dict[str, Any], said: dict[str, Any]) -> bool:
    is_citizen = segment["party"] == "citizen" and segment["number"] == said["number"]
    return bool(is_citizen and segment["start"] < said["last"] and segment["end"] > said["first"])


def _shown_at(measured: Measured, segment: dict[str, Any]) -> float | None:
    at = measured.appeared[segment["number"]]["lines"].get(f"{segment['party']} {segment['stamp']}")
    return None if at is None else float(at)


def _card_at(measured: Measured, segment: dict[str, Any]) -> float | None:
    """Return when the first card that this segment brought came up; cards that stood there already are no news."""
    commit = segment["hops"]["commit"]
    states = measured.appeared[segment["number"]]["cards"]
    stood = next((set(ids) for at, ids in reversed(states) if at < commit), set())
    brought = {suggestion for suggestion, segment_id in measured.pairs if segment_id == segment["id"]} - stood
    return next((float(at) for at, ids in states if at >= commit and brought.intersection(ids)), None)


def _summary(values: list[float]) -> dict[str, Any]:
    ordered = sorted(values)
    if not ordered:
        return {"n": 0, "p50": 0.0, "p95": 0.0, "max": 0.0}
    shares = {name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in _SHARES.items()}
    return {"n": len(ordered)} | {name: round(value, 3) for name, value in shares.items()}
