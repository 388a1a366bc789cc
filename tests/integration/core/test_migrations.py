"""The migrations make exactly the tables that the models describe, and can be taken back."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import bootstrap.processes  # noqa: F401  # knows every package, and so every table
from core.database import Base, Database
from core.migrate import alembic_config, upgrade
from tests.servers import PostgresServer


@pytest.fixture(scope="module")
def empty(postgres: PostgresServer) -> Database:
    return Database(postgres.new_database())


def test_upgrading_gives_the_models_tables_and_downgrading_none(empty: Database) -> None:
    upgrade(empty.url)
    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata) == []
        triggers = connection.exec_driver_sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal").scalars().all()
    assert "audit_entry_append_only" in triggers
    command.downgrade(alembic_config(empty.url), "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]


def test_upgrading_twice_changes_nothing(empty: Database) -> None:
    upgrade(empty.url)
    before = sorted(inspect(empty.engine).get_table_names())
    upgrade(empty.url)
    assert sorted(inspect(empty.engine).get_table_names()) == before
