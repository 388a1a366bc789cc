"""The supervisor's live page. Its figures come by the stream; this gives the page and the first board."""

from typing import Any

from flask import Blueprint, jsonify, render_template
from flask_babel import gettext as _

from webui.desk_view import stamp
from webui.desk_words import words
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.stream import board_of, calls_of, newest_event
from webui.supervisor_board import board_json

blueprint = Blueprint("supervisor", __name__, url_prefix="/supervisor")


@blueprint.get("/")
@requires(Permission.VIEW_SUPERVISOR)
def page() -> str:
    """Show the frame; scripts fill it and keep it up to date."""
    house = current_house()
    figures = _figures(house.settings.answer_target_seconds)
    return render_template("supervisor/supervisor.html", words=words(), queues=calls_of(house).queues(), figures=figures)


@blueprint.get("/board")
@requires(Permission.VIEW_SUPERVISOR)
def board() -> Any:
    """Return the present, and the event after which to listen."""
    house = current_house()
    event_id = newest_event()
    return jsonify(event_id=event_id, now=stamp(house.clock.now()), **board_json(house, board_of(house).board()))


def _figures(target: int) -> list[tuple[str, str, str]]:
    """Return the strip's figures: key, name, and what exactly is counted."""
    offered = _("来电 = 接听 + 放弃，等待不足 5 秒就挂断的不计。")
    return [
        ("waiting", _("排队"), _("正在等待坐席接听的来电，含正在振铃的。")),
        ("longest", _("最长等待"), _("现在等待最久的来电等了多久。")),
        ("talking", _("通话"), _("正在通话的坐席，含保持中的。")),
        ("ready", _("就绪"), _("可以接听来电的坐席。")),
        ("wrapup", _("话后"), _("挂断后正在补充记录的坐席。")),
        ("paused", _("小休"), _("暂停接听的坐席。")),
        ("answered", _("今日接听"), _("今日进入队列并已接听的来电。") + offered),
        ("in_time", _("%(n)s 秒接通率", n=target), _("今日等待不超过 %(n)s 秒即接听的来电 ÷ 今日来电。", n=target) + offered),
        ("last_day", _("24 小时接通率"), _("最近 24 小时接听的来电 ÷ 来电。") + offered),
    ]
