"""A clock that stands still until told to move."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Starts on a Wednesday morning of the hall."""

    def __init__(self, now: datetime = datetime(2026, 3, 18, 2, 30, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
