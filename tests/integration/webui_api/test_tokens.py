"""A token is known by its hash, has one role, and ends when told to or in its time."""

import uuid

import pytest
from sqlalchemy import select, text

from core.audit import AuditEntry
from core.database import Database
from tests.fakes.clock import FakeClock
from webui.models import ApiToken
from webui.permissions import Role
from webui.tokens import BadTokenError, TokenKnownError, TokenNameTakenError, TokenNotFoundError, TokenService


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tokens(database: Database, clock: FakeClock) -> TokenService:
    with database.transaction() as session:
        session.execute(text("DELETE FROM api_token"))
    return TokenService(database, clock)


def test_a_token_speaks_for_a_program_with_one_role(tokens: TokenService, database: Database) -> None:
    token = tokens.create_token("admin", "统计报表", "manager")
    person = tokens.person_of_token(token)
    assert person is not None
    assert (person.username, person.roles, person.user_id) == ("token:统计报表", ("manager",), None)
    assert tokens.person_of_token(token + "x") is None
    assert tokens.person_of_token("\ud800") is None
    with database.transaction() as session:
        stored = session.scalars(select(ApiToken)).one()
        assert token not in (stored.token_hash, stored.name)
        newest_first = select(AuditEntry).where(AuditEntry.action == "token.created").order_by(AuditEntry.id.desc())
        made = session.scalars(newest_first).first()
    assert made is not None
    assert (made.actor, made.subject) == ("admin", "token:统计报表")
    assert token not in str(made.detail)


def test_its_time_ends(tokens: TokenService, clock: FakeClock) -> None:
    token = tokens.create_token("admin", "a month", "agent", days=30)
    clock.advance(30 * 86400 - 1)
    assert tokens.person_of_token(token) is not None
    clock.advance(1)
    assert tokens.person_of_token(token) is None
    assert [row.is_usable for row in tokens.list_tokens()] == [False]
    assert tokens.create_token("admin", "a month", "agent") != token, "a name is free again once its token ended"


def test_revoking_works_at_once_and_twice(tokens: TokenService) -> None:
    token = tokens.create_token("admin", "kiosk", "agent")
    (row,) = tokens.list_tokens()
    tokens.revoke_token("admin", row.token_id)
    tokens.revoke_token("admin", row.token_id)
    assert tokens.person_of_token(token) is None
    with pytest.raises(TokenNotFoundError):
        tokens.revoke_token("admin", uuid.UUID(int=7))


def test_last_use_is_kept_to_the_minute(tokens: TokenService, clock: FakeClock) -> None:
    token = tokens.create_token("admin", "kiosk", "agent")
    assert tokens.list_tokens()[0].last_used_at is None
    tokens.person_of_token(token)
    first = tokens.list_tokens()[0].last_used_at
    clock.advance(30)
    tokens.person_of_token(token)
    assert tokens.list_tokens()[0].last_used_at == first
    clock.advance(40)
    tokens.person_of_token(token)
    assert tokens.list_tokens()[0].last_used_at != first


@pytest.mark.parametrize(
    ("name", "role", "days", "field"),
    [
        ("", "agent", None, "name"),
        ("x" * 65, "agent", None, "name"),
        ("a\0b", "agent", None, "name"),
        ("ok", "king", None, "role"),
        ("ok", "agent", 0, "days"),
        ("ok", "agent", 10**9, "days"),
    ],
)
def test_what_cannot_be_is_refused(tokens: TokenService, name: str, role: str, days: int | None, field: str) -> None:
    with pytest.raises(BadTokenError) as refused:
        tokens.create_token("admin", name, role, days)
    assert refused.value.field == field
    assert tokens.list_tokens() == []


def test_two_tokens_of_one_name_would_look_alike_in_the_audit(tokens: TokenService) -> None:
    tokens.create_token("admin", "kiosk", Role.AGENT)
    with pytest.raises(TokenNameTakenError):
        tokens.create_token("admin", " kiosk ", Role.AGENT)


def test_an_imported_token_takes_the_place_of_its_forerunner(tokens: TokenService) -> None:
    first, second = "a" * 40, "b" * 40
    tokens.import_token("up", "make run", "supervisor", first)
    with pytest.raises(TokenKnownError):
        tokens.import_token("up", "make run", "supervisor", first)
    tokens.import_token("up", "make run", "supervisor", second)
    assert tokens.person_of_token(first) is None
    assert tokens.person_of_token(second) is not None
    with pytest.raises(BadTokenError):
        tokens.import_token("up", "short", "supervisor", "short")
