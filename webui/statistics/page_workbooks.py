"""The questionnaires' page and the agents' page as Excel files: the same figures, with the same intervals."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from webui.statistics.excel import Cell, Workbook, notes_of
from webui.statistics.totals import AgentTotals
from webui.statistics.words import Rate, fraction, interval_words, percent_sign


def questionnaire_workbook(context: dict[str, Any]) -> bytes:
    """Return the distributions, the cross-tab, the versions side by side and the keywords of one questionnaire."""
    book, heading, notes = Workbook(), context["heading"], notes_of(context)
    surveys, distributions = context["surveys"], context["distributions"]
    answered = surveys.survey_response_rate
    told = _("发出问卷 %(offered)s，应答 %(rate)s（%(fraction)s，95%% 区间 %(span)s），撤回 %(withdrawn)s") % {
        "offered": surveys.offered,
        "rate": percent_sign(answered.value),
        "fraction": fraction(answered),
        "span": interval_words(answered),
        "withdrawn": surveys.withdrawn,
    }
    rows = [
        (one.question.title or one.question.key, choice.label, choice.count, one.total, *_shown(choice.rate), one.average)
        for one in distributions
        for choice in one.choices
    ]
    heads = [_("题目"), _("答案"), _("份数"), "n", _("比率"), _("95% 区间（Wilson）"), _("平均")]
    book.sheet(_("答案分布"), heading, [*notes, told], heads, rows, [40, 24, 10, 10, 10, 18, 10], "ttnnptd")
    if context["cross"]:
        _cross(book, context, notes)
    versions = [
        (one.question.title or one.question.key, _("第 %(n)s 版", n=version.version_no), answers.count, average)
        for one in distributions
        for version, answers, average in one.versions
    ]
    if versions:
        heads = [_("题目"), _("版本"), "n", _("平均")]
        book.sheet(_("版本比较"), f"{heading}　{_('版本比较')}", notes, heads, versions, [40, 12, 10, 10], "ttnd")
    words = [(one.question.title or one.question.key, word, count) for one in distributions for word, count in one.words]
    if words:
        note = _("说到这个词的人数，最多取最近 2,000 条")
        heads = [_("题目"), _("关键词"), _("人数")]
        book.sheet(_("关键词"), f"{heading}　{_('关键词')}", [*notes, note], heads, words, [40, 20, 10], "ttn")
    return book.close()


def _shown(rate: Rate) -> tuple[Cell, Cell]:
    return (rate.ratio.value, rate.span) if rate.is_shown else (None, None)


def _cross(book: Workbook, context: dict[str, Any], notes: Sequence[str]) -> None:
    title = context["cross_row"].title or context["cross_row"].key
    heads, kinds, widths = [dict(context["across"])[context["cross_by"]], "n"], "tn", [28, 10]
    for _option, label in context["cross_columns"]:
        heads += [label, _("比率"), _("95% 区间（Wilson）")]
        kinds, widths = kinds + "npt", [*widths, 10, 10, 18]
    rows = [
        [row.label, int(row.whole.whole), *(cell for rate in row.cells for cell in (int(rate.ratio.part), *_shown(rate)))]
        for row in context["cross"]
    ]
    name = _("交叉表")
    book.sheet(name, f"{context['heading']}　{title}", notes, heads, rows, widths, kinds)


def agents_workbook(context: dict[str, Any]) -> bytes:
    """Return the agents and everybody's days."""
    book, heading, notes = Workbook(), context["heading"], notes_of(context)
    lines = [(_("合计"), "", context["total"], context["total_rate"]), *context["rows"]]
    heads = [
        _("坐席"), _("接听"), _("未接"), _("通话（小时）"), _("话后（小时）"), _("就绪（小时）"), _("小休（小时）"), _("利用率"),
        _("邀请评价"), _("未邀请"), _("参评"), _("跳过"), _("按键前挂断"), _("参评率"), _("95% 区间（Wilson）"), _("挂机满意率"),
        _("95% 区间（Wilson）"),
    ]  # fmt: skip
    rows = [_agent(name, one, rate) for name, _key, one, rate in lines]
    widths = [18, 8, 8, 10, 10, 10, 10, 8, 8, 8, 8, 8, 8, 8, 16, 10, 16]
    told = [context["words"].sentence(key) for key in ("occupancy", "after_call_rate", "after_call_satisfaction")]
    book.sheet(_("坐席"), heading, [*notes, *told], heads, rows, widths, "tnnddddpnnnnnptpt")
    name = _("坐席利用率走势")
    days = [
        (label, one.occupancy.value, one.occupancy.part / 3600, one.occupancy.whole / 3600, one.answered)
        for label, one in reversed(context["daily"])
    ]
    heads = [_("日期"), _("利用率"), _("通话与话后（小时）"), _("在岗（小时）"), _("接听")]
    sheet, first, count = book.sheet(name, f"{heading}　{name}", notes, heads, days, [14, 10, 18, 14, 10], "tpddn")
    if count > 1:
        sheet.insert_chart(first + count + 1, 0, book.line_chart(name, first, count, [1]))
    return book.close()


def _agent(name: str, one: AgentTotals, rate: Rate) -> list[Cell]:
    hours = [seconds / 3600 for seconds in (one.talking_seconds, one.wrapup_seconds, one.ready_seconds, one.paused_seconds)]
    asked = [one.rating_offered, one.not_offered, one.rated, one.rating_skipped, one.rating_hung_up]
    given = one.after_call_rate
    return [
        name, one.answered, one.missed, *hours, one.occupancy.value, *asked, given.value, interval_words(given), *_shown(rate),
    ]  # fmt: skip
