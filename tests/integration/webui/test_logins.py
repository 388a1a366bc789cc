"""Getting in, being kept out, and being thrown out at once."""

import uuid

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from core.audit import AuditEntry
from core.database import Database
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.integration.webui.conftest import PASSWORD
from webui.accounts import AccountService
from webui.logins import LoginService
from webui.models import LoginSession, User

pytestmark = pytest.mark.usefixtures("people")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def actions(database: Database, subject: str) -> list[str]:
    with database.transaction() as session:
        query = select(AuditEntry.action).where(AuditEntry.subject == subject).order_by(AuditEntry.id)
        return list(session.scalars(query))


def test_right_password(client: Browser, database: Database) -> None:
    answer = client.log_in("agent", PASSWORD)
    assert answer.status_code == 302
    assert client.get("/me/").status_code == 200
    assert actions(database, "user:agent")[-1] == "login.succeeded"
    with database.transaction() as session:
        stored = session.scalars(select(LoginSession.token_hash)).one()
    with client.session_transaction() as cookie:
        assert stored != cookie["_user_id"], "the row holds only the hash"


def test_name_is_read_without_case_and_spaces(client: Browser) -> None:
    assert client.log_in(" Agent ", PASSWORD).status_code == 302


def test_wrong_password_and_unknown_name_look_the_same(client: Browser, database: Database) -> None:
    wrong = client.log_in("agent", "nope-nope-nope")
    unknown = client.log_in("nobody", "nope-nope-nope")
    assert wrong.status_code == unknown.status_code == 401
    assert "账号或密码不正确" in wrong.get_data(as_text=True)
    assert "账号或密码不正确" in unknown.get_data(as_text=True)
    with database.transaction() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "login.failed")).all()
    assert [entry.actor for entry in entries] == ["agent", "-"]
    assert "nobody" not in str([entry.detail for entry in entries]), "what was typed may be a password in the wrong field"


def test_lock_out_after_failures_and_its_end(client: Browser, clock: FakeClock, database: Database) -> None:
    for _ in range(3):
        answer = client.log_in("agent", "nope-nope-nope")
    assert "锁定到 2026-03-18 10:45" in answer.get_data(as_text=True)
    assert client.log_in("agent", PASSWORD).status_code == 401, "the right password doesn't help now"
    assert client.log_in("supervisor", PASSWORD).status_code == 302, "others are not touched"
    clock.advance(15 * 60 + 1)
    assert client.log_in("agent", PASSWORD).status_code == 302
    assert "login.locked" in actions(database, "user:agent")


def test_a_success_forgets_failures(client: Browser) -> None:
    for _ in range(2):
        client.log_in("agent", "nope-nope-nope")
        client.log_in("agent", "nope-nope-nope")
        assert client.log_in("agent", PASSWORD).status_code == 302
        client.post("/logout")


def test_admin_unlocks(client: Browser, accounts: AccountService, people: dict[str, uuid.UUID]) -> None:
    for _ in range(3):
        client.log_in("agent", "nope-nope-nope")
    accounts.unlock("admin", people["agent"])
    assert client.log_in("agent", PASSWORD).status_code == 302


def test_a_revoked_session_is_out_at_once(app: Flask, client: Browser, people: dict[str, uuid.UUID]) -> None:
    client.log_in("agent", PASSWORD)
    assert client.get("/me/").status_code == 200
    admin = app.test_client()
    assert isinstance(admin, Browser)
    admin.log_in("admin", PASSWORD)
    assert admin.post(f"/users/{people['agent']}/sessions").status_code == 302
    assert client.get("/me/").status_code == 302
    assert client.get("/me/", headers={"HX-Request": "true"}).status_code == 401


def test_disabling_throws_out_and_keeps_out(client: Browser, accounts: AccountService, people: dict[str, uuid.UUID]) -> None:
    client.log_in("agent", PASSWORD)
    accounts.set_disabled("admin", people["agent"], True)
    assert client.get("/me/").status_code == 302
    assert client.log_in("agent", PASSWORD).status_code == 401


def test_a_session_ends_by_itself(client: Browser, clock: FakeClock) -> None:
    client.log_in("agent", PASSWORD)
    clock.advance(12 * 3600 - 5)
    assert client.get("/me/").status_code == 200
    clock.advance(10)
    assert client.get("/me/").status_code == 302


def test_log_out_ends_the_session_not_only_the_cookie(app: Flask, client: Browser) -> None:
    client.log_in("agent", PASSWORD)
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    client.post("/logout")
    logins: LoginService = app.extensions["logins"]
    assert logins.person_of_session(token) is None


def test_log_in_gives_a_new_cookie(client: Browser) -> None:
    client.get("/login")
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    client.log_in("agent", PASSWORD)
    with client.session_transaction() as cookie:
        assert "planted" not in cookie


def test_where_one_wanted_to_go(client: Browser) -> None:
    client.get("/login")
    data = {"username": "admin", "password": PASSWORD, "next": "/users/?q=a"}
    assert client.post("/login", data=data).headers["Location"] == "/users/?q=a"
    client.post("/logout")
    client.get("/login")
    data["next"] = "//evil.example/"
    assert client.post("/login", data=data).headers["Location"] == "/"


class TestSecondStep:
    """Six digits after the password."""

    @pytest.fixture(autouse=True)
    def _secret(self, database: Database, people: dict[str, uuid.UUID]) -> None:
        with database.transaction() as session:
            session.get_one(User, people["auditor"]).totp_secret = SECRET

    @staticmethod
    def code(clock: FakeClock, steps: int = 0) -> str:
        return pyotp.TOTP(SECRET).at(int(clock.now().timestamp()) + 30 * steps)

    def test_password_alone_is_not_enough(self, client: Browser) -> None:
        assert client.log_in("auditor", PASSWORD).headers["Location"] == "/login/code"
        assert client.get("/audit/").status_code == 302

    def test_code(self, client: Browser, clock: FakeClock) -> None:
        client.log_in("auditor", PASSWORD)
        assert "6 位" in client.get("/login/code").get_data(as_text=True)
        assert client.post("/login/code", data={"code": self.code(clock)}).status_code == 302
        assert client.get("/audit/").status_code == 200

    def test_a_code_works_once(self, client: Browser, clock: FakeClock) -> None:
        used = self.code(clock)
        client.log_in("auditor", PASSWORD)
        client.get("/login/code")
        client.post("/login/code", data={"code": used})
        client.get("/me/")
        client.post("/logout")
        client.log_in("auditor", PASSWORD)
        client.get("/login/code")
        assert client.post("/login/code", data={"code": used}).status_code == 401

    def test_wrong_codes_lock_out(self, client: Browser, clock: FakeClock) -> None:
        client.log_in("auditor", PASSWORD)
        client.get("/login/code")
        for code in ("000000", "１２３４５６", self.code(clock, 5)):
            answer = client.post("/login/code", data={"code": code})
        assert "锁定" in answer.get_data(as_text=True)
        assert client.post("/login/code", data={"code": self.code(clock)}).status_code == 401

    def test_waiting_too_long(self, client: Browser, clock: FakeClock) -> None:
        client.log_in("auditor", PASSWORD)
        clock.advance(301)
        assert client.get("/login/code").headers["Location"] == "/login"

    def test_switching_on_needs_a_code_and_off_the_password(self, client: Browser, clock: FakeClock, database: Database) -> None:
        client.log_in("agent", PASSWORD)
        client.get("/me/")
        with client.session_transaction() as cookie:
            secret = cookie["totp_secret"]
        assert client.post("/me/totp", data={"code": "123"}).status_code == 400
        assert client.post("/me/totp", data={"code": pyotp.TOTP(secret).at(int(clock.now().timestamp()))}).status_code == 302
        assert client.post("/me/totp", data={"do": "off", "password": "wrong"}).status_code == 400
        assert client.post("/me/totp", data={"do": "off", "password": PASSWORD}).status_code == 302
        assert actions(database, "user:agent")[-2:] == ["totp.enabled", "totp.disabled"]


class TestOwnAccount:
    """What everybody may do about themselves."""

    def test_change_password(self, app: Flask, client: Browser) -> None:
        other = app.test_client()
        assert isinstance(other, Browser)
        other.log_in("agent", PASSWORD)
        client.log_in("agent", PASSWORD)
        new = "Quite-Another-1"
        assert client.post("/me/password", data={"present": "wrong", "new": new, "again": new}).status_code == 400
        assert client.post("/me/password", data={"present": PASSWORD, "new": new, "again": "x"}).status_code == 400
        assert client.post("/me/password", data={"present": PASSWORD, "new": "short", "again": "short"}).status_code == 400
        assert client.post("/me/password", data={"present": PASSWORD, "new": PASSWORD, "again": PASSWORD}).status_code == 400
        assert client.post("/me/password", data={"present": PASSWORD, "new": new, "again": new}).status_code == 302
        assert client.get("/me/").status_code == 200
        assert other.get("/me/").status_code == 302, "other log-ins end"
        assert other.log_in("agent", PASSWORD).status_code == 401
        assert other.log_in("agent", new).status_code == 302

    def test_a_first_password_must_be_changed(self, client: Browser, accounts: AccountService) -> None:
        accounts.create_user("setup", username="fresh", display_name="新人", password=PASSWORD, roles=["admin"])
        client.log_in("fresh", PASSWORD)
        assert client.get("/users/").headers["Location"] == "/me/"
        new = "Quite-Another-1"
        client.post("/me/password", data={"present": PASSWORD, "new": new, "again": new})
        assert client.get("/users/").status_code == 200

    def test_revoke_another_login_of_ones_own_only(
        self, app: Flask, client: Browser, database: Database, people: dict[str, uuid.UUID]
    ) -> None:
        other = app.test_client()
        assert isinstance(other, Browser)
        other.log_in("agent", PASSWORD)
        with database.transaction() as session:
            login = session.scalars(select(LoginSession.id).where(LoginSession.user_id == people["agent"])).one()
        client.log_in("supervisor", PASSWORD)
        assert client.post(f"/me/sessions/{login}/revoke").status_code == 404, "not one's own"
        assert other.get("/me/").status_code == 200
        client.post("/logout")
        client.log_in("agent", PASSWORD)
        assert client.post(f"/me/sessions/{login}/revoke").status_code == 302
        assert other.get("/me/").status_code == 302


def test_bearer_tokens(app: Flask, client: Browser, clock: FakeClock) -> None:
    token = app.extensions["house"].tokens.create_token("setup", "报表", "admin", days=1)
    headers = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/users/", headers=headers).status_code == 200
    assert app.test_client().get("/audit/", headers=headers).status_code == 403
    assert app.test_client().get("/users/", headers={"Authorization": "Bearer tj_wrong"}).status_code == 302
    clock.advance(24 * 3600 + 1)
    assert app.test_client().get("/users/", headers=headers).status_code == 302
