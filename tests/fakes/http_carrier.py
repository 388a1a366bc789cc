"""A carrier that speaks our signed JSON over HTTP and behaves as it is told."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from core.signing import KEY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature

SECRET = "shared-between-both"


class HttpCarrier:
    """`heard` holds what was posted; `mood` decides the answer: take, refuse, throttle, silent, drop, nonsense, or a status."""

    def __init__(self, port: int = 0) -> None:
        self.mood: str = "take"
        self.heard: list[dict[str, Any]] = []
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()
        self._silence = threading.Event()
        carrier = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                carrier._meet(self)

            def log_message(self, *_words: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64

        self._server = Server(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages"

    def texts(self) -> list[str]:
        return [str(body["text"]) for body in self.heard]

    def close(self) -> None:
        self._silence.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _meet(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if signature(SECRET, request.headers[TIMESTAMP_HEADER], body) != request.headers[SIGNATURE_HEADER]:
            return self._answer(request, 401, {"error": "bad signature"})
        told = json.loads(body)
        self.heard.append({**told, "key": request.headers[KEY_HEADER], "at": int(request.headers[TIMESTAMP_HEADER])})
        if self.mood in {"silent", "drop", "drip"}:
            return self._keep_waiting(request)
        return self._answer(request, *self._words(str(told["reference"])))

    def _words(self, reference: str) -> tuple[int, Any, dict[str, str]]:
        if self.mood == "nonsense":
            return 200, ["not", "an", "object"], {}
        if self.mood == "refuse":
            return 422, {"error": "no such number"}, {}
        if self.mood == "throttle":
            return 429, {"error": "slow down"}, {"Retry-After": "7"}
        if self.mood.isdigit():
            return int(self.mood), {"error": "as told"}, {}
        with self._lock:
            known = reference in self._ids
            gateway_id = self._ids.setdefault(reference, f"m{len(self._ids) + 1}")
        return 409 if known else 202, {"id": gateway_id}, {}

    def _keep_waiting(self, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        if self.mood == "silent":
            self._silence.wait(30)
        elif self.mood == "drop":
            request.connection.close()
        else:
            request.send_response(200)
            request.end_headers()
            with contextlib.suppress(OSError):
                while not self._silence.wait(0.1):
                    request.wfile.write(b" ")

    def _answer(self, request: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        text = json.dumps(body).encode()
        request.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(text)


def wait_until(holds: Any, seconds: float = 10.0) -> None:
    """Wait for something that another thread brings about."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)
