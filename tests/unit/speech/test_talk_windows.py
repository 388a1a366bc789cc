from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from telephony.speech.audio import Audio
from telephony.speech.talk_windows import Window, spoken_part, talk_windows
from telephony.transcriber import held_windows

ZERO = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


def window(start: float, end: float) -> Window:
    return Window(at(start), at(end))


@pytest.mark.parametrize(
    ("connected", "held", "talking"),
    [
        ([(10, 60)], [], [(10, 60)]),
        ([(10, 60)], [(20, 30)], [(10, 20), (30, 60)]),
        ([(10, 60)], [(20, 30), (40, 70)], [(10, 20), (30, 40)]),
        ([(10, 60)], [(0, 15)], [(15, 60)]),
        ([(10, 60)], [(0, 100)], []),
        ([(10, 60)], [(70, 80)], [(10, 60)]),
        ([(50, 90), (10, 60)], [], [(10, 90)]),
        ([(10, 30), (50, 90)], [(20, 60)], [(10, 20), (60, 90)]),
        ([], [(1, 2)], []),
    ],
)
def test_talk_windows(
    connected: list[tuple[float, float]], held: list[tuple[float, float]], talking: list[tuple[float, float]]
) -> None:
    found = talk_windows([window(*each) for each in connected], [window(*each) for each in held])
    assert found == [window(*each) for each in talking]


def test_prompts_holds_and_what_comes_after_are_silent() -> None:
    audio = Audio(np.ones(8000 * 100, np.float32), 8000)
    part, offset = spoken_part(audio, at(5), [window(15, 25), window(45, 200)])
    assert offset == 10
    assert part.seconds == pytest.approx(90)
    levels = part.samples.reshape(-1, 8000).mean(axis=1)
    assert levels[:10].tolist() == [1.0] * 10
    assert levels[10:30].tolist() == [0.0] * 20
    assert levels[30:].tolist() == [1.0] * 60


def test_a_recording_that_ended_before_the_answer_has_no_part() -> None:
    part, offset = spoken_part(Audio(np.ones(8000, np.float32), 8000), at(0), [window(15, 25)])
    assert (part.seconds, offset) == (0, 0)


def test_held_windows_come_from_the_story() -> None:
    story = [(at(1), "held"), (at(2), "held"), (at(5), "resumed"), (at(6), "resumed"), (at(8), "held")]
    assert held_windows(story, at(20)) == [window(1, 5), window(8, 20)]


@pytest.mark.parametrize("end", ["transferred", "agent_lost", "queued", "answered"])
def test_a_hold_is_over_when_the_call_goes_to_somebody_else(end: str) -> None:
    assert held_windows([(at(1), "held"), (at(5), end)], at(20)) == [window(1, 5)]
