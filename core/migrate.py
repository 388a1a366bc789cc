"""Brings a database to the schema of this program."""

from alembic import command
from alembic.config import Config

from core.settings import PROJECT_DIR


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for one database; the history lies in `migrations/`."""
    config = Config()
    config.set_main_option("script_location", str(PROJECT_DIR / "migrations"))
    config.attributes["url"] = url
    return config


def upgrade(url: str) -> None:
    """Apply every migration that the database lacks; two processes doing so at once wait for each other."""
    command.upgrade(alembic_config(url), "head")
