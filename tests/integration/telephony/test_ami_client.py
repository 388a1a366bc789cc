"""The manager connection against a server that misbehaves. Each guard of the adapter has a test that fails without it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from asterisk.ami import Action

from core.errors import InvalidInputError, UnavailableError
from telephony.adapters.ami_client import (
    AmiAddress,
    AmiClient,
    AmiTimes,
    SwitchLoginRefusedError,
    SwitchRefusedError,
    SwitchUnavailableError,
)
from telephony.ami_protocol import AmiMessage
from tests.fakes.ami_server import FakeAmiServer

QUICK = AmiTimes(connect=1, answer=0.5, ping_every=0.4, stalled_after=1.0, first_wait=0.05, longest_wait=0.1)
PATIENT = AmiTimes(answer=1.0, ping_every=60, stalled_after=120, first_wait=0.05)


class Ear:
    """Keeps what the client delivers."""

    def __init__(self) -> None:
        self.events: list[AmiMessage] = []
        self.ups = self.downs = 0
        self.changed = threading.Condition()

    def on_event(self, event: AmiMessage) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def on_up(self) -> None:
        with self.changed:
            self.ups += 1
            self.changed.notify_all()

    def on_down(self) -> None:
        with self.changed:
            self.downs += 1
            self.changed.notify_all()

    def wait(self, condition: Callable[[], bool], timeout: float = 5.0) -> bool:
        with self.changed:
            return self.changed.wait_for(condition, timeout)

    def names(self) -> list[str]:
        return [event.name for event in self.events]


@pytest.fixture
def server() -> Iterator[FakeAmiServer]:
    server = FakeAmiServer()
    yield server
    server.close()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def connect(server: FakeAmiServer, ear: Ear) -> Iterator[Callable[..., AmiClient]]:
    clients: list[AmiClient] = []

    def make(times: AmiTimes = PATIENT, password: str = "secret", up: bool = True) -> AmiClient:
        client = AmiClient(AmiAddress(server.host, server.port, "bridge", password), ear.on_event, ear.on_up, ear.on_down, times)
        clients.append(client)
        client.start()
        if up:
            client.wait_until_up(3)
        return client

    yield make
    for client in clients:
        client.close()


def test_a_caller_forges_no_header(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    connect()
    for separator in ("\u2028", "\u0085", "\v", "\f"):
        server.send_event("Newchannel", CallerIDName=f"Li{separator}Channel: PJSIP/8001-1", Channel="PJSIP/trunk-1")
    assert ear.wait(lambda: len(ear.events) == 4)
    assert {event.get("Channel") for event in ear.events} == {"PJSIP/trunk-1"}


def test_a_value_carries_no_second_action(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    client = connect()
    with pytest.raises(InvalidInputError):
        client.request("QueuePause", {"Reason": "tea\r\n\r\nAction: Originate\r\nApplication: System"})
    with pytest.raises(InvalidInputError):
        client.send_action(Action("Originate", {}, {"X": "1\r\n\r\nAction: Command"}))
    client.request("Ping")
    assert [action.get("Action") for action in server.actions] == ["Login", "Ping"]


def test_a_failing_listener_is_asked_again(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    heard: list[str] = []

    def on_event(event: AmiMessage) -> None:
        heard.append(event.name)
        raise ZeroDivisionError

    client = AmiClient(AmiAddress(server.host, server.port, "bridge", "secret"), on_event, times=PATIENT)
    client.start()
    try:
        client.wait_until_up(3)
        server.send_event("One")
        server.send_event("Two")
        deadline = time.monotonic() + 5
        while heard != ["One", "Two"] and time.monotonic() < deadline:
            time.sleep(0.01)
        assert heard == ["One", "Two"]
        assert client.request("Ping").keys["Ping"] == "Pong"
    finally:
        client.close()


def test_a_slow_listener_holds_up_no_answer(server: FakeAmiServer) -> None:
    release = threading.Event()

    def on_event(_: AmiMessage) -> None:
        release.wait(5)

    client = AmiClient(AmiAddress(server.host, server.port, "bridge", "secret"), on_event, times=PATIENT)
    client.start()
    try:
        client.wait_until_up(3)
        server.send_event("Slow")
        assert client.request("Ping").status == "Success"
    finally:
        release.set()
        client.close()


def test_silence_is_no_failure(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    # The library's reader dies after its three seconds of time-out.
    connect(PATIENT)
    time.sleep(3.5)
    server.send_event("AfterSilence")
    assert ear.wait(lambda: ear.names() == ["AfterSilence"])
    assert (server.logins, ear.downs) == (1, 0)


def test_a_quiet_line_is_asked_and_kept(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    connect(QUICK)
    assert server.wait_for(lambda: len(server.named("Ping")) >= 3)
    assert (server.logins, ear.downs) == (1, 0)


def test_a_stalled_server_is_left_and_found_again(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    client = connect(QUICK)
    server.stalled = True
    assert ear.wait(lambda: ear.downs >= 1)
    with pytest.raises(UnavailableError):
        client.request("Ping")
    server.stalled = False
    assert ear.wait(lambda: ear.ups >= 2)
    server.send_event("Back")
    assert ear.wait(lambda: "Back" in ear.names())
    assert client.request("Ping").status == "Success"


def test_an_unanswered_action_raises_and_leaves_nothing(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    client = connect()
    server.answers["QueueStatus"] = lambda *_: None
    started = time.monotonic()
    with pytest.raises(SwitchUnavailableError, match="no answer within 1 s"):
        client.request("QueueStatus")
    assert 0.9 < time.monotonic() - started < 3
    assert client._pending == {}
    assert client.request("Ping").status == "Success"


def test_a_lost_connection_fails_those_who_wait_at_once(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    client = connect(AmiTimes(answer=30, first_wait=0.05))
    server.answers["QueueStatus"] = lambda server, _: server.cut()
    started = time.monotonic()
    with pytest.raises(SwitchUnavailableError):
        client.request("QueueStatus")
    assert time.monotonic() - started < 5


def test_reconnection_logs_in_again_and_says_so(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    connect()
    server.cut()
    assert ear.wait(lambda: (ear.ups, ear.downs) == (2, 1))
    server.send_event("Again")
    assert ear.wait(lambda: ear.names() == ["Again"])
    assert server.logins == 2


def test_repeated_and_tight_headers_arrive(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    client = connect()
    server.send(b"Event: Odd\r\nChanVariable: a=1\r\nChanVariable: b=2\r\nQueue:consult\r\n\r\n")
    assert ear.wait(lambda: len(ear.events) == 1)
    assert ear.events[0].all("ChanVariable") == ("a=1", "b=2")
    assert ear.events[0].get("Queue") == "consult"
    server.answers["Odd"] = lambda server, action: server.reply(action, extra="odd key (x): 1\r\nOutput: a\r\nOutput: b\r\n")
    response = client.request("Odd")
    assert response.keys["Output"] == "a\nb"
    assert response.follows == ["odd key (x): 1"]


def test_an_odd_line_before_the_action_id_hides_no_answer(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    client = connect()
    server.answers["Odd"] = lambda server, action: server.send(
        f"Response: Success\r\nodd key (x): 1\r\nActionID: {action.get('ActionID')}\r\n\r\n".encode()
    )
    assert client.request("Odd").status == "Success"


def test_a_list_is_collected_and_kept_from_the_listener(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    def answer(server: FakeAmiServer, action: AmiMessage) -> None:
        action_id = action.get("ActionID")
        server.reply(action, extra="EventList: start\r\n")
        server.send_event("Hangup", Uniqueid="7")
        for number in ("1", "2"):
            server.send_event("CoreShowChannel", ActionID=action_id, Uniqueid=number)
        server.send_event("CoreShowChannelsComplete", ActionID=action_id, EventList="Complete")

    server.answers["CoreShowChannels"] = answer
    client = connect()
    assert [event.get("Uniqueid") for event in client.request_list("CoreShowChannels")] == ["1", "2"]
    assert ear.wait(lambda: ear.names() == ["Hangup"])


def test_wrong_password_is_said_clearly(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    client = connect(password="wrong", up=False)
    started = time.monotonic()
    with pytest.raises(SwitchLoginRefusedError, match=r"manager user 'bridge': Authentication failed\. Check AMI_USERNAME"):
        client.wait_until_up(10)
    assert time.monotonic() - started < 3
    with pytest.raises(UnavailableError, match="refused"):
        client.request("Ping")
    assert "wrong" not in repr(client._where)


def test_nobody_listening_is_said_clearly(ear: Ear) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    client = AmiClient(AmiAddress("127.0.0.1", port, "bridge", "x"), ear.on_event, times=QUICK)
    client.start()
    with pytest.raises(SwitchUnavailableError, match="refused"):
        client.wait_until_up(0.5)
    client.close()
    assert ear.ups == 0


def test_a_refused_action_tells_why(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    server.answers["Hangup"] = lambda server, action: server.reply(action, "Error", "Message: No such channel\r\n")
    with pytest.raises(SwitchRefusedError, match="No such channel"):
        connect().request("Hangup", {"Channel": "PJSIP/x"})


def test_logoff_before_any_login_is_harmless(server: FakeAmiServer) -> None:
    client = AmiClient(AmiAddress(server.host, server.port, "bridge", "secret"))
    client.logoff()
    client.close()
    assert server.actions == []


def test_close_ends_the_threads(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    client = connect()
    mine = [thread for thread in threading.enumerate() if thread.name in {"ami-socket", "ami-listener"}]
    assert len(mine) >= 2
    client.close()
    assert not any(thread.is_alive() for thread in mine if thread in (client._reader, client._deliverer))
    assert server.wait_for(lambda: bool(server.named("Logoff")))


def test_close_ends_a_client_that_never_came_up() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        client = AmiClient(AmiAddress(*deaf.getsockname(), "bridge", "x"), times=AmiTimes(answer=30))
        client.start()
        time.sleep(0.2)
        started = time.monotonic()
        client.close()
        assert time.monotonic() - started < 3
        assert not client._reader.is_alive()


def test_ipv6(ear: Ear) -> None:
    try:
        server = FakeAmiServer(family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    client = AmiClient(AmiAddress("[::1]", server.port, "bridge", "secret"), ear.on_event, times=PATIENT)
    client.start()
    try:
        client.wait_until_up(3)
    finally:
        client.close()
        server.close()


def test_writers_do_not_mix(server: FakeAmiServer, connect: Callable[..., AmiClient]) -> None:
    client = connect(AmiTimes(answer=10))
    text = "x" * 900

    def write(number: int) -> None:
        for _ in range(50):
            client.request("UserEvent", {f"Key{key}": f"{number}{text}" for key in range(20)})

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    events = server.named("UserEvent")
    assert len(events) == 300
    assert all(len({value[0] for key, value in event.headers if key.startswith("Key")}) == 1 for event in events)


def test_twenty_thousand_events_arrive_in_order(server: FakeAmiServer, ear: Ear, connect: Callable[..., AmiClient]) -> None:
    connect()
    data = b"".join(f"Event: UserEvent\r\nNumber: {number}\r\n\r\n".encode() for number in range(20_000))
    threading.Thread(target=server.send, args=(data,)).start()
    assert ear.wait(lambda: len(ear.events) == 20_000, 15)
    assert [int(event.get("Number")) for event in ear.events] == list(range(20_000))
