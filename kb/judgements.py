"""What the agent makes of a suggestion: adopted, ignored, wrong, or taken back. Nothing is deleted."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import InvalidInputError
from core.outbox import publish
from kb.article_view import ArticleNotFoundError
from kb.events import SuggestionJudged
from kb.models import Article, Suggestion, SuggestionFeedback
from kb.query import read_query
from kb.searching import Searching
from kb.suggestion_view import (
    VERDICTS,
    SuggestionNotFoundError,
    SuggestionView,
    Verdict,
    held_suggestions,
    lock_call,
    standing_feedback,
    suggestion_view,
)

_LONGEST_REASON = 500


class Judgements:
    """Records verdicts."""

    def __init__(self, database: Database, searching: Searching, clock: Clock) -> None:
        self._database = database
        self._searching = searching
        self._clock = clock

    def get(self, suggestion_id: uuid.UUID) -> SuggestionView:
        """Return one suggestion."""
        with self._database.transaction() as session:
            suggestion = session.get(Suggestion, suggestion_id)
            if suggestion is None:
                raise SuggestionNotFoundError(suggestion_id)
            return suggestion_view(session, suggestion)

    def judge(self, suggestion_id: uuid.UUID, verdict: Verdict, agent_id: uuid.UUID | None, reason: str = "") -> SuggestionView:
        """Record what the agent thinks of a suggestion, in place of what was thought before. The same again changes nothing.

        Raises:
            InvalidInputError: a wrong suggestion needs a reason.
        """
        reason = " ".join(reason.replace("\0", "").split())[:_LONGEST_REASON]
        if verdict not in VERDICTS:
            raise InvalidInputError(f"不认识的反馈：{verdict}")
        if verdict == "wrong" and not reason:
            raise InvalidInputError("请写明哪里不对")
        with self._database.transaction() as session:
            suggestion = _locked(session, suggestion_id)
            self._judge(session, suggestion, verdict, agent_id, reason)
            return suggestion_view(session, suggestion)

    def undo(self, suggestion_id: uuid.UUID, agent_id: uuid.UUID | None) -> SuggestionView:
        """Take the last verdict back; without one nothing happens."""
        with self._database.transaction() as session:
            suggestion = _locked(session, suggestion_id)
            if _withdraw(session, suggestion_id, self._clock.now()):
                publish(session, SuggestionJudged(call_id=suggestion.call_id, suggestion_id=suggestion_id))
            return suggestion_view(session, suggestion)

    def adopt_article(
        self, call_id: uuid.UUID, article_id: uuid.UUID, agent_id: uuid.UUID | None, query: str = ""
    ) -> SuggestionView:
        """Adopt an article that the agent found by the search box, in the revision that is published now."""
        hit = None
        if query:
            found = self._searching.search(query)
            hit = next((hit for hit in found.hits if hit.article_id == article_id), None)
        with self._database.transaction() as session:
            lock_call(session, call_id)
            article = session.get(Article, article_id)
            if article is None or article.published_revision_id is None or article.status != "published":
                raise ArticleNotFoundError(article_id)
            revision_id = article.published_revision_id
            suggestion = held_suggestions(session, call_id).get(revision_id)
            if suggestion is None:
                suggestion = Suggestion(
                    call_id=call_id,
                    article_id=article_id,
                    revision_id=revision_id,
                    rank=None,
                    score=hit.score if hit else 0.0,
                    confidence=hit.confidence if hit else 0,
                    query=read_query(query).text,
                    excerpt=hit.excerpt if hit else "",
                    marks=[list(mark) for mark in hit.marks] if hit else [],
                )
                session.add(suggestion)
                session.flush()
            self._judge(session, suggestion, "adopted", agent_id, "")
            return suggestion_view(session, suggestion)

    def _judge(self, session: Session, suggestion: Suggestion, verdict: Verdict, agent_id: uuid.UUID | None, reason: str) -> None:
        last = standing_feedback(session, [suggestion.id]).get(suggestion.id)
        if last is not None and (last.kind, last.reason) == (verdict, reason):
            return
        now = self._clock.now()
        _withdraw(session, suggestion.id, now)
        session.add(SuggestionFeedback(suggestion_id=suggestion.id, kind=verdict, reason=reason, agent_id=agent_id, at=now))
        publish(session, SuggestionJudged(call_id=suggestion.call_id, suggestion_id=suggestion.id))


def _locked(session: Session, suggestion_id: uuid.UUID) -> Suggestion:
    found = session.get(Suggestion, suggestion_id, with_for_update=True)
    if found is None:
        raise SuggestionNotFoundError(suggestion_id)
    return found


def _withdraw(session: Session, suggestion_id: uuid.UUID, now: datetime) -> bool:
    standing = (SuggestionFeedback.suggestion_id == suggestion_id, SuggestionFeedback.undone_at.is_(None))
    return bool(
        session.execute(update(SuggestionFeedback).where(*standing).values(undone_at=now).returning(SuggestionFeedback.id)).all()
    )
