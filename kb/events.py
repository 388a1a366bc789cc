"""What the knowledge base tells others."""

import uuid

from core.outbox import Event


class SuggestionsReady(Event):
    """The suggestions of a call changed; `is_degraded` when they came from memory, not from Elasticsearch."""

    is_degraded: bool = False


class SuggestionJudged(Event):
    """The agent adopted, ignored or rejected a suggestion, or took that back."""

    suggestion_id: uuid.UUID


class ArticleChanged(Event):
    """An article was published or retired: its index entry is out of date. Without an id: many, by an import."""

    article_id: uuid.UUID | None
