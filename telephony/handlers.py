"""Events → jobs, and jobs → the service. Safe to run twice."""

from pathlib import Path

from core.database import Database
from core.jobs import ClaimedJob, Task
from telephony.call_state import CallOutcome
from telephony.events import CallEnded
from telephony.service import TelephonyService
from telephony.transcriber import TASK, Transcriber, enqueue_transcription

EXPIRE_RECORDINGS = "expire_recordings"
HOUSEKEEPING = "housekeeping"


class TelephonyHandlers:
    """What telephony does when something happens."""

    def __init__(self, service: TelephonyService, database: Database, recordings: Path) -> None:
        self._service = service
        self._database = database
        self._recordings = recordings

    def on_call_ended(self, event: CallEnded) -> None:
        """Have the recording of an answered call heard again."""
        if event.call_id is None or event.outcome != CallOutcome.ANSWERED:
            return
        ended_at = self._service.get_call(event.call_id).ended_at
        assert ended_at is not None, "the event is written with the call's end"
        with self._database.transaction() as session:
            enqueue_transcription(session, event.call_id, ended_at)

    def tasks(self, transcriber: Transcriber) -> dict[str, Task]:
        """Return the jobs by name."""
        return {TASK: transcriber.run, EXPIRE_RECORDINGS: self._expire_recordings}

    def _expire_recordings(self, job: ClaimedJob) -> None:
        while self._service.delete_expired_recordings(self._recordings):
            pass
        with self._database.transaction() as session:
            job.finish(session)
