"""One bound SMPP 3.4 session (transceiver) kept by a thread of its own: it binds, listens, asks for signs of life, binds again.

Whoever sends waits for the answer to their own sequence number; everything that arrives unasked goes to one callback.
"""

from __future__ import annotations

import contextlib
import logging
import select
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswerInTimeError
from dataclasses import dataclass
from typing import Any

import structlog
from smpplib import consts, exceptions, smpp
from smpplib.client import Client

log = structlog.get_logger()
# At DEBUG the library writes whole messages into the log.
logging.getLogger("smpp").setLevel(logging.CRITICAL)
logging.getLogger("smpplib.command").setLevel(logging.CRITICAL)

BROKEN = (
    *(exceptions.ConnectionError, exceptions.PDUError, exceptions.UnknownCommandError),
    *(OSError, struct.error, ValueError, KeyError, IndexError, AttributeError, TypeError),
)
"""What the library raises for a lost connection and for bytes that are no PDU."""
_HEADER = struct.Struct(">LLLL")
_LARGEST_PDU = 64 * 1024
_TICK_SECONDS = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class NotSentError(Exception):
    """The request did not go out: no session, or it broke before the last octet."""


class NoAnswerError(Exception):
    """The request went out and no answer came: it may have been taken."""


@dataclass(frozen=True, slots=True)
class SmppLogin:
    """Where to bind, and as whom."""

    host: str
    port: int
    system_id: str
    password: str
    system_type: str = ""


class SmppSession:
    """Args: `on_deliver` is given each deliver_sm and returns the status to answer it with."""

    def __init__(
        self, login: SmppLogin, on_deliver: Callable[[Any], int], *, timeout_seconds: float, enquire_seconds: float
    ) -> None:
        self._login = login
        self._on_deliver = on_deliver
        self._timeout = timeout_seconds
        self._enquire = enquire_seconds
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._bound = threading.Event()
        self._pending: dict[int, Future[Any]] = {}
        self._thread = threading.Thread(target=self._run, name="smpp", daemon=True)
        self._heard_at = self._asked_at = 0.0
        self.problem = ""

    def start(self) -> None:
        """Begin to hold the session; it mends itself."""
        self._thread.start()

    def close(self) -> None:
        """Unbind and end the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._timeout + 2)

    def wait_until_bound(self, seconds: float) -> bool:
        """Wait until the server took the bind; say whether it did."""
        return self._bound.wait(seconds)

    def ask(self, command: str, **fields: Any) -> Any:
        """Send a request and return the answer to it, an error status included.

        Raises:
            NotSentError, NoAnswerError: what they say.
        """
        answer: Future[Any] = Future()
        with self._lock:
            client = self._client
            if client is None or not self._bound.is_set():
                raise NotSentError(self.problem or "not bound yet")
            request = smpp.make_pdu(command, client=client, **fields)
            self._pending[request.sequence] = answer
            try:
                client.send_pdu(request)
            except BROKEN as error:
                # Octets are missing: a server drops what never became a whole PDU.
                self._pending.pop(request.sequence, None)
                raise NotSentError(type(error).__name__) from error
        try:
            return answer.result(self._timeout)
        except NoAnswerInTimeError:
            raise NoAnswerError("timeout") from None
        finally:
            self._pending.pop(request.sequence, None)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            client = Client(
                self._login.host, self._login.port, timeout=self._timeout, logger_name="smpp", allow_unknown_opt_params=True
            )
            try:
                self._bind(client)
                pause = _FIRST_PAUSE
                self._listen(client)
                self.problem = "connection ended"
            except BROKEN as error:
                self.problem = _words(error)
                log.warning("smpp_session_broken", error=self.problem)
            finally:
                self._let_go(client)
            self._stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _bind(self, client: Client) -> None:
        client.connect()
        login = self._login
        client.bind_transceiver(system_id=login.system_id, password=login.password, system_type=login.system_type)
        log.info("smpp_bound", host=login.host, port=login.port)
        self._heard_at = self._asked_at = time.monotonic()
        with self._lock:
            self._client = client
        self.problem = ""
        self._bound.set()

    def _listen(self, client: Client) -> None:
        """Read until the server ends the session, falls silent, or we are told to stop."""
        waiting = b""
        while not self._stopping.is_set():
            self._enquire_when_due(client)
            readable, _, _ = select.select([client._socket], [], [], _TICK_SECONDS)
            if not readable:
                continue
            heard = client._socket.recv(65536)
            if not heard:
                return
            self._heard_at = time.monotonic()
            waiting += heard
            while (cut := _first_pdu(waiting)) is not None:
                raw, waiting = cut
                if not self._receive(client, raw):
                    return

    def _enquire_when_due(self, client: Client) -> None:
        now = time.monotonic()
        if now - self._heard_at > self._enquire + self._timeout:
            raise exceptions.ConnectionError("silent")
        if now - max(self._heard_at, self._asked_at) > self._enquire:
            self._asked_at = now
            self._tell(client, smpp.make_pdu("enquire_link", client=client))

    def _receive(self, client: Client, raw: bytes) -> bool:
        """Act on one PDU; False when the session is over."""
        _length, command, status, sequence = _HEADER.unpack(raw[: _HEADER.size])
        try:
            pdu = smpp.parse_pdu(raw, client=client, allow_unknown_opt_params=True)
        except BROKEN:
            self._answer_nonsense(client, command, status, sequence)
            return True
        if pdu.command in {"submit_sm_resp", "generic_nack"}:
            if (answer := self._pending.pop(sequence, None)) is not None:
                answer.set_result(pdu)
        elif pdu.command == "deliver_sm":
            self._reply(client, "deliver_sm_resp", sequence, self._on_deliver(pdu))
        elif pdu.command == "enquire_link":
            self._reply(client, "enquire_link_resp", sequence)
        elif pdu.command == "unbind":
            self._reply(client, "unbind_resp", sequence)
            return False
        return True

    def _answer_nonsense(self, client: Client, command: int, status: int, sequence: int) -> None:
        """A request that cannot be read is refused, or the server would send it for ever; such an answer is none."""
        log.warning("smpp_unreadable", command=hex(command), status=status)
        if command == 0x00000005:
            self._reply(client, "deliver_sm_resp", sequence, consts.SMPP_ESME_RX_R_APPN)
        elif not command & 0x80000000:
            self._reply(client, "generic_nack", sequence, consts.SMPP_ESME_RINVCMDID)

    def _reply(self, client: Client, command: str, sequence: int, status: int = consts.SMPP_ESME_ROK) -> None:
        pdu = smpp.make_pdu(command, client=client)
        pdu.sequence, pdu.status = sequence, status
        self._tell(client, pdu)

    def _tell(self, client: Client, pdu: Any) -> None:
        with self._lock:
            client.send_pdu(pdu)

    def _let_go(self, client: Client) -> None:
        self._bound.clear()
        with self._lock:
            self._client = None
            if self._stopping.is_set():
                with contextlib.suppress(*BROKEN):
                    client.send_pdu(smpp.make_pdu("unbind", client=client))
            with contextlib.suppress(*BROKEN):
                client.disconnect()
            lost, self._pending = list(self._pending.values()), {}
        for answer in lost:
            if not answer.done():
                answer.set_exception(NoAnswerError("connection lost"))


def _first_pdu(waiting: bytes) -> tuple[bytes, bytes] | None:
    """Cut the first whole PDU off; ValueError for a length that none has."""
    if len(waiting) < _HEADER.size:
        return None
    length = int.from_bytes(waiting[:4], "big")
    if not _HEADER.size <= length <= _LARGEST_PDU:
        raise ValueError("not SMPP")
    return (waiting[:length], waiting[length:]) if len(waiting) >= length else None


def _words(error: BaseException) -> str:
    return str(error)[:200] or type(error).__name__
