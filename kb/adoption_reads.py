"""Read-only questions about answers that agents adopted, and about what changed in the knowledge base lately."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, or_, select

from core.database import Database
from kb.models import Article, ArticleRevision, Suggestion, SuggestionFeedback
from kb.suggestion_view import SuggestionNotFoundError

_ADOPTED = (SuggestionFeedback.kind == "adopted", SuggestionFeedback.undone_at.is_(None))


@dataclass(frozen=True, slots=True)
class Adoption:
    """An answer given in a call, in the revision that was shown then."""

    call_id: uuid.UUID
    article_id: uuid.UUID
    revision_id: uuid.UUID
    revision_no: int
    revised_at: datetime
    title: str
    unit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HotArticle:
    """An article and the number of calls that it answered."""

    article_id: uuid.UUID
    title: str
    calls: int


@dataclass(frozen=True, slots=True)
class RecentChange:
    """An article that was published, revised or retired."""

    article_id: uuid.UUID
    title: str
    unit: str
    kind: Literal["new", "revised", "retired"]
    at: datetime


class AdoptionReads:
    """Answers questions about adopted answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_calls(self, call_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Adoption]]:
        """Return what was adopted in some calls, in order of time; a call without any has no entry."""
        if not call_ids:
            return {}
        query = (
            select(Suggestion, SuggestionFeedback.at, ArticleRevision)
            .join(SuggestionFeedback, SuggestionFeedback.suggestion_id == Suggestion.id)
            .join(ArticleRevision, ArticleRevision.id == Suggestion.revision_id)
            .where(Suggestion.call_id.in_(call_ids), *_ADOPTED)
            .order_by(SuggestionFeedback.at)
        )
        found: dict[uuid.UUID, list[Adoption]] = defaultdict(list)
        with self._database.transaction() as session:
            for suggestion, at, revision in session.execute(query):
                found[suggestion.call_id].append(
                    Adoption(
                        call_id=suggestion.call_id,
                        article_id=suggestion.article_id,
                        revision_id=revision.id,
                        revision_no=revision.revision_no,
                        revised_at=revision.created_at,
                        title=revision.title,
                        unit=revision.unit,
                        at=at,
                    )
                )
        return dict(found)

    def calls_with_adoption(self, agent_id: uuid.UUID, since: datetime) -> int:
        """Return in how many calls an agent has adopted something since a time."""
        query = (
            select(func.count(Suggestion.call_id.distinct()))
            .join(SuggestionFeedback, SuggestionFeedback.suggestion_id == Suggestion.id)
            .where(SuggestionFeedback.agent_id == agent_id, SuggestionFeedback.at >= since, *_ADOPTED)
        )
        with self._database.transaction() as session:
            return session.scalar(query) or 0

    def hottest(self, since: datetime, limit: int = 6) -> list[HotArticle]:
        """Return the articles that answered the most calls since a time."""
        calls = func.count(Suggestion.call_id.distinct())
        query = (
            select(Suggestion.article_id, func.max(ArticleRevision.title), calls)
            .join(SuggestionFeedback, SuggestionFeedback.suggestion_id == Suggestion.id)
            .join(ArticleRevision, ArticleRevision.id == Suggestion.revision_id)
            .where(SuggestionFeedback.at >= since, *_ADOPTED)
            .group_by(Suggestion.article_id)
            .order_by(calls.desc(), Suggestion.article_id)
            .limit(limit)
        )
        with self._database.transaction() as session:
            return [HotArticle(article_id, title, count) for article_id, title, count in session.execute(query)]

    def revision_times(self, revision_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, datetime]:
        """Return when revisions were published, or written when they never were."""
        query = select(ArticleRevision.id, func.coalesce(ArticleRevision.published_at, ArticleRevision.created_at))
        with self._database.transaction() as session:
            return {row[0]: row[1] for row in session.execute(query.where(ArticleRevision.id.in_(revision_ids)))}

    def call_of(self, suggestion_id: uuid.UUID) -> uuid.UUID:
        """Return the call that a suggestion was made in.

        Raises:
            SuggestionNotFoundError: there is no such suggestion.
        """
        with self._database.transaction() as session:
            call_id = session.scalar(select(Suggestion.call_id).where(Suggestion.id == suggestion_id))
        if call_id is None:
            raise SuggestionNotFoundError(suggestion_id)
        return call_id

    def recent_changes(self, since: datetime, limit: int = 4) -> tuple[list[RecentChange], int]:
        """Return what was published, revised or retired since a time, newest first, and how much there was in all."""
        changed_at = func.coalesce(ArticleRevision.published_at, Article.updated_at)
        at = func.greatest(changed_at, Article.updated_at)
        changed = or_(ArticleRevision.published_at >= since, (Article.status == "retired") & (Article.updated_at >= since))
        query = (
            select(Article, ArticleRevision, at)
            .join(ArticleRevision, ArticleRevision.id == Article.published_revision_id)
            .where(Article.status.in_(["published", "retired"]), changed)
        )
        with self._database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.execute(query.order_by(at.desc(), Article.id).limit(limit)).all()
        return [_change(article, revision) for article, revision, _ in rows], total


def _change(article: Article, revision: ArticleRevision) -> RecentChange:
    if article.status == "retired":
        return RecentChange(article.id, revision.title, revision.unit, "retired", article.updated_at)
    kind: Literal["new", "revised"] = "new" if revision.revision_no == 1 else "revised"
    return RecentChange(article.id, revision.title, revision.unit, kind, revision.published_at or article.updated_at)
