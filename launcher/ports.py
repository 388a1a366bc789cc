"""Free ports of loopback: the usual one where it is free, any other where it is not."""

import fcntl
import socket
import tempfile
from pathlib import Path
from typing import TextIO


class Ports:
    """The ports that one launcher has chosen for its parts.

    A part listens on its port only seconds after it was chosen, so each choice is also marked by a locked file: two programs
    that start at the same moment do not choose the same. The kernel drops the locks when the launcher ends.
    """

    def __init__(self) -> None:
        self._marks: list[TextIO] = []

    def pick(self, preferred: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
        """Return the preferred port, or a free one when another program or another part of ours has it."""
        for candidate in (preferred, *[0] * 20):
            port = _free(candidate, kind)
            if port is not None and self._mark(port):
                return port
        raise OSError("no free port on loopback")

    def _mark(self, port: int) -> bool:
        file = (Path(tempfile.gettempdir()) / f"tingjian-port-{port}.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._marks.append(file)
        return True


def _free(port: int, kind: socket.SocketKind) -> int | None:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
