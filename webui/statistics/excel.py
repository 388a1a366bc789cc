"""The overview as an Excel file that an office can file: cover, rates, course, units, topics, definitions."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from flask_babel import gettext as _

from webui.statistics.words import fraction, interval_words, span_words

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
Cell = str | int | float | None


def plain(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, not even after it was saved as CSV and opened again."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


class Workbook:
    """A workbook in one style: title, particulars, tables with heads, widths that fit."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        # A text that begins like a formula or an address stays a text.
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(self._buffer, options)
        face = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
        self._title = self._book.add_format({**face, "bold": True, "font_size": 16, "align": "center"})
        self._note = self._book.add_format({**face, "font_color": "#475467", "text_wrap": True})
        self._head = self._book.add_format(
            {**face, "bold": True, "bg_color": "#e8f0fb", "border": 1, "align": "center", "text_wrap": True}
        )
        self._text = self._book.add_format({**face, "border": 1, "text_wrap": True})
        self._number = self._book.add_format({**face, "border": 1, "align": "right", "num_format": "#,##0"})
        self._share = self._book.add_format({**face, "border": 1, "align": "right", "num_format": "0.0%"})
        self._decimal = self._book.add_format({**face, "border": 1, "align": "right", "num_format": "#,##0.0"})

    def sheet(
        self,
        name: str,
        title: str,
        notes: Sequence[str],
        heads: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        widths: Sequence[int],
        kinds: str,
    ) -> tuple[Any, int, int]:
        """Add a sheet with one table. `kinds` has a letter for each column: t text, n number, p share, d decimal.

        Returns:
            The sheet, the first row of data and how many there are.
        """
        sheet = self._book.add_worksheet(name)
        last = len(heads) - 1
        sheet.merge_range(0, 0, 0, max(1, last), plain(title), self._title)
        sheet.set_row(0, 30)
        line = 1
        for note in notes:
            sheet.merge_range(line, 0, line, max(1, last), plain(note), self._note)
            line += 1
        for column, head in enumerate(heads):
            sheet.write_string(line, column, head, self._head)
            sheet.set_column(column, column, widths[column])
        count = 0
        for count, row in enumerate(rows, 1):
            for column, (value, kind) in enumerate(zip(row, kinds, strict=True)):
                self._write(sheet, line + count, column, value, kind)
        sheet.freeze_panes(line + 1, 0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(line)
        sheet.set_footer(_("&L%(title)s&R第 &P 页，共 &N 页", title=title.replace("&", "&&")))
        return sheet, line + 1, count

    def _write(self, sheet: Any, row: int, column: int, value: Cell, kind: str) -> None:
        formats = {"t": self._text, "n": self._number, "p": self._share, "d": self._decimal}
        if value is None:
            sheet.write_string(row, column, "–", self._text)
        elif isinstance(value, str):
            sheet.write_string(row, column, plain(value), self._text)
        else:
            sheet.write_number(row, column, value, formats[kind])

    def line_chart(self, sheet_name: str, first: int, count: int, columns: Sequence[int]) -> Any:
        """Return a chart of some columns of shares over the first column."""
        chart = self._book.add_chart({"type": "line"})
        for column in columns:
            chart.add_series(
                {
                    "name": [sheet_name, first - 1, column],
                    "categories": [sheet_name, first, 0, first + count - 1, 0],
                    "values": [sheet_name, first, column, first + count - 1, column],
                }
            )
        chart.set_y_axis({"num_format": "0%", "major_gridlines": {"visible": True, "line": {"color": "#dfe4eb"}}})
        chart.set_legend({"position": "top"})
        chart.set_size({"width": 760, "height": 300})
        return chart

    def close(self) -> bytes:
        """Return the file."""
        self._book.close()
        return self._buffer.getvalue()


def notes_of(context: dict[str, Any]) -> list[str]:
    """Return the lines under a sheet's title: of what, from when."""
    notes = [
        _("统计期间：%(period)s　　数据截至：%(at)s", period=context["period"], at=context["as_of"]),
        _("条件：%(what)s", what="；".join(context["conditions"]) or _("全部")),
        _("制表时间：%(at)s", at=context["made_at"]),
    ]
    if context["waiting_days"]:
        notes.append(_("注意：有 %(n)s 天还在汇总，未计入本表。", n=context["waiting_days"]))
    return notes


def overview_workbook(context: dict[str, Any]) -> bytes:
    """Return the overview as a workbook."""
    book, heading, notes = Workbook(), context["heading"], notes_of(context)
    tiles = [
        (t.name, f"{t.value}{t.unit}", fraction(t.ratio) if t.ratio else "", t.span, t.detail, t.change.text, t.definition)
        for t in (*context["tiles"], *context["more"])
    ]
    heads = [_("指标"), _("数值"), _("分子 / 分母"), _("95% 区间（Wilson）"), _("说明"), _("变化"), _("定义")]
    book.sheet(_("概览"), heading, notes, heads, tiles, [18, 12, 20, 16, 24, 18, 90], "ttttttt")
    rates = [
        (
            box.name,
            box.rate.ratio.value if box.rate.is_shown else None,
            int(box.rate.ratio.part),
            int(box.rate.ratio.whole),
            span_words(box.rate.interval),
            box.rate.target / 100,
            box.change.text,
            box.exclusions,
            box.definition,
        )
        for box in context["rates"]
    ]
    heads = [_("指标"), _("比率"), _("分子"), _("分母"), _("95% 区间（Wilson）"), _("目标"), _("变化"), _("排除"), _("定义")]
    book.sheet(
        _("三率"),
        f"{heading}　{_('三率')}",
        [*notes, context["contact"]],
        heads,
        rates,
        [10, 10, 10, 10, 16, 8, 16, 32, 70],
        "tpnntpttt",
    )
    _course(book, context, notes)
    _trend(book, context, notes)
    units = [
        (
            row.ranked.rank,
            row.ranked.name,
            row.owed,
            int(row.rate.ratio.part),
            int(row.rate.ratio.whole),
            row.rate.ratio.value if row.rate.is_shown else None,
            row.rate.span,
            "" if row.rate.is_shown else _("样本不足"),
        )
        for row in context["units"]
    ]
    heads = [_("名次"), _("单位"), _("应回访"), _("满意"), _("评价 n"), _("满意率"), _("区间"), _("说明")]
    note = _("区间重叠并列，评价不足 %(n)s 不排名", n=context["settings"].statistics_least_answers)
    book.sheet(
        _("单位比较"), f"{heading}　{_('承办单位比较')}", [*notes, note], heads, units, [8, 28, 12, 10, 10, 10, 16, 12], "ntnnnptt"
    )
    topics = [(topic.name, topic.calls, topic.change.text) for topic in context["topics"]]
    book.sheet(
        _("热点事项"),
        f"{heading}　{_('热点事项')}",
        notes,
        [_("事项"), _("来电"), context["compared"]],
        topics,
        [40, 12, 12],
        "tnt",
    )
    book.sheet(_("口径"), f"{heading}　{_('统计口径')}", notes[:1], [_("指标"), _("定义")], context["measures"], [20, 120], "tt")
    return book.close()


def _course(book: Workbook, context: dict[str, Any], notes: Sequence[str]) -> None:
    rows = [
        (
            row.label,
            row.calls.offered,
            row.calls.answered,
            row.calls.in_time,
            row.calls.abandoned,
            row.service_level.value,
            interval_words(row.service_level),
            row.connect_rate.value,
            interval_words(row.connect_rate),
            row.lowest.value if row.lowest else None,
            interval_words(row.lowest) if row.lowest else None,
        )
        for row in reversed(context["rows"])
    ]
    target = context["settings"].answer_target_seconds
    heads = [
        _("日期"),
        _("来电"),
        _("接听"),
        _("%(n)s 秒内接听", n=target),
        _("放弃"),
        _("%(n)s 秒接通率", n=target),
        _("95% 区间"),
        _("接通率"),
        _("95% 区间"),
        _("24 小时最低"),
        _("95% 区间"),
    ]
    name = _("走势")
    sheet, first, count = book.sheet(
        name, f"{context['heading']}　{name}", notes, heads, rows, [14, 10, 10, 12, 10, 14, 14, 12, 14, 14, 14], "tnnnnptptpt"
    )
    if count > 1:
        sheet.insert_chart(first + count + 1, 0, book.line_chart(name, first, count, [5, 9]))


def _trend(book: Workbook, context: dict[str, Any], notes: Sequence[str]) -> None:
    rows = []
    for row in reversed(context["trend"]):
        line: list[Cell] = [row.label]
        for rate in row.rates:
            line += [rate.ratio.value if rate.is_shown else None, int(rate.ratio.part), int(rate.ratio.whole), rate.span]
        rows.append(line)
    heads = [_("日期")]
    for box in context["rates"]:
        heads += [box.name, _("分子"), _("分母"), _("95% 区间")]
    name = _("三率走势")
    note = _("不足 %(n)s 份不计算比率", n=context["settings"].statistics_least_answers)
    sheet, first, count = book.sheet(
        name, f"{context['heading']}　{name}", [*notes, note], heads, rows, [14, *(10, 10, 10, 14) * 3], "t" + "pnnt" * 3
    )
    if count > 1:
        sheet.insert_chart(first + count + 1, 0, book.line_chart(name, first, count, [1, 5, 9]))
