"""Telephony's front door: seats, calls and what is heard in them. The parts lie beside it, one file for each concern."""

import uuid

from core.clock import Clock
from core.database import Database
from telephony.board import Board, BoardReads
from telephony.door import TelephonyRules
from telephony.outbound_actions import OutboundActions
from telephony.ports import Switch
from telephony.reads import CallFilter, CallPage, CallReads, CallView, SegmentView
from telephony.reconciliation import Reconciliation
from telephony.recordings import RecordingActions
from telephony.seat_actions import SeatActions
from telephony.transcripts import TranscriptActions


class TelephonyService(SeatActions, Reconciliation, OutboundActions, TranscriptActions, RecordingActions):
    """One object for all that others may ask of telephony; `reads` and `board` answer questions and change nothing."""

    def __init__(
        self, database: Database, clock: Clock, switch: Switch, rules: TelephonyRules, answer_target_seconds: int = 15
    ) -> None:
        super().__init__(database, clock, switch, rules)
        self.reads = CallReads(database, clock)
        self.board = BoardReads(database, clock, answer_target_seconds)

    def get_call(self, call_id: uuid.UUID) -> CallView:
        """Return one call."""
        return self.reads.get_call(call_id)

    def call_of_channel(self, unique_id: str) -> CallView | None:
        """Return the call of a citizen's channel at this node's exchange; None when it is none."""
        return self.reads.call_of_channel(self._rules.node, unique_id)

    def list_calls(self, wanted: CallFilter, offset: int = 0, limit: int = 50) -> CallPage:
        """Return a page of calls, newest first."""
        return self.reads.list_calls(wanted, offset, limit)

    def segments(self, call_id: uuid.UUID) -> list[SegmentView]:
        """Return the text of a call that counts."""
        return self.reads.segments(call_id)

    def live_board(self) -> Board:
        """Return everything about the present."""
        return self.board.board()
