"""Whether each party's recording of a call is whole, cut short or missing, and when it must go. We judge our own node only."""

import shutil
import uuid
import wave
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import select

from core.clock import local_date
from core.outbox import publish
from telephony.door import Door
from telephony.events import RecordingLost
from telephony.models import Call, Recording

log = structlog.get_logger()
RECORDING, KEPT, LOST, DELETED = "recording", "kept", "lost", "deleted"
MISSING, STALLED, CUT, DISK_FULL = "missing", "stalled", "cut", "disk_full"
_SETTLE = timedelta(seconds=2)
_TOLERATED_SECONDS = 3.0
_TOLERATED_SHARE = 0.05
_LITTLE_SPACE_BYTES = 1_000_000
_HEADER_BYTES = 44
_BYTES_A_SECOND = 16_000


@dataclass(frozen=True)
class RunningFile:
    """A recording that should be growing."""

    recording_id: uuid.UUID
    path: str
    started_at: datetime


def seconds_of(path: Path) -> float | None:
    """Return the length of an 8 kHz 16-bit WAV file; by its size where the header was never completed; None when there is none."""
    try:
        with wave.open(str(path)) as file:
            seconds = file.getnframes() / file.getframerate()
        return seconds or max(0, path.stat().st_size - _HEADER_BYTES) / _BYTES_A_SECOND
    except (OSError, EOFError, wave.Error):
        return None


def verdict(file_seconds: float | None, expected_seconds: float) -> str | None:
    """Return why a finished recording counts as lost, None when it is whole.

    Some is missing at either end of every recording: the first packets, and what the writer had not yet flushed.
    """
    if file_seconds is None:
        return MISSING
    missing = expected_seconds - file_seconds
    return CUT if missing > max(_TOLERATED_SECONDS, expected_seconds * _TOLERATED_SHARE) else None


class RecordingActions(Door):
    """The part of the front door for recordings."""

    def running_recordings(self) -> list[RunningFile]:
        """Return the recordings of calls that go on."""
        query = (
            select(Recording)
            .join(Call, Call.id == Recording.call_id)
            .where(Recording.node == self._rules.node, Recording.state == RECORDING, Call.ended_at.is_(None))
        )
        with self._database.transaction() as session:
            return [RunningFile(row.id, row.path, row.started_at) for row in session.scalars(query)]

    def lose_recording(self, recording_id: uuid.UUID, reason: str) -> None:
        """Note that a recording is missing or cut, and tell; the call goes on. Once lost stays lost."""
        with self._database.transaction() as session:
            row = session.get(Recording, recording_id, with_for_update=True)
            if row is not None and row.state == RECORDING:
                row.state, row.loss_reason = LOST, reason
                publish(session, RecordingLost(call_id=row.call_id, party=row.party, reason=reason))
                log.warning("recording_lost", call_id=str(row.call_id), party=row.party, reason=reason)

    def finish_recordings(self, folder: Path) -> int:
        """Judge the recordings of calls that have ended; return how many."""
        query = (
            select(Recording, Call.ended_at)
            .join(Call, Call.id == Recording.call_id)
            .where(Recording.node == self._rules.node, Recording.state == RECORDING, Call.ended_at <= self._clock.now() - _SETTLE)
            .limit(200)
            .with_for_update(of=Recording, skip_locked=True)
        )
        with self._database.transaction() as session:
            rows = session.execute(query).all()
            for row, ended_at in rows:
                assert ended_at is not None
                row.seconds = seconds_of(folder / row.path)
                reason = verdict(row.seconds, (ended_at - row.started_at).total_seconds())
                row.state = LOST if reason else KEPT
                if reason:
                    row.loss_reason = full_disk(folder) or reason
                    publish(session, RecordingLost(call_id=row.call_id, party=row.party, reason=row.loss_reason))
                    log.warning("recording_lost", call_id=str(row.call_id), party=row.party, reason=row.loss_reason)
        return len(rows)

    def delete_expired_recordings(self, folder: Path, limit: int = 500) -> int:
        """Delete the recordings whose time is over, file first; return how many. What will not go is tried again next time."""
        query = (
            select(Recording)
            .where(Recording.delete_on <= local_date(self._clock.now()), Recording.state != DELETED)
            .order_by(Recording.delete_on)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        deleted = 0
        with self._database.transaction() as session:
            for row in session.scalars(query):
                try:
                    (folder / row.path).unlink(missing_ok=True)
                except OSError as error:
                    log.warning("recording_not_deleted", call_id=str(row.call_id), error=str(error))
                    continue
                row.state = DELETED
                deleted += 1
        return deleted


def full_disk(folder: Path) -> str | None:
    """Return DISK_FULL when next to nothing can be written to the folder any more."""
    try:
        return DISK_FULL if shutil.disk_usage(folder).free < _LITTLE_SPACE_BYTES else None
    except OSError:
        return None


class RecordingWatch:
    """Remembers sizes between looks: a file that is not there, or no longer grows, is a loss to be shown during the call."""

    def __init__(self, folder: Path, patience: timedelta = timedelta(seconds=6)) -> None:
        self._folder = folder
        self._patience = patience
        self._grew: dict[uuid.UUID, tuple[int, datetime]] = {}

    def look(self, running: list[RunningFile], now: datetime) -> dict[uuid.UUID, str]:
        """Return what is lost by now, with the reason."""
        lost: dict[uuid.UUID, str] = {}
        for file in running:
            size = self._size(file.path)
            last, since = self._grew.get(file.recording_id, (-1, file.started_at))
            if size > last:
                self._grew[file.recording_id] = (size, now)
            elif now - since > self._patience:
                lost[file.recording_id] = full_disk(self._folder) or (STALLED if size >= 0 else MISSING)
        self._grew = {file.recording_id: self._grew[file.recording_id] for file in running if file.recording_id in self._grew}
        return lost

    def _size(self, path: str) -> int:
        try:
            return (self._folder / path).stat().st_size
        except OSError:
            return -1
