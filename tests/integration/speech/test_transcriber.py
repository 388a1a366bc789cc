"""The job after the call, on a real PostgreSQL and real files; the engine is the fake unless a test says otherwise."""

import subprocess
import sys
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select, update

from core.database import Database
from core.errors import UnavailableError
from core.jobs import Job, Worker, claim
from core.outbox import OutboxEvent
from core.settings import PROJECT_DIR
from telephony.adapters.whisper_recordings import WhisperRecordings
from telephony.models import Call, CallEvent, Recording, Segment, Transcript
from telephony.ports import SpeechToText
from telephony.speech.audio import Audio, read_wav, write_wav
from telephony.transcriber import QUEUE, TASK, Transcriber, enqueue_transcription
from tests.fakes.clock import FakeClock
from tests.fakes.speech import FakeSpeechToText

RATE = 8000
CLOCK = FakeClock()
START = CLOCK.now() - timedelta(minutes=10)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sound(seconds: float, *loud: tuple[float, float]) -> bytes:
    """Return a WAV file that is loud between the given times."""
    pcm = np.zeros(int(seconds * RATE), np.float32)
    for start, end in loud:
        pcm[int(start * RATE) : int(end * RATE)] = 0.3
    return write_wav(pcm, RATE)


def make_call(
    database: Database, folder: Path, citizen: bytes | None, agent: bytes | None, *, answered: float | None = 10
) -> uuid.UUID:
    """Make a call of 60 s, held from 30 to 40, whose recordings began 2 s after it, and its job."""
    with database.transaction() as session:
        number = uuid.uuid4().hex
        call = Call(number=number, node="n", linkedid=number, caller_number="13800138000", state="ended", started_at=START)
        call.answered_at = None if answered is None else at(answered)
        call.ended_at = at(60)
        session.add(call)
        session.flush()
        for party, content in (("citizen", citizen), ("agent", agent)):
            if content is not None:
                (folder / f"{call.id}-{party}.wav").write_bytes(content)
            path = f"{call.id}-{party}.wav"
            session.add(Recording(call_id=call.id, party=party, node="n", path=path, started_at=at(2), state="kept"))
        for second, kind in ((30, "held"), (40, "resumed")):
            session.add(CallEvent(call_id=call.id, natural_key=f"{kind}", at=at(second), kind=kind, detail={}))
        for party in ("citizen", "agent"):
            session.add(
                Segment(
                    call_id=call.id, kind="live", party=party, start_seconds=12, end_seconds=13,
                    started_at=at(12), text=f"live {party}", hops={},
                )
            )  # fmt: skip
        enqueue_transcription(session, call.id, at(0))
        return call.id


def work(database: Database, folder: Path, engine: SpeechToText) -> None:
    """Run one job as the worker does; run out of pauses first."""
    with database.transaction() as session:
        session.execute(update(Job).where(Job.state == "ready").values(run_at=func.clock_timestamp()))
    transcriber = Transcriber(database, engine, folder, CLOCK, hotwords=lambda: "居住证")
    assert Worker(database, {TASK: transcriber.run}, [QUEUE]).run_once()


def story(database: Database, call_id: uuid.UUID) -> list[tuple[str, str, float, str]]:
    with database.transaction() as session:
        rows = session.scalars(select(Segment).where(Segment.call_id == call_id).order_by(Segment.start_seconds, Segment.party))
        return [(row.kind, row.party, round(row.start_seconds, 1), row.text) for row in rows]


def ready_events(database: Database, call_id: uuid.UUID) -> int:
    with database.transaction() as session:
        query = select(func.count()).where(OutboxEvent.call_id == call_id, OutboxEvent.name == "TranscriptReady")
        return session.scalar(query) or 0


def job_state(database: Database, call_id: uuid.UUID) -> tuple[str, int]:
    with database.transaction() as session:
        job = session.scalars(select(Job).where(Job.args["call_id"].astext == str(call_id))).one()
        return job.state, job.attempts


def transcript(database: Database, call_id: uuid.UUID) -> Transcript:
    with database.transaction() as session:
        found = session.get(Transcript, call_id)
        assert found is not None
        return found


def test_the_conversation_alone_replaces_the_live_text(database: Database, tmp_path: Path) -> None:
    # In the agent's file: a prompt before the answer, a word, hold music, a word. The files begin 2 s after the call.
    citizen = sound(58, (9, 11), (31, 33), (50, 51))
    agent = sound(58, (1, 6), (13, 15), (28.5, 37.5), (45, 46))
    call_id = make_call(database, tmp_path, citizen, agent)
    engine = FakeSpeechToText()
    work(database, tmp_path, engine)
    assert story(database, call_id) == [
        ("final", "citizen", 11.0, "说了2.0秒"),
        ("final", "agent", 15.0, "说了2.0秒"),
        ("final", "agent", 47.0, "说了1.0秒"),
        ("final", "citizen", 52.0, "说了1.0秒"),
    ]
    assert engine.asked == [(50.0, "居住证"), (50.0, "居住证")]
    assert (transcript(database, call_id).kind, transcript(database, call_id).state) == ("final", "ready")
    assert transcript(database, call_id).engine == "fake"
    assert ready_events(database, call_id) == 1
    assert job_state(database, call_id) == ("done", 1)


def test_numbers_are_masked_across_segments_before_they_are_stored(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12), (14, 16)), sound(58))
    work(database, tmp_path, FakeSpeechToText(["号码一三八零零", "一三八零零零,謝謝"]))
    assert [text for _, _, _, text in story(database, call_id)] == ["号码〔电话号〕", "〔电话号〕，谢谢"]


def test_an_engine_that_is_away_leaves_the_live_text_and_is_asked_again(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12)), sound(58))
    work(database, tmp_path, FakeSpeechToText(error="no weights: run deploy/install_weights.sh"))
    assert {kind for kind, *_ in story(database, call_id)} == {"live"}
    failed = transcript(database, call_id)
    assert (failed.kind, failed.state, failed.error) == ("live", "failed", "no weights: run deploy/install_weights.sh")
    assert job_state(database, call_id) == ("ready", 1)
    work(database, tmp_path, FakeSpeechToText())
    assert [kind for kind, *_ in story(database, call_id)] == ["final"]
    assert transcript(database, call_id).error is None


def test_the_live_text_of_a_party_whose_recording_is_lost_counts_from_then_on(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12)), None)
    for _ in range(3):
        work(database, tmp_path, FakeSpeechToText())
        assert {kind for kind, *_ in story(database, call_id)} == {"live"}
    work(database, tmp_path, FakeSpeechToText())
    assert story(database, call_id) == [("final", "agent", 12.0, "live agent"), ("final", "citizen", 12.0, "说了2.0秒")]
    assert "agent" in (transcript(database, call_id).error or "")


def lose(database: Database, call_id: uuid.UUID, party: str, reason: str) -> None:
    with database.transaction() as session:
        mine = (Recording.call_id == call_id, Recording.party == party)
        session.execute(update(Recording).where(*mine).values(state="lost", loss_reason=reason))


@pytest.mark.parametrize("reason", ["cut", "stalled", "disk_full"])
def test_what_there_is_of_a_recording_that_was_cut_short_is_heard(database: Database, tmp_path: Path, reason: str) -> None:
    # 18 s of the 58 that it should have: until second 20 of the call.
    call_id = make_call(database, tmp_path, sound(18, (9, 11)), sound(58))
    lose(database, call_id, "citizen", reason)
    with database.transaction() as session:
        late = {"start_seconds": 50, "end_seconds": 51, "started_at": at(50), "text": "late", "hops": {}}
        session.add(Segment(call_id=call_id, kind="live", party="citizen", **late))
    work(database, tmp_path, FakeSpeechToText())
    heard = [("final", "citizen", 11.0, "说了2.0秒"), ("final", "citizen", 50.0, "late")]
    assert story(database, call_id) == heard
    with database.transaction() as session:
        enqueue_transcription(session, call_id, at(0))
    work(database, tmp_path, FakeSpeechToText())
    assert story(database, call_id) == heard


def test_a_recording_that_never_was_is_not_waited_for(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12)), None)
    lose(database, call_id, "agent", "missing")
    work(database, tmp_path, FakeSpeechToText())
    assert story(database, call_id) == [("final", "agent", 12.0, "live agent"), ("final", "citizen", 12.0, "说了2.0秒")]


def test_what_follows_after_an_agent_was_lost_on_hold_is_heard(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (31, 33), (50, 51)), sound(58))
    with database.transaction() as session:
        session.execute(
            update(CallEvent).where(CallEvent.call_id == call_id, CallEvent.kind == "resumed").values(kind="agent_lost")
        )
    work(database, tmp_path, FakeSpeechToText())
    assert story(database, call_id) == [("final", "citizen", 52.0, "说了1.0秒")]


def test_a_call_that_nobody_answered_has_an_empty_transcript(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12)), sound(58, (1, 50)), answered=None)
    engine = FakeSpeechToText()
    work(database, tmp_path, engine)
    assert story(database, call_id) == []
    assert engine.asked == []


def test_a_second_run_changes_nothing(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12)), sound(58))
    work(database, tmp_path, FakeSpeechToText())
    once = story(database, call_id)
    with database.transaction() as session:
        enqueue_transcription(session, call_id, at(0))
    work(database, tmp_path, FakeSpeechToText())
    assert story(database, call_id) == once


KILLED = """
import sys, time
from pathlib import Path
from core.clock import SystemClock
from core.database import Database
from core.jobs import Worker
from telephony.transcriber import QUEUE, TASK, Transcriber

class Slow:
    name = "slow"
    def transcribe(self, audio, hotwords=""):
        print("hearing", flush=True)
        time.sleep(60)

database = Database(sys.argv[1])
transcriber = Transcriber(database, Slow(), Path(sys.argv[2]), SystemClock())
Worker(database, {TASK: transcriber.run}, [QUEUE]).run_once()
"""


def test_a_worker_killed_in_the_middle_leaves_live_text_and_the_next_one_finishes(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12)), sound(58))
    with database.transaction() as session:
        session.execute(update(Job).where(Job.state == "ready").values(run_at=func.clock_timestamp()))
    command = [sys.executable, "-c", KILLED, database.url, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"hearing\n"
        worker.kill()
    assert {kind for kind, *_ in story(database, call_id)} == {"live"}
    assert claim(database, [QUEUE]) is None
    with database.transaction() as session:
        session.execute(update(Job).where(Job.state == "running").values(lease_until=func.clock_timestamp() - timedelta(seconds=1)))
    work(database, tmp_path, FakeSpeechToText())
    assert [kind for kind, *_ in story(database, call_id)] == ["final"]
    assert job_state(database, call_id) == ("done", 2)
    assert ready_events(database, call_id) == 1


def test_real_recordings_become_real_text(database: Database, tmp_path: Path, weights: Path) -> None:
    speech = read_wav(PROJECT_DIR / "tests/data/speech/05_bdc.wav").samples
    pcm = np.zeros(58 * RATE, np.float32)
    pcm[12 * RATE : 12 * RATE + len(speech)] = speech
    call_id = make_call(database, tmp_path, write_wav(Audio(pcm, RATE).samples, RATE), sound(58))
    engine = WhisperRecordings("faster-whisper", weights, nice=0)
    try:
        work(database, tmp_path, engine)
    finally:
        engine.close()
    (kind, party, start, text), *more = story(database, call_id)
    assert (kind, party) == ("final", "citizen")
    assert start == pytest.approx(14, abs=1)
    assert "窗口" in text + "".join(each[3] for each in more)


def test_a_missing_call_is_an_error_of_the_job_not_of_the_worker(database: Database, tmp_path: Path) -> None:
    with database.transaction() as session:
        enqueue_transcription(session, uuid.uuid4(), at(0))
    work(database, tmp_path, FakeSpeechToText())
    with database.transaction() as session:
        assert "NotFoundError" in (session.scalars(select(Job.error).where(Job.error.is_not(None))).first() or "")


def test_no_weights_is_said_on_the_call(database: Database, tmp_path: Path) -> None:
    call_id = make_call(database, tmp_path, sound(58, (10, 12)), sound(58))
    engine = WhisperRecordings("faster-whisper", tmp_path / "none")
    try:
        with pytest.raises(UnavailableError, match="install_weights"):
            engine.transcribe(np.zeros(16000, np.float32))
        with database.transaction() as session:
            session.execute(update(Job).where(Job.args["call_id"].astext != str(call_id)).values(state="done"))
        work(database, tmp_path, engine)
    finally:
        engine.close()
    assert "install_weights" in (transcript(database, call_id).error or "")
