"""Every route says who may open it; whoever isn't logged in gets to none but the public ones."""

import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, Rule

from webui.permissions import PUBLIC, ROLE_PERMISSIONS, Permission, Role, access_rule, permissions_of, public, requires

OPEN_TO_ALL = {
    # The link's signed token, and the carrier's signature, take the log-in's place.
    "survey_page.page",
    "survey_page.take",
    "survey_page.ask_opt_out",
    "survey_page.opt_out",
    "sms_receipts.receive",
    "assets.file",
    "assets.favicon",
    "languages.switch",
    "auth.log_in",
    "auth.take_password",
    "auth.ask_code",
    "auth.take_code",
    "health.health",
    "health.metrics",
    "wall.page",
    "wall.feed",
}


def test_every_view_carries_a_mark(app: Flask) -> None:
    unmarked = [rule.endpoint for rule in app.url_map.iter_rules() if access_rule(app.view_functions[rule.endpoint]) is None]
    assert unmarked == []


def test_public_views_are_the_known_ones(app: Flask) -> None:
    open_views = {rule.endpoint for rule in app.url_map.iter_rules() if access_rule(app.view_functions[rule.endpoint]) == PUBLIC}
    # The API's description is public too: it says nothing that isn't in the repository.
    assert {name for name in open_views if not name.startswith("openapi")} <= OPEN_TO_ALL


def test_an_unmarked_view_is_refused(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = app.test_client().get("/forgotten")
    assert answer.status_code == 302
    assert b"secret" not in answer.data


def _address(rule: Rule) -> str:
    values: dict[str, object] = {name: uuid.UUID(int=1) if "id" in name else "x" for name in rule.arguments}
    for name, converter in rule._converters.items():
        if type(converter).__name__ == "IntegerConverter":
            values[name] = 1
        if isinstance(converter, AnyConverter):
            values[name] = min(converter.items)
    built = rule.build(values)
    assert built is not None
    return str(built[1])


def test_a_stranger_opens_nothing(app: Flask, client: FlaskClient) -> None:
    walked = 0
    for rule in app.url_map.iter_rules():
        if access_rule(app.view_functions[rule.endpoint]) == PUBLIC:
            continue
        address = _address(rule)
        if "GET" in (rule.methods or set()):
            answer = client.get(address)
            assert answer.status_code in {302, 401}, address
            assert answer.status_code == 401 or "/login" in answer.headers["Location"], address
        else:
            assert client.post(address).status_code in {401, 405}, address
        walked += 1
    assert walked > 10


def test_a_stranger_keeps_where_they_wanted_to_go(client: FlaskClient) -> None:
    assert client.get("/users/?q=a").headers["Location"] == "/login?next=/users/?q%3Da"


def test_programs_are_answered_in_json(client: FlaskClient) -> None:
    answer = client.get("/users/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["error"]["kind"] == "unauthorized"


def test_every_permission_belongs_to_a_role_and_every_role_may_something() -> None:
    given = frozenset().union(*ROLE_PERMISSIONS.values())
    assert given == frozenset(Permission)
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert all(Permission.OWN_ACCOUNT in permissions for permissions in ROLE_PERMISSIONS.values())


@pytest.mark.parametrize(
    ("role", "forbidden"),
    [
        (Role.AGENT, {Permission.READ_ALL_CALLS, Permission.PLAY_RECORDINGS, Permission.MANAGE_USERS, Permission.EDIT_ARTICLES}),
        (Role.SUPERVISOR, {Permission.MANAGE_USERS, Permission.READ_AUDIT, Permission.PUBLISH_ARTICLES}),
        (Role.KB_EDITOR, {Permission.READ_ALL_CALLS, Permission.REVEAL_NUMBERS, Permission.MANAGE_USERS}),
        (Role.UNIT, {Permission.PUBLISH_ARTICLES, Permission.READ_OWN_CALLS, Permission.TRANSFER_ARTICLES}),
        (Role.MANAGER, {Permission.ACT_ON_AGENTS, Permission.REVEAL_NUMBERS, Permission.MANAGE_USERS}),
        (Role.AUDITOR, {Permission.READ_ALL_CALLS, Permission.PLAY_RECORDINGS, Permission.MANAGE_USERS, Permission.READ_ARTICLES}),
        (Role.ADMIN, {Permission.READ_ALL_CALLS, Permission.PLAY_RECORDINGS, Permission.READ_AUDIT, Permission.REVEAL_NUMBERS}),
    ],
)
def test_what_a_role_must_not_do(role: Role, forbidden: set[Permission]) -> None:
    assert permissions_of([role]).isdisjoint(forbidden)


def test_an_unknown_role_gives_nothing() -> None:
    assert permissions_of(["root"]) == frozenset()


def test_marks_are_read_back() -> None:
    assert access_rule(public(lambda: "")) == PUBLIC
    assert access_rule(requires(Permission.USE_DESK)(lambda: "")) == {Permission.USE_DESK}
    assert access_rule(lambda: "") is None
