"""Two programs that start at the same moment get different ports."""

import socket

from launcher.ports import Ports
from tests.servers import free_port


def test_a_port_that_is_chosen_but_not_yet_used_is_not_chosen_again() -> None:
    wanted = free_port()
    first, second = Ports(), Ports()
    assert first.pick(wanted) == wanted
    assert second.pick(wanted) != wanted


def test_a_port_in_use_is_not_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert Ports().pick(port) != port
