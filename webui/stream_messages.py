"""Turns events into what open pages are told: to whom it matters, with everything the page needs."""

import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from callback.events import CallbackAttempted, CallbackCompleted, CallbackOwed
from core.clock import Clock
from core.outbox import Event, OutboxEvent
from kb.events import ArticleChanged, SuggestionJudged, SuggestionsReady
from survey.events import SurveyAnswered, SurveyFinished
from telephony.board import Board, BoardReads
from telephony.events import (
    AgentChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMissed,
    CallQueued,
    CallResumed,
    CallRinging,
    CallTransferred,
    RecordingLost,
    SegmentHeard,
    SpeechStarted,
    TranscriptLagged,
    TranscriptReady,
)
from telephony.reads import CallReads, UnknownCallError
from webui.desk_view import Json, agent_json, call_json, figures_json, segment_json, stamp
from webui.stream_hub import Message

DESK, BOARD, CALLS, CALLBACKS, STATISTICS = "desk", "board", "calls", "callbacks", "statistics"
"""Topics: one's own calls and state; the supervisor's figures; every call's words as they come; what is owed; figures moved."""

_KEPT_CALLS = 4000


class StreamMessages:
    """Says what each event means to pages. `cards` returns the suggestions of a call as the desk shows them."""

    def __init__(
        self,
        calls: CallReads,
        board: BoardReads,
        clock: Clock,
        cards: Callable[[uuid.UUID], list[Json]],
        board_json: Callable[[Board], Json],
    ) -> None:
        self._calls = calls
        self._board = board
        self._clock = clock
        self._cards = cards
        self._board_json = board_json
        # Who a call concerns, so that a segment needs no second read.
        self._agents_of: OrderedDict[uuid.UUID, frozenset[uuid.UUID]] = OrderedDict()
        self._writers: dict[type[Event], Callable[[Any], Json | None]] = {
            CallQueued: self._of_call,
            CallRinging: self._of_call,
            CallMissed: self._of_missed,
            CallAnswered: self._of_call,
            CallHeld: self._of_call,
            CallResumed: self._of_call,
            CallTransferred: self._of_call,
            CallEnded: self._of_call,
            SegmentHeard: self._of_segment,
            SpeechStarted: self._of_speech,
            TranscriptLagged: self._of_lag,
            TranscriptReady: self._of_transcript,
            RecordingLost: self._of_recording,
            SuggestionsReady: self._of_suggestions,
            SuggestionJudged: self._of_suggestions,
        }

    def render(self, row: OutboxEvent) -> list[Message]:
        """Return the messages of one event; none for one that concerns no page."""
        kind = Event.registry.get(row.name)
        if kind is None:
            return []
        event = row.event()
        if isinstance(event, AgentChanged):
            return self._of_agent(event, row.id)
        if isinstance(event, ArticleChanged):
            return [Message({"type": "articles"}, topics=frozenset({DESK}), event_id=row.id)]
        if isinstance(event, CallbackOwed | CallbackAttempted | CallbackCompleted):
            # A page reads for itself what it may see of it: agents see less than supervisors.
            owed: Json = {"type": "callback", "event": row.name, "callback_id": str(event.callback_id)}
            return [Message(owed, topics=frozenset({DESK, CALLBACKS, STATISTICS}), event_id=row.id)]
        if isinstance(event, SurveyAnswered | SurveyFinished):
            return [Message({"type": "survey"}, topics=frozenset({STATISTICS}), event_id=row.id)]
        writer = self._writers.get(kind)
        if writer is None or event.call_id is None:
            return []
        if not isinstance(event, SegmentHeard | SpeechStarted | TranscriptLagged):
            self._agents_of.pop(event.call_id, None)
        now = stamp(self._clock.now())
        agents = self._agents(event)
        try:
            data = writer(event)
        except UnknownCallError:
            return []
        if data is None:
            return []
        # Messages about the same thing may be read again out of order: the page keeps what was read last.
        data = {"event": row.name, "call_id": str(event.call_id), "now": now, **data}
        return [Message(data, agents, frozenset({CALLS}), row.id)]

    def snapshots(self, topics: frozenset[str]) -> Iterator[Message]:
        """Return the figures for the topics that are followed."""
        now = stamp(self._clock.now())
        if DESK in topics:
            figures = figures_json(self._board.figures())
            yield Message({"type": "figures", "now": now, **figures}, topics=frozenset({DESK}))
        if BOARD in topics:
            yield Message({"type": "board", "now": now, **self._board_json(self._board.board())}, topics=frozenset({BOARD}))

    def _agents(self, event: Event) -> frozenset[uuid.UUID]:
        call_id = event.call_id
        assert call_id is not None
        known = self._agents_of.get(call_id)
        if known is None:
            try:
                agent_id = self._calls.get_call(call_id).agent_id
            except UnknownCallError:
                agent_id = None
            known = frozenset({agent_id} if agent_id else ())
            self._agents_of[call_id] = known
            while len(self._agents_of) > _KEPT_CALLS:
                self._agents_of.popitem(last=False)
        # The agent named by the event may not have the call yet, or not any more.
        named = getattr(event, "agent_id", None)
        return known | {named} if named else known

    def _of_agent(self, event: AgentChanged, event_id: int) -> list[Message]:
        now = stamp(self._clock.now())
        agent = self._board.agent(event.agent_id)
        if agent is None:
            return []
        data = {
            "type": "agent",
            "now": now,
            "agent": agent_json(agent),
            "answered_today": self._board.answered_today(event.agent_id),
        }
        return [Message(data, frozenset({event.agent_id}), frozenset({CALLS}), event_id)]

    def _of_call(self, event: Event) -> Json:
        assert event.call_id is not None
        call = self._calls.get_call(event.call_id)
        agent_id = getattr(event, "agent_id", None) or call.agent_id
        rang_at = self._calls.rang_at(event.call_id, agent_id) if agent_id else None
        return {"type": "call", "call": call_json(call, rang_at), "concerns": str(agent_id) if agent_id else None}

    def _of_missed(self, event: CallMissed) -> Json:
        return {"type": "missed", "concerns": str(event.agent_id)}

    def _of_segment(self, event: SegmentHeard) -> Json | None:
        segment = self._calls.segment(event.segment_id)
        return {"type": "segment", "segment": segment_json(segment)} if segment else None

    def _of_speech(self, event: SpeechStarted) -> Json:
        return {"type": "speaking", "party": event.party, "at": stamp(event.started_at)}

    def _of_lag(self, event: TranscriptLagged) -> Json:
        return {"type": "lag", "seconds": event.seconds, "shed": event.shed_count}

    def _of_transcript(self, event: TranscriptReady) -> Json:
        return {"type": "transcript"}

    def _of_recording(self, event: RecordingLost) -> Json:
        return {"type": "recording_lost", "party": event.party, "reason": event.reason}

    def _of_suggestions(self, event: SuggestionsReady | SuggestionJudged) -> Json:
        assert event.call_id is not None
        degraded = event.is_degraded if isinstance(event, SuggestionsReady) else None
        return {"type": "suggestions", "cards": self._cards(event.call_id), "degraded": degraded}
