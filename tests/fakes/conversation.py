"""A citizen whose words are given."""

import uuid


class FakeConversation:
    """Remembers what was said in each call."""

    def __init__(self) -> None:
        self._said: dict[uuid.UUID, str] = {}

    def say(self, call_id: uuid.UUID, text: str) -> None:
        """Let the citizen say something more."""
        self._said[call_id] = self._said.get(call_id, "") + text

    def citizen_tail(self, call_id: uuid.UUID, characters: int = 45) -> str:
        return self._said.get(call_id, "")[-characters:]
