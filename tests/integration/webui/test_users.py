"""The users page, the roles matrix and the audit page."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select, text

from core import audit
from core.audit import AuditEntry
from core.database import Database
from telephony.ami_facts import LineChanged
from telephony.models import Agent
from telephony.service import TelephonyService
from tests.fakes.browser import Browser
from tests.fakes.switch import FakeSwitch
from tests.integration.webui.conftest import PASSWORD
from webui.accounts import AccountService, LastAdminError
from webui.permissions import PUBLIC, Role, access_rule, permissions_of

pytestmark = pytest.mark.usefixtures("people")


@pytest.fixture
def admin(client: Browser) -> Browser:
    client.log_in("admin", PASSWORD)
    return client


@pytest.fixture
def auditor(app: Flask) -> Browser:
    made = app.test_client()
    assert isinstance(made, Browser)
    made.log_in("auditor", PASSWORD)
    return made


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_what_it_may_and_nothing_else(role: Role, app: Flask, client: Browser) -> None:
    client.log_in(role.value, PASSWORD)
    walked = 0
    for rule in app.url_map.iter_rules():
        needed = access_rule(app.view_functions[rule.endpoint])
        if needed == PUBLIC or rule.arguments or "GET" not in (rule.methods or set()):
            continue
        assert not isinstance(needed, str)
        assert needed is not None
        allowed = not permissions_of([role]).isdisjoint(needed)
        if allowed:
            continue  # what lies behind has its own tests
        assert client.get(rule.rule).status_code == 403, rule.rule
        walked += 1
    assert walked or role is Role.ADMIN


def test_the_rail_shows_only_what_may_be_opened(app: Flask, client: Browser) -> None:
    client.log_in("auditor", PASSWORD)
    page = client.get("/audit/").get_data(as_text=True)
    assert "/users/" not in page
    client.post("/logout")
    client.log_in("agent", PASSWORD)
    page = client.get("/me/").get_data(as_text=True)
    assert "/audit/" not in page
    assert "管理" not in page


def test_create_a_person_with_an_agent(admin: Browser, database: Database) -> None:
    data = {
        "username": "chenmin",
        "display_name": "陈敏",
        "password": PASSWORD,
        "roles": ["agent"],
        "agent_number": "1021",
        "queues": ["consult"],
    }
    assert admin.post("/users/new", data=data).status_code == 302
    with database.transaction() as session:
        assert session.scalars(select(Agent.number)).all() == ["1021"]
    page = admin.get("/users/").get_data(as_text=True)
    assert "陈敏" in page
    assert "1021" in page
    assert "办事咨询" in page
    with database.transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.created")).all()[-1]
    assert (entry.actor, entry.subject) == ("admin", "user:chenmin")
    assert PASSWORD not in str(entry.detail)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"username": "Chen Min"}, "账号用小写字母开头"),
        ({"username": "agent"}, "已经有人用了"),
        ({"display_name": "  "}, "请填写姓名"),
        ({"password": "short"}, "至少 10 个字符"),
        ({"roles": []}, "至少选一个角色"),
        ({"roles": ["root"]}, "至少选一个角色"),
        ({"agent_number": "12a"}, "坐席号是"),
        ({"agent_number": "1021", "queues": []}, "至少要服务一个队列"),
    ],
)
def test_bad_input_names_its_field_and_keeps_the_rest(change: dict[str, object], words: str, admin: Browser) -> None:
    data: dict[str, object] = {"username": "lin", "display_name": "林同志", "password": PASSWORD, "roles": ["agent"], **change}
    answer = admin.post("/users/new", data=data)
    assert answer.status_code in {400, 409}
    page = answer.get_data(as_text=True)
    assert words in page
    if "display_name" not in change:
        assert "林同志" in page


def test_an_agent_number_belongs_to_one_person(admin: Browser) -> None:
    data = {"display_name": "甲", "password": PASSWORD, "roles": ["agent"], "agent_number": "1021", "queues": ["consult"]}
    assert admin.post("/users/new", data={**data, "username": "first"}).status_code == 302
    assert admin.post("/users/new", data={**data, "username": "second"}).status_code == 409


class TestSeats:
    """What becomes of a person's seat: its name and queues, its telephone at the exchange, its place in the queues."""

    @pytest.fixture
    def telephony(self, app: Flask) -> TelephonyService:
        service: TelephonyService = app.extensions["house"].telephony
        return service

    @pytest.fixture
    def user_id(self, admin: Browser, accounts: AccountService, telephony: TelephonyService) -> uuid.UUID:
        """A person at seat 1021, logged in to the queue consult and ready."""
        admin.post("/users/new", data={"username": "chenmin", "password": PASSWORD, **self.form()})
        row = next(row for row in accounts.list_users() if row.username == "chenmin")
        assert row.agent_id is not None
        telephony.record([LineChanged(datetime.now(UTC), "1021", True)])
        telephony.log_in_agent(row.agent_id)
        telephony.ready_agent(row.agent_id)
        return row.user_id

    @staticmethod
    def form(**changes: object) -> dict[str, object]:
        return {"display_name": "陈敏", "roles": ["agent"], "agent_number": "1021", "queues": ["consult"], **changes}

    def test_a_change_reaches_the_seat(
        self, admin: Browser, user_id: uuid.UUID, telephony: TelephonyService, switch: FakeSwitch, database: Database
    ) -> None:
        change = self.form(display_name="陈敏敏", queues=["consult", "enterprise"])
        assert admin.post(f"/users/{user_id}", data=change).status_code == 302
        (seat,) = telephony.list_agents()
        assert (seat.name, seat.queues) == ("陈敏敏", ("consult", "enterprise"))
        assert switch.seats == {("1021", "consult"): False, ("1021", "enterprise"): False}, "ready in the new queue too"
        assert ("log_in", "1021", "consult", "enterprise") not in switch.asked, "not for a moment paused in the queue that stays"
        admin.post(f"/users/{user_id}", data=self.form(queues=["enterprise"]))
        assert switch.seats == {("1021", "enterprise"): False}
        with database.transaction() as session:
            query = select(AuditEntry).where(AuditEntry.action == "seat.changed").order_by(AuditEntry.id)
            told = [(entry.actor, entry.subject, entry.detail) for entry in session.scalars(query)]
        made, more, fewer = ([], ["consult"]), (["consult"], ["consult", "enterprise"]), (["consult", "enterprise"], ["enterprise"])
        assert told == [("admin", "agent:1021", {"queues": {"from": a, "to": b}}) for a, b in (made, more, fewer)]

    def test_another_persons_seat_stays_as_it_is(
        self, admin: Browser, user_id: uuid.UUID, people: dict[str, uuid.UUID], telephony: TelephonyService
    ) -> None:
        thief = self.form(display_name="甲", queues=["enterprise"])
        assert admin.post(f"/users/{people['supervisor']}", data=thief).status_code == 409
        (seat,) = telephony.list_agents()
        assert (seat.name, seat.queues) == ("陈敏", ("consult",))

    @pytest.mark.parametrize("way", ["disable", "no number", "another number", "no longer an agent"])
    def test_without_its_person_a_seat_is_dead(
        self,
        way: str,
        admin: Browser,
        user_id: uuid.UUID,
        accounts: AccountService,
        telephony: TelephonyService,
        switch: FakeSwitch,
    ) -> None:
        agent_id, password = accounts.get_user(user_id).agent_id, switch.telephones["1021"]
        assert agent_id is not None
        if way == "disable":
            admin.post(f"/users/{user_id}/disable")
        elif way == "no longer an agent":
            admin.post(f"/users/{user_id}", data=self.form(roles=["kb_editor"]))
        else:
            admin.post(f"/users/{user_id}", data=self.form(agent_number="" if way == "no number" else "1022"))
        assert "1021" not in switch.telephones
        assert not any(number == "1021" for number, _queue in switch.seats)
        agent = telephony.board.agent(agent_id)
        assert agent is not None
        assert (agent.state, agent.is_logged_in) == ("offline", False)
        assert "1021" not in [seat.number for seat in telephony.list_agents()]
        assert telephony.board.softphone(agent_id) != ("1021", password)
        switch.telephones["1021"] = password  # the exchange was away when it was told
        telephony.provision_agents()
        assert "1021" not in switch.telephones

    def test_enabled_again_the_seat_works_with_another_password(
        self, admin: Browser, user_id: uuid.UUID, accounts: AccountService, telephony: TelephonyService, switch: FakeSwitch
    ) -> None:
        agent_id, password = accounts.get_user(user_id).agent_id, switch.telephones["1021"]
        assert agent_id is not None
        admin.post(f"/users/{user_id}/disable")
        admin.post(f"/users/{user_id}", data=self.form(queues=["enterprise"]))
        assert "1021" not in switch.telephones, "saving a disabled account gives it no telephone"
        admin.post(f"/users/{user_id}/enable")
        assert switch.telephones["1021"] != password
        assert telephony.board.softphone(agent_id) == ("1021", switch.telephones["1021"])
        telephony.log_in_agent(agent_id)
        telephony.ready_agent(agent_id)
        assert switch.seats == {("1021", "enterprise"): False}

    def test_an_exchange_that_is_away_keeps_nobody_in(
        self, admin: Browser, user_id: uuid.UUID, accounts: AccountService, telephony: TelephonyService, switch: FakeSwitch
    ) -> None:
        switch.is_away = True
        assert admin.post(f"/users/{user_id}/disable").status_code == 302
        assert accounts.get_user(user_id).is_disabled
        switch.is_away = False
        telephony.provision_agents()
        telephony.reconcile()
        assert (switch.telephones, switch.seats) == ({}, {})


def test_a_hostile_name_is_only_text(admin: Browser) -> None:
    name = "<script>alert(1)</script>"
    admin.post("/users/new", data={"username": "evil", "display_name": name, "password": PASSWORD, "roles": ["agent"]})
    page = admin.get("/users/").get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_change_roles(admin: Browser, accounts: AccountService, people: dict[str, uuid.UUID]) -> None:
    user_id = people["agent"]
    data = {"display_name": "陈敏", "roles": ["agent", "supervisor"]}
    assert admin.post(f"/users/{user_id}", data=data).status_code == 302
    assert accounts.get_user(user_id).roles == ("agent", "supervisor")


def test_the_last_admin_stays(admin: Browser, accounts: AccountService, people: dict[str, uuid.UUID]) -> None:
    answer = admin.post(f"/users/{people['admin']}", data={"display_name": "管理员", "roles": ["agent"]})
    assert answer.status_code == 409
    assert admin.post(f"/users/{people['admin']}/disable").status_code == 400
    with pytest.raises(LastAdminError):
        accounts.set_disabled("other", people["admin"], True)


def test_reset_password_is_shown_once(admin: Browser, app: Flask, people: dict[str, uuid.UUID]) -> None:
    address = f"/users/{people['agent']}"
    admin.post(f"{address}/password")
    page = admin.get(address).get_data(as_text=True)
    password = page.split('id="new-password">')[1].split("<")[0]
    assert "new-password" not in admin.get(address).get_data(as_text=True)
    other = app.test_client()
    assert isinstance(other, Browser)
    assert other.log_in("agent", PASSWORD).status_code == 401
    assert other.log_in("agent", password).status_code == 302
    assert other.get("/").headers["Location"] == "/me/", "it must be changed first"


def test_filters(admin: Browser) -> None:
    page = admin.get("/users/?role=auditor").get_data(as_text=True)
    assert "auditor 同志" in page
    assert "supervisor 同志" not in page
    assert "没有符合条件的账号" in admin.get("/users/?q=%25nothing").get_data(as_text=True)


def test_no_such_person(admin: Browser) -> None:
    assert admin.get(f"/users/{uuid.UUID(int=5)}").status_code == 404
    assert admin.get("/users/not-a-uuid").status_code == 404


class TestAuditPage:
    """What the auditor sees."""

    @pytest.fixture
    def tampering(self, database: Database) -> Iterator[Database]:
        with database.transaction() as session:
            session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        yield database
        with database.transaction() as session:
            session.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))

    def test_search(self, auditor: Browser) -> None:
        page = auditor.get("/audit/?action=user.created&subject=supervisor").get_data(as_text=True)
        assert "user:supervisor" in page
        assert "user:agent" not in page
        assert "没有符合条件的记录" in auditor.get("/audit/?actor=somebody").get_data(as_text=True)
        assert "没有符合条件的记录" in auditor.get("/audit/?until=2020-01-01").get_data(as_text=True)
        assert "user:agent" in auditor.get("/audit/?since=2020-01-01").get_data(as_text=True)
        answer = auditor.get("/audit/?since=tomorrow")
        assert answer.status_code == 400
        assert "tomorrow" in answer.get_data(as_text=True)

    def test_signs_of_like_mean_themselves(self, auditor: Browser) -> None:
        assert "没有符合条件的记录" in auditor.get("/audit/?subject=%25").get_data(as_text=True)

    def test_a_whole_chain(self, auditor: Browser) -> None:
        assert auditor.post("/audit/verify").status_code == 302
        assert "链条完整" in auditor.get("/audit/").get_data(as_text=True)
        page = auditor.get("/audit/").get_data(as_text=True)
        assert "链条完整" not in page, "the result is shown once"
        assert "校验审计" in page

    def test_a_changed_row_is_found(self, auditor: Browser, tampering: Database) -> None:
        with tampering.transaction() as session:
            session.execute(text("UPDATE audit_entry SET actor = 'somebody' WHERE id = 3"))
        auditor.post("/audit/verify")
        assert "链条断在第 3 条" in auditor.get("/audit/").get_data(as_text=True)

    def test_a_missing_row_is_found(self, auditor: Browser, tampering: Database) -> None:
        with tampering.transaction() as session:
            session.execute(text("DELETE FROM audit_entry WHERE id = 4"))
        auditor.post("/audit/verify")
        assert "链条断在第 5 条" in auditor.get("/audit/").get_data(as_text=True)

    def test_it_pages(self, auditor: Browser, database: Database) -> None:
        with database.transaction() as session:
            for number in range(60):
                audit.record(session, "clerk", "call.exported", f"call:{number}", {"count": number})
        page = auditor.get("/audit/?actor=clerk").get_data(as_text=True)
        assert "第 1–50 条，共 60 条" in page
        assert "page=2" in page
        second = auditor.get("/audit/?actor=clerk&page=2").get_data(as_text=True)
        assert "第 51–60 条，共 60 条" in second
        assert "没有符合条件的记录" in auditor.get("/audit/?actor=clerk&page=99").get_data(as_text=True)
