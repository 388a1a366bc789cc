"""Words of the callback pages: reasons, ways, states, dispositions, and the promised time as a badge."""

import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callback.hindrance import Hindrance
from callback.listing import SOON_SHARE
from callback.rule import Way
from callback.views import AttemptView, CallbackView
from core.clock import local_time

REASONS = {
    "call_answered": _l("来电回访"),
    "missed_call": _l("漏接回拨"),
    "case_closed": _l("办件回访"),
    "bad_rating": _l("差评回访"),
    "asked_time": _l("约定回电"),
    "queue_callback": _l("排队回拨"),
    "campaign": _l("批次调查"),
}
_REASON_STYLES = {"missed_call": "warn", "bad_rating": "bad", "asked_time": "info", "queue_callback": "info"}
WAYS = {"agent": _l("坐席外呼"), "ivr": _l("自动外呼"), "sms": _l("短信链接")}
WAY_ICONS = {"agent": "headset", "ivr": "phone-outgoing", "sms": "message-circle"}
STATES = {
    "owed": _l("待回访"),
    "done": _l("已完成"),
    "given_up": _l("未联系上"),
    "cancelled": _l("已取消"),
    "not_sampled": _l("未抽中"),
}
_STATE_STYLES = {"owed": "info", "done": "ok", "given_up": "bad"}
DUE = {"now": _l("现在可拨"), "today": _l("今日到期"), "soon": _l("将到期"), "overdue": _l("超时")}
DISPOSITIONS = {
    "completed": _l("完成"),
    "partial": _l("答了一部分"),
    "refused": _l("拒访"),
    "opted_out": _l("要求不再打扰"),
    "callback_asked": _l("改时间"),
    "wrong_number": _l("非本人"),
    "invalid_number": _l("空号"),
    "busy": _l("忙线"),
    "no_answer": _l("无人接听"),
    "unavailable": _l("关机停机"),
    "broken_off": _l("中途挂断"),
    "failed": _l("线路故障"),
    "expired": _l("已过期"),
}
_DISPOSITION_STYLES = {
    "completed": "ok",
    "partial": "ok",
    "callback_asked": "info",
    "refused": "warn",
    "opted_out": "warn",
    "failed": "bad",
    "expired": "bad",
}
# In the order in which an agent meets them; opting out has a button of its own, and what is late only the clock knows.
AGENT_DISPOSITIONS = (
    "completed", "partial", "callback_asked", "refused", "no_answer", "busy", "unavailable", "broken_off", "wrong_number",
    "invalid_number", "failed",
)  # fmt: skip
ATTEMPT_STATES = {"planned": _l("准备拨出"), "dialled": _l("呼叫中"), "answered": _l("通话中")}
OPT_OUT_SOURCES = {
    "agent": _l("坐席登记"),
    "supervisor": _l("班长登记"),
    "ivr": _l("自动外呼"),
    "web": _l("网页"),
    "sms": _l("短信"),
}


class Tag(NamedTuple):
    """A word, its colour and its icon."""

    word: str
    style: str = ""
    icon: str = ""


def reason_tag(reason: str) -> Tag:
    """Return why a call is owed."""
    return Tag(str(REASONS.get(reason, reason)), _REASON_STYLES.get(reason, "plain"))


def state_tag(callback: CallbackView) -> Tag:
    """Return how far a callback is; what is over says what it came to."""
    if callback.state == "owed":
        return Tag(str(STATES["owed"]), "info")
    word = str(STATES.get(callback.state, callback.state))
    reason = disposition_word(callback.disposition) if callback.disposition != "completed" else ""
    if callback.state == "cancelled" and callback.why:
        reason = hindrance_word(callback.why)
    if reason:
        word = f"{word} · {reason}"
    return Tag(word, _STATE_STYLES.get(callback.state, ""))


def disposition_word(disposition: str) -> str:
    """Return what a try came to."""
    return str(DISPOSITIONS.get(disposition, disposition))


def attempt_tag(attempt: AttemptView) -> Tag:
    """Return what a try came to, or how far it is."""
    if attempt.cause == Hindrance.NO_AGENT:
        # The line did what it should: who picked up waited once more, and nobody of ours came.
        return Tag(str(_("没等到坐席")), "bad")
    if attempt.disposition:
        return Tag(disposition_word(attempt.disposition), _DISPOSITION_STYLES.get(attempt.disposition, ""))
    if attempt.way == Way.SMS:
        # Nobody is rung: the link lies with the citizen.
        return Tag(str(_("等待作答")), "info")
    return Tag(str(ATTEMPT_STATES.get(attempt.state, attempt.state)), "info")


def way_word(way: str) -> str:
    """Return how a person is reached."""
    return str(WAYS.get(way, way))


def holder(callback: CallbackView, now: datetime) -> uuid.UUID | None:
    """Return the agent who has it in hand, if the hold has not run out."""
    return callback.held_by if callback.held_until is not None and callback.held_until > now else None


def clock_tag(callback: CallbackView, now: datetime) -> Tag:
    """Return the promised time as a badge; the clock stops when the person was reached."""
    promised_by = callback.promised_by
    if promised_by is None:
        return Tag("–", "none")
    if callback.contacted_at is not None:
        return Tag(_("已联系"), "ok", "circle-check")
    if not callback.is_open:
        return Tag(_("结束"), "", "circle-check")
    if now >= promised_by:
        return Tag(_("超时 %(time)s", time=span_words(now - promised_by)), "bad", "alert-triangle")
    is_soon = promised_by - now <= SOON_SHARE * (promised_by - callback.created_at)
    return Tag(_("%(time)s 前", time=near(promised_by, now)), "warn" if is_soon else "", "clock")


def near(at: datetime, now: datetime) -> str:
    """Return 14:00 today, else 03-19 20:00, with the year when it is another one."""
    there, here = local_time(at), local_time(now)
    if there.date() == here.date():
        return there.strftime("%H:%M")
    return there.strftime("%m-%d %H:%M" if there.year == here.year else "%Y-%m-%d")


def span_words(span: timedelta) -> str:
    """Return how long, in one unit: 20 分, 3 小时 from one hour on, 2 天 from one day on."""
    minutes = max(0, int(span.total_seconds() // 60))
    hours, days = minutes // 60, minutes // (60 * 24)
    if days:
        return str(_("%(n)s 天", n=days))
    return str(_("%(n)s 小时", n=hours) if hours else _("%(n)s 分", n=minutes))


def why(callback: CallbackView, now: datetime) -> str:
    """Return in one line what the call is about."""
    about = callback.matter or callback.category
    parts = [part for part in (about, callback.unit, callback.window) if part]
    if callback.campaign:
        parts.insert(0, callback.campaign)
    if callback.reason == "missed_call" and not parts:
        return str(_("%(day)s 来电未接通", day=near(callback.created_at, now)))
    return " · ".join(parts)


HINDRANCES = {
    "sampled_out": _l("抽样未抽中"),
    "opted_out": _l("市民要求不再打扰"),
    "resting": _l("拒访后休息期"),
    "asked_lately": _l("近期已问过"),
    "day_full": _l("今日次数已满"),
    "too_soon": _l("距上次太近"),
    "outside_window": _l("不在外呼时段"),
    "not_yet_due": _l("还没到时间"),
    "being_rung": _l("正在呼叫这个号码"),
    "held": _l("其他坐席占用"),
    "no_line": _l("没有空闲外线"),
    "no_agent": _l("没有就绪坐席"),
    "no_questionnaire": _l("没有发布的问卷"),
    "no_prompts": _l("语音提示尚未生成"),
    "quota_full": _l("问卷配额已满"),
    "not_mobile": _l("不是手机号，收不到短信"),
    "expired": _l("已过期"),
    "answered_again": _l("市民已再次来电并接通"),
    "merged": _l("同一号码已合并"),
    "ways_used_up": _l("各种方式都已试过"),
    "stopped": _l("批次已停止"),
}


def hindrance_word(why_not: str) -> str:
    """Return why somebody is not rung; a note that an agent or supervisor wrote stands as it is."""
    return str(HINDRANCES.get(why_not) or DISPOSITIONS.get(why_not) or why_not)


STRATA = {
    "hall": _l("大厅"),
    "unit": _l("承办单位"),
    "region": _l("区域"),
    "category": _l("分类"),
    "matter_code": _l("事项编码"),
    "queue_name": _l("队列"),
}
