import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from core.errors import InvalidInputError
from kb.article_content import FIELD_TITLES
from kb.articles import ArticleFilter
from tests.integration.kb.conftest import Base

ROW: dict[str, Any] = {
    "key": "jzz",
    "title": "居住证首次申领",
    "alternatives": ["外地人怎么办居住证"],
    "unit": "市公安局",
    "region": "云川市",
    "category": "户政",
    "answer": "带身份证到派出所办理。",
    "valid_from": "2025-01-01",
}


def jsonl(folder: Path, *rows: Any) -> Path:
    path = folder / "articles.jsonl"
    path.write_text(
        "".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_broken_rows_are_told_and_the_others_kept(base: Base, tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        "\ufeff" + json.dumps(ROW, ensure_ascii=False) + "\n",
        "{not json\n",
        "\n",
        "[1, 2]\n",
        ROW | {"key": "b", "title": "", "valid_from": "昨天"},
        ROW | {"key": "jzz"},
        ROW | {"key": "c", "alternatives": []},
        ROW | {"key": "d", "colour": "red"},
        ROW | {"key": ""},
        "[" * 100_000 + "\n",
        ROW | {"key": "e", "status": "gone"},
        ROW | {"key": "good", "title": "第二条好的"},
    )
    with path.open("ab") as out:
        out.write(b'{"key": "\xff\xfe"}\n')
    report = base.service.import_articles(path, "editor")
    assert (report.created, report.revised, report.unchanged) == (2, 0, 0)
    assert {error.row: error.message.split("：")[0] for error in report.errors} == {
        2: "不是一个 JSON 对象",
        4: "不是一个 JSON 对象",
        5: "标题",
        6: "编号与第 1 行重复",
        7: "其他问法",
        8: "colour",
        9: "编号要有 1 到 100 个可见字符",
        10: "不是一个 JSON 对象",
        11: "状态",
        13: "不是 UTF-8 文字",
    }
    assert [view.key for view in base.service.list_articles().articles] == ["good", "jzz"]
    assert base.service.search("居住证").hits[0].key == "jzz"


def test_importing_again_changes_nothing_and_new_words_make_a_revision(base: Base, tmp_path: Path) -> None:
    path = jsonl(tmp_path, ROW)
    base.service.import_articles(path, "editor")
    report = base.service.import_articles(path, "editor")
    assert (report.created, report.revised, report.unchanged) == (0, 0, 1)
    report = base.service.import_articles(jsonl(tmp_path, ROW | {"fee": "不收费"}), "editor")
    assert (report.created, report.revised, report.unchanged) == (0, 1, 0)
    assert base.service.search("居住证").hits[0].content.fee == "不收费"


def test_status_decides_what_is_published(base: Base, tmp_path: Path) -> None:
    rows = [ROW | {"key": "a", "status": "draft", "alternatives": []}, ROW | {"key": "b", "status": "retired"}, ROW | {"key": "c"}]
    base.service.import_articles(jsonl(tmp_path, *rows), "editor")
    assert {view.key: view.status for view in base.service.list_articles().articles} == {
        "a": "draft",
        "b": "retired",
        "c": "published",
    }


@pytest.mark.parametrize("suffix", ["jsonl", "xlsx"])
def test_what_goes_out_comes_in_again_unchanged(base: Base, tmp_path: Path, suffix: str) -> None:
    words = {
        "title": "=1+1 居住证",
        "fee": "-5 元",
        "source": "@import",
        "materials": ["+身份证", "户口簿"],
        "answer": "第一行\n第二行。",
    }
    base.service.import_articles(jsonl(tmp_path, ROW | words, ROW | {"key": "b", "valid_to": "2027-01-01"}), "editor")
    out = tmp_path / f"out.{suffix}"
    assert base.service.export_articles(out) == 2
    report = base.service.import_articles(out, "editor")
    assert (report.created, report.revised, report.unchanged, report.errors) == (0, 0, 2, [])


def test_a_spreadsheet_takes_no_cell_for_a_formula(base: Base, tmp_path: Path) -> None:
    from zipfile import ZipFile

    base.service.import_articles(
        jsonl(tmp_path, ROW | {"title": "=HYPERLINK(1)", "fee": "+1", "source": "@x", "window": "-1"}), "editor"
    )
    base.service.export_articles(tmp_path / "out.xlsx")
    with ZipFile(tmp_path / "out.xlsx") as parts:
        strings, sheet = parts.read("xl/sharedStrings.xml").decode(), parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    for text in ("'=HYPERLINK(1)", "'+1", "'@x", "'-1"):
        assert f">{text}<" in strings


def test_a_spreadsheet_as_people_write_it(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet()
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, [FIELD_TITLES[name] for name in ROW])
        sheet.write_row(1, 0, [1001, "居住证", "问法一；问法二", "市公安局", "云川市", "户政", "带身份证。"])
        sheet.write_datetime(1, 7, __import__("datetime").datetime(2025, 1, 1), day)
        sheet.write_row(2, 0, ["b", "", "问法", "局", "市", "类", "答", "2025/1/1"])
        sheet.write_row(4, 0, ["c", "护照换发", "问法", "局", "市", "类", "答", "2025-01-01"])
    report = base.service.import_articles(path, "editor")
    assert report.created == 2
    assert [(error.row, error.message) for error in report.errors] == [(3, "标题：至少 2 个字；生效日期：日期要写成 2026-03-18")]
    found = base.service.list_articles(ArticleFilter(text="1001")).articles[0]
    assert found.content.alternatives == ("问法一", "问法二")
    assert found.content.valid_from.isoformat() == "2025-01-01"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"not a spreadsheet", "不是可以读的"),
        ("a.xlsx", b"", "不是可以读的"),
        ("a.csv", b"x", "只能导入"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(base: Base, tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError, match=message):
        base.service.import_articles(tmp_path / name, "editor")


def test_an_unknown_column_is_refused(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.add_worksheet().write_row(0, 0, ["编号", "标题", "颜色"])
    with pytest.raises(InvalidInputError, match="颜色"):
        base.service.import_articles(path, "editor")


def test_a_missing_file_and_an_unwritable_one(base: Base, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="读不到"):
        base.service.import_articles(tmp_path / "none.jsonl", "editor")
    with pytest.raises(InvalidInputError):
        base.service.export_articles(tmp_path / "no-folder" / "a.jsonl")
    with pytest.raises(InvalidInputError, match="只能导出"):
        base.service.export_articles(tmp_path / "a.pdf")


def test_the_demonstration_loads_twice_into_the_same_articles(base: Base) -> None:
    loaded = base.service.load_demonstration("setup")
    assert loaded == base.service.count_articles() >= 120
    assert base.service.load_demonstration("setup") == loaded
    assert base.service.count_articles("published") == loaded
    views = base.service.list_articles(size=200).articles
    assert all(view.is_demo and view.latest_revision_no == 1 for view in views)
