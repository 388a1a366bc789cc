"""The auditor's page: search what was done, and check that nothing was changed or taken away."""

from datetime import date
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select

from core import audit
from core.audit import AuditEntry
from core.clock import day_bounds
from core.errors import InvalidInputError
from webui.errors import says
from webui.formats import moment
from webui.house import current_house
from webui.paging import SIZE, Page, page_number, without
from webui.permissions import Permission, requires
from webui.person import actor

blueprint = Blueprint("audit", __name__, url_prefix="/audit")
# What the acts are called; one that is missing here is shown under its own name.
ACTIONS = {
    "login.succeeded": _l("登录"),
    "login.failed": _l("登录失败"),
    "login.refused": _l("登录被拒"),
    "login.locked": _l("账号锁定"),
    "logout": _l("退出登录"),
    "session.revoked": _l("结束登录"),
    "password.changed": _l("修改密码"),
    "password.reset": _l("重置密码"),
    "totp.enabled": _l("开启动态口令"),
    "totp.disabled": _l("关闭动态口令"),
    "token.created": _l("新建接口令牌"),
    "user.created": _l("新建账号"),
    "user.changed": _l("修改账号"),
    "user.disabled": _l("停用账号"),
    "user.enabled": _l("启用账号"),
    "user.unlocked": _l("解锁账号"),
    "seat.changed": _l("修改坐席队列"),
    "audit.verified": _l("校验审计"),
    "article.created": _l("新建条目"),
    "article.revised": _l("修订条目"),
    "article.published": _l("发布条目"),
    "article.retired": _l("停用条目"),
    "article.imported": _l("导入条目"),
    "article.exported": _l("导出条目"),
    "dictionary.replaced": _l("更换词典"),
    "suggestion.judged": _l("评判建议答案"),
    "recording.played": _l("收听录音"),
    "number.revealed": _l("查看号码"),
    "call.exported": _l("导出通话"),
    "agent.state_set": _l("代坐席改状态"),
    "token.revoked": _l("停用接口令牌"),
    "callback.dialled": _l("回访外呼"),
    "callback.promised": _l("约定回电"),
    "callback.cancelled": _l("取消回访"),
    "callback_rule.saved": _l("保存回访规则"),
    "callback_rule.switched": _l("启停回访规则"),
    "campaign.started": _l("开始批次"),
    "campaign.stopped": _l("停止批次"),
    "opt_out.added": _l("登记不再打扰"),
    "opt_out.lifted": _l("解除不再打扰"),
    "survey.withdrawn": _l("撤回答卷"),
    "calendar.imported": _l("导入工作日历"),
}


class BadDayError(InvalidInputError):
    """A day that is not one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


says(BadDayError, lambda error: _("日期“%(text)s”不对，请写成 2026-03-18 这样。", text=error.text[:20]))


@blueprint.get("/")
@requires(Permission.READ_AUDIT)
def index() -> Any:
    """List entries, newest first, by the conditions in the address; with the result of a check just made."""
    query = _filtered()
    with current_house().database.transaction() as session:
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        page = Page(page_number(), total)
        rows = session.scalars(query.order_by(AuditEntry.id.desc()).offset(page.offset).limit(SIZE)).all()
        used = session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all()
    return render_template(
        "audit.html",
        rows=rows,
        page=page,
        actions=ACTIONS,
        used=used,
        conditions=_conditions(),
        result=cookie.pop("audit_result", None),
        describe=describe,
    )


@blueprint.post("/verify")
@requires(Permission.READ_AUDIT)
def verify() -> Any:
    """Check the whole chain and say where it breaks."""
    with current_house().database.transaction() as session:
        broken = audit.verify(session)
        newest, seal = session.scalar(select(func.max(AuditEntry.id))), audit.newest_hash(session)
        audit.record(session, actor(), "audit.verified", "audit", {"entries": newest, "broken_at": broken})
    at = moment(current_house().clock.now())
    cookie["audit_result"] = {"broken": broken, "entries": newest or 0, "seal": seal, "at": at}
    return redirect(url_for("audit.index"))


def _filtered() -> Select[AuditEntry]:
    query = select(AuditEntry)
    values = request.args
    if name := values.get("actor", "").strip():
        query = query.where(AuditEntry.actor == name)
    if action := values.get("action", ""):
        query = query.where(AuditEntry.action == action)
    if subject := values.get("subject", "").strip():
        query = query.where(AuditEntry.subject.contains(subject, autoescape=True))
    if since := values.get("since", ""):
        query = query.where(AuditEntry.at >= day_bounds(_day(since))[0])
    if until := values.get("until", ""):
        query = query.where(AuditEntry.at < day_bounds(_day(until))[1])
    return query


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadDayError(text) from None


def _conditions() -> list[tuple[str, str]]:
    values = request.args
    named = [
        ("actor", _("操作人：%(value)s", value=values.get("actor", ""))),
        ("action", _("操作：%(value)s", value=ACTIONS.get(values.get("action", ""), values.get("action", "")))),
        ("subject", _("对象：%(value)s", value=values.get("subject", ""))),
        ("since", _("从 %(value)s", value=values.get("since", ""))),
        ("until", _("到 %(value)s", value=values.get("until", ""))),
    ]
    return [(text, without(name)) for name, text in named if values.get(name, "").strip()]


# What the particulars of an entry are called.
DETAILS = {
    "name": _l("姓名"),
    "roles": _l("角色"),
    "role": _l("角色"),
    "agent": _l("坐席"),
    "address": _l("来自"),
    "failures": _l("第几次"),
    "minutes": _l("分钟"),
    "count": _l("数量"),
    "why": _l("原因"),
    "entries": _l("条数"),
    "broken_at": _l("断点"),
    "session": _l("登录编号"),
    "title": _l("标题"),
    "revision_no": _l("第几版"),
    "key": _l("编号"),
    "file": _l("文件"),
    "created": _l("新建数"),
    "revised": _l("修订数"),
    "errors": _l("出错数"),
    "words": _l("词数"),
    "days": _l("天数"),
    "party": _l("一方"),
    "number": _l("号码"),
}


def describe(detail: dict[str, Any]) -> str:
    """Return an entry's particulars on one line."""
    return str(_("；")).join(
        f"{DETAILS.get(name, name)} {_plain(value)}" for name, value in detail.items() if value not in (None, "")
    )


def _plain(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"from", "to"}:
        return f"{_plain(value['from']) or '–'} → {_plain(value['to']) or '–'}"
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)
