"""Words of the call pages: how a call ended, what happened in it, how far its transcript is."""

from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from telephony.reads import CallView, EventView, RecordingView
from webui.formats import duration

_TAGS = {"即时答复": "ok", "约定回电": "warn"}
WHEN_WORDS = {"today": _l("今日"), "yesterday": _l("昨日"), "7d": _l("近 7 天"), "30d": _l("近 30 天"), "all": _l("全部时间")}
RESULT_WORDS = {
    "unwritten": _l("未填写"),
    "answered": _l("已接听"),
    "abandoned": _l("放弃"),
    "failed": _l("失败"),
    "running": _l("进行中"),
}
CONDITION_WORDS = {
    "when": _l("时间"),
    "from": _l("时间"),
    "to": _l("时间"),
    "q": _l("搜索"),
    "queue": _l("队列"),
    "agent": _l("坐席"),
    "result": _l("结果"),
    "min": _l("通话不少于（分）"),
    "max": _l("通话不超过（分）"),
    "lost": _l("录音丢失"),
}
EVENTS = {
    "arrived": _l("来电"),
    "ringing": _l("振铃 %(agent)s"),
    "missed": _l("%(agent)s 未接听"),
    "answered": _l("%(agent)s 接听"),
    "agent_lost": _l("坐席端断开，市民回到队首"),
    "held": _l("保持"),
    "resumed": _l("恢复通话"),
    "transferred": _l("转接到 %(to)s"),
    "unserved": _l("等待到时限，无人接听"),
    "callback_asked": _l("按键要求回呼，保留位置"),
    "after_call": _l("转入挂机评价"),
    "placed": _l("%(agent)s 外呼"),
}
_LOSSES = {
    "missing": _l("没有找到文件"),
    "cut": _l("文件不完整"),
    "stalled": _l("录音中断"),
    "disk_full": _l("磁盘已满"),
}


class Tag(NamedTuple):
    """A word and its colour."""

    word: str
    style: str


def result_tag(call: CallView) -> Tag:
    """Return how a call ended: the citizen's doing first, else what the agent wrote."""
    if call.is_running:
        return Tag(_("进行中"), "info")
    if call.outcome == "abandoned":
        return Tag(_("放弃"), "bad")
    if call.outcome == "failed":
        return Tag(_("失败"), "bad")
    disposition = call.note.disposition
    return Tag(_(disposition), _TAGS.get(disposition, "")) if disposition else Tag(_("未填写"), "warn")


def transcript_tag(call: CallView) -> Tag:
    """Return how far the transcript is."""
    if call.answered_at is None:
        return Tag("–", "ink-3")
    if call.transcript_state == "failed":
        return Tag(_("失败"), "c-bad")
    if call.transcript_kind == "final" and call.transcript_state == "ready":
        return Tag(_("完成"), "ink-2")
    return Tag(_("实时"), "ink-2") if call.is_running else Tag(_("校正中"), "c-warn")


def event_words(event: EventView, call: CallView) -> str:
    """Return a line of the story."""
    if event.kind == "ended":
        return str(_("通话结束") if call.answered_at else _("等待中挂断"))
    if event.kind == "queued":
        same = event.detail.get("queue") == call.queue_name
        return str(_("进入%(queue)s队列", queue=call.queue_title) if same else _("进入其他队列"))
    words = EVENTS.get(event.kind)
    values = {name: str(event.detail.get(name, ""))[:40] for name in ("agent", "to")}
    return str(words) % values if words else event.kind


def loss_words(recording: RecordingView) -> str:
    """Return why a recording is lost."""
    return str(_LOSSES.get(recording.loss_reason, recording.loss_reason or _l("原因不明")))


def hold_words(seconds: float | None) -> str:
    """Return the words of a line on hold."""
    if seconds is None:
        return str(_("保持"))
    short = _("%(n)s 秒", n=int(seconds))
    return str(_("保持 %(time)s", time=short if seconds < 60 else duration(seconds)))
