"""What both text message gateways promise, against real servers of both protocols; and what only one of them can do."""

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import smpp34

from core.errors import InvalidInputError, UnavailableError
from tests.fakes.clock import FakeClock
from tests.fakes.http_carrier import SECRET, HttpCarrier, wait_until
from tests.fakes.smpp_carrier import SmppCarrier, free_port
from workorder.adapters.http_sms_gateway import HttpSmsGateway
from workorder.adapters.smpp_session import SmppLogin
from workorder.adapters.smpp_sms_gateway import SmppSmsGateway
from workorder.ports import Outcome, OutgoingSms, Receipt, SmsGateway
from workorder.sms_state import ReceiptStatus
from workorder.sms_text import compose

LONG = "您的办件已办结，请评价：" + "好😀" * 55


@dataclass
class Line:
    """A gateway and the carrier at its other end."""

    gateway: SmsGateway
    carrier: HttpCarrier | SmppCarrier
    receipts: list[Receipt]


def outgoing(body: str = "您的办件已办结。", taken: frozenset[int] = frozenset(), phone: str = "13800138000") -> OutgoingSms:
    return OutgoingSms(uuid.uuid4(), phone, compose(body, "云川12345"), taken)


def http_gateway(port: int, timeout: float = 2.0) -> HttpSmsGateway:
    return HttpSmsGateway(f"http://127.0.0.1:{port}/messages", "tingjian", SECRET, FakeClock(), timeout)


def smpp_gateway(port: int, receipts: Callable[[Receipt], None], timeout: float = 2.0, **more: object) -> SmppSmsGateway:
    login = SmppLogin("127.0.0.1", port, "tingjian", "secret")
    gateway = SmppSmsGateway(login, receipts, source="12345", timeout_seconds=timeout, **more)  # type: ignore[arg-type]
    gateway.start()
    return gateway


@pytest.fixture(params=["http", "smpp"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    receipts: list[Receipt] = []
    carrier: HttpCarrier | SmppCarrier
    gateway: HttpSmsGateway | SmppSmsGateway
    if request.param == "http":
        carrier = HttpCarrier()
        gateway = http_gateway(carrier.port)
    else:
        carrier = SmppCarrier()
        gateway = smpp_gateway(carrier.port, receipts.append)
        assert gateway.wait_until_bound(10)
        # The server hears of the session a moment after we do, and ends only those it has heard of.
        carrier.wait_for_sessions()
    yield Line(gateway, carrier, receipts)
    gateway.close()
    carrier.close()


# --- both


def test_a_message_is_taken_as_it_was_written(line: Line) -> None:
    result = line.gateway.submit(outgoing())
    assert result.outcome is Outcome.TAKEN
    assert [part.gateway_id for part in result.parts] == ["m1"]
    assert line.carrier.texts() == ["【云川12345】您的办件已办结。"]
    assert line.gateway.problem == ""


def test_a_long_message_comes_together_again(line: Line) -> None:
    message = outgoing(LONG)
    result = line.gateway.submit(message)
    assert result.outcome is Outcome.TAKEN
    assert "".join(line.carrier.texts()) == message.text.text
    assert len({part.gateway_id for part in result.parts}) == len(line.carrier.heard)


def test_a_refusal_is_final(line: Line) -> None:
    line.carrier.mood = "refuse"
    result = line.gateway.submit(outgoing())
    assert result.outcome is Outcome.REFUSED
    assert result.error
    assert result.parts == ()


def test_a_busy_carrier_is_for_later(line: Line) -> None:
    line.carrier.mood = "throttle"
    result = line.gateway.submit(outgoing())
    assert result.outcome is Outcome.LATER
    assert result.again_after_seconds
    line.carrier.mood = "take"
    assert line.gateway.submit(outgoing()).outcome is Outcome.TAKEN


def test_a_carrier_that_took_it_and_never_answers_leaves_it_unknown(line: Line) -> None:
    line.carrier.mood = "silent"
    result = line.gateway.submit(outgoing())
    assert result.outcome is Outcome.UNKNOWN
    assert len(line.carrier.heard) == 1, "it was taken, and asked for once"


def test_a_carrier_that_goes_away_with_it_leaves_it_unknown(line: Line) -> None:
    line.carrier.mood = "silent"
    threading.Timer(0.3, line.carrier.close).start()
    assert line.gateway.submit(outgoing()).outcome is Outcome.UNKNOWN
    assert len(line.carrier.heard) == 1


def test_a_carrier_that_is_away_is_for_later(line: Line) -> None:
    line.carrier.close()
    wait_until(lambda: isinstance(line.gateway, HttpSmsGateway) or line.gateway.problem)
    result = line.gateway.submit(outgoing())
    assert result.outcome is Outcome.LATER
    assert line.gateway.problem


def test_a_carrier_that_comes_back_is_found_again(line: Line) -> None:
    line.carrier.close()
    port = line.carrier.port
    back = HttpCarrier(port) if isinstance(line.carrier, HttpCarrier) else SmppCarrier(port)
    try:
        wait_until(lambda: line.gateway.submit(outgoing()).outcome is Outcome.TAKEN, 15)
        assert len(back.heard) == 1
    finally:
        back.close()


def test_messages_of_many_threads_keep_their_answers(line: Line) -> None:
    results: dict[uuid.UUID, str] = {}

    def send() -> None:
        message = outgoing(f"第 {uuid.uuid4()} 条")
        results[message.message_id] = line.gateway.submit(message).parts[0].gateway_id

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results.values())) == 8


# --- HTTP alone


@pytest.fixture
def http() -> Iterator[HttpCarrier]:
    carrier = HttpCarrier()
    yield carrier
    carrier.close()


def test_our_id_is_the_gateways_reference(http: HttpCarrier) -> None:
    message = outgoing(LONG)
    gateway = http_gateway(http.port)
    first = gateway.submit(message)
    assert http.heard[0]["reference"] == str(message.message_id)
    assert http.heard[0]["phone"] == "13800138000"
    assert http.heard[0]["parts"] == len(message.text.parts)
    assert http.heard[0]["key"] == "tingjian"
    assert http.heard[0]["at"] == int(FakeClock().now().timestamp())
    # A person has it sent again, and the gateway had it after all.
    again = gateway.submit(message)
    assert (again.outcome, again.parts) == (Outcome.TAKEN, first.parts)
    assert first.parts[0].part_no == 0


@pytest.mark.parametrize(
    ("mood", "outcome"),
    [
        ("401", Outcome.LATER),
        ("404", Outcome.LATER),
        ("503", Outcome.LATER),
        ("400", Outcome.REFUSED),
        ("500", Outcome.UNKNOWN),
        ("502", Outcome.UNKNOWN),
        ("302", Outcome.UNKNOWN),
        ("200", Outcome.UNKNOWN),
        ("nonsense", Outcome.UNKNOWN),
        ("drop", Outcome.UNKNOWN),
        ("drip", Outcome.UNKNOWN),
    ],
)
def test_what_an_answer_means(http: HttpCarrier, mood: str, outcome: Outcome) -> None:
    http.mood = mood
    assert http_gateway(http.port).submit(outgoing()).outcome is outcome
    assert len(http.heard) == 1


def test_a_wrong_secret_loses_nothing(http: HttpCarrier) -> None:
    gateway = HttpSmsGateway(http.url, "tingjian", "another", FakeClock(), 1.0)
    result = gateway.submit(outgoing())
    assert (result.outcome, http.heard) == (Outcome.LATER, [])
    assert "401" in gateway.problem


def test_a_gateway_without_an_address_is_refused_at_once() -> None:
    with pytest.raises(InvalidInputError, match="SMS_HTTP_URL"):
        HttpSmsGateway("", "tingjian", SECRET, FakeClock(), 1.0)


# --- SMPP alone


@dataclass
class SmppLine:
    gateway: SmppSmsGateway
    carrier: SmppCarrier
    receipts: list[Receipt]
    troubles: list[Exception]


@pytest.fixture
def smpp() -> Iterator[SmppLine]:
    carrier = SmppCarrier()
    receipts: list[Receipt] = []
    troubles: list[Exception] = []

    def keep(receipt: Receipt) -> None:
        if troubles:
            raise troubles.pop()
        receipts.append(receipt)

    gateway = smpp_gateway(carrier.port, keep, enquire_seconds=0.4)
    assert gateway.wait_until_bound(10)
    yield SmppLine(gateway, carrier, receipts, troubles)
    gateway.close()
    carrier.close()


def test_parts_on_the_wire(smpp: SmppLine) -> None:
    message = outgoing(LONG)
    smpp.gateway.submit(message)
    heard = smpp.carrier.heard
    assert len(heard) == len(message.text.parts) == 3
    for number, event in enumerate(heard, start=1):
        assert event.destination_addr == "8613800138000"
        assert (event.dest_addr_ton, event.dest_addr_npi, event.source_addr) == (1, 1, "12345")
        assert (event.data_coding, event.esm_class, event.registered_delivery) == (8, 0x40, 1)
        assert bytes(event.short_message)[:6] == bytes([5, 0, 3, message.message_id.int & 0xFF, 3, number])
        assert len(event.short_message) <= 140


def test_latin_and_foreign_numbers(smpp: SmppLine) -> None:
    message = OutgoingSms(uuid.uuid4(), "+85291234567", compose("Your case is closed: OK", ""))
    assert smpp.gateway.submit(message).outcome is Outcome.TAKEN
    event = smpp.carrier.heard[0]
    assert (event.destination_addr, event.data_coding, event.esm_class) == ("85291234567", 0, 0)
    assert bytes(event.short_message) == b"Your case is closed: OK"


def test_one_payload_instead_of_parts() -> None:
    carrier = SmppCarrier()
    gateway = smpp_gateway(carrier.port, lambda _receipt: None, multipart="payload")
    try:
        assert gateway.wait_until_bound(10)
        message = outgoing(LONG)
        result = gateway.submit(message)
        assert [(part.part_no, part.gateway_id) for part in result.parts] == [(0, "m1")]
        assert carrier.texts() == [message.text.text]
    finally:
        gateway.close()
        carrier.close()


def test_parts_taken_before_are_left_out(smpp: SmppLine) -> None:
    message = outgoing(LONG, taken=frozenset({1, 3}))
    result = smpp.gateway.submit(message)
    assert [part.part_no for part in result.parts] == [2]
    assert smpp.carrier.texts() == [message.text.parts[1]]


@pytest.mark.parametrize(("mood", "outcome"), [("silent", Outcome.UNKNOWN), ("throttle", Outcome.LATER)])
def test_it_stops_at_the_first_part_that_is_not_taken(smpp: SmppLine, mood: str, outcome: Outcome) -> None:
    smpp.carrier.mood = f"take_one_then_{mood}"  # type: ignore[assignment]
    result = smpp.gateway.submit(outgoing(LONG))
    assert result.outcome is outcome
    assert [(part.part_no, part.gateway_id) for part in result.parts] == [(1, "m1")]
    assert len(smpp.carrier.heard) == 2


def test_receipts_late_out_of_order_twice_and_early(smpp: SmppLine) -> None:
    smpp.carrier.deliver_early = lambda gateway_id: f"id:{gateway_id} stat:DELIVRD err:000".encode()
    assert smpp.gateway.submit(outgoing()).outcome is Outcome.TAKEN
    assert [receipt.gateway_id for receipt in smpp.receipts] == ["m1"], "before the answer"
    smpp.carrier.deliver_early = None
    smpp.gateway.submit(outgoing(LONG))
    for gateway_id, word in (("m4", "DELIVRD"), ("m2", "UNDELIV"), ("m3", "ACCEPTD"), ("m4", "DELIVRD")):
        assert smpp.carrier.receipt(gateway_id, word) == 0
    assert [(one.gateway, one.gateway_id, one.status) for one in smpp.receipts[1:]] == [
        ("smpp", "m4", ReceiptStatus.DELIVERED),
        ("smpp", "m2", ReceiptStatus.FAILED),
        ("smpp", "m3", ReceiptStatus.ON_THE_WAY),
        ("smpp", "m4", ReceiptStatus.DELIVERED),
    ]


def test_a_receipt_in_optional_parameters_alone(smpp: SmppLine) -> None:
    tlvs = [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"m9\x00"), smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02")]
    assert smpp.carrier.deliver(b"", tlvs=[*tlvs, smpp34.Tlv(0x1400, b"vendor")]) == 0
    assert [(one.gateway_id, one.status) for one in smpp.receipts] == [("m9", ReceiptStatus.DELIVERED)]


def test_a_receipt_that_cannot_be_kept_is_asked_for_again(smpp: SmppLine) -> None:
    smpp.troubles.append(UnavailableError("database"))
    assert smpp.carrier.receipt("m1") == 0x64
    assert smpp.carrier.receipt("m1") == 0
    assert len(smpp.receipts) == 1


def test_what_citizens_write_back_and_nonsense_is_taken_and_left(smpp: SmppLine) -> None:
    assert smpp.carrier.deliver("退订".encode("utf-16-be"), esm_class=0) == 0
    assert smpp.carrier.deliver(b"id:m1 stat:DELIVRD", esm_class=0) == 0, "says that it is no receipt"
    assert smpp.carrier.deliver(b"\xff" * 200) == 0
    assert smpp.receipts == []
    assert smpp.gateway.submit(outgoing()).outcome is Outcome.TAKEN


def test_signs_of_life_keep_an_idle_session(smpp: SmppLine) -> None:
    smpp.carrier.wait_for_sessions()
    bound = list(smpp.carrier.sessions)
    threading.Event().wait(2.5)  # six times the enquiry's pause
    assert list(smpp.carrier.sessions) == bound
    assert smpp.gateway.submit(outgoing()).outcome is Outcome.TAKEN


class RawServer:
    """A port where one answer is given to whatever comes, PDU or not."""

    def __init__(self, *answers: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._answers = answers
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._meet, args=(connection,), daemon=True).start()

    def _meet(self, connection: socket.socket) -> None:
        with connection:
            for answer in self._answers:
                if not connection.recv(65536):
                    return
                connection.sendall(answer)
            connection.recv(65536)
            connection.recv(65536)

    def close(self) -> None:
        self._socket.close()


def pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in (16 + len(body), command, status, sequence)) + body


BOUND = pdu(0x80000009, 0, 2, b"carrier\x00")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(pdu(0x80000009, 0x0E, 2), id="wrong password"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="not SMPP"),
        pytest.param(pdu(0xDEADBEEF, 0, 2), id="unknown command"),
        pytest.param(b"\x00\x00\x00\x04", id="impossible length"),
    ],
)
def test_a_bind_that_fails_is_said_and_tried_again(answer: bytes) -> None:
    server = RawServer(answer)
    gateway = smpp_gateway(server.port, lambda _receipt: None)
    try:
        wait_until(lambda: server.connections >= 2)
        assert gateway.problem
        assert gateway.submit(outgoing()).outcome is Outcome.LATER
    finally:
        gateway.close()
        server.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"\xff\xff\xff\xff" * 8, id="impossible length"),
        pytest.param(pdu(0x80000004, 0, 99, b"m1\x00"), id="another sequence number"),
        pytest.param(pdu(0x80000004, 0, 3), id="no id"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_answer_that_makes_no_sense_leaves_it_unknown(answer: bytes) -> None:
    server = RawServer(BOUND, answer)
    gateway = smpp_gateway(server.port, lambda _receipt: None)
    try:
        assert gateway.wait_until_bound(10)
        assert gateway.submit(outgoing()).outcome is Outcome.UNKNOWN
    finally:
        gateway.close()
        server.close()


def test_no_server_at_all() -> None:
    gateway = smpp_gateway(free_port(), lambda _receipt: None)
    try:
        assert not gateway.wait_until_bound(0.5)
        result = gateway.submit(outgoing())
        assert (result.outcome, bool(result.error)) == (Outcome.LATER, True)
    finally:
        gateway.close()
