"""The administrator's page: who may log in, as what, and as which agent."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from core import audit
from core.errors import InvalidInputError, TingjianError
from webui import passwords
from webui.accounts import (
    AccountService,
    AgentTakenError,
    BadRoleError,
    BadUsernameError,
    LastAdminError,
    MissingNameError,
    UsernameTakenError,
    UserNotFoundError,
    UserRow,
)
from webui.errors import message, says
from webui.house import board_reads, call_reads, current_house
from webui.permissions import ROLE_NAMES, ROLE_PERMISSIONS, Permission, Role, permissions_of, requires
from webui.person import actor, current_person

blueprint = Blueprint("users", __name__, url_prefix="/users")
_NUMBER = re.compile(r"\d{3,6}")


class BadAgentNumberError(InvalidInputError):
    """An agent number is three to six digits."""


class MissingQueueError(InvalidInputError):
    """An agent serves at least one queue."""


class OwnAccountError(InvalidInputError):
    """One doesn't shut oneself out."""


says(BadUsernameError, lambda error: _("账号用小写字母开头，只含小写字母、数字、点、横线，2–32 个字符。"))
says(MissingNameError, lambda error: _("请填写姓名。"))
says(BadRoleError, lambda error: _("至少选一个角色。"))
says(UsernameTakenError, lambda error: _("这个账号已经有人用了，请换一个。"))
says(AgentTakenError, lambda error: _("这个坐席号已经属于别的账号。请先在那个账号里去掉。"))
says(LastAdminError, lambda error: _("这是最后一个系统管理员，去掉后就没有人能管理账号了。请先给别人这个角色。"))
says(UserNotFoundError, lambda error: _("没有这个账号。"))
says(BadAgentNumberError, lambda error: _("坐席号是 3–6 位数字。"))
says(MissingQueueError, lambda error: _("坐席至少要服务一个队列。"))
says(OwnAccountError, lambda error: _("不能停用自己的账号，请由另一位系统管理员操作。"))
# Which field of the form an error belongs to.
_FIELDS: dict[type[TingjianError], str] = {
    BadUsernameError: "username",
    UsernameTakenError: "username",
    MissingNameError: "display_name",
    BadRoleError: "roles",
    LastAdminError: "roles",
    BadAgentNumberError: "agent_number",
    AgentTakenError: "agent_number",
    MissingQueueError: "queues",
    passwords.WeakPasswordError: "password",
}


@dataclass
class Form:
    """What the form holds, as it was sent or as it is kept."""

    username: str = ""
    display_name: str = ""
    password: str = ""
    roles: list[str] = field(default_factory=list)
    agent_number: str = ""
    queues: list[str] = field(default_factory=list)


def accounts() -> AccountService:
    """Return the service that knows people."""
    return current_house().accounts


@blueprint.get("/")
@requires(Permission.MANAGE_USERS)
def index() -> Any:
    """List people by the conditions in the address."""
    values = request.args
    rows = accounts().list_users(values.get("q", "").strip(), values.get("role", ""), values.get("status", ""))
    agents = {agent.agent_id: agent for agent in board_reads().agents()}
    return render_template("users.html", rows=rows, agents=agents, queue_titles=dict(call_reads().queues()), role_names=ROLE_NAMES)


@blueprint.get("/new")
@requires(Permission.MANAGE_USERS)
def new() -> Any:
    """Show an empty form with a fresh password."""
    return _form(Form(password=passwords.make_password(), roles=[Role.AGENT.value]), {})


@blueprint.post("/new")
@requires(Permission.MANAGE_USERS)
def create() -> Any:
    """Add a person."""
    form = _sent()
    try:
        agent_id = _save_agent(form, None)
        accounts().create_user(
            actor(),
            username=form.username,
            display_name=form.display_name,
            password=form.password,
            roles=form.roles,
            agent_id=agent_id,
        )
    except TingjianError as error:
        return _form(form, _placed(error)), error.status
    flash(_("已新建账号 %(name)s，首次登录须改密码", name=form.username), "ok")
    return redirect(url_for("users.index"))


@blueprint.get("/<uuid:user_id>")
@requires(Permission.MANAGE_USERS)
def edit(user_id: uuid.UUID) -> Any:
    """Show a person."""
    row = accounts().get_user(user_id)
    form = Form(username=row.username, display_name=row.display_name, roles=list(row.roles))
    if row.agent_id is not None:
        agent = board_reads().agent(row.agent_id)
        if agent is not None:
            form.agent_number, form.queues = agent.number, list(agent.queues)
    return _form(form, {}, row)


@blueprint.post("/<uuid:user_id>")
@requires(Permission.MANAGE_USERS)
def change(user_id: uuid.UUID) -> Any:
    """Change a person."""
    row, form = accounts().get_user(user_id), _sent()
    form.username = row.username
    try:
        agent_id = _save_agent(form, user_id)
        accounts().change_user(actor(), user_id, display_name=form.display_name, roles=form.roles, agent_id=agent_id)
        _withdraw(row.agent_id if row.agent_id != agent_id else None)
        _withdraw(agent_id if row.is_disabled or not _may_sit(form.roles) else None)
    except TingjianError as error:
        return _form(form, _placed(error), row), error.status
    flash(_("已保存 %(name)s", name=form.display_name), "ok")
    return redirect(url_for("users.index"))


@blueprint.post("/<uuid:user_id>/disable")
@requires(Permission.MANAGE_USERS)
def disable(user_id: uuid.UUID) -> Any:
    """Shut a person out."""
    if user_id == current_person().user_id:
        raise OwnAccountError
    accounts().set_disabled(actor(), user_id, True)
    _withdraw(accounts().get_user(user_id).agent_id)
    return _back(user_id, _("已停用，所有登录已结束"))


@blueprint.post("/<uuid:user_id>/enable")
@requires(Permission.MANAGE_USERS)
def enable(user_id: uuid.UUID) -> Any:
    """Let a person in again."""
    accounts().set_disabled(actor(), user_id, False)
    row, telephony = accounts().get_user(user_id), current_house().telephony
    if row.agent_id is not None and _may_sit(row.roles):
        seat = telephony.get_agent(row.agent_id)
        telephony.save_agent(seat.number, seat.name, seat.queues)
    return _back(user_id, _("已启用"))


@blueprint.post("/<uuid:user_id>/unlock")
@requires(Permission.MANAGE_USERS)
def unlock(user_id: uuid.UUID) -> Any:
    """Take back a lock-out."""
    accounts().unlock(actor(), user_id)
    return _back(user_id, _("已解锁"))


@blueprint.post("/<uuid:user_id>/password")
@requires(Permission.MANAGE_USERS)
def reset_password(user_id: uuid.UUID) -> Any:
    """Give a new password and show it once."""
    session["new_password"] = {"user": str(user_id), "password": accounts().reset_password(actor(), user_id)}
    return redirect(url_for("users.edit", user_id=user_id))


@blueprint.post("/<uuid:user_id>/sessions")
@requires(Permission.MANAGE_USERS)
def revoke(user_id: uuid.UUID) -> Any:
    """End all of a person's log-ins."""
    count = accounts().revoke_sessions(actor(), user_id)
    return _back(user_id, _("已结束 %(count)s 处登录", count=count))


def _back(user_id: uuid.UUID, words: str) -> Any:
    flash(words, "ok")
    return redirect(url_for("users.edit", user_id=user_id))


def _sent() -> Form:
    form = request.form
    return Form(
        username=form.get("username", "").strip(),
        display_name=form.get("display_name", "").strip(),
        password=form.get("password", ""),
        roles=form.getlist("roles"),
        agent_number=form.get("agent_number", "").strip(),
        queues=form.getlist("queues"),
    )


def _placed(error: TingjianError) -> Mapping[str, str]:
    return {_FIELDS.get(type(error), ""): message(error)}


def _save_agent(form: Form, user_id: uuid.UUID | None) -> uuid.UUID | None:
    """Make the seat or change it; another person's stays as it is."""
    if not form.agent_number:
        return None
    if not _NUMBER.fullmatch(form.agent_number):
        raise BadAgentNumberError
    if not form.queues:
        raise MissingQueueError
    if not form.display_name:
        raise MissingNameError
    telephony = current_house().telephony
    known = telephony.find_agent(form.agent_number)
    accounts().check_agent(known, user_id)
    before = telephony.get_agent(known).queues if known is not None else ()
    agent_id = telephony.save_agent(form.agent_number, form.display_name, form.queues)
    if set(before) != set(form.queues):
        with current_house().database.transaction() as rows:
            detail = {"queues": {"from": list(before), "to": form.queues}}
            audit.record(rows, actor(), "seat.changed", f"agent:{form.agent_number}", detail)
    return agent_id


def _may_sit(roles: Sequence[str]) -> bool:
    return Permission.USE_DESK in permissions_of(roles)


def _withdraw(agent_id: uuid.UUID | None) -> None:
    """Let nobody answer at a seat whose person has gone: a browser keeps the telephone's password."""
    if agent_id is not None:
        current_house().telephony.withdraw_agent(agent_id)


def _form(form: Form, errors: Mapping[str, str], row: UserRow | None = None) -> str:
    shown = session.get("new_password")
    password = ""
    if row and shown and shown["user"] == str(row.user_id):
        password = session.pop("new_password")["password"]
    return render_template(
        "user_edit.html",
        form=form,
        errors=errors,
        row=row,
        new_password=password,
        role_names=ROLE_NAMES,
        role_permissions=ROLE_PERMISSIONS,
        queues=call_reads().queues(),
    )
