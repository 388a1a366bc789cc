"""The connection to Asterisk's manager port, on the package asterisk-ami.

What is still the library's: `AMIClient`'s place as the object that one logs in and sends actions with, its `Action`,
`LoginAction`, `LogoffAction` and `Response` types, and the ActionID that ties them. Reader, parser, writer, futures, reconnection
and event delivery are ours, because the library's (0.1.7) lets a caller forge headers, lets a value carry a second action,
goes deaf after three silent seconds, dies with the first failing listener, and returns None where it should raise.

Threads: one owns the socket (connects, logs in, reads, pings, connects again), one runs the listener, so that a slow or
failing listener never stops the reading. `close` ends both.
"""

import contextlib
import itertools
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from asterisk.ami import Action, AMIClient, LoginAction, LogoffAction, Response

from core.errors import ConflictError, UnavailableError
from telephony.ami_protocol import AmiMessage, AmiProtocol, encode

log = structlog.get_logger()

_RECEIVE_BYTES = 65536
_NOT_LOADED = "invalid/unknown command"
_LISTS_END = {"complete", "cancelled"}


class SwitchUnavailableError(UnavailableError):
    """Asterisk's manager port does not answer, or the connection broke before the answer came."""


class SwitchLoginRefusedError(UnavailableError):
    """Asterisk answers, but refuses our name or password."""

    def __init__(self, username: str, reason: str) -> None:
        super().__init__(
            f"Asterisk refused the manager user {username!r}: {reason}. Check AMI_USERNAME and AMI_PASSWORD against manager.conf."
        )
        self.username = username
        self.reason = reason


class SwitchRefusedError(ConflictError):
    """Asterisk understood the action and said no."""

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(f"{action}: {reason}")
        self.action = action
        self.reason = reason


@dataclass(frozen=True)
class AmiAddress:
    """Where the manager port is and who we are there. `host` may be an IPv6 address; `tls` is for a port of manager.conf's TLS."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class AmiTimes:
    """Seconds. A connection that is silent for `ping_every` is asked, and given up when it stays silent to `stalled_after`."""

    connect: float = 5.0
    answer: float = 5.0
    ping_every: float = 10.0
    stalled_after: float = 20.0
    first_wait: float = 0.2
    longest_wait: float = 5.0


@dataclass
class _Pending:
    """An action that waits for its response, and for the events of its list when it has one."""

    wants_list: bool
    done: threading.Event = field(default_factory=threading.Event)
    response: AmiMessage | None = None
    events: list[AmiMessage] = field(default_factory=list)
    error: UnavailableError | None = None

    def fail(self, error: UnavailableError) -> None:
        self.error = error
        self.done.set()


Listener = Callable[[AmiMessage], None]
Notice = Callable[[], None]


def _nothing() -> None:
    return


class AmiClient(AMIClient):  # type: ignore[misc]  # the library has no types
    """One manager connection that mends itself. Safe to use from any thread."""

    def __init__(
        self,
        where: AmiAddress,
        on_event: Listener | None = None,
        on_up: Notice = _nothing,
        on_down: Notice = _nothing,
        times: AmiTimes | None = None,
    ) -> None:
        """Prepare; `start`, or the first action, connects.

        Args:
            where: address and user.
            on_event: called for each event that answers no action, in order, on a thread of its own.
            on_up: called on that thread after each log-in, before the first event of that connection.
            on_down: called on that thread after a connection was lost.
            times: patience.
        """
        super().__init__(address=where.host, port=where.port)
        self._where = where
        self._times = times or AmiTimes()
        self._on_event, self._on_up, self._on_down = on_event, on_up, on_down
        self._pending: dict[str, _Pending] = {}
        self._pending_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._action_ids = itertools.count(1)
        self._deliveries: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._up = threading.Event()
        self._heard_at = 0.0
        self._socket: socket.socket | None = None
        self._last_error: UnavailableError = SwitchUnavailableError("not connected yet")
        self._reader: threading.Thread | None = None
        self._deliverer: threading.Thread | None = None

    # --- life

    def subscribe(self, on_event: Listener, on_up: Notice, on_down: Notice) -> None:
        """Say who hears events and connections; before `start`."""
        self._on_event, self._on_up, self._on_down = on_event, on_up, on_down

    def start(self) -> None:
        """Connect in the background and stay connected until `close`."""
        if self._reader is not None:
            return
        self._reader = threading.Thread(target=self._own_socket, name="ami-socket", daemon=True)
        self._deliverer = threading.Thread(target=self._deliver, name="ami-listener", daemon=True)
        self._deliverer.start()
        self._reader.start()

    def wait_until_up(self, timeout: float) -> None:
        """Block until logged in.

        Raises:
            SwitchLoginRefusedError: at once when Asterisk refuses the user.
            SwitchUnavailableError: not logged in after `timeout` seconds; says why.
        """
        deadline = time.monotonic() + timeout
        while not self._up.wait(0.05):
            if isinstance(self._last_error, SwitchLoginRefusedError):
                raise self._last_error
            if time.monotonic() >= deadline:
                raise SwitchUnavailableError(f"no log-in within {timeout:g} s: {self._last_error}")

    @property
    def is_up(self) -> bool:
        """Whether we are logged in now."""
        return self._up.is_set()

    @property
    def problem(self) -> str:
        """Why we are not logged in, in one sentence; empty while we are."""
        return "" if self._up.is_set() else str(self._last_error)

    def close(self) -> None:
        """Log off when logged in, close the socket and end both threads."""
        if self._closing.is_set():
            return
        if self._up.is_set():
            try:
                self._write(LogoffAction())
            except UnavailableError as error:
                log.debug("ami_logoff_failed", error=str(error))
        self._closing.set()
        self._wake_reader()
        self._deliveries.put(None)
        for thread in (self._reader, self._deliverer):
            if thread is not None and thread is not threading.current_thread():
                thread.join(self._times.connect + 1)

    # --- the library's names, so that its users find what they expect

    def connect(self) -> None:
        """Start and wait for the first log-in."""
        self.start()
        self.wait_until_up(self._times.connect)

    def disconnect(self) -> None:
        """Close for good."""
        self.close()

    def login(self, username: str, secret: str, callback: object = None) -> None:
        """Refuse: the user is given when the client is made, since every reconnection logs in again."""
        raise NotImplementedError("give the user in AmiAddress")

    def logoff(self, callback: object = None) -> None:
        """Log off and close; harmless before any log-in."""
        self.close()

    # --- actions

    def send_action(self, action: Action, callback: object = None) -> Response:
        """Send an action of the library and wait for its response.

        Raises:
            AmiActionError: it cannot be sent as one action.
            SwitchUnavailableError: no connection, or no answer in time.
            SwitchRefusedError: Asterisk answered with an error.
        """
        return _as_response(self._ask(action, wants_list=False).response)

    def request(self, name: str, keys: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None) -> Response:
        """Send the named action and wait for its response; raises as `send_action`."""
        return self.send_action(Action(name, dict(keys or {}), dict(variables or {})))

    def request_list(self, name: str, keys: Mapping[str, str] | None = None) -> list[AmiMessage]:
        """Send an action that answers with a list, wait for its end, return its events without the closing one."""
        return self._ask(Action(name, dict(keys or {})), wants_list=True).events

    def _ask(self, action: Action, wants_list: bool) -> _Pending:
        if self._reader is None:
            # The first action connects: a process that never needs the exchange never asks for it.
            self.start()
            self.wait_until_up(self._times.connect)
        if not self._up.is_set():
            if isinstance(self._last_error, SwitchLoginRefusedError):
                raise self._last_error
            raise SwitchUnavailableError(f"{action.name}: {self._last_error}")
        return self._exchange(action, wants_list)

    def _exchange(self, action: Action, wants_list: bool = False) -> _Pending:
        action_id = f"tj-{next(self._action_ids)}"
        action.keys["ActionID"] = action_id
        pending = _Pending(wants_list)
        with self._pending_lock:
            self._pending[action_id] = pending
        try:
            self._write(action)
            if not pending.done.wait(self._times.answer):
                raise SwitchUnavailableError(f"{action.name}: no answer within {self._times.answer:g} s")
        finally:
            with self._pending_lock:
                self._pending.pop(action_id, None)
        if pending.error is not None:
            raise pending.error
        if pending.response is not None and pending.response.name.lower() == "error":
            reason = pending.response.get("Message", "no reason given")
            if reason.lower().startswith(_NOT_LOADED):
                # The port answers before the modules behind it are there.
                raise SwitchUnavailableError(f"{action.name}: Asterisk is still starting, or lacks a module")
            raise SwitchRefusedError(action.name, reason)
        return pending

    def _write(self, action: Action) -> None:
        data = encode(action.name, [(key, str(value)) for key, value in action.keys.items()], action.variables)
        connection = self._socket
        if connection is None:
            raise SwitchUnavailableError("not connected")
        try:
            with self._write_lock:
                connection.sendall(data)
        except OSError as error:
            # Part of it may have gone out: nothing more can follow on this connection.
            self._wake_reader()
            raise SwitchUnavailableError(f"{action.name}: {error}") from error

    # --- the thread that owns the socket

    def _own_socket(self) -> None:
        wait = self._times.first_wait
        while not self._closing.is_set():
            was_up = False
            try:
                protocol = self._open()
                self._authenticate(protocol)
                was_up, wait = True, self._times.first_wait
                self._up.set()
                log.info("ami_up", host=self._where.host, port=self._where.port)
                self._deliveries.put(self._on_up)
                self._read(protocol)
            except UnavailableError as error:
                self._last_error = error
            except OSError as error:
                self._last_error = SwitchUnavailableError(str(error) or type(error).__name__)
            self._up.clear()
            self._drop_socket()
            self._fail_pending(self._last_error)
            if was_up:
                self._deliveries.put(self._on_down)
            if not self._closing.is_set():
                log.warning("ami_down", error=str(self._last_error), retry_seconds=wait)
                self._closing.wait(wait)
                wait = min(wait * 2, self._times.longest_wait)

    def _open(self) -> AmiProtocol:
        host = self._where.host.strip("[]")
        connection = socket.create_connection((host, self._where.port), self._times.connect)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._where.tls is not None:
            connection = self._where.tls.wrap_socket(connection, server_hostname=host)
        self._socket = connection
        if self._closing.is_set():
            raise SwitchUnavailableError("closing")
        return AmiProtocol()

    def _authenticate(self, protocol: AmiProtocol) -> None:
        """Log in on the socket's own thread: nothing else may be sent before it."""
        action = LoginAction(self._where.username, self._where.password)
        action.keys |= {"ActionID": "tj-login", "Events": "on" if self._on_event is not None else "off"}
        deadline = time.monotonic() + self._times.answer
        sent = False
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise SwitchUnavailableError("Asterisk accepted the connection and said nothing")
            for message in self._receive(protocol, left):
                if message.kind == "response" and message.get("ActionID") == "tj-login":
                    if message.name.lower() != "success":
                        raise SwitchLoginRefusedError(self._where.username, message.get("Message", "no reason given"))
                    return
                self._accept(message)
            if protocol.greeting is not None and not sent:
                self._write(action)
                sent = True

    def _receive(self, protocol: AmiProtocol, timeout: float) -> list[AmiMessage]:
        connection = self._socket
        if connection is None:
            raise SwitchUnavailableError("closed")
        # Polled, not timed: writers on other threads share the socket and its time-out.
        ready = select.poll()
        ready.register(connection, select.POLLIN)
        already = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        if not already and not ready.poll(max(timeout, 0.01) * 1000):
            return []
        data = connection.recv(_RECEIVE_BYTES)
        if not data:
            raise SwitchUnavailableError("Asterisk closed the connection")
        self._heard_at = time.monotonic()
        return protocol.receive(data)

    def _read(self, protocol: AmiProtocol) -> None:
        self._heard_at = asked_at = time.monotonic()
        while not self._closing.is_set():
            for message in self._receive(protocol, min(1.0, self._times.ping_every / 2)):
                self._accept(message)
            now = time.monotonic()
            if now - self._heard_at > self._times.stalled_after:
                raise SwitchUnavailableError(f"Asterisk was silent for {self._times.stalled_after:g} s")
            if now - max(self._heard_at, asked_at) > self._times.ping_every:
                asked_at = now
                self._write(Action("Ping", {"ActionID": "tj-ping"}))

    def _accept(self, message: AmiMessage) -> None:
        with self._pending_lock:
            pending = self._pending.get(message.get("ActionID"))
        if message.kind == "response":
            if pending is not None:
                pending.response = message
                starts_list = pending.wants_list and message.name.lower() != "error" and message.get("EventList").lower() == "start"
                if not starts_list:
                    pending.done.set()
        elif message.kind == "event":
            if pending is not None and pending.wants_list:
                if message.get("EventList").lower() in _LISTS_END:
                    pending.done.set()
                else:
                    pending.events.append(message)
            elif self._on_event is not None:
                on_event = self._on_event
                self._deliveries.put(lambda: on_event(message))

    def _fail_pending(self, error: UnavailableError) -> None:
        with self._pending_lock:
            waiting = list(self._pending.values())
        for pending in waiting:
            pending.fail(error)

    def _wake_reader(self) -> None:
        """End the connection from any thread; only the thread that owns the socket closes it."""
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _drop_socket(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    # --- the thread that runs the listener

    def _deliver(self) -> None:
        while (delivery := self._deliveries.get()) is not None:
            try:
                delivery()
            except Exception:
                log.exception("ami_listener_failed")


def _as_response(message: AmiMessage | None) -> Response:
    keys: dict[str, str] = {}
    headers = message.headers if message is not None else ()
    for key, value in headers[1:]:
        keys[key] = f"{keys[key]}\n{value}" if key in keys else value
    return Response(message.name if message is not None else "", keys, list(message.lines) if message is not None else [])
