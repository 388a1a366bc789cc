"""Log-in, its second step, log-out, and the gate that every request passes."""

import uuid
from dataclasses import replace
from typing import Any

from flask import Blueprint, Flask, Request, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user
from werkzeug.wrappers import Response

from webui import navigation
from webui.errors import respond, trouble_of_status, wants_json
from webui.formats import minute
from webui.house import board_reads, current_house
from webui.logins import Accepted, LoginService, Refused
from webui.permissions import PUBLIC, Permission, access_rule, public, requires
from webui.person import Person, current_person
from webui.redirects import safe_target

VERSION = "0.1.0"
_CODE_SECONDS = 300
_ATTEMPTS_PER_ADDRESS = "30 per minute"
blueprint = Blueprint("auth", __name__)
limiter = Limiter(get_remote_address, storage_uri="memory://")
# The wave of the log-in page: heights of the picture's bars, three stretches of speech.
_WAVE = (
    4, 4, 6, 6, 4, 86, 74, 76, 98, 48, 82, 56, 28, 78, 54, 98, 4, 4, 4, 86, 72, 70, 70, 20,
    42, 24, 96, 36, 98, 84, 12, 42, 94, 82, 46, 36, 32, 44, 26, 60, 60, 6, 4, 4, 4, 4, 4, 66,
    80, 54, 24, 94, 92, 66, 94, 46, 90, 26, 86, 98, 88, 64, 40, 34, 6, 4, 4, 4, 4, 4,
)  # fmt: skip


def logins() -> LoginService:
    """Return the service that knows log-ins."""
    service: LoginService = current_app.extensions["logins"]
    return service


@blueprint.get("/login")
@public
def log_in() -> Any:
    """Show the form, or go on when logged in already."""
    if current_user.is_authenticated:
        return redirect(navigation.home())
    return _form()


@blueprint.post("/login")
@public
@limiter.limit(_ATTEMPTS_PER_ADDRESS)
def take_password() -> Any:
    """Take name and password."""
    username = request.form.get("username", "")
    outcome = logins().check_password(username, request.form.get("password", ""), _address())
    if isinstance(outcome, Refused):
        return _form(error=_refusal(outcome, _("账号或密码不正确。")), username=username[:64]), 401
    if not outcome.needs_code:
        return _enter(outcome)
    target = safe_target(request.form.get("next"))
    session.clear()
    session["second_step"] = {
        "user": str(outcome.user_id),
        "until": current_house().clock.now().timestamp() + _CODE_SECONDS,
        "next": target,
    }
    return redirect(url_for("auth.ask_code"))


@blueprint.get("/login/code")
@public
def ask_code() -> Any:
    """Show the second step to who passed the first."""
    return _form("login_code.html") if _waiting_user() else redirect(url_for("auth.log_in"))


@blueprint.post("/login/code")
@public
@limiter.limit(_ATTEMPTS_PER_ADDRESS)
def take_code() -> Any:
    """Take the six digits."""
    user_id = _waiting_user()
    if user_id is None:
        return redirect(url_for("auth.log_in"))
    outcome = logins().check_code(user_id, request.form.get("code", "").strip(), _address())
    if isinstance(outcome, Refused):
        return _form("login_code.html", error=_refusal(outcome, _("动态口令不正确，或已经用过。请等下一个。"))), 401
    return _enter(outcome, session["second_step"]["next"])


@blueprint.post("/logout")
@requires(Permission.OWN_ACCOUNT)
def log_out() -> Any:
    """End this log-in."""
    logins().close_session(current_person())
    session.clear()
    return redirect(url_for("auth.log_in"))


@blueprint.get("/")
@requires(Permission.OWN_ACCOUNT)
def home() -> Any:
    """Go to the first page that the person may open."""
    return redirect(navigation.home())


def _enter(outcome: Accepted, target: str | None = None) -> Response:
    target = safe_target(target or request.form.get("next"))
    token = logins().open_session(outcome.user_id, _address(), request.user_agent.string)
    session.clear()  # nothing from before the log-in may survive it
    session["_user_id"] = token
    session["_fresh"] = True
    return redirect(target)


def _form(template: str = "login.html", error: str = "", username: str = "") -> str:
    settings = current_house().settings
    numbers = " / ".join(settings.hotline_numbers)
    return render_template(
        template,
        error=error,
        username=username,
        next=safe_target(request.values.get("next")),
        wave=_WAVE,
        hotline=f"{settings.city_name}{settings.hotline_name} {numbers}",
        version=VERSION,
    )


def _refusal(outcome: Refused, words: str) -> str:
    if outcome.locked_until is None:
        return words
    text: str = _("失败次数过多，账号锁定到 %(time)s。到时再试，或请系统管理员解锁。", time=minute(outcome.locked_until))
    return text


def _waiting_user() -> uuid.UUID | None:
    waiting = session.get("second_step")
    if not waiting or waiting["until"] < current_house().clock.now().timestamp():
        return None
    return uuid.UUID(waiting["user"])


def _address() -> str:
    return request.remote_addr or ""


def install(app: Flask) -> None:
    """Put the gate before every view."""
    limiter.init_app(app)
    manager = LoginManager(app)
    manager.session_protection = None  # our own session rows do better than a fingerprint of the browser
    numbers: dict[uuid.UUID, str] = {}

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> Person | None:
        person = logins().person_of_session(token)
        return _with_number(person, numbers) if person else None

    @manager.request_loader  # type: ignore[untyped-decorator]
    def load_program(asked: Request) -> Person | None:
        scheme, _space, token = asked.headers.get("Authorization", "").partition(" ")
        return _program(token.strip()) if scheme == "Bearer" else None

    @app.before_request
    def gate() -> Any:
        if request.endpoint is None:
            return None  # no such address: 404 follows
        rule = access_rule(app.view_functions.get(request.endpoint))
        if rule == PUBLIC:
            return None
        if not current_user.is_authenticated:
            if wants_json() or request.method != "GET":
                return respond(trouble_of_status(401))
            return redirect(url_for("auth.log_in", next=request.full_path if request.query_string else request.path))
        if rule is None or isinstance(rule, str) or not current_person().may(*rule):
            return respond(trouble_of_status(403))
        if current_person().must_change_password and request.endpoint not in _OPEN_BEFORE_CHANGE:
            return redirect(url_for("me.account"))
        return None


_OPEN_BEFORE_CHANGE = {"me.account", "me.change_password", "auth.log_out"}


def _program(token: str) -> Person | None:
    display: Person | None = current_app.extensions["wallboard"].program_of_token(token)
    return display or current_house().tokens.person_of_token(token)


def _with_number(person: Person, numbers: dict[uuid.UUID, str]) -> Person:
    if person.agent_id is None:
        return person
    if person.agent_id not in numbers:
        agent = board_reads().agent(person.agent_id)
        if agent is None:
            return person
        numbers[person.agent_id] = agent.number
    return replace(person, agent_number=numbers[person.agent_id])
