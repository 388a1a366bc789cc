"""Campaigns: a list of numbers, a questionnaire, the ways by which it is asked; how far each is, and stopping one."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from callback.campaigns import BadCampaignError
from callback.rule import Reason
from callback.views import CampaignReport
from core.clock import local_date
from core.errors import TingjianError
from core.privacy import mask_phone
from webui.callback_rule_form import MOST_WAYS, RuleForm, read
from webui.callbacks_words import WAYS
from webui.campaign_people import LARGEST_LIST, UnreadableListError, decoded, read_people
from webui.errors import message, says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor

blueprint = Blueprint("callback_campaigns", __name__, url_prefix="/callbacks/campaigns")
_LONGEST_NAME = 60
_SHOWN_REFUSED = 20

says(BadCampaignError, lambda error: _("批次没有开始：要有 60 字以内的名称，1–50,000 个号码。"))
says(
    UnreadableListError,
    lambda error: _("名单读不出来。请用文本或 CSV：每行一个号码，后面可加姓名、事项、单位；有表头时要有“电话”一列。"),
)


@blueprint.get("/")
@requires(Permission.EDIT_CALLBACK_RULES)
def index() -> str:
    """List campaigns, with a form for another one."""
    return _page(_empty(), {}, report=session.pop("campaign_report", None))


@blueprint.post("/")
@requires(Permission.EDIT_CALLBACK_RULES)
def start() -> Any:
    """Begin a campaign, or add numbers to one."""
    form, errors = _sent(), {}
    name = request.form.get("name", "").strip()
    if not name or len(name) > _LONGEST_NAME:
        errors["name"] = _("请填写 60 字以内的名称。")
    definition, wrong = read(form)
    errors.update(wrong)
    if not form.questionnaire:
        errors["questionnaire"] = _("请选择问卷。")
    people: list[dict[str, str]] = []
    try:
        people = read_people(_list_text())
        if not people:
            errors["people"] = _("请粘贴号码，或选择文件。")
    except UnreadableListError as error:
        errors["people"] = message(error)
    if errors or definition is None:
        return _page(form, errors), 400
    try:
        report = current_house().callback.start_campaign(name, people, definition, actor())
    except TingjianError as error:
        return _page(form, {"": message(error)}), error.status
    session["campaign_report"] = _report(report)
    return redirect(url_for("callback_campaigns.index"))


@blueprint.post("/stop")
@requires(Permission.EDIT_CALLBACK_RULES)
def stop() -> Any:
    """Cancel what a campaign still owes."""
    name = request.form.get("name", "")
    count = current_house().callback.stop_campaign(name, actor())
    flash(_("已停止“%(name)s”，取消 %(n)s 条", name=name[:_LONGEST_NAME], n=count), "ok")
    return redirect(url_for("callback_campaigns.index"))


def _empty() -> RuleForm:
    return RuleForm(reason=Reason.CAMPAIGN, when="at_once", ways=["ivr", "sms", ""], ask_every_days="0")


def _sent() -> RuleForm:
    """Return the definition's form: a campaign has few of a rule's fields."""
    values, form = request.form, _empty()
    form.title = values.get("name", "").strip()[:_LONGEST_NAME] or "–"
    form.questionnaire = values.get("questionnaire", "")
    form.ways = [way for way in values.getlist("ways") if way][:MOST_WAYS] or ["agent"]
    form.ways += [""] * (MOST_WAYS - len(form.ways))
    form.date = values.get("date", "").strip()
    form.when = "on_date" if form.date else "at_once"
    form.ask_every_days = values.get("ask_every_days", "0").strip()
    form.expires_after_days = values.get("expires_after_days", "14").strip()
    form.share = values.get("share", "100").strip()
    # Everybody is no sample: nothing is drawn and no weight needed.
    form.sampling = "all" if form.share in {"", "100"} else "share"
    form.seed = form.title
    return form


def _list_text() -> str:
    file = request.files.get("file")
    if file is not None and file.filename:
        return decoded(file.read(LARGEST_LIST))
    return request.form.get("people", "")[:LARGEST_LIST]


def _report(report: CampaignReport) -> dict[str, Any]:
    # It goes through the cookie: few rows, and no whole number.
    refused = [(number, mask_phone(text) if text.isdigit() else text[:20]) for number, text in report.refused[:_SHOWN_REFUSED]]
    return {
        "name": report.name,
        "created": report.created,
        "unchanged": report.unchanged,
        "refused": refused,
        "refused_count": len(report.refused),
    }


def _page(form: RuleForm, errors: dict[str, str], report: dict[str, Any] | None = None) -> str:
    house = current_house()
    asked = [(one.key, one.title) for one in house.survey.list_questionnaires() if one.launched]
    return render_template(
        "callbacks/campaigns.html",
        campaigns=house.callback.list_campaigns(),
        form=form,
        errors=errors,
        report=report,
        name=request.form.get("name", ""),
        people=request.form.get("people", ""),
        ways=list(WAYS.items()),
        most_ways=MOST_WAYS,
        questionnaires=asked,
        today=local_date(house.clock.now()),
    )
