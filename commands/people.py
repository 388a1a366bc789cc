"""`manage.py user …` and `manage.py token …`."""

import click

from bootstrap.house import build
from core.settings import get_settings

ACTOR = "manage.py"


@click.group()
def user() -> None:
    """People who log in."""


@user.command()
@click.argument("username")
@click.option("--name", required=True, help="The name that others see.")
@click.option(
    "--role", "roles", multiple=True, required=True, help="agent, supervisor, kb_editor, unit, manager, auditor or admin."
)
@click.option("--agent", "agent_number", help="The seat's number; the seat is made when it does not exist.")
@click.option("--queue", "queues", multiple=True, help="A queue that the seat serves; may be given again.")
@click.password_option("--password", help="Asked for when not given.")
def add(username: str, name: str, roles: tuple[str, ...], agent_number: str | None, queues: tuple[str, ...], password: str) -> None:
    """Add a person."""
    house = build(get_settings())
    agent_id = None
    if agent_number:
        house.accounts.check_agent(house.telephony.find_agent(agent_number))
        agent_id = house.telephony.save_agent(agent_number, name, queues)
    house.accounts.create_user(
        ACTOR, username=username, display_name=name, password=password, roles=roles, agent_id=agent_id, must_change_password=False
    )
    click.echo(f"已添加 {username}")


@click.group()
def token() -> None:
    """Tokens by which programs use the API."""


@token.command()
@click.argument("name")
@click.option("--role", required=True)
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
def create(name: str, role: str, days: int) -> None:
    """Make a token; it is printed once and kept only as a hash."""
    house = build(get_settings())
    click.echo(house.tokens.create_token(ACTOR, name, role, days))
