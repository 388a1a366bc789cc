from typing import Any

import pytest

from bench.call_figures import Measured, figures, targets

HOPS = {"last_sample": 12.1, "endpoint": 12.6, "decode_start": 12.6, "decode_end": 13.0, "commit": 13.0}


def measured(cards: list[tuple[float, list[str]]], lines: dict[str, float] | None = None) -> Measured:
    said = [{"phase": "4", "number": "1", "file": "a.wav", "first": 10.0, "last": 12.0}]
    segment: dict[str, Any] = {"id": "s", "number": "1", "party": "citizen", "start": 9.9, "end": 12.2, "stamp": 9900, "hops": HOPS}
    appeared = {"1": {"lines": {"citizen 9900": 13.1} if lines is None else lines, "cards": cards}}
    return Measured(said, [segment], {("card", "s")}, appeared, {4: {}}, 0)


def test_an_utterance_is_waited_for_from_its_last_sample_to_its_line() -> None:
    phase = figures(measured([]))["4"]
    assert phase["waits"]["to the segment"] == {"n": 1, "p50": 1.1, "p95": 1.1, "max": 1.1}
    assert phase["hops"]["decoding"]["p50"] == pytest.approx(0.4)
    assert phase["lost"] == 0


def test_a_line_that_never_came_up_is_lost_and_misses_the_target() -> None:
    phases = figures(measured([], lines={}))
    assert phases["4"]["lost"] == 1
    assert "1 utterances lost at 4 calls" in targets(phases | {"6": phases["4"]})


@pytest.mark.parametrize(
    ("cards", "seconds"),
    [
        ([(5.0, []), (13.4, ["card"])], 1.4),
        ([(5.0, ["card"]), (60.0, []), (90.0, ["card"])], None),
        ([(5.0, ["card"]), (8.0, []), (13.4, ["other", "card"])], 1.4),
    ],
)
def test_a_card_that_stood_there_is_no_news(cards: list[tuple[float, list[str]]], seconds: float | None) -> None:
    waits = figures(measured(cards))["4"]["waits"]["to the first new suggestion"]
    assert (waits["p50"] if waits["n"] else None) == seconds
