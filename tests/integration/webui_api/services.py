"""The services as bootstrap wires them, on a switch that keeps what it is told and an index in this process."""

from collections.abc import Iterable, Sequence

from core.clock import Clock
from core.database import Database
from core.errors import UnavailableError
from core.settings import Settings
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.ports import IndexEntry, IndexHit, IndexRequest
from kb.service import KnowledgeService
from telephony.door import TelephonyRules
from telephony.service import TelephonyService


class QuietSwitch:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.is_away = False

    def _hear(self, *words: str) -> None:
        if self.is_away:
            raise UnavailableError("asterisk")
        self.told.append(words)

    def provision(self, agent_number: str, password: str) -> None:
        self._hear("provision", agent_number)

    def log_in(self, agent_number: str, name: str, queues: Sequence[str]) -> None:
        self._hear("log_in", agent_number)

    def log_out(self, agent_number: str, queues: Sequence[str]) -> None:
        self._hear("log_out", agent_number)

    def pause(self, agent_number: str, reason: str) -> None:
        self._hear("pause", agent_number, reason)

    def unpause(self, agent_number: str) -> None:
        self._hear("unpause", agent_number)


class FailingIndex:
    """The search server as the program uses it: an index in this process that can be away."""

    def __init__(self) -> None:
        self.index = MemorySearchIndex()
        self.is_away = False

    def _present(self) -> MemorySearchIndex:
        if self.is_away:
            raise UnavailableError("elasticsearch")
        return self.index

    def search(self, request: IndexRequest) -> list[IndexHit]:
        return self._present().search(request)

    def put(self, entries: Iterable[IndexEntry]) -> None:
        self._present().put(entries)

    def rebuild(self, entries: Iterable[IndexEntry]) -> int:
        return self._present().rebuild(entries)

    def count(self) -> int | None:
        return self._present().count()


def telephony_service(database: Database, clock: Clock, settings: Settings, switch: QuietSwitch) -> TelephonyService:
    """Return telephony without Asterisk."""
    return TelephonyService(database, clock, switch, TelephonyRules.of(settings))  # type: ignore[arg-type]  # no calls are made here


def knowledge_service(database: Database, clock: Clock, index: FailingIndex, telephony: TelephonyService) -> KnowledgeService:
    """Return the knowledge base without Elasticsearch."""
    return KnowledgeService(database, clock, index, MemorySearchIndex(), telephony)
