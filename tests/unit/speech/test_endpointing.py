import numpy as np
import pytest

from telephony.speech.endpointing import (
    WINDOW_SAMPLES,
    WINDOW_SECONDS,
    Endpointer,
    EndpointingRules,
    SpeechBegan,
    Utterance,
)


def play(endpointer: Endpointer, *stretches: tuple[float, float]) -> list[SpeechBegan | Utterance]:
    """Feed stretches of (seconds, probability); each window's samples hold its own number."""
    decided: list[SpeechBegan | Utterance] = []
    for seconds, probability in stretches:
        for _ in range(round(seconds / WINDOW_SECONDS)):
            number = round(endpointer.position_seconds / WINDOW_SECONDS)
            decided += endpointer.feed(np.full(WINDOW_SAMPLES, number, np.float32), probability)
    return decided


def utterances(decided: list[SpeechBegan | Utterance]) -> list[Utterance]:
    return [each for each in decided if isinstance(each, Utterance)]


def test_speech_begins_once_and_ends_after_half_a_second_with_its_pads() -> None:
    endpointer = Endpointer()
    began = play(endpointer, (1.0, 0.1), (2.0, 0.9))
    assert len(began) == 1
    assert isinstance(began[0], SpeechBegan)
    assert began[0].start_seconds == pytest.approx(1.0 - 0.2, abs=0.05)
    assert play(endpointer, (0.4, 0.1)) == []
    (heard,) = utterances(play(endpointer, (0.2, 0.1)))
    assert heard.start_seconds == pytest.approx(0.8, abs=0.05)
    assert heard.speech_end_seconds == pytest.approx(3.0, abs=0.04)
    assert heard.end_seconds == pytest.approx(3.2, abs=0.05)
    assert len(heard.pcm) == round((heard.end_seconds - heard.start_seconds) / WINDOW_SECONDS) * WINDOW_SAMPLES
    assert heard.pcm[0] == round(heard.start_seconds / WINDOW_SECONDS)


def test_a_pause_shorter_than_the_limit_does_not_end_it() -> None:
    assert len(utterances(play(Endpointer(), (1, 0.9), (0.4, 0.1), (1, 0.9), (0.6, 0.1)))) == 1


def test_between_the_two_thresholds_speech_goes_on_but_does_not_begin() -> None:
    assert play(Endpointer(), (2.0, 0.4), (0.6, 0.0)) == []
    assert len(utterances(play(Endpointer(), (0.5, 0.9), (2.0, 0.4), (0.6, 0.0)))) == 1


def test_a_click_is_let_go() -> None:
    assert play(Endpointer(), (0.5, 0.0), (0.064, 0.9), (1.0, 0.0)) == []


def test_two_clicks_do_not_add_up_over_a_silence() -> None:
    assert play(Endpointer(), *[(0.064, 0.9), (0.7, 0.0)] * 5) == []


def test_a_long_speech_is_cut_where_the_voice_is_weakest_and_nothing_is_lost() -> None:
    endpointer = Endpointer()
    decided = play(endpointer, (7.5, 0.95), (0.064, 0.6), (4.0, 0.95), (0.6, 0.0))
    first, second = utterances(decided)
    assert sum(isinstance(each, SpeechBegan) for each in decided) == 1
    assert first.end_seconds == pytest.approx(7.5, abs=0.07)
    assert first.end_seconds == second.start_seconds
    joined = np.concatenate([first.pcm, second.pcm])[::WINDOW_SAMPLES]
    assert np.array_equal(joined, np.arange(len(joined)))
    assert first.end_seconds - first.start_seconds <= EndpointingRules().longest_seconds


def test_no_utterance_is_longer_than_the_window_it_is_decoded_in() -> None:
    heard = utterances(play(Endpointer(), (65, 0.9), (0.6, 0.0)))
    assert len(heard) >= 7
    assert max(each.end_seconds - each.start_seconds for each in heard) <= 9.0
    assert sum(len(each.pcm) for each in heard) >= 65 * 16000


def test_the_end_of_the_stream_ends_the_speech() -> None:
    endpointer = Endpointer()
    play(endpointer, (1.0, 0.9))
    assert len(utterances(endpointer.flush())) == 1
    assert endpointer.flush() == []


def test_skipped_silence_ends_speech_and_moves_the_time() -> None:
    endpointer = Endpointer()
    play(endpointer, (1.0, 0.9))
    assert len(utterances(endpointer.skip(1000))) == 1
    assert endpointer.position_seconds == pytest.approx(33.0, abs=0.1)
    (heard,) = utterances(play(endpointer, (1.0, 0.9), (0.6, 0.0)))
    assert heard.start_seconds == pytest.approx(33.0, abs=0.1)


def test_a_short_gap_does_not_end_speech() -> None:
    endpointer = Endpointer()
    play(endpointer, (1.0, 0.9))
    assert endpointer.skip(5) == []
    assert len(utterances(play(endpointer, (1.0, 0.9), (0.6, 0.0)))) == 1


def test_in_a_pause_the_draft_is_the_utterance_to_the_sample() -> None:
    endpointer = Endpointer()
    play(endpointer, (0.5, 0.0), (1.0, 0.9), (0.2, 0.1))
    assert not endpointer.is_pausing
    play(endpointer, (0.1, 0.1))
    assert endpointer.is_pausing
    draft = endpointer.draft()
    (heard,) = utterances(play(endpointer, (0.3, 0.1)))
    assert (draft.start_seconds, draft.end_seconds) == (heard.start_seconds, heard.end_seconds)
    assert np.array_equal(draft.pcm, heard.pcm)
    assert not endpointer.is_pausing


def test_who_speaks_on_is_not_pausing_and_a_click_never_is() -> None:
    endpointer = Endpointer()
    play(endpointer, (1.0, 0.9), (0.3, 0.1))
    assert endpointer.is_pausing
    play(endpointer, (0.032, 0.9))
    assert not endpointer.is_pausing
    clicked = Endpointer()
    play(clicked, (0.064, 0.9), (0.3, 0.0))
    assert not clicked.is_pausing
