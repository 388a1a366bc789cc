"""Bytes to messages and actions to bytes, with what a hostile caller would try."""

import pytest

from core.errors import InvalidInputError
from telephony.ami_protocol import MAX_LINE_BYTES, MAX_MESSAGE_BYTES, AmiMessage, AmiProtocol, AmiProtocolError, encode

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
RECORDING = (
    GREETING
    + b"Response: Success\r\nActionID: tj-login\r\nMessage: Authentication accepted\r\n\r\n"
    + b"Event: QueueMember\r\nVariable: a=1\r\nVariable: b=2\r\nQueue:consult\r\nEmpty:\r\nNote:  two spaces\r\n\r\n"
    + "Event: Newchannel\r\nCallerIDName: 市民 李\r\nChannel: PJSIP/trunk-1\r\n\r\n".encode()
    + b"Response: Success\r\nOutput: one\r\nno header here\r\nwith space: nor here\r\n\r\n"
)


def receive(data: bytes, size: int | None = None) -> list[AmiMessage]:
    protocol = AmiProtocol()
    step = size or len(data)
    return [message for start in range(0, len(data), step) for message in protocol.receive(data[start : start + step])]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_pieces_give_the_same_messages(size: int) -> None:
    assert receive(RECORDING, size) == receive(RECORDING)
    assert len(receive(RECORDING)) == 4


def test_headers_are_tolerant_and_repeated_ones_kept() -> None:
    _, member, channel, output = receive(RECORDING)
    assert member.all("variable") == ("a=1", "b=2")
    assert (member.get("Queue"), member.get("Empty"), member.get("Note")) == ("consult", "", " two spaces")
    assert member.get("absent", "x") == "x"
    assert (channel.kind, channel.name, channel.get("CallerIDName")) == ("event", "Newchannel", "市民 李")
    assert output.lines == ("no header here", "with space: nor here")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1d", "\x1e", "\n", "\r"])
def test_a_display_name_forges_no_header(separator: str) -> None:
    hostile = f"Li{separator}Channel: PJSIP/8001-0001{separator}{separator}Event: Hangup"
    data = GREETING + f"Event: Newchannel\r\nCallerIDName: {hostile}\r\nChannel: PJSIP/trunk-1\r\n\r\n".encode()
    (message,) = receive(data)
    assert message.name == "Newchannel"
    assert message.get("CallerIDName") == hostile
    assert message.all("Channel") == ("PJSIP/trunk-1",)


def test_the_first_of_a_repeated_header_counts() -> None:
    (message,) = receive(GREETING + b"Event: X\r\nChannel: real\r\nChannel: forged\r\n\r\n")
    assert message.get("Channel") == "real"


def test_bytes_that_are_no_utf8_lose_only_themselves() -> None:
    first, second = receive(GREETING + b"Event: A\r\nName: \xff\xfe\r\n\r\nEvent: B\r\n\r\n")
    assert (first.get("Name"), second.name) == ("\ufffd\ufffd", "B")


@pytest.mark.parametrize("piece", [b"x" * 1000, b"K: " + b"x" * 1000 + b"\r\n"])
def test_endless_input_is_refused(piece: bytes) -> None:
    protocol = AmiProtocol()
    protocol.receive(GREETING)

    def feed(times: int) -> None:
        for _ in range(times):
            protocol.receive(piece)

    feed(MAX_LINE_BYTES // 1000 - 2)
    with pytest.raises(AmiProtocolError):
        feed(MAX_MESSAGE_BYTES // 1000 + 2)


def test_another_server_is_not_asterisk() -> None:
    with pytest.raises(AmiProtocolError, match="not an Asterisk manager port"):
        receive(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_an_action_is_one_action() -> None:
    data = encode("Originate", [("Channel", "PJSIP/8001"), ("ActionID", "1")], {"CDR_PROP(disable)": "1"})
    assert data == b"Action: Originate\r\nChannel: PJSIP/8001\r\nActionID: 1\r\nVariable: CDR_PROP(disable)=1\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "keys", "variables"),
    [
        ("Ping\r\n\r\nAction: Originate", {}, {}),
        ("QueuePause", {"Reason": "tea\r\n\r\nAction: Originate\r\nApplication: System"}, {}),
        ("QueuePause", {"Reason": "tea\nAction: Command"}, {}),
        ("QueuePause", {"Reason": "tea\rAction: Command"}, {}),
        ("QueuePause", {"Reason": "tea\0"}, {}),
        ("QueuePause", {"Rea\r\nson": "tea"}, {}),
        ("QueuePause", {"Reason: x": "tea"}, {}),
        ("QueuePause", {"": "tea"}, {}),
        ("Originate", {}, {"A": "1\r\n\r\nAction: Command"}),
        ("Originate", {}, {"A\r\nB": "1"}),
        ("Originate", {}, {"A=B": "1"}),
        ("Originate", {}, {"A": "1,CHANNEL(hangup_handler_push)=x"}),
        ("Originate", {}, {"A": 'x"'}),
        ("QueuePause", {"Reason": "x" * 1000}, {}),
        ("QueuePause", {f"K{number}": "x" for number in range(200)}, {}),
    ],
)
def test_a_value_carries_no_second_action(name: str, keys: dict[str, str], variables: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        encode(name, keys.items(), variables)
