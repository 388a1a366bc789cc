"""Decodes an utterance with a window little longer than itself instead of one of 30 s, and mistrusts the result.

Whisper's encoder costs the same for one second as for thirty; a third of the window is a third of the price. What the short
window gives is believed only when `guards` finds nothing odd about it; else it is decoded once more as Whisper was trained.
The network itself stays behind `WindowDecoder`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from telephony.speech.endpointing import SAMPLE_RATE, Samples
from telephony.speech.guards import Decoded, Doubt, doubt, is_invented, letters

FRAMES_A_SECOND: Final = 100
FULL_WINDOW: Final = 3000
LONGEST_SECONDS: Final = 30.0


class WindowDecoder(Protocol):
    """Runs the network once over `window_frames` mel frames (10 ms each) and returns what it wrote."""

    def __call__(self, pcm: Samples, window_frames: int, beam: int, prompt: str) -> Decoded: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """The believed text of an utterance ("" when it was nothing), how sure the network was (0..1), and how it came about."""

    text: str
    confidence: float
    window_frames: int
    doubt: Doubt | None = None
    is_dropped: bool = False


def window_frames(seconds: float) -> int:
    """Return the mel frames to give an utterance of `seconds`; with less than 3 s to spare, or below 7 s, more texts loop."""
    if seconds <= 9:
        return min(1000, max(700, math.ceil((seconds + 3) * 10) * 10))
    return 1500 if seconds <= 14 else FULL_WINDOW


def decode(decoder: WindowDecoder, pcm: Samples, *, beam: int = 1, prompt: str = "") -> Heard:
    """Decode `pcm` (16 kHz, −1..1); audio beyond 30 s is cut into pieces at its weakest places."""
    pieces = cut(pcm)
    if len(pieces) == 1:
        return _decode_piece(decoder, pieces[0], beam, prompt)
    heard = [_decode_piece(decoder, piece, beam, prompt) for piece in pieces]
    return Heard(
        text="".join(h.text for h in heard),
        confidence=min(h.confidence for h in heard),
        window_frames=max(h.window_frames for h in heard),
        doubt=next((h.doubt for h in heard if h.doubt), None),
        is_dropped=all(h.is_dropped for h in heard),
    )


def cut(pcm: Samples, longest_seconds: float = LONGEST_SECONDS) -> list[Samples]:
    """Split audio that no window holds; each cut falls in the quietest 100 ms of the last quarter before the limit."""
    longest = int(longest_seconds * SAMPLE_RATE)
    pieces = []
    while len(pcm) > longest:
        step = SAMPLE_RATE // 10
        first = longest * 3 // 4
        blocks = pcm[first : first + (longest - first) // step * step].reshape(-1, step)
        at = first + int(np.argmin(np.square(blocks).mean(axis=1))) * step + step // 2
        pieces.append(pcm[:at])
        pcm = pcm[at:]
    return [*pieces, pcm]


def _decode_piece(decoder: WindowDecoder, pcm: Samples, beam: int, prompt: str) -> Heard:
    seconds = len(pcm) / SAMPLE_RATE
    frames = window_frames(seconds)
    first = decoder(pcm, frames, beam, prompt)
    why = doubt(first, seconds, prompt)
    believed, used = first, frames
    if why is not None:
        # Without the prompt: an echo must not come back, and a loop often starts from it.
        again = decoder(pcm, FULL_WINDOW, 1, "")
        used = FULL_WINDOW
        # A short answer after a long silence is real; of two short texts the longer has heard more.
        keep_first = why is Doubt.TOO_LITTLE and len(letters(again.text)) <= len(letters(first.text))
        believed = first if keep_first else again
        prompt = prompt if keep_first else ""
    believed = Decoded(believed.text.replace("\ufffd", ""), believed.mean_log_probability, believed.no_speech_probability)
    dropped = is_invented(believed, seconds, prompt)
    confidence = min(1.0, math.exp(min(0.0, believed.mean_log_probability)))
    return Heard("" if dropped else believed.text.strip(), confidence, used, why, dropped)
