"""What survey needs, as roles: a telephone line to speak on, and a voice that reads prompts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.errors import NotFoundError, UnavailableError


class LineGoneError(NotFoundError):
    """The citizen hung up, or the line was cut."""


class LineLostError(UnavailableError):
    """The exchange does not answer any more; the call may go on, and whoever finds it waiting takes it up again."""


@dataclass(frozen=True)
class Recorded:
    """What came of listening: a key, a file with what was said, both, or neither."""

    key: str = ""
    file: Path | None = None


class Line(Protocol):
    """A citizen on the telephone. Every method raises LineGoneError and LineLostError; keys are 0–9, * and #, or empty."""

    @property
    def unique_id(self) -> str:
        """The exchange's name of the citizen's channel."""
        ...

    def variable(self, name: str) -> str:
        """Return what the dialplan set, or nothing."""
        ...

    def play(self, file: Path, stop_keys: str) -> str:
        """Play a WAV file to its end or to a key of `stop_keys`, which is returned."""
        ...

    def wait_for_key(self, seconds: float) -> str:
        """Return the key pressed within so many seconds."""
        ...

    def record(self, file: Path, seconds: float, silence_seconds: float, stop_keys: str, *, beep: bool = False) -> Recorded:
        """Record into a WAV file until a key, so long a silence, or the time is over.

        What was said before a hang-up is returned like all else: the next call raises LineGoneError.
        """
        ...

    def hang_up(self) -> None:
        """End the call; one that has ended is no error."""
        ...


class Lines(Protocol):
    """Where calls that wait for us come from."""

    def start(self, on_call: Callable[[Line], None]) -> None:
        """Take calls from now on, each on a thread of its own; also those that have been waiting."""
        ...

    def close(self) -> None:
        """Take no more calls; those that go on are left to whoever comes next."""
        ...


class PromptVoice(Protocol):
    """Reads texts aloud."""

    def render(self, texts: Mapping[str, str], folder: Path) -> None:
        """Write `<name>.wav` for each text, 8 kHz mono 16-bit.

        Raises:
            UnavailableError: the voice is not installed on this machine, or failed.
        """
        ...
