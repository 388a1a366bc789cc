"""What is offered to the agent while a citizen speaks, and the questions that nothing could be offered for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.database import Database
from core.outbox import publish
from kb.events import SuggestionsReady
from kb.models import KnowledgeGap, Suggestion
from kb.ports import Conversation
from kb.query import LONGEST_QUERY, says_enough
from kb.searching import SearchHit, Searching, SearchResult
from kb.suggestion_view import SuggestionView, articles_judged, held_suggestions, lock_call, suggestions_of

_SHOWN = 3
_MATERIAL_CHANGE = 15
"""Points of confidence by which a card must move before the same cards are drawn again."""


@dataclass(frozen=True, slots=True)
class GapView:
    """A question that found no sure answer."""

    id: int
    call_id: uuid.UUID
    query: str
    best_confidence: int
    best_article_id: uuid.UUID | None
    created_at: datetime


class Suggestions:
    """Suggests articles for calls."""

    def __init__(self, database: Database, searching: Searching, conversation: Conversation) -> None:
        self._database = database
        self._searching = searching
        self._conversation = conversation

    def suggest(self, call_id: uuid.UUID, segment_id: uuid.UUID) -> list[SuggestionView]:
        """Search for what the citizen said last and show what is sure; return the cards of the call.

        Nothing is announced when the cards would stay as they are, so running twice does no harm.
        """
        tail = self._conversation.citizen_tail(call_id, LONGEST_QUERY)
        if not says_enough(tail):
            return self.current(call_id)
        result = self._searching.search(tail, limit=2 * _SHOWN)
        with self._database.transaction() as session:
            lock_call(session, call_id)
            rejected = articles_judged(session, call_id, ("ignored", "wrong"))
            sure = [hit for hit in result.sure_hits if hit.article_id not in rejected][:_SHOWN]
            if sure:
                self._show(session, call_id, segment_id, tail, sure, result)
                _forget_gaps(session, call_id, tail)
            elif not result.sure_hits:
                _keep_gap(session, call_id, segment_id, tail, result)
        return self.current(call_id)

    def forget_queries(self, call_id: uuid.UUID) -> None:
        """Forget the words that a call's suggestions were found by, when they are masked afterwards."""
        with self._database.transaction() as session:
            session.execute(update(Suggestion).where(Suggestion.call_id == call_id).values(query=""))
            session.execute(KnowledgeGap.__table__.delete().where(KnowledgeGap.call_id == call_id))  # type: ignore[attr-defined]

    def current(self, call_id: uuid.UUID) -> list[SuggestionView]:
        """Return the cards that stand on the desk, in order."""
        return [view for view in self.of_call(call_id) if view.is_current]

    def of_call(self, call_id: uuid.UUID) -> list[SuggestionView]:
        """Return all that was suggested in a call: current cards in order, then those found by search, then earlier ones."""
        with self._database.transaction() as session:
            return suggestions_of(session, call_id)

    def gaps(self, limit: int = 100) -> list[GapView]:
        """Return the latest questions without a sure answer."""
        with self._database.transaction() as session:
            rows = session.scalars(select(KnowledgeGap).order_by(KnowledgeGap.id.desc()).limit(limit))
            return [
                GapView(row.id, row.call_id, row.query, row.best_confidence, row.best_article_id, row.created_at) for row in rows
            ]

    def _show(
        self,
        session: Session,
        call_id: uuid.UUID,
        segment_id: uuid.UUID,
        tail: str,
        hits: Sequence[SearchHit],
        result: SearchResult,
    ) -> None:
        held = held_suggestions(session, call_id)
        standing = sorted((row for row in held.values() if row.is_current and row.rank is not None), key=lambda row: row.rank or 0)
        if _stays_as_it_is(standing, hits):
            return
        for row in standing:
            row.is_current = False
        for rank, hit in enumerate(hits, start=1):
            # A card that comes back keeps its id, and with it the agent's verdict.
            row = held.get(hit.revision_id) or Suggestion(call_id=call_id, article_id=hit.article_id, revision_id=hit.revision_id)
            row.segment_id, row.rank, row.is_current = segment_id, rank, True
            row.score, row.confidence, row.is_degraded = hit.score, hit.confidence, result.degraded
            row.query, row.excerpt, row.marks = tail, hit.excerpt, [list(mark) for mark in hit.marks]
            session.add(row)
        publish(session, SuggestionsReady(call_id=call_id, is_degraded=result.degraded))


def _stays_as_it_is(standing: Sequence[Suggestion], hits: Sequence[SearchHit]) -> bool:
    if [row.revision_id for row in standing] != [hit.revision_id for hit in hits]:
        return False
    return all(abs(row.confidence - hit.confidence) < _MATERIAL_CHANGE for row, hit in zip(standing, hits, strict=True))


def _keep_gap(session: Session, call_id: uuid.UUID, segment_id: uuid.UUID, tail: str, result: SearchResult) -> None:
    best = result.hits[0] if result.hits else None
    values = {
        "query": tail,
        "best_confidence": best.confidence if best else 0,
        "best_article_id": best.article_id if best else None,
    }
    statement = insert(KnowledgeGap).values(call_id=call_id, segment_id=segment_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["call_id", "segment_id"], set_=values))


def _forget_gaps(session: Session, call_id: uuid.UUID, tail: str) -> None:
    """Drop the gaps whose words stand in a question that was answered: the citizen had only not finished."""
    for gap in session.scalars(select(KnowledgeGap).where(KnowledgeGap.call_id == call_id)):
        if gap.query[-10:] in tail:
            session.delete(gap)
