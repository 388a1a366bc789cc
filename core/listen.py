"""LISTEN on PostgreSQL for ever: reconnects by itself, and says when it did, for what was notified meanwhile is gone."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import structlog
from psycopg import sql

from core.database import libpq_url

log = structlog.get_logger()


@dataclass(frozen=True)
class Notification:
    """One wake-up. `channel` is empty on the beat that follows a connect or a silent `beat_seconds`."""

    channel: str
    payload: str
    is_reconnect: bool = False


class Listener:
    """Iterates the notifications of some channels, with an empty beat at least every `beat_seconds`."""

    def __init__(self, url: str, channels: list[str], beat_seconds: float = 5.0) -> None:
        self._url = libpq_url(url)
        self._channels = channels
        self._beat_seconds = beat_seconds
        self._stopping = False

    def stop(self) -> None:
        """End the iteration at the next beat."""
        self._stopping = True

    def __iter__(self) -> Iterator[Notification]:
        wait = 0.2
        while not self._stopping:
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    for channel in self._channels:
                        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    wait = 0.2
                    yield Notification("", "", is_reconnect=True)
                    while not self._stopping:
                        heard = False
                        for notify in connection.notifies(timeout=self._beat_seconds, stop_after=1):
                            heard = True
                            yield Notification(notify.channel, notify.payload)
                        if not heard:
                            yield Notification("", "")
            except psycopg.Error as error:
                log.warning("listen_lost", error=type(error).__name__, retry_seconds=wait)
                time.sleep(wait)
                wait = min(wait * 2, 5.0)
