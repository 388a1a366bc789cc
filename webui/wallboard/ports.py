"""What the hall screen needs of the outside."""

from dataclasses import dataclass
from typing import Protocol

from core.errors import UnavailableError
from webui.wallboard.webhook_addresses import WebhookAddress


class HallSystemUnavailableError(UnavailableError):
    """The hall's system did not take the figures. `why` is refused_address, unknown_host, no_connection, timeout, tls or status."""

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why if status is None else f"{why} {status}")
        self.why = why
        self.answered = status


@dataclass(frozen=True)
class Delivered:
    """The hall's system took them."""

    status: int
    milliseconds: int


class HallSystem(Protocol):
    """The hall's own multimedia system, which shows our figures in its way."""

    def push(self, address: WebhookAddress, headers: dict[str, str], body: bytes) -> Delivered:
        """Hand over one message; follow no redirect, read no answer beyond its status, and return within seconds.

        Raises:
            HallSystemUnavailableError: it was not taken.
        """
        ...
