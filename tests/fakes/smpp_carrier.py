"""A carrier that speaks SMPP 3.4 (a real server) and behaves as it is told."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import smpp34

Mood = Literal["take", "refuse", "throttle", "silent", "take_one_then_silent", "take_one_then_throttle"]
_REFUSALS = {"refuse": smpp34.ESME_RINVDSTADR, "throttle": smpp34.ESME_RTHROTTLED}


class SmppCarrier:
    """Runs in a thread of its own. `heard` holds every submit_sm; ids are m1, m2 …"""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.mood: Mood = "take"
        self.heard: list[smpp34.SubmitSmEvent] = []
        self.sessions: dict[str, smpp34.Esme] = {}
        self.deliver_early: Callable[[str], bytes] | None = None
        self._count = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def ids(self) -> list[str]:
        """The ids given so far."""
        return [f"m{number}" for number in range(1, self._count + 1)]

    def texts(self) -> list[str]:
        """What was heard, decoded, without the joining headers."""
        found = []
        for event in self.heard:
            payload = next((tlv.value for tlv in event.tlvs if tlv.tag == smpp34.TLV_MESSAGE_PAYLOAD), None)
            octets = payload or bytes(event.short_message)[6 if event.esm_class & 0x40 else 0 :]
            found.append(octets.decode("utf-16-be" if event.data_coding == 8 else "ascii"))
        return found

    def joined(self) -> list[str]:
        """Whole messages: parts that came one after the other to the same number, put together."""
        whole: dict[tuple[str, bytes], str] = {}
        for event, text in zip(self.heard, self.texts(), strict=True):
            header = bytes(event.short_message)[:5] if event.esm_class & 0x40 else str(id(event)).encode()
            key = (str(event.destination_addr), header)
            whole[key] = whole.get(key, "") + text
        return list(whole.values())

    def deliver(self, text: bytes, esm_class: int = 0x04, tlvs: list[smpp34.Tlv] | None = None) -> int:
        """Send a deliver_sm to the newest session and return the status it was answered with."""
        self.wait_for_sessions()
        session = list(self.sessions.values())[-1]

        async def send() -> Any:
            return await session.deliver_sm(
                "12345", text, source_addr="8613800138000", esm_class=esm_class, tlvs=tlvs or [], source_addr_ton=1
            )

        return int(self.do(send()).command_status)

    def receipt(self, gateway_id: str, word: str = "DELIVRD") -> int:
        """Send a receipt as most networks write it."""
        return self.deliver(f"id:{gateway_id} sub:001 dlvrd:001 submit date:2603181030 stat:{word} err:000 text:".encode())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def wait_for_sessions(self, count: int = 1, seconds: float = 10.0) -> None:
        """Wait until somebody is bound."""
        until = time.monotonic() + seconds
        while len(self.sessions) < count:
            assert time.monotonic() < until, "nobody bound"
            time.sleep(0.02)

    def close(self) -> None:
        """End the server and every session."""
        if not self._ended.is_set():
            self._ended.set()
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join(10)

    def _stop(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = smpp34.Server("127.0.0.1", self.port, system_id="carrier")
        await server.start()
        self._ready.set()
        try:
            while not self._ended.is_set():
                await self._meet(await server.next())
        finally:
            for session in self.sessions.values():
                await session.unbind()
            await server.stop()

    async def _meet(self, event: Any) -> None:
        if isinstance(event, smpp34.Esme):
            self.sessions[event.session_id] = event
        elif isinstance(event, smpp34.Unbound):
            self.sessions.pop(event.session_id, None)
        elif isinstance(event, smpp34.SubmitSmEvent):
            self.heard.append(event)
            mood = self.mood
            if mood.startswith("take_one_then_"):
                self.mood = mood.removeprefix("take_one_then_")  # type: ignore[assignment]
                mood = "take"
            if mood in _REFUSALS:
                event.reject(_REFUSALS[mood])
            elif mood == "take":
                self._count += 1
                if self.deliver_early is not None:
                    session = self.sessions[event.session_id]
                    receipt = self.deliver_early(f"m{self._count}")
                    await session.deliver_sm("12345", receipt, source_addr="8613800138000", esm_class=0x04)
                event.accept(f"m{self._count}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
