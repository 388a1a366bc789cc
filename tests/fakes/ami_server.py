"""A manager port in this process, for what a real Asterisk cannot be made to do: stall, lie, fall silent, cut a message in two."""

import contextlib
import socket
import threading
from collections.abc import Callable

from telephony.ami_protocol import AmiMessage, AmiProtocol

Answer = Callable[["FakeAmiServer", AmiMessage], None]


class FakeAmiServer:
    """Speaks AMI on a loopback port. `answers` overrides what an action gets; everything received is kept in `actions`."""

    def __init__(self, password: str = "secret", family: socket.AddressFamily = socket.AF_INET) -> None:
        self.password = password
        self.answers: dict[str, Answer] = {}
        self.actions: list[AmiMessage] = []
        self.raw = b""
        self.logins = 0
        self.stalled = False
        self.greeting = b"Asterisk Call Manager/11.0.0\r\n"
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self._listener.listen()
        self.host, self.port = self._listener.getsockname()[:2]
        self._connection: socket.socket | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        assert self._connection is not None, "nobody is connected"
        self._connection.sendall(data)

    def send_event(self, name: str, **headers: str) -> None:
        self.send("".join([f"Event: {name}\r\n", *(f"{key}: {value}\r\n" for key, value in headers.items()), "\r\n"]).encode())

    def reply(self, action: AmiMessage, status: str = "Success", extra: str = "") -> None:
        self.send(f"Response: {status}\r\nActionID: {action.get('ActionID')}\r\n{extra}\r\n".encode())

    def cut(self) -> None:
        """Break the connection; the port stays open."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def wait_for(self, condition: Callable[[], bool], timeout: float = 5.0) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def named(self, name: str) -> list[AmiMessage]:
        return [action for action in self.actions if action.get("Action") == name]

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join(5)

    def _serve(self) -> None:
        while not self._closed:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            with self._connection, contextlib.suppress(OSError):
                self._talk(self._connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(self.greeting)
        protocol = AmiProtocol()
        protocol.receive(b"Asterisk Call Manager/0\r\n")
        while data := connection.recv(65536):
            if self.stalled:
                continue
            with self._changed:
                self.raw += data
                for action in protocol.receive(data):
                    self.actions.append(action)
                    self._answer(action)
                self._changed.notify_all()

    def _answer(self, action: AmiMessage) -> None:
        name = action.get("Action")
        if name in self.answers:
            self.answers[name](self, action)
        elif name == "Login":
            self.logins += 1
            right = action.get("Secret") == self.password
            said = "accepted" if right else "failed"
            self.reply(action, "Success" if right else "Error", f"Message: Authentication {said}\r\n")
        elif name == "Ping":
            self.reply(action, extra="Ping: Pong\r\n")
        else:
            self.reply(action)
