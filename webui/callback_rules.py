"""Rules of who is rung back, in versions; whom they have rung on a day, and why; the calendar of working days."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from callback.previewing import NotPreviewableError
from callback.rule import AtOnce, NextDay, OnDay, RuleDefinition, ShareSampled, StrataSampled
from callback.rules import BadRuleKeyError, RuleChangedError
from callback.views import Preview, PreviewRow, RuleView
from core.clock import local_date
from core.errors import InvalidInputError
from core.working_days import BadCalendarError
from webui.callback_rule_form import MOST_WAYS, RuleForm, form_of, read, sent
from webui.callbacks_words import HINDRANCES, REASONS, STRATA, WAYS, hindrance_word, near, reason_tag, way_word
from webui.errors import message, says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor, current_person

blueprint = Blueprint("callback_rules", __name__, url_prefix="/callbacks/rules")
_SHOWN = 500
_LOOKED_AT = 5000
_TRIED = 50
_RESERVED = {"new", "preview", "calendar"}
_LONGEST_FILE = 1_000_000


class NoFileError(InvalidInputError):
    """No file was chosen."""


says(NotPreviewableError, lambda error: _("这种回访由市民当场提出，事先算不出名单。可以直接保存。"))
says(NoFileError, lambda error: _("请选择文件。"))
says(BadCalendarError, lambda error: _("日历没有导入：%(why)s。", why=str(error)))


@blueprint.get("/")
@requires(Permission.EDIT_CALLBACK_RULES)
def index() -> str:
    """List rules."""
    rules = current_house().callback.list_rules()
    return render_template("callback_rules/index.html", rules=[_shown(rule) for rule in rules])


def _shown(rule: RuleView) -> dict[str, Any]:
    definition = rule.definition
    return {
        "rule": rule,
        "reason": reason_tag(definition.reason),
        "when": _when_words(definition),
        "ways": " → ".join(way_word(way) for way in definition.ways),
        "sampling": _sampling_words(definition),
        "who": _who_words(definition),
    }


def _when_words(definition: RuleDefinition) -> str:
    when = definition.when
    if isinstance(when, AtOnce):
        return str(_("立即"))
    if isinstance(when, NextDay):
        return str(_("次日 %(at)s", at=when.at.strftime("%H:%M")))
    if isinstance(when, OnDay):
        return str(_("%(n)s 个工作日后 %(at)s", n=when.working_days, at=when.at.strftime("%H:%M")))
    return f"{when.date.isoformat()} {when.at.strftime('%H:%M')}"


def _sampling_words(definition: RuleDefinition) -> str:
    sampling = definition.sampling
    if isinstance(sampling, ShareSampled):
        return str(_("随机 %(share)s%%", share=f"{100 * sampling.share:.4g}"))
    if isinstance(sampling, StrataSampled):
        return str(_("按%(by)s分层", by=STRATA[sampling.by]))
    return str(_("全部"))


def _who_words(definition: RuleDefinition) -> str:
    who = definition.who
    lists = (who.halls, who.units, who.regions, who.categories, who.matter_codes, who.results, who.queues)
    named = [name for names in lists for name in names]
    return "、".join(named[:4]) + (_(" 等 %(n)s 项", n=len(named)) if len(named) > 4 else "") if named else _("不限")


@blueprint.get("/new")
@requires(Permission.EDIT_CALLBACK_RULES)
def new() -> str:
    """Show an empty form."""
    return _form(RuleForm(), {})


@blueprint.post("/new")
@requires(Permission.EDIT_CALLBACK_RULES)
def create() -> Any:
    """Make a rule, or try what it would do."""
    form = _sent()
    definition, errors = read(form)
    if definition is None:
        return _form(form, errors), 400
    if request.form.get("act") == "try":
        return _tried(form, definition)
    try:
        if form.key in _RESERVED or any(rule.key == form.key for rule in current_house().callback.list_rules()):
            return _form(form, {"key": _("编号“%(key)s”已经有了，请换一个。", key=form.key[:60])}), 409
        current_house().callback.save_rule(form.key, definition, actor())
    except BadRuleKeyError as error:
        return _form(form, {"key": message(error)}), error.status
    flash(_("已新建规则“%(title)s”", title=definition.title), "ok")
    return redirect(url_for("callback_rules.index"))


@blueprint.get("/<key>")
@requires(Permission.EDIT_CALLBACK_RULES)
def edit(key: str) -> str:
    """Show a rule in its latest version, or in an older one."""
    rule = current_house().callback.get_rule(key, request.args.get("version", type=int))
    return _form(form_of(key, rule.definition), {}, rule)


@blueprint.post("/<key>")
@requires(Permission.EDIT_CALLBACK_RULES)
def change(key: str) -> Any:
    """Save a new version, or try what it would do."""
    callback, form = current_house().callback, _sent()
    form.key = key
    rule = callback.get_rule(key)
    definition, errors = read(form)
    if definition is None:
        return _form(form, errors, rule), 400
    if request.form.get("act") == "try":
        return _tried(form, definition, rule)
    try:
        saved = callback.save_rule(key, definition, actor(), based_on=request.form.get("based_on", type=int))
    except RuleChangedError as error:
        return _form(form, {"": message(error)}, rule), error.status
    if saved.version_no == rule.version_no:
        flash(_("没有改动，仍是第 %(n)s 版", n=saved.version_no), "ok")
    else:
        flash(_("已保存第 %(n)s 版，以后产生的回访按新版", n=saved.version_no), "ok")
    return redirect(url_for("callback_rules.edit", key=key))


@blueprint.post("/<key>/<any(activate, pause):verb>")
@requires(Permission.EDIT_CALLBACK_RULES)
def switch(key: str, verb: str) -> Any:
    """Switch a rule on or off."""
    rule = current_house().callback.set_rule_active(key, verb == "activate", actor())
    flash(
        _("已启用“%(title)s”", title=rule.definition.title)
        if rule.is_active
        else _("已暂停“%(title)s”", title=rule.definition.title),
        "ok",
    )
    return redirect(url_for("callback_rules.edit", key=key))


def _sent() -> RuleForm:
    return sent(request.form, request.form.getlist("ways"))


def _tried(form: RuleForm, definition: RuleDefinition, rule: RuleView | None = None) -> Any:
    today = local_date(current_house().clock.now())
    try:
        found = current_house().callback.try_rule(definition, today, limit=_TRIED)
    except NotPreviewableError as error:
        return _form(form, {"reason": message(error)}, rule), error.status
    return _form(form, {}, rule, _preview_context(found))


def _form(form: RuleForm, errors: dict[str, str], rule: RuleView | None = None, tried: dict[str, Any] | None = None) -> str:
    house = current_house()
    versions = house.callback.rule_versions(rule.key) if rule else []
    asked = [(one.key, one.title) for one in house.survey.list_questionnaires() if one.launched]
    if form.questionnaire and form.questionnaire not in dict(asked):
        asked.append((form.questionnaire, _("%(key)s（没有发布）", key=form.questionnaire)))
    return render_template(
        "callback_rules/edit.html",
        form=form,
        errors=errors,
        rule=rule,
        versions=versions,
        names=house.accounts.names(),
        reasons=list(REASONS.items()),
        ways=list(WAYS.items()),
        most_ways=MOST_WAYS,
        strata=list(STRATA.items()),
        questionnaires=asked,
        tried=tried,
    )


# --- whom the rules have rung


@blueprint.get("/preview")
@requires(Permission.EDIT_CALLBACK_RULES)
def preview() -> str:
    """Show who is rung on a day, who is not, and why."""
    house = current_house()
    today = local_date(house.clock.now())
    day = _day(request.args.get("day", "")) or today
    found = house.callback.preview(day, limit=_LOOKED_AT)
    wanted = request.args.get("why", "")
    rows = [row for row in found.rows if not wanted or (row.is_rung if wanted == "rung" else row.why == wanted)]
    return render_template(
        "callback_rules/preview.html",
        **_preview_context(replace(found, rows=rows[:_SHOWN])),
        day=day,
        today=today,
        tomorrow=today + timedelta(days=1),
        wanted=wanted,
        is_working=house.working_days.is_working_day(day),
        total=len(rows),
        may_see=current_person().may(Permission.READ_CALLBACKS),
    )


def _preview_context(found: Preview) -> dict[str, Any]:
    now = current_house().clock.now()
    counts = [(why, hindrance_word(why), count) for why, count in sorted(found.counts.items(), key=lambda item: -item[1]) if why]
    return {
        "rows": [_preview_row(row, now) for row in found.rows],
        "rung": found.rung_count,
        "counts": counts,
        "hindrances": HINDRANCES,
        "is_whole": found.is_whole,
    }


def _preview_row(row: PreviewRow, now: datetime) -> dict[str, Any]:
    return {
        "row": row,
        "reason": reason_tag(row.reason),
        "way": way_word(row.way),
        "at": near(row.at, now) if row.at else "–",
        "why": hindrance_word(row.why) if row.why else "",
        "about": " · ".join(part for part in (row.campaign, row.matter, row.unit) if part),
    }


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


# --- working days


@blueprint.get("/calendar")
@requires(Permission.EDIT_CALLBACK_RULES)
def calendar() -> str:
    """Show the days of a year that are not as the calendar would have them."""
    house = current_house()
    this_year = local_date(house.clock.now()).year
    year = request.args.get("year", this_year, type=int)
    year = year if 2000 <= year <= 2200 else this_year
    return _calendar(year)


def _calendar(year: int, refused: list[tuple[int, str]] | None = None, error: str = "") -> str:
    house = current_house()
    this_year = local_date(house.clock.now()).year
    return render_template(
        "callback_rules/calendar.html",
        year=year,
        years=range(this_year - 1, this_year + 3),
        days=house.working_days.overrides(year),
        is_published=house.working_days.is_published(year),
        refused=refused or [],
        error=error,
    )


@blueprint.post("/calendar")
@requires(Permission.EDIT_CALLBACK_RULES)
def import_calendar() -> Any:
    """Take in a list of days."""
    file = request.files.get("file")
    year = local_date(current_house().clock.now()).year
    if file is None or not file.filename:
        return _calendar(year, error=message(NoFileError())), 400
    try:
        report = current_house().working_days.import_csv(file.read(_LONGEST_FILE), actor())
    except BadCalendarError as error:
        return _calendar(year, error=message(error)), error.status
    if report.refused:
        return _calendar(year, report.refused)
    flash(_("已导入 %(n)s 天", n=report.saved), "ok")
    return redirect(url_for("callback_rules.calendar"))
