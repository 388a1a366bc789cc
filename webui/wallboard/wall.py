"""The public pages of the hall screen: no log-in, but a display's token once in the address, and a cookie of that display since."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.clock import local_time
from core.errors import UnavailableError
from webui.formats import NOTHING
from webui.house import current_house
from webui.permissions import public
from webui.wallboard.displays import DisplayView
from webui.wallboard.playlist import PageKind
from webui.wallboard.snapshot import Snapshot
from webui.wallboard.wiring import current_wallboard
from webui.wallboard.words import page_names, script_words

blueprint = Blueprint("wall", __name__, url_prefix="/wall")
COOKIE = "tj_display"
# As long as browsers keep one; each load of the page begins it anew.
_COOKIE_SECONDS = 400 * 24 * 3600


@blueprint.get("/<key>")
@public
def page(key: str) -> Any:
    """Show a display's pages, in turn; a token in the address is taken out of it first."""
    try:
        token = request.args.get("token")
        if token is not None:
            return _enter(key, token)
        display = _display(key)
    except UnavailableError:
        return _alone(_("正在连接"), _("数据暂时连不上，几秒后自动再试。"), 503, 5)
    if display is None:
        words = _("请在管理页面“大屏”里生成新的显示令牌，再用给出的地址打开。")
        return _alone(_("这块屏幕没有授权"), words, 403, 30)
    answer = current_app.make_response(wall_page(display, url_for("wall.feed", key=key)))
    _keep(answer, key, request.cookies[COOKIE])
    return answer


@blueprint.get("/<key>/feed")
@public
def feed(key: str) -> Any:
    """Return the figures with what the page must know: which version it should be, and what to show in turn."""
    display = _display(key)
    if display is None:
        return jsonify(error={"kind": "permission_denied", "message": _("显示令牌已撤销。")}), 403
    wallboard = current_wallboard()
    wallboard.displays.saw(display, request.args.get("screen", ""))
    return feed_answer(display, wallboard.snapshots.current())


def wall_page(display: DisplayView, feed_address: str, *, is_preview: bool = False) -> str:
    """Return the page of a display."""
    house = current_house()
    settings = house.settings
    numbers = list(settings.hotline_numbers)
    now = local_time(house.clock.now())
    chosen = request.args.get("page", "")
    return render_template(
        "wallboard/wall.html",
        display=display,
        kinds=list(dict.fromkeys(page.kind for page in display.playlist)) or list(PageKind),
        page_names=page_names(),
        title=display.title or f"{settings.city_name} {numbers[0] if numbers else settings.hotline_name} " + _("热线"),
        number=numbers[0] if numbers else NOTHING,
        version=current_wallboard().version,
        feed=feed_address,
        fixed=chosen if chosen.isascii() and chosen.isdigit() and len(chosen) < 3 else "",
        is_preview=is_preview,
        words=script_words(),
        target=settings.answer_target_seconds,
        now=now,
    )


def feed_answer(display: DisplayView, snapshot: Snapshot) -> Response:
    """Return the figures as they were read, with the display's own part before them."""
    head: dict[str, Any] = {
        "version": current_wallboard().version,
        "revision": display.revision,
        "playlist": [{"page": page.kind.value, "seconds": page.seconds} for page in display.playlist],
        "now": local_time(current_house().clock.now()).isoformat(timespec="milliseconds"),
        "age_seconds": round(snapshot.age_seconds, 3),
    }
    text = current_app.json.dumps(head)
    body = text[:-1].encode() + b', "figures": ' + snapshot.body + b"}"
    return Response(body, mimetype="application/json")


def _display(key: str) -> DisplayView | None:
    display = current_wallboard().displays.display_of_token(request.cookies.get(COOKIE, ""))
    return display if display is not None and display.key == key else None


def _enter(key: str, token: str) -> Any:
    display = current_wallboard().displays.display_of_token(token)
    if display is None or display.key != key:
        return _alone(_("这块屏幕没有授权"), _("地址里的显示令牌不对，或已经撤销。"), 403)
    answer = redirect(url_for("wall.page", key=key))
    _keep(answer, key, token)
    return answer


def _keep(answer: Any, key: str, token: str) -> None:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=_COOKIE_SECONDS,
        path=url_for("wall.page", key=key),
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )


def _alone(title: str, text: str, status: int, again_seconds: int = 0) -> Any:
    return render_template("wallboard/alone.html", title=title, text=text, again_seconds=again_seconds), status
