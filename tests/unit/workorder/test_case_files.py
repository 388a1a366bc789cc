"""Files of cases as people and systems make them."""

import io

import pytest
import xlsxwriter

from workorder.case_files import MOST_ROWS, CaseFileError, csv_text, read_rows

HEADING = "办件编号,事项名称,承办单位,联系电话,办结时间"
LINE = "A-1,居住证申领,市公安局,13800138000,2026-03-17 10:00:00"


def read(text: str, encoding: str = "utf-8", name: str = "cases.csv") -> list[dict[str, object]]:
    return [row.values for row in read_rows(text.encode(encoding), name)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_that_spreadsheets_write(encoding: str) -> None:
    assert read(f"{HEADING}\n{LINE}\n", encoding)[0]["matter"] == "居住证申领"


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_delimiters(delimiter: str) -> None:
    text = f"{HEADING}\n{LINE}".replace(",", delimiter)
    assert read(text)[0]["phone"] == "13800138000"


def test_a_title_above_the_headings_and_empty_lines_are_skipped() -> None:
    rows = read_rows(f"2026 年办件导出,,,,\n\n{HEADING}\n\n{LINE}\n,,,,\n".encode(), "a.csv")
    assert [(row.number, row.values["number"]) for row in rows] == [(5, "A-1")]


def test_quoted_commas_and_lines() -> None:
    rows = read_rows(f'{HEADING}\nA-1,"居住证,申领\n二",市公安局,13800138000,\nA-2,x,y,z,\n'.encode(), "a.csv")
    assert rows[0].values["matter"] == "居住证,申领\n二"
    assert [row.number for row in rows] == [2, 3]


def test_a_line_with_too_many_cells_is_told() -> None:
    rows = read_rows(f"{HEADING}\n{LINE},一,二\n{LINE}\nA-3,短\n".encode(), "a.csv")
    assert "有 7 格，列名只有 5 个" in rows[0].problem
    assert rows[1].problem == rows[2].problem == ""
    assert rows[2].values == {"number": "A-3", "matter": "短"}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "第一行要写列名"),
        (b"\n\n", "a.csv", "第一行要写列名"),
        (f"{HEADING}\n".encode(), "a.csv", "列名下面没有内容"),
        (f"{HEADING},颜色\n{LINE},红\n".encode(), "a.csv", "不认识的列名：颜色"),
        (f"{HEADING},手机\n{LINE},1\n".encode(), "a.csv", "列名重复：联系电话"),
        ("办件编号,事项名称\nA-1,x\n".encode(), "a.csv", "缺少列：承办单位、联系电话"),
        (HEADING.replace(",", "，").encode(), "a.csv", "半角逗号"),
        (b"\xff\xff\xff\x81", "a.csv", "既不是 UTF-8 也不是 GB18030"),
        (b"not a spreadsheet", "a.xlsx", "不是可以读的表格"),
        (b"PK\x03\x04 broken", "a.xlsx", "不是可以读的表格"),
        (b"", "a.xls", "不是可以读的表格"),
        (b"x", "a.pdf", "只收"),
        (b"x", "noending", "只收"),
        (b"x" * (20 * 1024 * 1024 + 1), "a.csv", "超过 20 MB"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_a_file_that_is_none_is_refused_whole(content: bytes, name: str, said: str) -> None:
    with pytest.raises(CaseFileError, match=said):
        read_rows(content, name)


def test_more_rows_than_the_limit_are_refused_before_any_is_taken() -> None:
    text = HEADING + "\n" + (LINE + "\n") * (MOST_ROWS + 1)
    with pytest.raises(CaseFileError, match="请拆分"):
        read_rows(text.encode(), "a.csv")


def test_a_spreadsheet_with_dates_numbers_and_formulas() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        day = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, HEADING.split(","))
        sheet.write_row(1, 0, [1001, "居住证", "市公安局", 13800138000])
        sheet.write_datetime(1, 4, __import__("datetime").datetime(2026, 3, 17, 10, 0), day)
        sheet.write_row(3, 0, ["A-2", "'=1+1", "局"])
        sheet.write_formula(3, 3, '=HYPERLINK("http://x","13900139000")', None, "13900139000")
    rows = read_rows(out.getvalue(), "Cases.XLSX")
    assert [row.number for row in rows] == [2, 4]
    assert rows[0].values["phone"] == 13800138000.0
    assert str(rows[0].values["closed_at"]) == "2026-03-17 10:00:00"
    assert rows[1].values["matter"] == "=1+1"
    assert rows[1].values["phone"] == "13900139000", "a formula is what it shows"


def test_what_we_write_no_spreadsheet_takes_for_a_formula() -> None:
    text = csv_text(["行", "编号"], [[2, "=1+1"], [3, "@x"], [4, "好,的"]])
    assert text.startswith("\ufeff")
    assert "\n2,'=1+1\r" in text.replace("\r\n", "\r\n")
    assert "'@x" in text
    assert '"好,的"' in text
