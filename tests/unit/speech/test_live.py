"""The whole live path with a detector of loudness, a decoder that says what it is told and no network."""

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import cast

import numpy as np
import pytest

from telephony.speech.audio import to_pcm16
from telephony.speech.endpointing import SAMPLE_RATE
from telephony.speech.live import LiveRules, LiveTranscriber
from telephony.speech.tap_server import TapServer
from tests.fakes.speech import FakeDetector, FakeLiveDecoder, FakeSink, FakeTapServer

Talk = Callable[..., None]


class House:
    """A transcriber on fakes, and a clock that the test moves by talking."""

    def __init__(self, texts: list[str], *, rules: LiveRules | None = None, workers: int = 1) -> None:
        self.now = 1000.0
        self.server, self.sink, self.decoder = FakeTapServer(), FakeSink(), FakeLiveDecoder(texts, workers)
        self.live = LiveTranscriber(
            cast(TapServer, self.server),
            self.decoder,
            FakeDetector,
            self.sink,
            hotwords=lambda: "居住证",
            rules=rules,
            monotonic=lambda: self.now,
        )
        self.call_id = uuid.uuid4()
        self.live.start()

    def open(self, party: str = "citizen", call_id: uuid.UUID | None = None) -> uuid.UUID:
        tap_id = uuid.uuid4()
        self.live.open(call_id or self.call_id, party, tap_id, datetime.now(UTC))
        return tap_id

    def say(self, tap_id: uuid.UUID, seconds: float, pause: float = 0.7) -> None:
        """Speak and be silent, as frames of 20 ms, each at its time."""
        loud, quiet = to_pcm16(np.full(320, 0.3, np.float32)), bytes(640)
        for frame, duration in ((loud, seconds), (quiet, pause)):
            for _ in range(round(duration * 50)):
                self.now += 0.02
                self.server.buffers[tap_id].receive(frame, SAMPLE_RATE, self.now)

    def is_drafted(self) -> bool:
        """Say whether the decoder was asked for something and is done with it."""
        return bool(self.decoder.asked) and not self.live._queue.is_busy

    def wait(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 5
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.005)


@pytest.fixture
def house() -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def make(texts: list[str], **options: object) -> House:
        made.append(House(texts, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.decoder.may_go.set()
        each.live.stop()


def test_speech_becomes_a_segment_with_every_hop_in_order(house: Callable[..., House]) -> None:
    home = house(["我想辦居住證"])
    tap = home.open()
    home.say(tap, 2.0)
    home.wait(lambda: home.sink.segments)
    (segment,) = home.sink.segments
    assert segment.text == "我想办居住证"
    assert (segment.call_id, segment.party) == (home.call_id, "citizen")
    assert segment.end_seconds - segment.start_seconds == pytest.approx(2.2, abs=0.1)
    hops = segment.hops
    assert hops["last_sample"] <= hops["endpoint"] <= hops["decode_start"] <= hops["decode_end"] <= hops["commit"]
    assert segment.lag_seconds == pytest.approx(hops["commit"] - hops["last_sample"], abs=0.02)
    assert len(home.sink.started) == 1
    ((seconds, hotwords),) = home.decoder.asked
    assert seconds == pytest.approx(2.2, abs=0.1)
    assert hotwords == "居住证"


def test_two_parties_are_kept_apart_and_each_in_order(house: Callable[..., House]) -> None:
    home = house(["一", "二", "三", "四"], workers=2)
    citizen, agent = home.open("citizen"), home.open("agent")
    for tap in (citizen, agent, citizen, agent):
        home.say(tap, 0.5)
    home.wait(lambda: len(home.sink.segments) == 4)
    for party in ("citizen", "agent"):
        starts = [segment.start_seconds for segment in home.sink.segments if segment.party == party]
        assert starts == sorted(starts)
        assert len(starts) == 2


def test_a_number_in_pieces_is_masked_and_its_beginning_amended(house: Callable[..., House]) -> None:
    home = house(["号码是一三八零零", "一三八零零零"])
    tap = home.open()
    home.say(tap, 1.0)
    home.say(tap, 1.0)
    home.wait(lambda: len(home.sink.segments) == 2 and home.sink.amendments)
    first, second = home.sink.segments
    assert home.sink.amendments == [(first.segment_id, "号码是〔电话号〕")]
    assert second.text == "〔电话号〕"


def test_nothing_is_heard_on_hold_and_the_time_goes_on(house: Callable[..., House]) -> None:
    home = house(["之前", "之后"])
    tap = home.open()
    home.say(tap, 1.0)
    home.wait(lambda: len(home.sink.segments) == 1)
    home.live.hold(home.call_id, "citizen", True)
    home.say(tap, 5.0)
    home.wait(lambda: not home.server.buffers[tap]._chunks)
    home.live.hold(home.call_id, "citizen", False)
    home.say(tap, 1.0)
    home.wait(lambda: len(home.sink.segments) == 2)
    assert home.sink.segments[1].start_seconds == pytest.approx(1.7 + 5.7, abs=0.3)


def test_a_decoder_that_is_away_for_a_moment_loses_nothing(house: Callable[..., House]) -> None:
    home = house(["还在"])
    home.decoder.failures = 1
    home.say(home.open(), 1.0)
    home.wait(lambda: [segment.text for segment in home.sink.segments] == ["还在"])


def test_a_database_that_is_away_for_a_moment_loses_nothing(house: Callable[..., House]) -> None:
    home = house(["一", "二"])
    home.sink.failures = 1
    tap = home.open()
    home.say(tap, 1.0)
    home.say(tap, 1.0)
    home.wait(lambda: [segment.text for segment in home.sink.segments] == ["一", "二"])


def test_behind_is_said_and_old_work_is_shed_and_said(house: Callable[..., House]) -> None:
    home = house([f"第{n}句" for n in range(9)], rules=LiveRules(shed_seconds=8, lag_seconds=3, tell_seconds=0.5))
    home.decoder.may_go.clear()
    tap = home.open()
    for _ in range(8):
        home.say(tap, 1.0)
        time.sleep(0.05)
    home.wait(lambda: any(shed for _, shed in home.sink.lags))
    assert max(seconds for seconds, _ in home.sink.lags) >= 3
    home.decoder.may_go.set()
    home.wait(lambda: home.sink.lags[-1][0] == 0)
    assert home.live.shed >= 3
    assert home.live.shed + home.live.decoded == 8
    home.wait(lambda: len(home.sink.segments) == home.live.decoded)


def test_the_end_of_a_call_ends_what_is_being_said(house: Callable[..., House]) -> None:
    home = house(["没说完"])
    tap = home.open()
    home.say(tap, 1.0, pause=0)
    home.live.close(home.call_id)
    assert home.live.drain(5)
    assert [segment.text for segment in home.sink.segments] == ["没说完"]
    assert home.live.totals()["utterances_decoded"] == 1


def test_text_that_is_nothing_is_not_stored(house: Callable[..., House]) -> None:
    home = house(["。。。", "有话"])
    tap = home.open()
    home.say(tap, 1.0)
    home.say(tap, 1.0)
    home.wait(lambda: home.sink.segments)
    assert [segment.text for segment in home.sink.segments] == ["有话"]


def test_what_a_pause_may_have_ended_is_decoded_in_the_pause_and_written_at_its_end(house: Callable[..., House]) -> None:
    home = house(["说完了"], workers=2)
    tap = home.open()
    home.say(tap, 1.0, pause=0.35)
    home.wait(home.is_drafted)
    assert home.sink.segments == []
    home.say(tap, 0, pause=0.3)
    home.wait(lambda: home.sink.segments)
    (segment,) = home.sink.segments
    assert segment.text == "说完了"
    assert segment.hops["decode_end"] == pytest.approx(segment.hops["endpoint"], abs=0.005)
    assert len(home.decoder.asked) == 1


def test_who_speaks_on_after_a_pause_is_heard_whole_and_once(house: Callable[..., House]) -> None:
    home = house(["说到一半", "说到一半又说完"], workers=2)
    tap = home.open()
    home.say(tap, 1.0, pause=0.35)
    home.wait(home.is_drafted)
    home.say(tap, 1.0)
    home.wait(lambda: home.sink.segments)
    (segment,) = home.sink.segments
    assert segment.text == "说到一半又说完"
    assert segment.end_seconds - segment.start_seconds == pytest.approx(2.55, abs=0.1)
    totals = home.live.totals()
    assert (totals["utterances_decoded"], totals["drafts_withdrawn"]) == (1, 1)
