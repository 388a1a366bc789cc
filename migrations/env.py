"""Alembic's entry: one history for the tables of every package."""

from alembic import context
from sqlalchemy import create_engine, pool

import bootstrap.processes  # noqa: F401  # knows every package, and so every table
from core.database import Base, sqlalchemy_url

url = context.config.attributes["url"]
engine = create_engine(sqlalchemy_url(url), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
