"""Events of others and jobs of our own → one call of the service each. Safe to run twice."""

from __future__ import annotations

from core.database import Database
from core.jobs import ClaimedJob, Task
from kb.events import ArticleChanged
from kb.service import INDEX_PENDING, REINDEX, KnowledgeService
from telephony.events import SegmentHeard

_CITIZEN = "citizen"


class KnowledgeHandlers:
    """What the knowledge base does when something happens."""

    def __init__(self, service: KnowledgeService, database: Database) -> None:
        self._service = service
        self._database = database

    def on_segment_heard(self, event: SegmentHeard) -> None:
        """Suggest articles for what the citizen said."""
        if event.call_id is None or event.party != _CITIZEN:
            return
        if event.is_amended:
            self._service.forget_queries(event.call_id)
        self._service.suggest(event.call_id, event.segment_id)

    def on_article_changed(self, _event: ArticleChanged) -> None:
        """Have a worker send the search server what it has not seen; a server that hangs must not hold up calls."""
        self._service.request_indexing()

    def tasks(self) -> dict[str, Task]:
        """Return the jobs by name."""
        return {REINDEX: self._reindex, INDEX_PENDING: self._index_pending}

    def _reindex(self, job: ClaimedJob) -> None:
        self._service.reindex()
        with self._database.transaction() as session:
            job.finish(session)

    def _index_pending(self, job: ClaimedJob) -> None:
        self._service.ensure_index()
        with self._database.transaction() as session:
            job.finish(session)
