"""A search index that can be away. The index in memory is the fake; this only adds its absence."""

from collections.abc import Iterable

from core.errors import UnavailableError
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.ports import IndexEntry, IndexHit, IndexRequest


class FakeSearchIndex:
    """Answers like a server, until `is_away`."""

    def __init__(self) -> None:
        self.is_away = False
        self.searches = 0
        self._held = MemorySearchIndex()

    def search(self, request: IndexRequest) -> list[IndexHit]:
        self.searches += 1
        return self._built().search(request)

    def put(self, entries: Iterable[IndexEntry]) -> None:
        self._built().put(entries)

    def rebuild(self, entries: Iterable[IndexEntry]) -> int:
        return self._there().rebuild(entries)

    def count(self) -> int | None:
        return self._there().count()

    def _built(self) -> MemorySearchIndex:
        if self._there().count() is None:
            raise UnavailableError("the fake server holds no index")
        return self._held

    def _there(self) -> MemorySearchIndex:
        if self.is_away:
            raise UnavailableError("the fake server is away")
        return self._held
