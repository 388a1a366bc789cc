"""Ids sort by time; addresses are read whatever way a site writes them."""

import uuid

import pytest

from core.database import Database, libpq_url, new_id, sqlalchemy_url


def test_ids_are_version_7_and_follow_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for milliseconds in (1_700_000_000_000, 1_700_000_000_001, 1_900_000_000_000):
        monkeypatch.setattr("core.database.time.time_ns", lambda value=milliseconds: value * 1_000_000)
        ids.append(new_id())
    assert ids == sorted(ids)
    assert {made.version for made in ids} == {7}
    assert {made.variant for made in ids} == {uuid.RFC_4122}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_the_scheme_works(scheme: str) -> None:
    assert sqlalchemy_url(f"{scheme}://u:p@host/db") == "postgresql+psycopg://u:p@host/db"
    assert libpq_url(f"{scheme}://u:p@host/db") == "postgresql://u:p@host/db"


def test_an_errors_text_holds_no_value() -> None:
    """It goes to the log; the values are what people said, and their numbers."""
    assert Database("postgresql://nobody@127.0.0.1:1/none").engine.hide_parameters
