"""The AudioSocket server: one event loop in one thread reads every tap and does nothing else.

Only announced taps are let in. It writes nothing into a connection, and nothing that listens can make it wait.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from core.errors import UnavailableError
from telephony.speech.audiosocket import AudioArrived, AudioSocketError, AudioSocketProtocol, TapEnded, TapNamed
from telephony.speech.tap_buffer import TapBuffer, TapCounters

log = structlog.get_logger()
_NAMING_SECONDS: Final = 10.0  # a connection that says nothing for so long is no tap


class TapServer:
    """Accepts taps on one address and fills their buffers."""

    def __init__(self, host: str, port: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._host, self._port = host, port
        self._monotonic = monotonic
        self._expected: dict[uuid.UUID, TapBuffer] = {}
        self._connections: dict[uuid.UUID, _Connection] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None
        self.counters: Counter[str] = Counter()
        self._finished = TapCounters()

    @property
    def address(self) -> str:
        """Where Asterisk is to send taps, as `host:port`."""
        return f"{self._host}:{self._port}"

    def start(self) -> None:
        """Listen. Port 0 takes a free one.

        Raises:
            UnavailableError: the address is taken or not this machine's.
        """
        started: threading.Event = threading.Event()
        failure: list[OSError] = []

        def run() -> None:
            loop = self._loop = asyncio.new_event_loop()
            try:
                self._server = loop.run_until_complete(loop.create_server(lambda: _Connection(self), self._host, self._port))
                self._port = self._server.sockets[0].getsockname()[1]
            except OSError as error:
                failure.append(error)
                return
            finally:
                started.set()
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

        self._thread = threading.Thread(target=run, name="taps", daemon=True)
        self._thread.start()
        started.wait()
        if failure:
            raise UnavailableError(f"cannot listen for taps on {self.address} ({failure[0]}): set AUDIOSOCKET_HOST and _PORT")

    def stop(self) -> None:
        """Close every connection and end the thread."""
        loop = self._loop
        if loop is None or self._thread is None or not self._thread.is_alive():
            return

        def shut() -> None:
            if self._server is not None:
                self._server.close()
            for connection in list(self._connections.values()):
                connection.close()
            loop.call_soon(loop.stop)

        loop.call_soon_threadsafe(shut)
        self._thread.join(5)

    def expect(self, tap_id: uuid.UUID) -> TapBuffer:
        """Let one connection in under this name, and return what it will fill."""
        buffer = TapBuffer()
        self._expected[tap_id] = buffer
        return buffer

    def drop(self, tap_id: uuid.UUID) -> None:
        """Close the tap, whether it has come or not."""
        buffer = self._expected.pop(tap_id, None)
        if buffer is not None:
            buffer.end()
        connection = self._connections.get(tap_id)
        if connection is not None and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(connection.close)

    def totals(self) -> dict[str, float]:
        """Return what all taps together brought, for the metrics: taps and frames, seconds heard, put in and dropped."""
        open_buffers = [connection.buffer for connection in list(self._connections.values()) if connection.buffer]
        every = [self._finished, *(buffer.counters for buffer in open_buffers)]
        return {
            **{name: float(self.counters[name]) for name in ("taps_opened", "taps_closed", "taps_refused", "protocol_errors")},
            "taps_open": float(len(open_buffers)),
            "frames": float(sum(c.frames for c in every)),
            "heard_seconds": sum(c.seconds for c in every),
            "inserted_seconds": sum(c.inserted_seconds for c in every),
            "dropped_seconds": sum(c.dropped_seconds for c in every),
        }

    def opened(self, tap_id: uuid.UUID, connection: _Connection) -> TapBuffer | None:
        """Answer a connection that named itself: its buffer, or None when nobody waits for it."""
        buffer = self._expected.pop(tap_id, None)
        if buffer is None:
            self.counters["taps_refused"] += 1
            log.warning("tap_refused", tap_id=str(tap_id))
            return None
        self._connections[tap_id] = connection
        self.counters["taps_opened"] += 1
        return buffer

    def closed(self, tap_id: uuid.UUID, buffer: TapBuffer) -> None:
        """Note that a tap is over."""
        self._connections.pop(tap_id, None)
        self.counters["taps_closed"] += 1
        buffer.end()
        for name in TapCounters.__slots__:
            setattr(self._finished, name, getattr(self._finished, name) + getattr(buffer.counters, name))

    def now(self) -> float:
        """Return the clock that arrivals are stamped with."""
        return self._monotonic()


class _Connection(asyncio.Protocol):
    """One connection, from its first byte to its last."""

    def __init__(self, server: TapServer) -> None:
        self._server = server
        self._protocol = AudioSocketProtocol()
        self._transport: asyncio.Transport | None = None
        self._tap_id: uuid.UUID | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.buffer: TapBuffer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._timer = asyncio.get_running_loop().call_later(_NAMING_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        now = self._server.now()
        try:
            messages = self._protocol.receive(data)
        except AudioSocketError as error:
            self._server.counters["protocol_errors"] += 1
            log.warning("tap_garbled", error=str(error))
            self.close()
            return
        for message in messages:
            match message:
                case AudioArrived(rate, samples) if self.buffer is not None:
                    self.buffer.receive(samples, rate, now)
                case TapNamed(tap_id):
                    self._name(tap_id)
                case TapEnded(error_code):
                    if error_code is not None:
                        log.warning("tap_failed", code=error_code)
                    self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._tap_id is not None and self.buffer is not None:
            self._server.closed(self._tap_id, self.buffer)
            self._tap_id = None

    def close(self) -> None:
        """End the connection; what came is kept."""
        if self._transport is not None:
            self._transport.abort()

    def _name(self, tap_id: uuid.UUID) -> None:
        self.buffer = self._server.opened(tap_id, self)
        if self.buffer is None:
            self.close()
            return
        self._tap_id = tap_id

    def _give_up(self) -> None:
        if self._tap_id is None:
            self.close()
