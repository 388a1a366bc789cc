"""Jobs of our own → one call of the service each. Safe to run twice."""

from __future__ import annotations

import uuid

from core.database import Database
from core.jobs import ClaimedJob, Task
from workorder.ports import SmsGateway
from workorder.service import SEND_SMS, TIDY_SMS, WorkorderService


class WorkorderHandlers:
    """What workorder does when its time comes."""

    def __init__(self, service: WorkorderService, database: Database) -> None:
        self._service = service
        self._database = database

    def tasks(self, gateway: SmsGateway | None) -> dict[str, Task]:
        """Return the jobs by name. Without a gateway nothing is sent, and messages wait until they run out."""
        tasks: dict[str, Task] = {TIDY_SMS: self._tidy}
        if gateway is not None:
            tasks[SEND_SMS] = lambda job: self._send(gateway, job)
        return tasks

    def _send(self, gateway: SmsGateway, job: ClaimedJob) -> None:
        # The outcome has a transaction of its own: it must be kept even when the lease is lost.
        self._service.send_queued_sms(gateway, uuid.UUID(job.args["message_id"]))
        with self._database.transaction() as session:
            job.finish(session)

    def _tidy(self, job: ClaimedJob) -> None:
        self._service.tidy_sms()
        with self._database.transaction() as session:
            job.finish(session)
