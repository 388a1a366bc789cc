"""A citizen on the telephone made of values: does, whenever it is listened to, what its script says next."""

from collections.abc import Iterable
from pathlib import Path

from survey.ports import LineGoneError, Recorded

SILENCE, HANG_UP, CUT = "silence", "hang up", "cut"


class FakeLine:
    """Give it moves; look at `heard`.

    A move is keys, `say:words`, `silence`, `hang up`, `barge:keys` (pressed into the prompt that comes next), or `cut` (hangs up in
    it). After the last one the citizen hangs up.
    """

    unique_id = "node1-1.1"

    def __init__(self, moves: Iterable[str], variables: dict[str, str] | None = None) -> None:
        self.moves = list(moves)
        self.variables = variables or {}
        self.heard: list[str] = []
        self.files: list[Path] = []
        self.is_hung_up = False
        self._keys = ""
        self._texts: dict[str, str] = {}

    def prompt(self, text: str) -> Path:
        """Return a file for a text, so that `heard` can be read."""
        name = f"/prompts/{len(self._texts)}.wav"
        self._texts[name] = text
        return Path(name)

    def ears(self, file: Path, expected: str = "") -> str:
        """Return what was said in a recorded file."""
        return file.read_text()

    def variable(self, name: str) -> str:
        return self.variables.get(name, "")

    def play(self, file: Path, stop_keys: str) -> str:
        self.heard.append(self._texts.get(str(file), file.stem))
        self._keys = ""
        if self.moves[:1] == [CUT]:
            raise LineGoneError(self.unique_id)
        if stop_keys and self.moves and self.moves[0].startswith("barge:"):
            self._keys = self.moves.pop(0).removeprefix("barge:")
        return self._key()

    def wait_for_key(self, seconds: float) -> str:
        return self._key()

    def record(self, file: Path, seconds: float, silence_seconds: float, stop_keys: str, *, beep: bool = False) -> Recorded:
        move = self.moves.pop(0) if self.moves else HANG_UP
        if move in (HANG_UP, CUT):
            raise LineGoneError(self.unique_id)
        if move == SILENCE:
            return Recorded()
        if move.startswith("say:"):
            file.write_text(move.removeprefix("say:"))
            self.files.append(file)
            return Recorded(file=file)
        self._keys = move
        return Recorded(self._key())

    def hang_up(self) -> None:
        self.is_hung_up = True

    def _key(self) -> str:
        key, self._keys = self._keys[:1], self._keys[1:]
        return key
