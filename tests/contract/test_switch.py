"""What every Switch promises: the fake that other tests trust, and a real Asterisk."""

import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from core.errors import InvalidInputError, NotFoundError, UnavailableError
from telephony.adapters.ami_client import AmiAddress, AmiClient, AmiTimes
from telephony.adapters.ami_switch import AmiSwitch
from telephony.ports import Dial, NotSeatedError, Seat, Switch
from tests.asterisk_server import AsteriskServer
from tests.fakes.switch import FakeSwitch

QUEUES = ("consult", "enterprise")


@pytest.fixture(params=["fake", "asterisk"])
def switch(request: pytest.FixtureRequest) -> Iterator[Switch]:
    if request.param == "fake":
        yield FakeSwitch()
        return
    server: AsteriskServer = request.getfixturevalue("asterisk")
    switch = server.shared_switch()
    yield switch
    switch.log_out("8050", QUEUES)
    switch.withdraw("8050")
    for trace in switch.outbound_traces():
        switch.forget_outbound(trace.attempt_id)


@pytest.fixture(params=["fake", "asterisk"])
def away(request: pytest.FixtureRequest) -> Iterator[Switch]:
    if request.param == "fake":
        yield FakeSwitch(is_away=True)
        return
    client = AmiClient(AmiAddress("127.0.0.1", 9, "nobody", "nothing"), times=AmiTimes(connect=0.3))
    yield AmiSwitch(client, client)
    client.close()


def seats(switch: Switch) -> set[Seat]:
    return {seat for seat in switch.state().seats if seat.agent == "8050"}


def eventually(what: Callable[[], object], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def test_a_log_in_begins_paused_and_may_be_repeated(switch: Switch) -> None:
    for _ in range(2):
        switch.log_in("8050", "甲", QUEUES)
        assert seats(switch) == {Seat("8050", "consult", True), Seat("8050", "enterprise", True)}
        switch.unpause("8050")
        assert seats(switch) == {Seat("8050", "consult", False), Seat("8050", "enterprise", False)}
    switch.pause("8050", "用餐")
    assert {seat.is_paused for seat in seats(switch)} == {True}


def test_a_log_out_may_be_partial_and_repeated(switch: Switch) -> None:
    switch.log_in("8050", "甲", QUEUES)
    for _ in range(2):
        switch.log_out("8050", ["enterprise"])
        assert {seat.queue for seat in seats(switch)} == {"consult"}
    switch.log_out("8050", QUEUES)
    assert seats(switch) == set()


def test_who_sits_nowhere_is_not_paused(switch: Switch) -> None:
    for ask in (lambda: switch.pause("8050", "用餐"), lambda: switch.unpause("8050")):
        with pytest.raises(NotSeatedError):
            ask()


def test_what_is_gone_is_not_found(switch: Switch) -> None:
    with pytest.raises(NotFoundError):
        switch.hang_up("PJSIP/carrier-ffffffff")
    with pytest.raises(NotFoundError):
        switch.transfer("PJSIP/8050-ffffffff", "12345")


def test_telephones_come_and_go_without_complaint(switch: Switch) -> None:
    for _ in range(2):
        switch.provision("8050", "secret")
    for _ in range(2):
        switch.withdraw("8050")


def test_forgetting_what_is_not_known_is_no_error(switch: Switch) -> None:
    switch.forget("node1-1.0")
    assert switch.traces() == []


def test_an_attempt_leaves_one_note_until_it_is_forgotten(switch: Switch) -> None:
    attempt_id = uuid.uuid4()
    for _ in range(2):
        # Nobody listens there: what matters is that it was noted, once.
        switch.dial(Dial(attempt_id, "13800138000", "queue", "consult", ring_seconds=1))
    eventually(lambda: [trace.attempt_id for trace in switch.outbound_traces()] == [attempt_id])
    eventually(lambda: not any(attempt_id.hex in channel.unique_id for channel in switch.state().channels))
    for _ in range(2):
        switch.forget_outbound(attempt_id)
        assert switch.outbound_traces() == []


@pytest.mark.parametrize("phone", ["", "+8613800138000", "138 0013", "1;2", "1380013800０", "${EXTEN}", "1@host"])
def test_only_digits_are_dialled(switch: Switch, phone: str) -> None:
    with pytest.raises(InvalidInputError):
        switch.dial(Dial(uuid.uuid4(), phone, "queue", "consult"))
    with pytest.raises(InvalidInputError):
        switch.dial_for_agent(uuid.uuid4(), phone, "8050", 5)
    assert switch.outbound_traces() == []


def test_a_queue_is_named_where_there_is_one(switch: Switch) -> None:
    for dial in (Dial(uuid.uuid4(), "10086", "queue"), Dial(uuid.uuid4(), "10086", "ivr", "consult")):
        with pytest.raises(InvalidInputError):
            switch.dial(dial)


@pytest.mark.parametrize(
    "ask",
    [
        lambda switch: switch.dial(Dial(uuid.uuid4(), "10086", "ivr")),
        lambda switch: switch.dial_for_agent(uuid.uuid4(), "10086", "8050", 5),
        lambda switch: switch.outbound_traces(),
        lambda switch: switch.forget_outbound(uuid.uuid4()),
        lambda switch: switch.provision("8050", "secret"),
        lambda switch: switch.log_in("8050", "甲", ["consult"]),
        lambda switch: switch.log_out("8050", ["consult"]),
        lambda switch: switch.pause("8050", "用餐"),
        lambda switch: switch.unpause("8050"),
        lambda switch: switch.hang_up("PJSIP/8050-1"),
        lambda switch: switch.transfer("PJSIP/8050-1", "12345"),
        lambda switch: switch.start_tap("1.0", "0", "127.0.0.1:1"),
        lambda switch: switch.state(),
        lambda switch: switch.traces(),
        lambda switch: switch.forget("1.0"),
    ],
)
def test_a_switch_that_is_away_says_so(away: Switch, ask: Callable[[Switch], object]) -> None:
    with pytest.raises(UnavailableError):
        ask(away)


def test_a_reason_carries_no_second_action(asterisk: AsteriskServer) -> None:
    switch = asterisk.shared_switch()
    with pytest.raises(InvalidInputError):
        switch.pause("8050", "茶\r\n\r\nAction: Command\r\nCommand: core stop now")
