"""Composes hold.wav, the music a waiting caller hears: written for this project, so no licence is needed for it.

    python telephony/asterisk/moh/make_hold_music.py      writes hold.wav beside this file; needs numpy

Sixteen slow bars of plucked pentatonic notes over held chords, soft and in the middle of what a telephone carries, with a fade at
both ends so that the loop has no click. No chance in it: it comes out the same every time.
"""

import wave
from pathlib import Path

import numpy as np

RATE = 8_000
BEAT = 0.56  # seconds
BEATS_A_BAR = 4
FADE_SECONDS = 1.5
LOUDNESS = 0.06  # RMS of full scale: below the prompts, which are at 0.11
CHORDS = ("C3 G3 E4", "A3 E4 C4", "F3 C4 A4", "G3 D4 B3", "C3 G3 E4", "E3 B3 G4", "F3 C4 A4", "G3 D4 G4")
# One string a bar, one sign a beat: a note, - holds on, . rests. The second half answers the first.
MELODY = (
    "E5 - G5 A5", "G5 - E5 -", "C5 D5 E5 C5", "D5 - - .",
    "E5 - G5 C6", "A5 - G5 -", "E5 D5 C5 D5", "C5 - - .",
    "G5 - A5 G5", "E5 - C5 -", "A4 C5 D5 E5", "D5 - - .",
    "C6 - A5 G5", "E5 - G5 -", "A5 G5 E5 D5", "C5 - - .",
)  # fmt: skip
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def frequency(note: str) -> float:
    """Hz of a note such as A4, in equal temperament."""
    semitones = STEPS[note[0]] + 12 * (int(note[1]) - 4) - 9
    return float(440.0 * 2 ** (semitones / 12))


def tone(hz: float, seconds: float, partials: tuple[float, ...], attack: float, decay: float) -> np.ndarray:
    """A decaying sum of partials below 3,400 Hz, with a soft start and end."""
    time = np.arange(int(seconds * RATE)) / RATE
    wanted = [(number, level) for number, level in enumerate(partials, start=1) if number * hz < 3_400]
    sound = sum(level * np.exp(-time * decay * number**0.5) * np.sin(2 * np.pi * hz * number * time) for number, level in wanted)
    return np.asarray(sound * np.minimum(1, time / attack) * np.minimum(1, (seconds - time) / 0.08))


def add(track: np.ndarray, at: float, sound: np.ndarray) -> None:
    start = int(at * RATE)
    sound = sound[: len(track) - start]
    track[start : start + len(sound)] += sound


def compose() -> np.ndarray:
    bar = BEAT * BEATS_A_BAR
    track = np.zeros(int((len(MELODY) * bar + 1.0) * RATE))
    for number, line in enumerate(MELODY):
        begin, signs = number * bar, line.split()
        for note in CHORDS[number % len(CHORDS)].split():
            add(track, begin, 0.16 * tone(frequency(note), bar + 0.6, (1, 0.35, 0.12), attack=0.5, decay=0.35))
        for beat, sign in enumerate(signs):
            if sign not in "-.":
                held = next((i for i, later in enumerate(signs[beat + 1 :]) if later != "-"), BEATS_A_BAR - beat - 1)
                plucked = tone(frequency(sign), BEAT * (held + 2), (1, 0.4, 0.18, 0.06), attack=0.012, decay=2.2)
                add(track, begin + beat * BEAT, 0.5 * plucked)
    return track


def master(track: np.ndarray) -> np.ndarray:
    """A small echo for room, the fades, and the loudness."""
    wet = track.copy()
    for delay, level in ((0.19, 0.25), (0.37, 0.13)):
        shift = int(delay * RATE)
        wet[shift:] += level * track[:-shift]
    ramp = np.sin(np.linspace(0, np.pi / 2, int(FADE_SECONDS * RATE))) ** 2
    wet[: len(ramp)] *= ramp
    wet[-len(ramp) :] *= ramp[::-1]
    return np.asarray(wet * LOUDNESS / np.sqrt(np.mean(wet**2)))


def main() -> None:
    path = Path(__file__).with_name("hold.wav")
    samples = master(compose())
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    print(f"{path}: {len(samples) / RATE:.1f} s, peak {np.abs(samples).max():.2f}")


if __name__ == "__main__":
    main()
