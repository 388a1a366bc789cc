"""The stream: what each page is told, what it is told again, and what happens to pages that are too many or too slow."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from core.outbox import publish
from telephony.events import SpeechStarted
from tests.integration.webui_desk.conftest import EVIL_NAME, Hotline
from webui import stream_hub
from webui.stream_hub import Message, StreamHub, StreamLimitError, Subscriber
from webui.stream_messages import BOARD, CALLS, DESK


@pytest.fixture
def hub(hotline: Hotline) -> StreamHub:
    found: StreamHub = hotline.app.extensions["hub"]
    return found


class Page:
    """An open page: reads its frames in a thread of its own."""

    def __init__(self, hub: StreamHub, agent_id: uuid.UUID | None, topics: set[str], after: int | None = None) -> None:
        self.subscriber = hub.subscribe(agent_id, frozenset(topics))
        self.heard: list[dict[str, Any]] = []
        self.raw = b""
        self._thread = threading.Thread(target=self._read, args=(hub.frames(self.subscriber, after, 30),), daemon=True)
        self._thread.start()

    def _read(self, frames: Iterator[bytes]) -> None:
        for frame in frames:
            self.raw += frame
            self.heard = [json.loads(line[6:]) for line in self.raw.decode().splitlines() if line.startswith('data: {"')]

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the messages of a kind once there are enough."""
        for _ in range(100):
            found = [data for data in self.heard if data.get("type") == kind]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"no {kind} in {[data.get('type') for data in self.heard]}")


def newest(hotline: Hotline) -> int:
    with hotline.database.transaction() as session:
        return int(session.execute(text("SELECT coalesce(max(id), 0) FROM outbox_event")).scalar_one())


def test_an_agent_hears_of_their_own_call_and_of_no_other(hotline: Hotline, hub: StreamHub) -> None:
    hotline.seat("8001", "8002")
    mine, other = Page(hub, hotline.agents["8001"], {DESK}), Page(hub, hotline.agents["8002"], {DESK})
    watching = Page(hub, None, {BOARD, CALLS})
    unique = hotline.queue(name=EVIL_NAME)
    call_id = hotline.answer(unique)
    hotline.say(call_id, "居住证到期了")
    segment = mine.wait_for("segment")[0]
    assert (segment["segment"]["text"], segment["call_id"]) == ("居住证到期了", str(call_id))
    assert [data["call"]["state"] for data in mine.wait_for("call", 2)][-1] == "talking"
    assert mine.wait_for("agent")[-1]["agent"]["number"] == "8001"
    assert mine.wait_for("figures")[-1].keys() >= {"waiting", "longest_since", "ready"}
    assert watching.wait_for("segment")[0]["segment"]["text"] == "居住证到期了"
    assert watching.wait_for("board")[-1]["calls"][0]["caller"]["shown"] == "138****8000"
    assert {data["type"] for data in other.heard} <= {"figures"}, "no word of another agent's call"
    assert "13800138000" not in (mine.raw + watching.raw).decode()
    assert EVIL_NAME.splitlines()[0] in mine.heard[0].get("call", {}).get("name", EVIL_NAME)


def test_line_breaks_in_data_cannot_make_frames_of_their_own(hotline: Hotline, hub: StreamHub) -> None:
    evil = "a\n\nevent: resync\ndata: {}\n\n\r\nid: 999999\n"
    frame = Message({"type": "segment", "text": evil}, event_id=7).encode().decode()
    assert frame.count("\n") == 3
    assert json.loads(frame.splitlines()[1][6:])["text"] == evil


def test_what_was_missed_is_told_again_after_the_last_event(hotline: Hotline, hub: StreamHub) -> None:
    hotline.seat("8001")
    call_id = hotline.answer(hotline.queue())
    first = hotline.say(call_id, "第一句")
    before = newest(hotline)
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE outbox_event SET created_at = created_at - interval '1 minute'"))
    hotline.say(call_id, "第二句")
    page = Page(hub, hotline.agents["8001"], {DESK}, after=before)
    assert [data["segment"]["text"] for data in page.wait_for("segment")] == ["第二句"]
    hotline.say(call_id, "第三句")
    assert [data["segment"]["text"] for data in page.wait_for("segment", 2)] == ["第二句", "第三句"]
    ids = [data["id"] for data in page.heard if "id" in data]
    assert len(ids) == len(set(ids)) or ids == sorted(ids)
    assert first != uuid.UUID(int=0)


def test_an_event_whose_id_was_taken_early_but_committed_late_is_not_lost(hotline: Hotline, hub: StreamHub) -> None:
    hotline.seat("8001")
    call_id = hotline.answer(hotline.queue())
    page = Page(hub, hotline.agents["8001"], {DESK}, after=newest(hotline))
    with hotline.database.transaction() as slow:
        early = publish(slow, SpeechStarted(call_id=call_id, party="citizen", started_at=hotline.now))
        hotline.say(call_id, "后写的先到")
        assert page.wait_for("segment")[0]["id"] > early
        reopened_after = newest(hotline)
    assert page.wait_for("speaking")[0]["id"] == early
    # A page that reconnects after the larger id still gets the smaller one.
    again = Page(hub, hotline.agents["8001"], {DESK}, after=reopened_after)
    assert again.wait_for("speaking")[0]["id"] == early


def test_too_long_away_means_reading_everything_anew(hotline: Hotline, hub: StreamHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_hub, "_REPLAY_LIMIT", 5)
    hotline.seat("8001")
    call_id = hotline.answer(hotline.queue())
    before = newest(hotline)
    for n in range(8):
        hotline.say(call_id, f"第{n}句")
    page = Page(hub, hotline.agents["8001"], {DESK}, after=before)
    for _ in range(60):
        if b"event: resync" in page.raw:
            return
        time.sleep(0.05)
    raise AssertionError(page.raw)


def test_a_page_that_does_not_read_is_let_go_and_told_to_read_anew(hotline: Hotline, hub: StreamHub) -> None:
    agent_id = hotline.agents["8001"]
    slow, quick = hub.subscribe(agent_id, frozenset({DESK})), Page(hub, agent_id, {DESK})
    for n in range(stream_hub.QUEUE_SIZE + 5):
        hub.publish(Message({"type": "note", "n": n}, frozenset({agent_id})))
        if n % 50 == 0:
            quick.wait_for("note", n)
    assert slow.is_dropped
    frames = b"".join(hub.frames(slow, None, 5))
    assert frames.endswith(b"event: resync\ndata: {}\n\n")
    assert len(quick.wait_for("note", stream_hub.QUEUE_SIZE + 5)) == stream_hub.QUEUE_SIZE + 5, "the others lose nothing"
    assert hub.open_count == 1


def test_streams_are_capped_and_the_refused_page_is_told_when_to_come_back(hotline: Hotline, hub: StreamHub) -> None:
    limit = hotline.settings.stream_limit
    held = [hub.subscribe(None, frozenset({DESK})) for _ in range(limit)]
    with pytest.raises(StreamLimitError):
        hub.subscribe(None, frozenset({DESK}))
    answer = hotline.browser("chen").get("/stream")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    hub.unsubscribe(held[0])
    hub.unsubscribe(held[0])
    assert hub.open_count == limit - 1
    answer = hotline.browser("chen").get("/stream")
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    answer.close()
    assert hub.open_count == limit - 1, "a page that goes away gives its place back"


def test_topics_need_their_permission(hotline: Hotline) -> None:
    assert hotline.browser("chen").get("/stream?topics=board,calls").status_code == 403
    assert hotline.browser("zhou").get("/stream?topics=desk").status_code == 403
    assert hotline.browser("editor").get("/stream").status_code == 403
    allowed = hotline.browser("zhou").get("/stream?topics=board,calls")
    assert allowed.status_code == 200
    allowed.close()


def test_an_open_stream_holds_no_database_connection(hotline: Hotline, hub: StreamHub) -> None:
    pages = [Page(hub, hotline.agents["8001"], {DESK}, after=0) for _ in range(20)]
    pages[0].wait_for("figures")
    time.sleep(0.3)
    held = [hotline.database.engine.pool.checkedout() for _ in range(20) if not time.sleep(0.02)]  # type: ignore[attr-defined]
    assert min(held) == 0
    assert hub.open_count == 20


def test_a_silent_line_still_beats(hotline: Hotline, hub: StreamHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_hub, "BEAT_SECONDS", 0.05)
    frames = hub.frames(Subscriber(None, frozenset({"nothing"})), None, 1)
    assert next(frames).startswith(b"retry:")
    assert next(frames) == b": beat\n\nevent: beat\ndata: {}\n\n"
    frames.close()  # type: ignore[attr-defined]
