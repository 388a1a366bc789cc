"""Asterisk's manager protocol as bytes and values: no socket, no clock. Knows lines and headers, not what they mean.

Values are hostile: a caller chooses the display name that travels in them. Lines therefore end at CR LF and nowhere else
(`str.splitlines` also ends them at U+2028, U+0085, VT and FF, which lets a caller forge headers), and what we send may not
carry a line end at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.errors import InvalidInputError, UnavailableError

MAX_LINE_BYTES = 64 * 1024
MAX_MESSAGE_BYTES = 1024 * 1024
# Asterisk refuses longer lines and more headers than these (its buffer is 1025 bytes, its table 128 entries).
MAX_ACTION_LINE_BYTES = 1000
MAX_ACTION_HEADERS = 120

_FORBIDDEN = ("\r", "\n", "\0")
_VARIABLE_SYNTAX = ',"\\'


class AmiProtocolError(UnavailableError):
    """What arrived is not the manager protocol, or is larger than anything Asterisk sends: drop the connection."""


class AmiActionError(InvalidInputError):
    """An action that would not arrive as the one action it is meant to be."""


@dataclass(frozen=True, slots=True)
class AmiMessage:
    """One message: its headers in the order sent, repeated ones kept, and the lines that are no headers."""

    headers: tuple[tuple[str, str], ...]
    lines: tuple[str, ...] = ()

    def get(self, key: str, default: str = "") -> str:
        """Return the first value of a header; names are compared without case. First, so that a repeated one forges nothing."""
        wanted = key.lower()
        for name, value in self.headers:
            if name.lower() == wanted:
                return value
        return default

    def all(self, key: str) -> tuple[str, ...]:
        """Return every value of a header, in order."""
        wanted = key.lower()
        return tuple(value for name, value in self.headers if name.lower() == wanted)

    @property
    def kind(self) -> str:
        """`event`, `response`, or whatever the first header is named."""
        return self.headers[0][0].lower() if self.headers else ""

    @property
    def name(self) -> str:
        """The event's name or the response's status: the value of the first header."""
        return self.headers[0][1] if self.headers else ""


class AmiProtocol:
    """Turns the bytes of one connection into messages. Feed it in any pieces; `greeting` is the first line."""

    def __init__(self) -> None:
        self.greeting: str | None = None
        self._buffer = bytearray()
        self._scanned = 0
        self._lines: list[bytes] = []
        self._message_bytes = 0

    def receive(self, data: bytes) -> list[AmiMessage]:
        """Take bytes as they came, return the messages that they completed.

        Raises:
            AmiProtocolError: a line or a message is too long, or the greeting is not Asterisk's.
        """
        self._buffer += data
        messages = []
        while (line := self._next_line()) is not None:
            if self.greeting is None:
                self.greeting = _greeting(line)
            elif line:
                self._keep(line)
            elif self._lines:
                messages.append(_message(self._lines))
                self._lines, self._message_bytes = [], 0
        return messages

    def _next_line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", self._scanned)
        if end < 0:
            if len(self._buffer) > MAX_LINE_BYTES:
                raise AmiProtocolError(f"a line of more than {MAX_LINE_BYTES} bytes")
            self._scanned = max(0, len(self._buffer) - 1)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._scanned = 0
        if len(line) > MAX_LINE_BYTES:
            raise AmiProtocolError(f"a line of more than {MAX_LINE_BYTES} bytes")
        return line

    def _keep(self, line: bytes) -> None:
        self._message_bytes += len(line)
        if self._message_bytes > MAX_MESSAGE_BYTES:
            raise AmiProtocolError(f"a message of more than {MAX_MESSAGE_BYTES} bytes")
        self._lines.append(line)


def _greeting(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    if not text.lower().startswith("asterisk call manager/"):
        raise AmiProtocolError(f"this is not an Asterisk manager port: {text[:60]!r}")
    return text


def _message(lines: list[bytes]) -> AmiMessage:
    headers, others = [], []
    for raw in lines:
        line = raw.decode("utf-8", "replace")
        key, colon, value = line.partition(":")
        # A key is one word; anything else is output that merely has a colon in it.
        if colon and key and not any(character.isspace() for character in key):
            headers.append((key, value[1:] if value.startswith(" ") else value))
        else:
            others.append(line)
    return AmiMessage(tuple(headers), tuple(others))


def encode(name: str, keys: Iterable[tuple[str, str]], variables: Mapping[str, str] | None = None) -> bytes:
    """Return an action as bytes.

    Raises:
        AmiActionError: a CR, LF or NUL in any part (it would carry a second action), a colon or space in a key, a comma,
            quote or backslash in a variable, or more than Asterisk accepts.
    """
    headers = [("Action", name), *keys]
    for variable, value in (variables or {}).items():
        if "=" in variable:
            raise AmiActionError(f"variable name {variable!r}")
        # Asterisk splits the header at commas and reads quotes and backslashes: a value with one would set a second variable.
        if any(character in _VARIABLE_SYNTAX for character in variable + value):
            raise AmiActionError(f"variable {variable!r} holds one of {_VARIABLE_SYNTAX}")
        headers.append(("Variable", f"{variable}={value}"))
    if len(headers) > MAX_ACTION_HEADERS:
        raise AmiActionError(f"{len(headers)} headers, Asterisk takes {MAX_ACTION_HEADERS}")
    return b"".join(_action_line(key, value) for key, value in headers) + b"\r\n"


def _action_line(key: str, value: str) -> bytes:
    if not key or any(character.isspace() or character == ":" or not character.isprintable() for character in key):
        raise AmiActionError(f"header name {key!r}")
    if any(character in value for character in _FORBIDDEN):
        raise AmiActionError(f"a line end in the value of {key}")
    line = f"{key}: {value}".encode("utf-8", "replace")
    if len(line) > MAX_ACTION_LINE_BYTES:
        raise AmiActionError(f"the value of {key} has {len(line)} bytes, Asterisk takes {MAX_ACTION_LINE_BYTES}")
    return line + b"\r\n"
