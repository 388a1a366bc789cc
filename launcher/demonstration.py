"""What a first start on one machine needs: tables, people of every role, two seats, a demonstration knowledge base."""

import contextlib
from dataclasses import dataclass

from bootstrap.house import House, build
from core import migrate
from core.errors import ConflictError
from core.settings import Settings
from launcher.secrets_file import SecretsFile
from webui.wallboard.displays import PREFIX, DisplayService

_ACTOR = "manage.py up"
_PEOPLE: tuple[tuple[str, str, str, list[str], str | None, list[str]], ...] = (
    # username, name, title, roles, seat, queues
    ("admin", "系统管理员", "管理员", ["admin"], None, []),
    ("agent1", "陈敏", "坐席 8001", ["agent"], "8001", ["consult", "enterprise"]),
    ("agent2", "李建国", "坐席 8002", ["agent"], "8002", ["consult"]),
    ("monitor", "周启明", "班长", ["supervisor"], None, []),
    ("editor", "许佳", "知识库管理员", ["kb_editor"], None, []),
    ("manager", "何静", "管理人员", ["manager"], None, []),
    ("auditor", "冯磊", "审计员", ["auditor"], None, []),
)
_TOKEN_ROLES = ("supervisor", "kb_editor")


@dataclass(frozen=True)
class Login:
    """A demonstration log-in."""

    username: str
    password: str
    title: str
    roles: list[str]
    agent_number: str | None


@dataclass(frozen=True)
class Prepared:
    """What the announcement tells."""

    logins: list[Login]
    api_tokens: dict[str, str]
    """By role. A token has one role; a program that writes articles needs another than one that follows calls."""
    wall_path: str
    """Where the hall screen opens, with its token."""


def prepare_database(settings: Settings) -> Prepared:
    """Bring the database up to date and add what is missing; safe to run at every start."""
    assert settings.database_url
    migrate.upgrade(settings.database_url)
    house = build(settings)
    try:
        secrets = SecretsFile(settings.state_dir / "secrets.json")
        house.telephony.ensure_queues(settings.queues)
        logins = [_ensure_person(house, secrets, *person) for person in _PEOPLE]
        if not house.kb.count_articles():
            house.kb.load_demonstration(_ACTOR)
        house.kb.ensure_index()
        house.survey.ensure_demonstration(_ACTOR)
        house.callback.ensure_demonstration(_ACTOR)
        tokens = {role: _ensure_token(house, secrets, role) for role in _TOKEN_ROLES}
        return Prepared(logins, tokens, _ensure_display(house, secrets))
    finally:
        house.close()


def _ensure_person(
    house: House, secrets: SecretsFile, username: str, name: str, title: str, roles: list[str], seat: str | None, queues: list[str]
) -> Login:
    password = secrets.get(f"login.{username}", 12)
    if username not in {row.username for row in house.accounts.list_users()}:
        agent_id = house.telephony.save_agent(seat, name, queues) if seat else None
        house.accounts.create_user(
            _ACTOR,
            username=username,
            display_name=name,
            password=password,
            roles=roles,
            agent_id=agent_id,
            must_change_password=False,
        )
    return Login(username, password, title, roles, seat)


def _ensure_token(house: House, secrets: SecretsFile, role: str) -> str:
    token = secrets.get(f"api_token.{role}", 40)
    with contextlib.suppress(ConflictError):  # a former start made it
        house.tokens.import_token(_ACTOR, f"make run, {role}", role, token)
    return token


def _ensure_display(house: House, secrets: SecretsFile) -> str:
    token = PREFIX + secrets.get("display_token.hall", 40)
    display = DisplayService(house.database, house.clock).ensure_demonstration(_ACTOR, "大厅主屏", token)
    return f"/wall/{display.key}?token={token}"
