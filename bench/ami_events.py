"""(d) 20,000 UserEvents of a real Asterisk through the product's AMI client: events a second, none lost, in order.

`python -m bench.ami_events [--events N]`. A second manager connection has Asterisk send the events as fast as it takes the
actions; each is received by AmiClient and read by the bridge's fact parser. Every hundredth carries a hostile display name.
"""

from __future__ import annotations

import secrets
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import click

from bench.machine import write_result
from core.logs import configure_logging
from telephony.ami_facts import CallArrived, facts
from telephony.ami_protocol import AmiMessage
from telephony.speech.files import cpu_seconds
from tests.asterisk_server import AsteriskServer, asterisk_server

_SENDER = "bench-sender"
_IN_FLIGHT = 200
_QUIET_SECONDS = 10.0
_HOSTILE = "张三\u2028Channel: PJSIP/8001-forged\u0085Uniqueid: 0\u000bEvent: Hangup"


@dataclass
class Heard:
    """What came through the client, in the order in which it came."""

    wanted: int
    numbers: list[int] = field(default_factory=list)
    read_as_facts: int = 0
    forged: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    is_complete: threading.Event = field(default_factory=threading.Event)

    def on_event(self, message: AmiMessage) -> None:
        """Take an event as the bridge does."""
        if message.name != "UserEvent" or not message.get("Number"):
            return
        self.last_at = time.perf_counter()
        self.first_at = self.first_at or self.last_at
        number = int(message.get("Number"))
        for fact in facts(message, datetime.now(UTC)):
            assert isinstance(fact, CallArrived)
            self.read_as_facts += 1
            is_own = fact.unique_id == f"bench-1.{number}" and fact.channel == f"PJSIP/carrier-{number:08x}"
            self.forged += not is_own
        self.numbers.append(number)
        if len(self.numbers) >= self.wanted:
            self.is_complete.set()


def allow_sender(server: AsteriskServer) -> str:
    """Add a manager user that may send UserEvents, as the product's own may not; return its password."""
    password = secrets.token_hex(16)
    with (server.conf / "manager.conf").open("a", encoding="utf-8") as file:
        file.write(f"\n[{_SENDER}]\nsecret = {password}\nread =\nwrite = user\nwritetimeout = 5000\n")
    server.command("manager reload")
    return password


def send_events(port: int, password: str, count: int) -> None:
    """Send the actions, some ahead of their answers, and return when the last is answered."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rb") as answers:
        login = f"Action: Login\r\nUsername: {_SENDER}\r\nSecret: {password}\r\nEvents: off\r\n\r\n"
        connection.sendall(login.encode())
        may_send = threading.Semaphore(_IN_FLIGHT)
        failed: list[bytes] = []

        def read() -> None:
            answered = -1  # the log-in's
            for line in answers:
                if line.startswith(b"Response:"):
                    answered += 1
                    may_send.release()
                    if b"Success" not in line:
                        failed.append(line)
                    if answered >= count:
                        return

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(count):
            may_send.acquire()
            connection.sendall(_action(number))
        reader.join(_QUIET_SECONDS)
        if failed or reader.is_alive():
            raise RuntimeError(f"Asterisk did not take every action: {failed[:1] or 'no answer'}")


def _action(number: int) -> bytes:
    name = _HOSTILE if number % 100 == 0 else f"市民{number}"
    lines = (
        "Action: UserEvent", "UserEvent: CallArrived", f"Number: {number}",
        f"Uniqueid: bench-1.{number}", f"Linkedid: bench-1.{number}", f"Channel: PJSIP/carrier-{number:08x}",
        f"CallerIDNum: 139{number:08d}", f"CallerIDName: {name}", "Queue: consult", "Dialled: 12345",
        f"Recording: 2026/03/18/bench-1.{number}",
    )  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@click.command()
@click.option("--events", type=click.IntRange(min=1), default=20_000, show_default=True, help="Fewer are a trial: not kept.")
def main(events: int) -> None:
    """Measure, print and write bench/results/ami_events.json."""
    configure_logging("bench", "WARNING")
    heard = Heard(events)
    with asterisk_server() as server:
        password = allow_sender(server)
        client = server.client(heard.on_event)
        began, spent = time.perf_counter(), cpu_seconds()
        send_events(server.settings.ami_port, password, events)
        sent_seconds = time.perf_counter() - began
        seen = -1
        while not heard.is_complete.wait(_QUIET_SECONDS) and seen != len(heard.numbers):
            seen = len(heard.numbers)
        spent = cpu_seconds() - spent
        is_up = client.is_up
    lost = events - len(set(heard.numbers))
    in_order = heard.numbers == sorted(heard.numbers)
    seconds = heard.last_at - heard.first_at
    result = {
        "events": events,
        "received": len(heard.numbers),
        "lost": lost,
        "twice": len(heard.numbers) - len(set(heard.numbers)),
        "in_order": in_order,
        "read_as_facts": heard.read_as_facts,
        "forged": heard.forged,
        "seconds": round(seconds, 3),
        "events_a_second": round(len(heard.numbers) / seconds) if seconds else 0,
        "sent_seconds": round(sent_seconds, 3),
        "cpu_microseconds_an_event_sender_included": round(spent / max(1, len(heard.numbers)) * 1e6),
    }
    for name, value in result.items():
        print(f"{name.replace('_', ' '):45} {value}")
    if events >= 20_000:
        print("written to", write_result("ami_events", result, "asterisk-ami"))
    if lost or result["twice"] or not in_order or heard.forged or heard.read_as_facts != events or not is_up:
        print("not every event came through once, in order and as it was sent")
        sys.exit(1)


if __name__ == "__main__":
    main()
