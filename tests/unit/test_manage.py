import click
import pytest
import structlog
from click.testing import CliRunner

import manage


@pytest.fixture
def _own_logs() -> None:
    structlog.reset_defaults()


@pytest.mark.usefixtures("_own_logs")
def test_what_is_logged_leaves_standard_output_to_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def probe() -> None:
        structlog.get_logger().warning("search_degraded")
        click.echo("{}")

    monkeypatch.setitem(manage.cli.commands, "probe", probe)
    monkeypatch.setattr(manage, "adopt_environment", lambda: None)
    try:
        heard = CliRunner().invoke(manage.cli, ["probe"])
    finally:
        structlog.reset_defaults()
    assert heard.stdout == "{}\n"
    assert "search_degraded" in heard.stderr
