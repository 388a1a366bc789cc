"""Real parts as fixtures: one server of each kind a session, a database of its own for each module."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.database import Database
from core.migrate import upgrade
from tests import servers

if TYPE_CHECKING:
    from tests.asterisk_server import AsteriskServer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only unit and architecture tests go without real parts; the folder decides, not the author's memory."""
    for item in items:
        folder = Path(item.path).relative_to(Path(__file__).parent).parts[0]
        if folder in {"integration", "contract"}:
            item.add_marker(pytest.mark.integration)
        elif folder == "e2e":
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.PostgresServer]:
    """The session's PostgreSQL."""
    with servers.postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def template_url(postgres: servers.PostgresServer) -> str:
    """A database with every table and no row, made as a site's is: by the migrations."""
    url = postgres.new_database()
    upgrade(url)
    return url


@pytest.fixture(scope="module")
def database(postgres: servers.PostgresServer, template_url: str) -> Iterator[Database]:
    """A database of the module's own, with every table and no row."""
    template = template_url.partition("?")[0].rsplit("/", 1)[1]
    made = Database(postgres.new_database(template))
    yield made
    made.close()


@pytest.fixture(scope="session")
def asterisk() -> Iterator["AsteriskServer"]:
    """The session's Asterisk, with the program's own configuration; use agents' numbers of your own."""
    from tests.asterisk_server import asterisk_server

    with asterisk_server() as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[servers.ElasticsearchServer]:
    """The session's Elasticsearch; use an index prefix of your own."""
    with servers.elasticsearch_server() as server:
        yield server


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of the Whisper weights."""
    return Path(servers.installed("install_weights.sh"))
