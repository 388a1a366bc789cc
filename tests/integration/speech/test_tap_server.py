import socket
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from core.errors import UnavailableError
from telephony.speech.tap_server import TapServer

FRAME = b"\x12\x02\x80" + b"\x10\x20" * 320


@pytest.fixture
def server() -> Iterator[TapServer]:
    made = TapServer("127.0.0.1", 0)
    made.start()
    yield made
    made.stop()


def connect(server: TapServer) -> socket.socket:
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), timeout=5)


def name(tap_id: uuid.UUID) -> bytes:
    return b"\x01\x00\x10" + tap_id.bytes


def wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_an_expected_tap_fills_its_buffer_until_it_hangs_up(server: TapServer) -> None:
    tap_id = uuid.uuid4()
    buffer = server.expect(tap_id)
    with connect(server) as tap:
        tap.sendall(name(tap_id) + FRAME * 10 + FRAME[:100])
        wait(lambda: buffer.counters.frames == 10)
        assert not buffer.is_ended
    wait(lambda: buffer.is_ended)
    totals = server.totals()
    assert (totals["taps_opened"], totals["taps_closed"], totals["taps_open"], totals["frames"]) == (1, 1, 0, 10)
    assert totals["heard_seconds"] == pytest.approx(0.2)


def test_a_stranger_is_let_go_and_so_is_a_tap_that_comes_twice(server: TapServer) -> None:
    with connect(server) as stranger:
        stranger.sendall(name(uuid.uuid4()) + FRAME)
        assert_closed(stranger)
    tap_id = uuid.uuid4()
    server.expect(tap_id)
    with connect(server) as first, connect(server) as second:
        first.sendall(name(tap_id))
        wait(lambda: server.totals()["taps_open"] == 1)
        second.sendall(name(tap_id))
        assert_closed(second)
        first.sendall(FRAME)
        wait(lambda: server.totals()["frames"] == 1)
    assert server.totals()["taps_refused"] == 2


def test_garbage_closes_its_own_connection_only(server: TapServer) -> None:
    tap_id = uuid.uuid4()
    buffer = server.expect(tap_id)
    with connect(server) as good, connect(server) as bad:
        good.sendall(name(tap_id))
        bad.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert_closed(bad)
        good.sendall(FRAME * 3)
        wait(lambda: buffer.counters.frames == 3)
    assert server.totals()["protocol_errors"] == 1


def test_a_dropped_tap_is_closed_and_never_let_in(server: TapServer) -> None:
    tap_id, late = uuid.uuid4(), uuid.uuid4()
    buffer = server.expect(tap_id)
    server.expect(late)
    server.drop(late)
    with connect(server) as tap, connect(server) as other:
        tap.sendall(name(tap_id) + FRAME)
        wait(lambda: buffer.counters.frames == 1)
        server.drop(tap_id)
        assert_closed(tap)
        other.sendall(name(late))
        assert_closed(other)
    wait(lambda: buffer.is_ended)


def test_eighty_taps_that_nobody_listens_to_are_all_drained_and_counted(server: TapServer) -> None:
    taps = []
    for _ in range(80):
        tap_id = uuid.uuid4()
        server.expect(tap_id)
        tap = connect(server)
        tap.sendall(name(tap_id))
        taps.append(tap)
    for _ in range(1000):
        for tap in taps:
            tap.sendall(FRAME)
    wait(lambda: server.totals()["frames"] == 80 * 1000)
    # 20 s each came at once; 15 s of each may wait
    assert server.totals()["dropped_seconds"] == pytest.approx(80 * 5, abs=10)
    for tap in taps:
        tap.close()
    wait(lambda: server.totals()["taps_closed"] == 80)


def test_a_taken_address_is_said_with_what_to_do(server: TapServer) -> None:
    with pytest.raises(UnavailableError, match="AUDIOSOCKET_HOST"):
        TapServer("127.0.0.1", int(server.address.split(":")[1])).start()


def assert_closed(connection: socket.socket) -> None:
    connection.settimeout(5)
    try:
        assert connection.recv(1) == b""
    except ConnectionResetError:
        return
