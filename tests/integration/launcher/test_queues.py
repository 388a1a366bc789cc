"""A site's queues are there before anybody makes a seat that serves them."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bootstrap.processes import run_bridge
from commands import people, processes
from core.database import Database
from core.settings import Settings
from telephony.models import Agent, Queue
from tests.servers import PostgresServer, free_port

NUMBERS = {"12345": "consult", "12301": "travel"}


@pytest.fixture
def settings(postgres: PostgresServer, tmp_path: Path) -> Settings:
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        database_url=postgres.new_database(),
        state_dir=tmp_path,
        ami_port=free_port(),
        live_transcription=False,
        hotline_numbers=NUMBERS,
        queue_titles={"consult": "办事咨询", "enterprise": "企业登记"},
    )


@pytest.fixture
def manage(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    for module in (people, processes):
        monkeypatch.setattr(module, "get_settings", lambda: settings)

    def run(*words: str) -> str:
        group = {"db": processes.db, "user": people.user}[words[0]]
        result = CliRunner().invoke(group, words[1:], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def queues(settings: Settings) -> dict[str, str]:
    database = Database(settings.database_url)
    with database.transaction() as session:
        found = {row.name: row.title for row in session.query(Queue)}
    database.close()
    return found


def test_an_upgraded_database_has_the_queues_and_a_person_can_serve_them(settings: Settings, manage: Callable[..., str]) -> None:
    for _ in range(2):
        manage("db", "upgrade")
    assert queues(settings) == {"consult": "办事咨询", "travel": "travel"}, "what no number leads to, the exchange does not have"
    options = ("--name", "陈晨", "--role", "agent", "--agent", "8003", "--queue", "travel", "--password", "Hotline-2026")
    manage("user", "add", "chen", *options)
    database = Database(settings.database_url)
    with database.transaction() as session:
        (agent,) = session.query(Agent)
        assert (agent.number, agent.name, [link.queue_name for link in agent.queues]) == ("8003", "陈晨", ["travel"])
    database.close()


def test_the_bridge_brings_a_queue_that_was_added_later(settings: Settings, manage: Callable[..., str]) -> None:
    manage("db", "upgrade")
    settings.hotline_numbers = {**NUMBERS, "12315": "market"}
    settings.queue_titles = {**settings.queue_titles, "market": "市场监管"}
    stopping = threading.Event()
    stopping.set()
    run_bridge(settings, stopping)
    assert queues(settings)["market"] == "市场监管"
