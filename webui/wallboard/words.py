"""Words of the hall screen that its scripts need, and the names of its pages, in the language of the page."""

from flask_babel import gettext as _

from webui.wallboard.playlist import PageKind


def page_names() -> dict[PageKind, str]:
    """Return the names of the pages, as headlines and in the playlist's editor."""
    return {PageKind.OPERATION: _("今日运行"), PageKind.SATISFACTION: _("群众评价"), PageKind.TOPICS: _("回访与热点")}


def script_words() -> dict[str, object]:
    """Return what the page's script says by itself. Names in braces are filled in there."""
    return {
        "fresh": _("数据截至 {time}"),
        "stale": _("已停止更新 {seconds} 秒，最后 {time}，正在重连"),
        "connecting": _("正在连接"),
        "denied": _("这块屏幕的授权已撤销"),
        "denied_text": _("请在管理页面“大屏”里生成新的显示令牌，再用给出的地址打开。"),
        "lost": _("话务数据中断"),
        "few": _("不足 5 份，不显示"),
        "grade": _("{percent}%，{count} 份"),
        "page": _("第 {page} 页，共 {pages} 页"),
        "hour": _("{hour} 时"),
        "date": _("{year} 年 {month} 月 {day} 日"),
        "weekdays": [_("星期日"), _("星期一"), _("星期二"), _("星期三"), _("星期四"), _("星期五"), _("星期六")],
        "ways": {"agent": _("人工电话"), "ivr": _("自动语音"), "web": _("短信网页")},
        "reasons": {
            "call_answered": _("来电回访"),
            "missed_call": _("漏接回拨"),
            "case_closed": _("办件回访"),
            "bad_rating": _("差评回访"),
            "asked_time": _("约定回拨"),
            "queue_callback": _("排队回拨"),
            "campaign": _("专项调查"),
        },
        "grades": {"5": _("非常满意"), "4": _("满意"), "3": _("基本满意"), "2": _("不满意"), "1": _("非常不满意")},
    }
