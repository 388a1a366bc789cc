"""Suggestions, search hits and articles as plain JSON for the desk."""

import uuid
from datetime import datetime

from kb.article_view import ArticleView
from kb.searching import SearchHit
from kb.suggestion_view import SuggestionView
from webui.desk_view import Json, stamp
from webui.house import House


def cards_of(house: House, call_id: uuid.UUID) -> list[Json]:
    """Return a call's cards: the present ones in order, then what was adopted before and would be gone from sight."""
    views = house.kb.suggestions(call_id)
    shown = [view for view in views if view.is_current and view.rank is not None]
    kept = [view for view in views if view.verdict == "adopted" and view not in shown]
    return [suggestion_json(view) for view in [*shown, *kept]]


def is_degraded(house: House, call_id: uuid.UUID) -> bool:
    """Say whether the present cards came from memory because the search server was away."""
    return any(view.degraded for view in house.kb.suggestions(call_id) if view.is_current)


def suggestion_json(view: SuggestionView) -> Json:
    """Return a suggestion with what the agent made of it."""
    content = view.article.content
    return {
        **_article(view.article),
        "id": str(view.id),
        "suggestion": True,
        "confidence": view.confidence,
        "excerpt": view.excerpt or content.answer[:110],
        "marks": [list(mark) for mark in view.marks],
        "query": view.query,
        "at": stamp(view.created_at),
        "judged": view.verdict,
        "judged_at": stamp(view.judged_at),
        "reason": view.reason,
    }


def hit_json(hit: SearchHit, revised_at: datetime | None) -> Json:
    """Return a search hit in the same shape as a suggestion; it is none until it is adopted."""
    return {
        "id": f"hit-{hit.article_id}",
        "suggestion": False,
        "article_id": str(hit.article_id),
        "revision_id": str(hit.revision_id),
        "revision_no": hit.revision_no,
        "revised_at": stamp(revised_at),
        "title": hit.title,
        "unit": hit.unit,
        "region": hit.region,
        "valid_to": hit.content.valid_to.isoformat() if hit.content.valid_to else None,
        "confidence": hit.confidence,
        "excerpt": hit.excerpt,
        "marks": [list(mark) for mark in hit.marks],
        "at": None,
        "judged": None,
    }


def article_json(view: ArticleView) -> Json:
    """Return the whole text of an article."""
    content = view.content
    return {
        **_article(view),
        "answer": content.answer,
        "conditions": content.conditions,
        "materials": list(content.materials),
        "promised_time": content.promised_time,
        "fee": content.fee,
        "window": content.window,
        "source": content.source,
        "valid_from": content.valid_from.isoformat(),
    }


def _article(view: ArticleView) -> Json:
    content = view.content
    return {
        "article_id": str(view.id),
        "revision_id": str(view.revision_id),
        "revision_no": view.revision_no,
        "revised_at": stamp(view.published_at or view.created_at),
        "title": content.title,
        "unit": content.unit,
        "region": content.region,
        "valid_to": content.valid_to.isoformat() if content.valid_to else None,
    }
