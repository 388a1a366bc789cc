"""One's own account: password, second step, log-ins."""

import uuid
from typing import Any

import pyotp
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from webui.auth import logins
from webui.errors import message, says
from webui.logins import SessionNotFoundError, WrongCodeError, WrongPasswordError
from webui.passwords import LONGEST, SHORTEST, WeakPasswordError
from webui.permissions import Permission, requires
from webui.person import current_person

blueprint = Blueprint("me", __name__, url_prefix="/me")


def _weakness(error: WeakPasswordError) -> str:
    words: dict[str, str] = {
        "short": _("新密码至少 %(count)s 个字符。", count=SHORTEST),
        "long": _("新密码最多 %(count)s 个字符。", count=LONGEST),
        "name": _("新密码里不能有账号名。"),
        "plain": _("新密码太简单，至少用 4 种不同的字符。"),
        "same": _("新密码不能与现在的相同。"),
    }
    return words[error.reason]


says(WeakPasswordError, _weakness)
says(WrongPasswordError, lambda error: _("现在的密码不正确，什么都没有改动。"))
says(WrongCodeError, lambda error: _("动态口令不正确。请核对手机时间，再输入新的 6 位数字。"))
says(SessionNotFoundError, lambda error: _("这次登录已经结束。"))


@blueprint.get("/")
@requires(Permission.OWN_ACCOUNT)
def account() -> Any:
    """Show it all."""
    return _page({})


@blueprint.post("/password")
@requires(Permission.OWN_ACCOUNT)
def change_password() -> Any:
    """Change one's own password."""
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _page({"again": _("两次输入的新密码不一致。")}), 400
    try:
        logins().change_password(current_person(), request.form.get("present", ""), new)
    except WrongPasswordError as error:
        return _page({"present": message(error)}), 400
    except WeakPasswordError as error:
        return _page({"new": message(error)}), 400
    flash(_("密码已修改，其他地方的登录已结束"), "ok")
    return redirect(url_for("me.account"))


@blueprint.post("/totp")
@requires(Permission.OWN_ACCOUNT)
def switch_totp() -> Any:
    """Switch the second step on (with a code) or off (with the password)."""
    person = current_person()
    try:
        if request.form.get("do") == "off":
            logins().switch_second_step_off(person, request.form.get("password", ""))
            flash(_("已关闭动态口令"), "ok")
        else:
            logins().switch_second_step_on(person, session.get("totp_secret", ""), request.form.get("code", "").strip())
            session.pop("totp_secret", None)
            flash(_("已开启动态口令，下次登录时使用"), "ok")
    except (WrongCodeError, WrongPasswordError) as error:
        return _page({"totp": message(error)}), 400
    return redirect(url_for("me.account"))


@blueprint.post("/sessions/<uuid:session_id>/revoke")
@requires(Permission.OWN_ACCOUNT)
def revoke(session_id: uuid.UUID) -> Any:
    """End one of one's log-ins; ending the present one logs out."""
    person = current_person()
    logins().revoke_session(person, session_id)
    if session_id == person.session_id:
        session.clear()
        return redirect(url_for("auth.log_in"))
    flash(_("已结束那次登录"), "ok")
    return redirect(url_for("me.account"))


def _page(errors: dict[str, str]) -> str:
    person = current_person()
    has_totp = logins().has_second_step(person)
    secret = ""
    if not has_totp:
        # Kept in the signed cookie of this browser until a code shows that the device has it.
        secret = session.setdefault("totp_secret", pyotp.random_base32())
    return render_template(
        "account.html", sessions=logins().list_sessions(person), has_totp=has_totp, totp_secret=secret, errors=errors
    )
