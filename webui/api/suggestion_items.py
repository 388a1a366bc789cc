"""What the API tells of the suggestions of a call, and what became of each."""

import uuid

from kb.suggestion_view import SuggestionView
from webui.api.fields import Moment, Told


class SuggestionItem(Told):
    """An answer that was offered in a call. `rank` is null for one that the agent found by the search box; confidence is 0–100."""

    suggestion_id: uuid.UUID
    call_id: uuid.UUID
    article_id: uuid.UUID
    revision_id: uuid.UUID
    revision_no: int
    key: str
    title: str
    unit: str
    region: str
    rank: int | None
    confidence: int
    query: str
    excerpt: str
    marks: list[tuple[int, int]]
    is_current: bool
    is_degraded: bool
    created_at: Moment
    verdict: str | None
    reason: str
    judged_at: Moment | None

    @classmethod
    def of(cls, view: SuggestionView) -> "SuggestionItem":
        """Return a suggestion as programs see it."""
        names = ("call_id", "rank", "confidence", "query", "excerpt", "is_current", "created_at", "verdict", "reason", "judged_at")
        return cls(
            suggestion_id=view.id,
            article_id=view.article.id,
            revision_id=view.article.revision_id,
            revision_no=view.article.revision_no,
            key=view.article.key,
            title=view.article.content.title,
            unit=view.article.content.unit,
            region=view.article.content.region,
            marks=list(view.marks),
            is_degraded=view.degraded,
            **{name: getattr(view, name) for name in names},
        )
