"""Read-only questions about articles: how often offered, adopted, called wrong, and how many there are of each kind."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.database import Database
from kb.models import Article, ArticleRevision, Suggestion, SuggestionFeedback

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Usage:
    """How often an article was among the first three, adopted, and called wrong."""

    offered: int = 0
    adopted: int = 0
    wrong: int = 0


@dataclass(frozen=True, slots=True)
class Complaint:
    """That an agent called an article wrong in a call."""

    at: datetime
    reason: str
    agent_id: uuid.UUID | None
    call_id: uuid.UUID
    query: str


class UsageReads:
    """Answers questions about the use of articles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usage(self, article_ids: Sequence[uuid.UUID], since: datetime) -> dict[uuid.UUID, Usage]:
        """Return the use of articles since a time; one that nobody was offered has no entry."""
        offered = (
            select(Suggestion.article_id, func.count())
            .where(Suggestion.article_id.in_(article_ids), Suggestion.created_at >= since, Suggestion.rank <= _SHOWN)
            .group_by(Suggestion.article_id)
        )
        judged = (
            select(Suggestion.article_id, SuggestionFeedback.kind, func.count())
            .join(SuggestionFeedback, SuggestionFeedback.suggestion_id == Suggestion.id)
            .where(Suggestion.article_id.in_(article_ids), SuggestionFeedback.at >= since, SuggestionFeedback.undone_at.is_(None))
            .group_by(Suggestion.article_id, SuggestionFeedback.kind)
        )
        with self._database.transaction() as session:
            shown = dict(session.execute(offered).all())
            feedback = {(article_id, kind): count for article_id, kind, count in session.execute(judged)}
        known = set(shown) | {article_id for article_id, _kind in feedback}
        return {
            article_id: Usage(
                shown.get(article_id, 0), feedback.get((article_id, "adopted"), 0), feedback.get((article_id, "wrong"), 0)
            )
            for article_id in known
        }

    def complaints(self, article_id: uuid.UUID, since: datetime, limit: int = 5) -> list[Complaint]:
        """Return when agents called an article wrong, newest first."""
        query = (
            select(SuggestionFeedback, Suggestion)
            .join(Suggestion, SuggestionFeedback.suggestion_id == Suggestion.id)
            .where(
                Suggestion.article_id == article_id,
                SuggestionFeedback.kind == "wrong",
                SuggestionFeedback.undone_at.is_(None),
                SuggestionFeedback.at >= since,
            )
            .order_by(SuggestionFeedback.at.desc())
            .limit(limit)
        )
        with self._database.transaction() as session:
            return [
                Complaint(feedback.at, feedback.reason, feedback.agent_id, suggestion.call_id, suggestion.query)
                for feedback, suggestion in session.execute(query)
            ]

    def categories(self) -> dict[str, int]:
        """Return how many articles each category has, in their latest revisions."""
        query = (
            select(ArticleRevision.category, func.count())
            .join(Article, (ArticleRevision.article_id == Article.id) & (ArticleRevision.revision_no == Article.latest_revision_no))
            .group_by(ArticleRevision.category)
        )
        with self._database.transaction() as session:
            return dict(session.execute(query).all())
