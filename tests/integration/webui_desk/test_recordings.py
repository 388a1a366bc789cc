"""Recordings: only with the permission, never unrecorded, by ranges, and honest about what is lost."""

import uuid
import wave
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from tests.integration.webui_desk.conftest import Hotline


@pytest.fixture
def call_id(hotline: Hotline) -> uuid.UUID:
    hotline.seat("8001")
    unique = hotline.queue()
    made = hotline.answer(unique)
    for party, level in (("citizen", 9000), ("agent", 4000)):
        write(hotline.settings.recordings / f"2026/03/18/{unique}-{party}.wav", level)
    hotline.clock.advance(10)
    hotline.hang_up(unique)
    return made


def write(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((np.sin(np.arange(80_000)) * level).astype("<i2").tobytes())


def test_agents_may_read_but_not_listen(hotline: Hotline, call_id: uuid.UUID) -> None:
    chen = hotline.browser("chen")
    assert "没有收听录音的权限" in chen.get(f"/calls/{call_id}").get_data(as_text=True)
    assert chen.get(f"/calls/{call_id}/peaks").status_code == 403
    assert chen.post(f"/calls/{call_id}/plays", json={}).status_code == 403
    assert chen.get(f"/calls/{call_id}/recording.wav").status_code == 403
    assert hotline.audited("recording.played") == []


def test_every_playing_is_written_down_before_a_sound_is_heard(hotline: Hotline, call_id: uuid.UUID) -> None:
    zhou = hotline.browser("zhou")
    assert zhou.get(f"/calls/{call_id}/recording.wav").status_code == 403, "no sound without saying so first"
    assert zhou.get(f"/calls/{call_id}/recording.wav?ticket=made-up").status_code == 403
    url = (zhou.post(f"/calls/{call_id}/plays", json={}).json or {})["url"]
    assert zhou.get(url).status_code == 200
    assert hotline.browser("manager").get(url).status_code == 403, "a ticket is its owner's"
    assert zhou.get(url.replace(str(call_id), str(uuid.uuid4()))).status_code == 403
    zhou.post(f"/calls/{call_id}/plays", json={"download": True})
    rows = hotline.audited("recording.played")
    assert [(row["actor"], row["subject"], row["download"]) for row in rows] == [
        ("zhou", f"call:{call_id}", False),
        ("zhou", f"call:{call_id}", True),
    ]


def test_ranges_are_what_the_player_asked_for(hotline: Hotline, call_id: uuid.UUID) -> None:
    zhou = hotline.browser("zhou")
    url = (zhou.post(f"/calls/{call_id}/plays", json={}).json or {})["url"]
    whole = zhou.get(url)
    size = 44 + 80_000 * 4
    assert (len(whole.data), whole.headers["Accept-Ranges"], whole.headers["Content-Type"]) == (size, "bytes", "audio/wav")
    for asked, first, last in [
        ("bytes=0-1", 0, 1),
        ("bytes=1000-2001", 1000, 2001),
        ("bytes=320000-", 320_000, size - 1),
        ("bytes=-10", size - 10, size - 1),
    ]:
        part = zhou.get(url, headers={"Range": asked})
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert part.data == whole.data[first : last + 1]
    assert zhou.get(url, headers={"Range": f"bytes={size}-"}).status_code == 416
    assert zhou.get(url, headers={"Range": "bytes=5-2,nonsense"}).status_code == 200


def test_levels_of_both_parties(hotline: Hotline, call_id: uuid.UUID) -> None:
    zhou = hotline.browser("zhou")
    for _ in range(2):
        peaks = zhou.get(f"/calls/{call_id}/peaks").json or {}
        assert peaks["seconds"] == 10
        assert peaks["citizen"][5] > peaks["agent"][5] > 50
    assert (hotline.settings.state_dir / "peaks" / f"{call_id}.json").exists()


def test_a_lost_recording_is_shown_as_lost_and_the_other_party_still_plays(hotline: Hotline, call_id: uuid.UUID) -> None:
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE recording SET state = 'lost', loss_reason = 'disk_full' WHERE party = 'agent'"))
    for file in hotline.settings.recordings.rglob("*-agent.wav"):
        file.unlink()
    zhou = hotline.browser("zhou")
    shown = zhou.get(f"/calls/{call_id}").get_data(as_text=True)
    assert "坐席的录音丢失" in shown
    assert "磁盘已满" in shown
    peaks = zhou.get(f"/calls/{call_id}/peaks").json or {}
    assert max(peaks["agent"]) == 0
    assert max(peaks["citizen"]) > 50
    assert str(call_id) in zhou.get("/calls/?lost=1").get_data(as_text=True)


def test_nothing_to_play_is_said_and_not_audited(hotline: Hotline, call_id: uuid.UUID) -> None:
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE recording SET path = '../../../etc/passwd'"))
    zhou = hotline.browser("zhou")
    assert zhou.get(f"/calls/{call_id}/peaks").status_code == 404
    assert zhou.post(f"/calls/{call_id}/plays", json={}).status_code == 404
    with hotline.database.transaction() as session:
        session.execute(text("UPDATE recording SET state = 'deleted'"))
    assert "已过保存期" in zhou.get(f"/calls/{call_id}").get_data(as_text=True)
    assert hotline.audited("recording.played") == []
