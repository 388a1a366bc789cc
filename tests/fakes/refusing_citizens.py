"""Numbers that answer as a carrier does for people who cannot be reached: a SIP status for each, ringing for ever, or nothing."""

import re
import socket
import threading
from types import TracebackType

RINGS = 180
SILENT = 0


class RefusingCitizens:
    """Listens on a port of loopback until the block ends; `rung` holds the numbers in the order in which they were rung."""

    def __init__(self, port: int, statuses: dict[str, int]) -> None:
        self._statuses = statuses
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.settimeout(0.2)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._rung: dict[str, str] = {}
        self.ended: list[str] = []

    @property
    def rung(self) -> list[str]:
        """The numbers rung; a repeated message of the same call counts once."""
        return list(self._rung.values())

    def __enter__(self) -> "RefusingCitizens":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join(2)
        self._socket.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                data, sender = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            request = data.decode("utf-8", "replace")
            method, _, rest = request.partition(" ")
            found = re.match(r"sip:([^@]+)@", rest)
            if found is None or method not in ("INVITE", "CANCEL"):
                continue
            number, call = found[1], _header(request, "Call-ID")
            if method == "CANCEL":
                self.ended.append(number)
                self._answer(request, 200, sender)
                self._answer(request.replace("CANCEL", "INVITE"), 487, sender)
                continue
            self._rung.setdefault(call, number)
            status = self._statuses.get(number, 404)
            if status != SILENT:
                self._answer(request, status, sender)

    def _answer(self, request: str, status: int, sender: tuple[str, int]) -> None:
        head = [f"SIP/2.0 {status} Answer"]
        head += [line for line in request.splitlines() if line.lower().startswith(("via:", "from:", "call-id:", "cseq:"))]
        head += [f"To: {_header(request, 'To')};tag=here", "Content-Length: 0"]
        self._socket.sendto(("\r\n".join(head) + "\r\n\r\n").encode(), sender)


def _header(request: str, name: str) -> str:
    found = re.search(rf"(?im)^{name}\s*:\s*(.+?)\r?$", request)
    assert found is not None
    return found[1]
