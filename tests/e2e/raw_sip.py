"""A telephone that says in its own words who calls: headers go out as they are given."""

from __future__ import annotations

import re
import socket
import uuid
from types import TracebackType
from typing import Any

_PCMU_OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        "m=audio {port} RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        "",
    )
)


class RawCaller:
    """Rings with a From header of any bytes and stays on the line until the block ends. It says nothing and hears nothing."""

    def __init__(self, sip: dict[str, Any], display_name: str, number: str = "13800138000") -> None:
        self._server = (str(sip["host"]), int(sip["port"]))
        self._target = f"sip:{sip['number']}@{sip['host']}:{sip['port']}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media.bind(("127.0.0.1", 0))
        self._port = self._socket.getsockname()[1]
        quoted = display_name.replace("\\", "\\\\").replace('"', '\\"')
        self._from = f'"{quoted}" <sip:{number}@127.0.0.1:{self._port}>;tag={uuid.uuid4().hex}'
        self._call = uuid.uuid4().hex
        self._to = f"<{self._target}>"

    def __enter__(self) -> RawCaller:
        body = _PCMU_OFFER.format(port=self._media.getsockname()[1])
        self._send("INVITE", 1, self._target, body)
        while True:
            answer = self._socket.recv(65536).decode("utf-8", "replace")
            status = int(answer.split(" ", 2)[1])
            if status >= 300:
                raise AssertionError(f"the call was refused: {answer.splitlines()[0]}")
            if status == 200:
                break
        self._to = re.search(r"(?im)^(?:to|t)\s*:\s*(.+?)\r?$", answer)[1]  # type: ignore[index]
        contact = re.search(r"(?im)^(?:contact|m)\s*:\s*<(.+?)>", answer)
        self._target = contact[1] if contact else self._target
        self._send("ACK", 1, self._target)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._send("BYE", 2, self._target)
        self._socket.close()
        self._media.close()

    def _send(self, method: str, number: int, target: str, body: str = "") -> None:
        head = [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{uuid.uuid4().hex};rport",
            "Max-Forwards: 70",
            f"From: {self._from}",
            f"To: {self._to}",
            f"Call-ID: {self._call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:caller@127.0.0.1:{self._port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body.encode())}",
        ]
        self._socket.sendto(("\r\n".join(head) + "\r\n\r\n" + body).encode(), self._server)
