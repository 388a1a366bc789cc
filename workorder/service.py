"""The front door of workorder: approval cases and text messages. Work orders come later."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from workorder.case_import import CaseImporting
from workorder.case_view import CaseFilter, CaseImportReport, CasePage, CaseView, Change
from workorder.cases import Cases
from workorder.messages import QUEUE, SEND, Messages
from workorder.ports import Receipt, SmsGateway
from workorder.sending import Sending
from workorder.sms_rules import SmsRules
from workorder.sms_view import Decision, SmsFilter, SmsPage, SmsToday, SmsView

SMS_QUEUE = QUEUE
SEND_SMS = SEND
TIDY_SMS = "tidy_sms"


class WorkorderService:
    """Everything others may ask of workorder."""

    def __init__(self, database: Database, clock: Clock, rules: SmsRules) -> None:
        self._cases = Cases(database, clock)
        self._importing = CaseImporting(database, clock)
        self._messages = Messages(database, clock, rules)
        self._sending = Sending(database, clock, rules)
        self.has_sms_gateway = rules.has_gateway

    # Approval cases

    def import_cases(self, content: Path | bytes, file_name: str, actor: str) -> CaseImportReport:
        """Take in a CSV file or a spreadsheet of cases, row by row; CaseFileError when the file as a whole is unusable."""
        return self._importing.import_cases(content, file_name, actor)

    def list_imports(self, limit: int = 20) -> list[CaseImportReport]:
        """Return the latest imports, without the rows that they refused."""
        return self._importing.latest(limit)

    def get_import(self, import_id: uuid.UUID) -> CaseImportReport:
        """Return one import with what it refused."""
        return self._importing.get(import_id)

    def save_case(self, fields: dict[str, Any], source: str) -> tuple[uuid.UUID, Change]:
        """Create or change the case with this number and say which; InvalidCaseError names every wrong field.

        What the fields leave out stays as it is, and a closed case stays closed. CaseClosed is published once a case.
        """
        return self._cases.save(fields, source)

    def get_case(self, case_id: uuid.UUID) -> CaseView:
        """Return one case."""
        return self._cases.get(case_id)

    def cases_of(self, case_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CaseView]:
        """Return some cases by their ids, for lists of others."""
        return self._cases.of_ids(case_ids)

    def list_cases(self, wanted: CaseFilter | None = None, offset: int = 0, limit: int = 50) -> CasePage:
        """Return the cases that fit, open ones first, then the last closed."""
        return self._cases.find(wanted or CaseFilter(), offset, limit)

    def cases_closed_between(self, start: datetime, end: datetime) -> list[CaseView]:
        """Return the cases closed in a span, in order."""
        return self._cases.closed_between(start, end)

    def case_facets(self) -> dict[str, Sequence[str]]:
        """Return the units and regions that cases have."""
        return self._cases.facets()

    # Text messages

    def send_sms(
        self,
        reference: str,
        phone: str,
        body: str,
        purpose: str,
        *,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
        session: Session | None = None,
    ) -> uuid.UUID:
        """Queue a text message, once for each reference, and return its id. The signature is put before the body.

        Args:
            session: the caller's own transaction, when the message belongs to what it writes.

        Raises:
            InvalidInputError: the number takes no messages, or the text cannot be sent.
        """
        return self._messages.send(reference, phone, body, purpose, not_before, expires_at, session)

    def get_sms(self, message_id: uuid.UUID) -> SmsView:
        """Return one message."""
        return self._messages.get(message_id)

    def list_sms(self, wanted: SmsFilter | None = None, offset: int = 0, limit: int = 50) -> SmsPage:
        """Return the messages that fit, the newest first."""
        return self._messages.find(wanted or SmsFilter(), offset, limit)

    def sms_today(self) -> SmsToday:
        """Return how today stands against the cap, and what waits."""
        return self._messages.today()

    def resolve_unknown_sms(self, message_id: uuid.UUID, decision: Decision, actor: str) -> SmsView:
        """Settle a parked message as a person decides: `sent` after all, or `resend`."""
        return self._messages.resolve_unknown(message_id, decision, actor)

    def send_queued_sms(self, gateway: SmsGateway, message_id: uuid.UUID) -> None:
        """Take a message to the gateway if it is due."""
        self._sending.send_queued(gateway, message_id)

    def record_sms_receipt(self, receipt: Receipt) -> None:
        """Keep what a gateway tells, in whatever order and however often it tells it."""
        self._sending.record_receipt(receipt)

    def tidy_sms(self) -> int:
        """Fail what ran out and park what a dead worker left; return how many messages moved."""
        return self._sending.tidy()
