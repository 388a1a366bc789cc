import numpy as np
import pytest

from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.guards import Decoded, Doubt
from telephony.speech.short_window import cut, decode, window_frames


class Network:
    """Answers the short window with the first text and the full one with the second."""

    def __init__(self, short: str, full: str = "full window") -> None:
        self.texts = {False: short, True: full}
        self.asked: list[tuple[int, int, str]] = []

    def __call__(self, pcm: Samples, window_frames: int, beam: int, prompt: str) -> Decoded:
        self.asked.append((window_frames, beam, prompt))
        return Decoded(self.texts[len(self.asked) > 1], -0.2, 0.1)


def speech(seconds: float) -> Samples:
    return np.full(int(seconds * SAMPLE_RATE), 0.1, np.float32)


@pytest.mark.parametrize(
    ("seconds", "frames"),
    [(0.3, 700), (4.0, 700), (5.02, 810), (7.0, 1000), (9.0, 1000), (9.1, 1500), (14.0, 1500), (14.1, 3000), (30.0, 3000)],
)
def test_the_shortest_window_that_holds_the_speech(seconds: float, frames: int) -> None:
    assert window_frames(seconds) == frames


def test_what_is_not_doubted_is_decoded_once() -> None:
    network = Network("我想办居住证")
    heard = decode(network, speech(3), beam=1, prompt="居住证 营业执照")
    assert (heard.text, heard.window_frames, heard.doubt) == ("我想办居住证", 700, None)
    assert network.asked == [(700, 1, "居住证 营业执照")]


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ("我要我要我要我要我要我要我要我要我要", Doubt.REPETITIVE),
        ("说得太快了说得太快了这不可能是真的因为只有一秒", Doubt.TOO_FAST),
        ("坏\ufffd字", Doubt.BROKEN_CHARACTER),
    ],
)
def test_a_doubted_text_is_decoded_again_without_prompt_in_the_full_window(first: str, why: Doubt) -> None:
    network = Network(first, "现在对了")
    heard = decode(network, speech(1), prompt="居住证 营业执照")
    assert (heard.text, heard.window_frames, heard.doubt) == ("现在对了", 3000, why)
    assert network.asked[1] == (3000, 1, "")


def test_an_echo_of_the_prompt_is_replaced_or_dropped() -> None:
    prompt = "居住证 营业执照"
    assert decode(Network("居住证营业执照", "我要居住证"), speech(2), prompt=prompt).text == "我要居住证"
    assert decode(Network("居住证营业执照", ""), speech(2), prompt=prompt).is_dropped


def test_of_two_short_texts_the_longer_is_kept() -> None:
    assert decode(Network("好", ""), speech(6)).text == "好"
    assert decode(Network("好", "好的我知道了"), speech(6)).text == "好的我知道了"


def test_text_that_stays_invented_is_dropped() -> None:
    heard = decode(Network("谢谢观看"), speech(2))
    assert heard.is_dropped
    assert heard.text == ""
    looping = Network("你好" * 20, "你好" * 20)
    assert decode(looping, speech(2)).text == ""


def test_nothing_beyond_thirty_seconds_is_lost() -> None:
    pcm = speech(70)
    pcm[28 * SAMPLE_RATE : 28 * SAMPLE_RATE + 4000] = 0
    pieces = cut(pcm)
    assert sum(map(len, pieces)) == len(pcm)
    assert all(len(piece) <= 30 * SAMPLE_RATE for piece in pieces)
    assert len(pieces[0]) / SAMPLE_RATE == pytest.approx(28.1, abs=0.2)


def test_pieces_are_joined() -> None:
    class Numbered:
        count = 0

        def __call__(self, pcm: Samples, window_frames: int, beam: int, prompt: str) -> Decoded:
            self.count += 1
            return Decoded(f"第{self.count}段话说得足够长了所以不会有人怀疑它是编造出来的")

    assert decode(Numbered(), speech(55)).text.startswith("第1段")
    assert "第2段" in decode(Numbered(), speech(55)).text


def test_no_audio_is_no_text() -> None:
    assert decode(Network("", ""), np.zeros(0, np.float32)).text == ""
