"""Webhooks on the page of displays: added, paused, tried, taken away. A worker does the pushing."""

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, request, session, url_for
from flask_babel import gettext as _

from core.errors import TingjianError
from webui.errors import message, says
from webui.permissions import Permission, requires
from webui.person import actor
from webui.wallboard.webhook_addresses import BadWebhookAddressError
from webui.wallboard.webhooks import (
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    BadWebhookError,
    TooManyWebhooksError,
    WebhookNameTakenError,
    WebhookNotFoundError,
)
from webui.wallboard.wiring import current_wallboard

blueprint = Blueprint("webhooks", __name__, url_prefix="/displays/webhooks")
_WHY = {
    "form": lambda: _("推送地址不完整，或含有账号、空格、中文。"),
    "scheme": lambda: _("推送地址须是 https；内网地址先由运维写进 WEBHOOK_NETWORKS。"),
    "host": lambda: _("不能推送到这个地址。内网地址先由运维写进 WEBHOOK_NETWORKS。"),
}

says(BadWebhookAddressError, lambda error: _WHY[error.why]())
says(
    BadWebhookError,
    lambda error: (
        _("请填写名称，最多 40 个字。")
        if error.field == "name"
        else _("推送间隔是 %(least)s–%(most)s 秒。", least=SHORTEST_SECONDS, most=LONGEST_SECONDS)
    ),
)
says(WebhookNameTakenError, lambda error: _("已有同名的推送，请换一个名称。"))
says(TooManyWebhooksError, lambda error: _("推送已经够多了，请先删除不用的。"))
says(WebhookNotFoundError, lambda error: _("没有这个推送，可能已被删除。"))


@blueprint.post("/")
@requires(Permission.MANAGE_DISPLAYS)
def create() -> Any:
    """Add a webhook and show its secret once."""
    form = request.form
    sent = form.get("every_seconds", "").strip()
    seconds = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 6 else 0
    try:
        name = form.get("name", "")
        secret = current_wallboard().webhooks.create_webhook(actor(), name, form.get("address", ""), seconds)
    except TingjianError as error:
        flash(message(error), "bad")
        return _back()
    session["new_webhook_secret"] = {"name": " ".join(name.split()), "secret": secret}
    return _back()


@blueprint.post("/<uuid:webhook_id>/<any(pause, resume):act>")
@requires(Permission.MANAGE_DISPLAYS)
def switch(webhook_id: uuid.UUID, act: str) -> Any:
    """Pause a webhook or let it go on."""
    current_wallboard().webhooks.set_active(actor(), webhook_id, act == "resume")
    flash(_("已恢复推送") if act == "resume" else _("已暂停推送"), "ok")
    return _back()


@blueprint.post("/<uuid:webhook_id>/test")
@requires(Permission.MANAGE_DISPLAYS)
def test(webhook_id: uuid.UUID) -> Any:
    """Have it pushed at once."""
    current_wallboard().webhooks.push_now(actor(), webhook_id)
    flash(_("正在推送，结果几秒后显示在“最近结果”"), "ok")
    return _back()


@blueprint.post("/<uuid:webhook_id>/remove")
@requires(Permission.MANAGE_DISPLAYS)
def remove(webhook_id: uuid.UUID) -> Any:
    """Take a webhook away."""
    current_wallboard().webhooks.remove_webhook(actor(), webhook_id)
    flash(_("已删除"), "ok")
    return _back()


def shown_secret() -> dict[str, str] | None:
    """Return the secret that was just made, once."""
    secret: dict[str, str] | None = session.pop("new_webhook_secret", None)
    return secret


def _back() -> Any:
    return redirect(url_for("displays.index"))
