"""Live audio of a real Asterisk: one tap a party, without leakage, through hold, transfer and the bridge's return."""

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pytest

from telephony import bridge
from telephony.ports import Pcm
from telephony.speech.audio import read_wav
from telephony.speech.tap_buffer import TapBuffer
from telephony.speech.tap_server import TapServer
from tests.integration.telephony.conftest import SPEECH, Hotline, eventually


class Ears:
    """Keeps the audio of each tap, and what the bridge said of holds and ends."""

    def __init__(self) -> None:
        self.server = TapServer("127.0.0.1", 0)
        self.server.start()
        self.taps: list[tuple[str, TapBuffer]] = []
        self.told: list[tuple[str, str, bool]] = []
        self.closed: list[uuid.UUID] = []
        self._lock = threading.Lock()

    def open(self, call_id: uuid.UUID, party: str, tap_id: uuid.UUID, origin_at: datetime) -> str:
        self.taps.append((party, self.server.expect(tap_id)))
        return self.server.address

    def hold(self, call_id: uuid.UUID, party: str, on: bool) -> None:
        self.told.append(("hold", party, on))

    def close(self, call_id: uuid.UUID) -> None:
        self.closed.append(call_id)

    def frames(self, party: str) -> int:
        return sum(tap.counters.frames for who, tap in self.taps if who == party)

    def heard(self, party: str) -> Pcm:
        with self._lock:
            chunks = [chunk for who, tap in self.taps if who == party for chunk in tap.take(float("inf"))]
        parts = [chunk.pcm if chunk.pcm is not None else np.zeros(chunk.gap, np.float32) for chunk in chunks]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def share_of_tone(audio: Pcm, hertz: float) -> float:
    """Return how much of the energy lies within 20 Hz of a tone."""
    power = np.abs(np.fft.rfft(audio)) ** 2
    frequencies = np.fft.rfftfreq(len(audio), 1 / 16000)
    return float(power[np.abs(frequencies - hertz) < 20].sum() / max(power.sum(), 1e-9))


@pytest.fixture
def ears(hotline: Hotline) -> Iterator[Ears]:
    hotline.stop_bridge()
    ears = Ears()
    hotline.live_text = ears
    hotline.start_bridge()
    yield ears
    hotline.stop_bridge()
    ears.server.stop()


def test_each_party_has_a_tap_without_leakage(hotline: Hotline, ears: Ears) -> None:
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    citizen = hotline.ring(speak_after=1.5, stay_seconds=9)
    eventually(lambda: hotline.state(agent_id) == "talking")
    citizen.wait_for("ended", timeout=20)
    eventually(lambda: ears.closed)
    assert [party for party, _ in ears.taps] == ["citizen", "agent"]
    agent, spoken = ears.heard("agent"), ears.heard("citizen")
    assert share_of_tone(agent[16000:64000], 440) > 0.95
    assert share_of_tone(spoken, 440) < 0.1
    assert envelope_correlation(spoken, read_wav(SPEECH).at_16k()) > 0.95
    assert all(tap.is_ended for _, tap in ears.taps)


def test_hold_is_told_and_a_new_agent_gets_a_tap_of_their_own(hotline: Hotline, ears: Ears) -> None:
    first, phone = hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=40)
    eventually(lambda: hotline.state(first) == "talking")
    eventually(lambda: ears.frames("agent") > 20 and ears.frames("citizen") > 20)
    phone.do("hold")
    eventually(lambda: ears.told[-2:] == [("hold", "citizen", True), ("hold", "agent", True)])
    phone.do("resume")
    eventually(lambda: ears.told[-2:] == [("hold", "citizen", False), ("hold", "agent", False)])
    second, _ = hotline.seat("8002", ("enterprise",), pick_up_after=0)
    hotline.service.transfer_call(hotline.only_call().id, "8002")
    eventually(lambda: hotline.state(second) == "talking")
    assert [party for party, _ in ears.taps] == ["citizen", "agent", "agent"]
    eventually(lambda: ears.taps[1][1].is_ended)
    assert not ears.taps[0][1].is_ended
    eventually(lambda: ears.taps[2][1].counters.frames > 20)
    assert ears.told[-1][2] is False
    assert ears.closed == []


def test_a_bridge_that_comes_back_listens_again(hotline: Hotline, ears: Ears) -> None:
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=40)
    eventually(lambda: ears.frames("citizen") > 20)
    hotline.stop_bridge()
    hotline.start_bridge()
    eventually(lambda: len(ears.taps) == 4)
    before = ears.taps[2][1].counters.frames
    eventually(lambda: ears.taps[2][1].counters.frames > before + 20)
    assert hotline.state(agent_id) == "talking"


def test_a_hold_that_ended_while_the_bridge_was_away(hotline: Hotline, ears: Ears) -> None:
    agent_id, phone = hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=40)
    eventually(lambda: ears.frames("citizen") > 20)
    phone.do("hold")
    eventually(lambda: hotline.state(agent_id) == "held")
    hotline.stop_bridge()
    phone.do("resume")
    hotline.start_bridge()
    eventually(lambda: hotline.state(agent_id) == "talking")
    eventually(lambda: ears.told[-2:] == [("hold", "citizen", False), ("hold", "agent", False)])
    assert hotline.story(hotline.only_call().id)[-2:] == ["held", "resumed"]


def test_a_tap_that_failed_or_broke_off_is_opened_again(hotline: Hotline, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    hotline.stop_bridge()
    monkeypatch.setattr(bridge, "_COMPARE_SECONDS", 1.0)
    ears.server.stop()
    hotline.start_bridge()
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=60)
    eventually(lambda: hotline.state(agent_id) == "talking")
    eventually(lambda: len(ears.taps) >= 4)
    ears.server.start()
    eventually(lambda: ears.frames("citizen") > 20 and ears.frames("agent") > 20)
    ears.server.stop()
    before = ears.frames("citizen"), ears.frames("agent")
    ears.server.start()
    eventually(lambda: ears.frames("citizen") > before[0] + 20 and ears.frames("agent") > before[1] + 20)
    assert ears.server.totals()["taps_open"] == 2


def test_without_anybody_listening_the_call_goes_on(hotline: Hotline, ears: Ears) -> None:
    ears.server.stop()
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    citizen = hotline.ring(stay_seconds=4)
    eventually(lambda: hotline.state(agent_id) == "talking")
    citizen.wait_for("ended")
    eventually(lambda: hotline.only_call().outcome == "answered")
    eventually(lambda: {row.state for row in hotline.recordings()} == {"kept"})


def envelope_correlation(heard: Pcm, sent: Pcm) -> float:
    """Return the best correlation of loudness (20 ms blocks) over all shifts."""

    def envelope(audio: Pcm) -> Pcm:
        blocks = audio[: len(audio) // 320 * 320].reshape(-1, 320)
        return np.sqrt(np.square(blocks).mean(axis=1))

    long, short = envelope(heard), envelope(sent)
    assert len(long) >= len(short)
    return max(float(np.corrcoef(long[at : at + len(short)], short)[0, 1]) for at in range(len(long) - len(short) + 1))
