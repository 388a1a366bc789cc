"""The page of displays: what each shows in turn, by which tokens it gets in, how it looks, and where figures are pushed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from core.errors import TingjianError
from webui.errors import message, says
from webui.formats import moment
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor
from webui.security import content_security_policy
from webui.wallboard.displays import (
    BadDisplayError,
    DisplayKeyTakenError,
    DisplayNotFoundError,
    DisplayTokenNotFoundError,
    DisplayView,
)
from webui.wallboard.playlist import (
    DEFAULT_PLAYLIST,
    LONGEST_SECONDS,
    MOST_PAGES,
    SHORTEST_SECONDS,
    BadPlaylistError,
    PlaylistPage,
    read_playlist,
)
from webui.wallboard.wall import feed_answer, wall_page
from webui.wallboard.wiring import current_wallboard
from webui.wallboard.words import page_names

blueprint = Blueprint("displays", __name__, url_prefix="/displays")
ON_AIR_SECONDS = 60
"""A display that asked within this time runs."""
_BAD_FIELDS = {
    "key": lambda: _("地址名只含小写字母、数字和横线，最多 32 个字符。"),
    "name": lambda: _("请填写名称，最多 40 个字。"),
    "title": lambda: _("标题最多 40 个字。"),
}

says(BadDisplayError, lambda error: _BAD_FIELDS[error.field]())
says(DisplayKeyTakenError, lambda error: _("这个地址名已经有屏幕在用，请换一个。"))
says(DisplayNotFoundError, lambda error: _("没有这块屏幕，可能已被删除。"))
says(DisplayTokenNotFoundError, lambda error: _("没有这个显示令牌。"))
says(
    BadPlaylistError,
    lambda error: _(
        "播放单有 1–%(most)s 页，每页 %(least)s–%(longest)s 秒。", most=MOST_PAGES, least=SHORTEST_SECONDS, longest=LONGEST_SECONDS
    ),
)
_FIELD_OF = {DisplayKeyTakenError: "key", BadPlaylistError: "playlist"}


@dataclass
class Form:
    """What the form holds, as it was sent or as it is kept."""

    key: str = ""
    name: str = ""
    title: str = ""
    pages: list[tuple[str, str]] = field(default_factory=list)


@blueprint.get("/")
@requires(Permission.MANAGE_DISPLAYS)
def index() -> Any:
    """List the displays with when each was last seen, and the webhooks with their last results."""
    from webui.wallboard.webhook_pages import shown_secret

    wallboard = current_wallboard()
    return render_template(
        "wallboard/displays.html",
        rows=wallboard.displays.list_displays(),
        is_on_air=_is_on_air,
        page_names=page_names(),
        webhooks=wallboard.webhooks.list_webhooks(),
        secret=shown_secret(),
        networks=[str(network) for network in current_house().settings.webhook_networks],
    )


@blueprint.get("/new")
@requires(Permission.MANAGE_DISPLAYS)
def new() -> Any:
    """Show an empty form with the whole playlist."""
    return _form(Form(pages=_rows(DEFAULT_PLAYLIST)), {})


@blueprint.post("/new")
@requires(Permission.MANAGE_DISPLAYS)
def create() -> Any:
    """Add a display with its first token."""
    form = _sent()
    displays = current_wallboard().displays
    try:
        display_id = displays.create_display(actor(), form.key, form.name, form.title, read_playlist(form.pages))
    except TingjianError as error:
        return _form(form, _placed(error)), error.status
    _show_once(display_id, displays.make_token(actor(), display_id))
    flash(_("已新建屏幕 %(name)s", name=form.name), "ok")
    return redirect(url_for("displays.edit", display_id=display_id))


@blueprint.get("/<uuid:display_id>")
@requires(Permission.MANAGE_DISPLAYS)
def edit(display_id: uuid.UUID) -> Any:
    """Show a display."""
    row = current_wallboard().displays.get_display(display_id)
    return _form(Form(row.key, row.name, row.title, _rows(row.playlist)), {}, row)


@blueprint.post("/<uuid:display_id>")
@requires(Permission.MANAGE_DISPLAYS)
def change(display_id: uuid.UUID) -> Any:
    """Change a display's name, headline or playlist."""
    displays = current_wallboard().displays
    row, form = displays.get_display(display_id), _sent()
    form.key = row.key
    try:
        displays.save_display(actor(), display_id, form.name, form.title, read_playlist(form.pages))
    except TingjianError as error:
        return _form(form, _placed(error), row), error.status
    flash(_("已保存，屏幕几秒后自动更新"), "ok")
    return redirect(url_for("displays.edit", display_id=display_id))


@blueprint.post("/<uuid:display_id>/remove")
@requires(Permission.MANAGE_DISPLAYS)
def remove(display_id: uuid.UUID) -> Any:
    """Take a display away."""
    current_wallboard().displays.remove_display(actor(), display_id)
    flash(_("已删除"), "ok")
    return redirect(url_for("displays.index"))


@blueprint.post("/<uuid:display_id>/tokens")
@requires(Permission.MANAGE_DISPLAYS)
def make_token(display_id: uuid.UUID) -> Any:
    """Make a token and show its address once."""
    _show_once(display_id, current_wallboard().displays.make_token(actor(), display_id))
    return redirect(url_for("displays.edit", display_id=display_id))


@blueprint.post("/<uuid:display_id>/tokens/<uuid:token_id>/revoke")
@requires(Permission.MANAGE_DISPLAYS)
def revoke_token(display_id: uuid.UUID, token_id: uuid.UUID) -> Any:
    """End a token."""
    current_wallboard().displays.revoke_token(actor(), display_id, token_id)
    flash(_("已撤销，用它的屏幕几秒内停止显示"), "ok")
    return redirect(url_for("displays.edit", display_id=display_id))


@blueprint.get("/<uuid:display_id>/preview")
@requires(Permission.MANAGE_DISPLAYS)
def preview(display_id: uuid.UUID) -> Any:
    """Show a display's pages in the frame of its own page."""
    row = current_wallboard().displays.get_display(display_id)
    page = wall_page(row, url_for("displays.preview_feed", display_id=display_id), is_preview=True)
    answer = current_app.make_response(page)
    policy = content_security_policy(current_house().settings, g.csp_nonce)
    answer.headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    return answer


@blueprint.get("/<uuid:display_id>/feed")
@requires(Permission.MANAGE_DISPLAYS)
def preview_feed(display_id: uuid.UUID) -> Any:
    """Return the figures to the preview."""
    wallboard = current_wallboard()
    return feed_answer(wallboard.displays.get_display(display_id), wallboard.snapshots.current())


def _is_on_air(row: DisplayView) -> bool:
    seen = row.last_seen_at
    return seen is not None and (current_house().clock.now() - seen).total_seconds() < ON_AIR_SECONDS


def _rows(playlist: tuple[PlaylistPage, ...]) -> list[tuple[str, str]]:
    return [(page.kind.value, str(page.seconds)) for page in playlist]


def _sent() -> Form:
    form = request.form
    pages = list(zip(form.getlist("kind"), form.getlist("seconds"), strict=False))
    return Form(form.get("key", "").strip(), form.get("name", "").strip(), form.get("title", "").strip(), pages)


def _placed(error: TingjianError) -> Mapping[str, str]:
    where = error.field if isinstance(error, BadDisplayError) else _FIELD_OF.get(type(error), "")
    return {where: message(error)}


def _show_once(display_id: uuid.UUID, token: str) -> None:
    session["new_display_token"] = {"display": str(display_id), "token": token}


def _form(form: Form, errors: Mapping[str, str], row: DisplayView | None = None) -> str:
    shown = session.get("new_display_token")
    address = ""
    if row and shown and shown["display"] == str(row.display_id):
        token = session.pop("new_display_token")["token"]
        address = url_for("wall.page", key=row.key, token=token, _external=True)
    return render_template(
        "wallboard/display.html",
        form=form,
        slots=(form.pages + [("", "")] * MOST_PAGES)[:MOST_PAGES],
        errors=errors,
        row=row,
        address=address,
        page_names=page_names(),
        is_on_air=bool(row and _is_on_air(row)),
        seen=moment(row.last_seen_at) if row else "",
    )
