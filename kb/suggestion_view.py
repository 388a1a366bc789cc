"""Suggestions as they leave the front door, and how their rows are read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFoundError
from kb.article_view import ArticleView, view_of
from kb.models import Article, ArticleRevision, Suggestion, SuggestionFeedback

Verdict = Literal["adopted", "ignored", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("adopted", "ignored", "wrong")


class SuggestionNotFoundError(NotFoundError):
    """No such suggestion."""

    def __init__(self, suggestion_id: uuid.UUID) -> None:
        super().__init__(str(suggestion_id))
        self.suggestion_id = suggestion_id


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A suggestion as a page shows it. `rank` is None for an article the agent found by the search box."""

    id: uuid.UUID
    call_id: uuid.UUID
    article: ArticleView
    rank: int | None
    score: float
    confidence: int
    query: str
    excerpt: str
    marks: tuple[tuple[int, int], ...]
    degraded: bool
    is_current: bool
    created_at: datetime
    verdict: str | None
    reason: str
    judged_at: datetime | None
    judged_by: uuid.UUID | None


def lock_call(session: Session, call_id: uuid.UUID) -> None:
    session.execute(select(func.pg_advisory_xact_lock(call_id.int & 0x7FFF_FFFF_FFFF_FFFF)))


def held_suggestions(session: Session, call_id: uuid.UUID) -> dict[uuid.UUID, Suggestion]:
    return {row.revision_id: row for row in session.scalars(select(Suggestion).where(Suggestion.call_id == call_id))}


def standing_feedback(session: Session, suggestion_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, SuggestionFeedback]:
    query = select(SuggestionFeedback).where(
        SuggestionFeedback.suggestion_id.in_(suggestion_ids), SuggestionFeedback.undone_at.is_(None)
    )
    return {row.suggestion_id: row for row in session.scalars(query.order_by(SuggestionFeedback.id))}


def articles_judged(session: Session, call_id: uuid.UUID, verdicts: tuple[Verdict, ...]) -> set[uuid.UUID]:
    query = (
        select(Suggestion.article_id)
        .join(SuggestionFeedback, SuggestionFeedback.suggestion_id == Suggestion.id)
        .where(Suggestion.call_id == call_id, SuggestionFeedback.undone_at.is_(None), SuggestionFeedback.kind.in_(verdicts))
    )
    return set(session.scalars(query))


def _order(view: SuggestionView) -> tuple[bool, bool, float, float]:
    return (not view.is_current, view.rank is None, float(view.rank or 0), -view.created_at.timestamp())


def suggestions_of(session: Session, call_id: uuid.UUID) -> list[SuggestionView]:
    rows = session.execute(
        select(Suggestion, Article, ArticleRevision)
        .join(Article, Article.id == Suggestion.article_id)
        .join(ArticleRevision, ArticleRevision.id == Suggestion.revision_id)
        .where(Suggestion.call_id == call_id)
    ).all()
    feedback = standing_feedback(session, [suggestion.id for suggestion, _, _ in rows])
    return sorted((_shown(row[0], row[1], row[2], feedback.get(row[0].id)) for row in rows), key=_order)


def suggestion_view(session: Session, suggestion: Suggestion) -> SuggestionView:
    session.flush()
    article, revision = session.get_one(Article, suggestion.article_id), session.get_one(ArticleRevision, suggestion.revision_id)
    return _shown(suggestion, article, revision, standing_feedback(session, [suggestion.id]).get(suggestion.id))


def _shown(
    suggestion: Suggestion, article: Article, revision: ArticleRevision, feedback: SuggestionFeedback | None
) -> SuggestionView:
    return SuggestionView(
        id=suggestion.id,
        call_id=suggestion.call_id,
        article=view_of(article, revision),
        rank=suggestion.rank,
        score=suggestion.score,
        confidence=suggestion.confidence,
        query=suggestion.query,
        excerpt=suggestion.excerpt,
        marks=tuple((int(start), int(end)) for start, end in suggestion.marks),
        degraded=suggestion.is_degraded,
        is_current=suggestion.is_current,
        created_at=suggestion.created_at,
        verdict=feedback.kind if feedback else None,
        reason=feedback.reason if feedback else "",
        judged_at=feedback.at if feedback else None,
        judged_by=feedback.agent_id if feedback else None,
    )
