"""The one stream of a tab: GET /stream?topics=desk|board,calls|callbacks|statistics&after=<event id>."""

import random
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask_babel import gettext as _
from sqlalchemy import func, select

from core.outbox import OutboxEvent
from telephony.board import BoardReads
from telephony.reads import CallReads
from webui.desk_cards import cards_of
from webui.house import House, current_house
from webui.permissions import Permission, requires
from webui.person import current_person
from webui.stream_hub import StreamHub, StreamLimitError
from webui.stream_messages import BOARD, CALLBACKS, CALLS, DESK, STATISTICS, StreamMessages
from webui.supervisor_board import board_json

blueprint = Blueprint("stream", __name__)
_NEEDS = {
    DESK: Permission.USE_DESK,
    BOARD: Permission.VIEW_SUPERVISOR,
    CALLS: Permission.VIEW_SUPERVISOR,
    CALLBACKS: Permission.READ_CALLBACKS,
    STATISTICS: Permission.READ_STATISTICS,
}
# Then the page comes again by itself and is asked for its log-in anew: a revoked one hears no more than this.
_SECONDS = 120.0


def install(app: Flask, house: House) -> None:
    """Build the hub; its threads start with the first page."""
    messages = StreamMessages(
        calls_of(house),
        board_of(house),
        house.clock,
        lambda call_id: cards_of(house, call_id),
        lambda board: board_json(house, board),
    )
    hub = StreamHub(house.database, messages.render, messages.snapshots, house.settings.stream_limit)
    app.extensions["hub"] = hub


def calls_of(house: House) -> CallReads:
    """Return the questions about calls."""
    return CallReads(house.database, house.clock)


def board_of(house: House) -> BoardReads:
    """Return the questions about the present."""
    return BoardReads(house.database, house.clock, house.settings.answer_target_seconds)


@blueprint.get("/stream")
@requires(Permission.USE_DESK, Permission.VIEW_SUPERVISOR, Permission.READ_CALLBACKS, Permission.READ_STATISTICS)
def stream() -> Any:
    """Send what concerns the asker until the stream's time is up."""
    person = current_person()
    wanted = {topic for topic in request.args.get("topics", DESK).split(",") if topic in _NEEDS}
    topics = frozenset(topic for topic in wanted if person.may(_NEEDS[topic]))
    if not topics:
        return jsonify(error={"kind": "permission_denied", "message": _("您的账号没有这项权限，需要时请联系系统管理员。")}), 403
    hub: StreamHub = current_app.extensions["hub"]
    try:
        subscriber = hub.subscribe(person.agent_id, topics)
    except StreamLimitError as error:
        words = _("实时连接已满，页面其他功能照常。%(seconds)s 秒后自动重连。", seconds=error.retry_after)
        response = jsonify(error={"kind": "unavailable", "message": words})
        response.status_code = 503
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    frames = hub.frames(subscriber, _after(), _SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the load
    response = Response(frames, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    # A page that goes away before the first frame leaves the generator unstarted.
    response.call_on_close(lambda: hub.unsubscribe(subscriber))
    return response


def _after() -> int | None:
    sent = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 19 else None


def newest_event() -> int:
    """Return the id after which a page that reads its state now has to listen."""
    with current_house().database.transaction() as session:
        return session.scalar(select(func.max(OutboxEvent.id))) or 0
