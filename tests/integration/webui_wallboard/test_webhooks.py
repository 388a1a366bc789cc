"""Figures pushed to the hall's own system: a real server, signed, tried again, and nobody kept waiting."""

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import text

from tests.integration.webui_wallboard.conftest import Hall
from webui.wallboard.adapters import https_hall_system
from webui.wallboard.adapters.https_hall_system import HttpsHallSystem
from webui.wallboard.pusher import WallPusher
from webui.wallboard.webhook_addresses import BadWebhookAddressError, read_networks
from webui.wallboard.webhooks import (
    BadWebhookError,
    TooManyWebhooksError,
    WebhookNameTakenError,
    WebhookNotFoundError,
    WebhookService,
    WebhookView,
)

NETWORKS = read_networks(["127.0.0.0/8"])


@dataclass
class Receiver:
    """The hall's multimedia system, as another would write it."""

    address: str
    got: list[tuple[dict[str, str], bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    pause_seconds: float = 0.0
    drips: bool = False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((dict(self.headers.items()), body, self.path))
            time.sleep(made.pause_seconds)
            status = made.answers.pop(0) if made.answers else 204
            if made.drips:
                with contextlib.suppress(OSError):
                    for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
                        self.wfile.write(bytes([letter]))
                        self.wfile.flush()
                        time.sleep(0.1)
                return
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{made.address}elsewhere")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Receiver(f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def push(hall: Hall) -> Callable[[], int]:
    """Push what is due and wait for the results."""
    pusher = WallPusher(hall.webhooks, hall.snapshots, HttpsHallSystem(NETWORKS), hall.clock)

    def run() -> int:
        with ThreadPoolExecutor(8) as pool:
            return pusher.push_due(pool)

    return run


def only(hall: Hall) -> WebhookView:
    (row,) = hall.webhooks.list_webhooks()
    return row


def due_again(hall: Hall) -> None:
    hall.webhooks.push_now("setup", only(hall).webhook_id)


def pause(hall: Hall) -> float:
    """Return the seconds from the last result to the next push."""
    with hall.database.transaction() as session:
        gap = session.execute(text("SELECT extract(epoch FROM next_at - last_at) FROM wallboard_webhook")).scalar_one()
    return float(gap)


def test_the_receiver_gets_signed_figures(hall: Hall, receiver: Receiver, push: Callable[[], int]) -> None:
    secret = hall.webhooks.create_webhook("admin", "多媒体", receiver.address + "push?screen=1", 10)
    assert push() == 1
    ((headers, body, path),) = receiver.got
    assert path == "/push?screen=1"
    expected = hmac.new(secret.encode(), headers["X-Tingjian-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Tingjian-Signature"] == expected
    assert int(headers["X-Tingjian-Timestamp"]) == int(hall.now.timestamp())
    sent = json.loads(body)
    assert sent["delivery_id"] == headers["X-Tingjian-Delivery"]
    assert sent["figures"] == json.loads(hall.snapshots.fresh().body)
    row = only(hall)
    assert (row.last_status, row.last_error, row.failures, row.delivered) == (204, "", 0, 1)
    assert push() == 0  # not due for ten seconds
    assert pause(hall) == pytest.approx(10, abs=0.1)


def test_failures_are_tried_again_later_and_later_and_success_ends_that(
    hall: Hall, receiver: Receiver, push: Callable[[], int]
) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", receiver.address, 5)
    receiver.answers = [500, 503, 302, 200]
    pauses = []
    for _ in range(4):
        push()
        pauses.append(round(pause(hall)))
        due_again(hall)
    assert pauses == [10, 20, 40, 5]
    assert [path for _, _, path in receiver.got] == ["/"] * 4  # no redirect was followed
    row = only(hall)
    assert (row.last_status, row.failures, row.delivered) == (200, 0, 1)


def test_a_status_is_told(hall: Hall, receiver: Receiver, push: Callable[[], int]) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", receiver.address, 5)
    receiver.answers = [401]
    push()
    assert (only(hall).last_status, only(hall).last_error, only(hall).delivered) == (401, "status", 0)
    assert "返回 401" in hall.browser("admin").get("/displays/").get_data(as_text=True)


def test_nobody_listens(hall: Hall, push: Callable[[], int]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hall.webhooks.create_webhook("admin", "多媒体", f"http://127.0.0.1:{port}/", 5)
    push()
    assert only(hall).last_error == "no_connection"


def test_a_receiver_that_takes_the_figures_and_never_answers(
    hall: Hall, receiver: Receiver, push: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https_hall_system, "READ_SECONDS", 0.5)
    receiver.pause_seconds = 3
    hall.webhooks.create_webhook("admin", "多媒体", receiver.address, 5)
    began = time.monotonic()
    push()
    assert time.monotonic() - began < 2.5
    assert only(hall).last_error == "timeout"


def test_an_answer_that_drips_ends_too(
    hall: Hall, receiver: Receiver, push: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(https_hall_system, "WHOLE_SECONDS", 1.0)
    receiver.drips = True
    hall.webhooks.create_webhook("admin", "多媒体", receiver.address, 5)
    began = time.monotonic()
    push()
    assert time.monotonic() - began < 6
    assert only(hall).last_error == "timeout"


def test_a_slow_receiver_hinders_no_other(hall: Hall, receiver: Receiver) -> None:
    receiver.pause_seconds = 2
    hall.webhooks.create_webhook("admin", "慢", receiver.address, 5)
    stopping = threading.Event()
    pusher = WallPusher(hall.webhooks, hall.snapshots, HttpsHallSystem(NETWORKS), hall.clock)
    loop = threading.Thread(target=pusher.run, args=(stopping,))
    loop.start()
    wait_for(lambda: len(receiver.got) == 1)
    receiver.pause_seconds = 0
    hall.webhooks.create_webhook("admin", "快", receiver.address + "quick", 5)
    wait_for(lambda: any(row.name == "快" and row.delivered for row in hall.webhooks.list_webhooks()))
    assert [row.delivered for row in hall.webhooks.list_webhooks() if row.name == "慢"] == [0]
    stopping.set()
    loop.join(10)
    assert not loop.is_alive()


def test_two_workers_push_once(hall: Hall) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", "http://127.0.0.1:9/", 5)
    other = WebhookService(hall.database, NETWORKS)
    assert [len(hall.webhooks.claim_due(8)), len(other.claim_due(8))] == [1, 0]


def test_a_worker_that_dies_in_between_loses_nothing(hall: Hall) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", "http://127.0.0.1:9/", 5)
    assert len(hall.webhooks.claim_due(8)) == 1
    with hall.database.transaction() as session:
        session.execute(text("UPDATE wallboard_webhook SET next_at = next_at - interval '30 seconds'"))
    assert len(hall.webhooks.claim_due(8)) == 1


def test_a_paused_webhook_rests_and_a_removed_one_is_forgotten(hall: Hall, receiver: Receiver, push: Callable[[], int]) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", receiver.address, 5)
    webhook_id = only(hall).webhook_id
    hall.webhooks.set_active("admin", webhook_id, False)
    assert push() == 0
    hall.webhooks.set_active("admin", webhook_id, True)
    (due,) = hall.webhooks.claim_due(8)
    hall.webhooks.remove_webhook("admin", webhook_id)
    from webui.wallboard.webhooks import PushResult

    hall.webhooks.report(due.webhook_id, PushResult(200, "", 3))  # it was taken away while it was pushed
    assert hall.webhooks.list_webhooks() == []
    with pytest.raises(WebhookNotFoundError):
        hall.webhooks.push_now("admin", webhook_id)


def test_a_name_that_now_leads_elsewhere_is_not_followed(
    hall: Hall, push: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", "https://hall.example/", 5)
    asked = []

    def inward(host: str, port: int, **_more: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", port))]

    monkeypatch.setattr(https_hall_system.socket, "getaddrinfo", inward)
    push()
    assert asked == ["hall.example"]
    assert only(hall).last_error == "refused_address"


def test_an_unknown_host(hall: Hall, push: Callable[[], int]) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", "https://nowhere.invalid/", 5)
    push()
    assert only(hall).last_error == "unknown_host"


def test_no_encryption_where_https_was_promised(hall: Hall, receiver: Receiver, push: Callable[[], int]) -> None:
    hall.webhooks.create_webhook("admin", "多媒体", receiver.address.replace("http:", "https:"), 5)
    push()
    assert only(hall).last_error in ("tls", "no_connection")
    assert receiver.got == []


def test_what_is_refused_when_it_is_added(hall: Hall) -> None:
    for address in (
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "ftp://hall.example/",
        "hall",
        "http://8.8.8.8/",
    ):
        with pytest.raises(BadWebhookAddressError):
            hall.webhooks.create_webhook("admin", "x", address, 5)
    for name, seconds in (("", 5), ("x" * 41, 5), ("x", 1), ("x", 3601)):
        with pytest.raises(BadWebhookError):
            hall.webhooks.create_webhook("admin", name, "https://hall.example/", seconds)
    for number in range(8):
        hall.webhooks.create_webhook("admin", f"x{number}", "https://hall.example/", 5)
    with pytest.raises(WebhookNameTakenError):
        hall.webhooks.create_webhook("admin", "x1", "https://hall.example/", 5)
    with pytest.raises(TooManyWebhooksError):
        hall.webhooks.create_webhook("admin", "x9", "https://hall.example/", 5)


def test_the_page_of_webhooks(hall: Hall, receiver: Receiver, push: Callable[[], int]) -> None:
    browser = hall.browser("admin")
    sent = {"name": "多媒体 <b>", "address": receiver.address, "every_seconds": "10"}
    assert hall.browser("agent").post("/displays/webhooks/", data=sent).status_code == 403
    assert browser.post("/displays/webhooks/", data=sent).status_code == 302
    page = browser.get("/displays/").get_data(as_text=True)
    assert 'id="new-secret"' in page
    assert "<b>多" not in page
    assert "多媒体 <b>" not in page
    assert 'id="new-secret"' not in browser.get("/displays/").get_data(as_text=True)
    push()
    webhook_id = only(hall).webhook_id
    assert browser.post(f"/displays/webhooks/{webhook_id}/test").status_code == 302
    assert push() == 1
    assert "204" in browser.get("/displays/").get_data(as_text=True)
    assert browser.post(f"/displays/webhooks/{webhook_id}/pause").status_code == 302
    assert not only(hall).is_active
    assert browser.post(f"/displays/webhooks/{webhook_id}/resume").status_code == 302
    for bad in ({"address": "http://10.0.0.1/"}, {"every_seconds": "abc"}, {"every_seconds": "１０"}, {"name": ""}):
        browser.post("/displays/webhooks/", data={**sent, "name": "另一个", **bad})
    assert len(hall.webhooks.list_webhooks()) == 1
    assert browser.post(f"/displays/webhooks/{webhook_id}/remove").status_code == 302
    assert browser.post(f"/displays/webhooks/{webhook_id}/remove").status_code == 404
    assert hall.audited("webhook.created") == hall.audited("webhook.removed") == 1


def wait_for(is_so: Callable[[], bool], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
