"""What every Switch promises: the fake that other tests trust, and a real Asterisk."""

from collections.abc import Callable, Iterator

import pytest

from core.errors import InvalidInputError, NotFoundError, UnavailableError
from telephony.adapters.ami_client import AmiAddress, AmiClient, AmiTimes
from telephony.adapters.ami_switch import AmiSwitch
from telephony.ports import NotSeatedError, Seat, Switch
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


@pytest.mark.parametrize(
    "ask",
    [
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
