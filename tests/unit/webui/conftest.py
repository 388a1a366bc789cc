"""An application on a house without a database: enough for all that is decided before a row is read."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from core.database import Database
from core.settings import Settings
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from webui.app import create_app


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, state_dir=tmp_path)  # type: ignore[call-arg]


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")  # made, never asked
    house = SimpleNamespace(settings=settings, clock=FakeClock(), database=database, telephony=None, kb=None)
    made = create_app(house)  # type: ignore[arg-type]
    made.config["TESTING"] = True
    made.test_client_class = Browser
    yield made
    database.close()


@pytest.fixture
def client(app: Flask) -> Browser:
    client = app.test_client()
    assert isinstance(client, Browser)
    return client
