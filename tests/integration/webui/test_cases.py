"""The pages of approval cases: the list, one case, and the import with its report."""

import csv
import io
import re
from typing import Any

import pytest
from flask import Flask

from tests.fakes.browser import Browser
from tests.integration.webui.conftest import PASSWORD
from workorder.service import WorkorderService

pytestmark = pytest.mark.usefixtures("people")
RAW: dict[str, Any] = {"number": "YC-1", "matter": "居住证申领", "unit": "市公安局", "phone": "13800138000", "applicant": "张三"}
HEADING = "办件编号,事项名称,承办单位,联系电话,办结时间"


@pytest.fixture
def workorder(app: Flask) -> WorkorderService:
    service: WorkorderService = app.extensions["house"].workorder
    return service


@pytest.fixture
def supervisor(client: Browser) -> Browser:
    client.log_in("supervisor", PASSWORD)
    return client


def text(answer: Any) -> str:
    page: str = answer.get_data(as_text=True)
    return page


def send(browser: Browser, content: bytes, name: str) -> Any:
    return browser.post("/cases/import", data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")


def test_the_list_filters_and_masks(supervisor: Browser, workorder: WorkorderService) -> None:
    workorder.save_case(RAW | {"closed_at": "2026-03-17 10:00:00"}, "api:approval")
    workorder.save_case(RAW | {"number": "YC-2", "matter": "护照换发", "unit": "出入境", "phone": "13900139000"}, "api")
    page = text(supervisor.get("/cases/"))
    assert "居住证申领" in page
    assert "138****8000" in page
    assert "13800138000" not in page
    assert "第 1–2 条，共 2 条" in page
    assert "护照换发" not in text(supervisor.get("/cases/?state=closed"))
    assert "居住证申领" not in text(supervisor.get("/cases/?unit=出入境"))
    assert "居住证申领" in text(supervisor.get("/cases/?q=8000"))
    assert "护照换发" not in text(supervisor.get("/cases/?q=13800138000"))
    assert "护照换发" not in text(supervisor.get("/cases/?from=2026-03-17&to=2026-03-17"))
    for address in ("/cases/?q=%25", "/cases/?from=2026-03-18", "/cases/?region=没有"):
        assert "没有符合条件的办件" in text(supervisor.get(address)), address
    for address in ("/cases/?from=x&to=9999-99-99", "/cases/?state=eaten", "/cases/?page=-3", "/cases/?q=%00"):
        assert "居住证申领" in text(supervisor.get(address)), address


def test_an_empty_list_says_what_to_do(supervisor: Browser) -> None:
    assert "还没有办件" in text(supervisor.get("/cases/"))


def test_a_whole_number_is_looked_for_only_with_the_right(client: Browser) -> None:
    client.log_in("manager", PASSWORD)
    assert client.get("/cases/?q=13800138000").status_code == 403
    assert client.get("/cases/?q=8000").status_code == 200


def test_one_case(supervisor: Browser, workorder: WorkorderService) -> None:
    case_id, _ = workorder.save_case(RAW | {"hall": "中心大厅", "window": "A1", "result": "准予"}, "import:三月.csv")
    page = text(supervisor.get(f"/cases/{case_id}"))
    for words in ("YC-1", "中心大厅 A1", "准予", "张三", "138****8000", "导入 三月.csv", "办理中"):
        assert words in page
    assert supervisor.get("/cases/00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_confidential_case_shows_nobody(supervisor: Browser, workorder: WorkorderService) -> None:
    case_id, _ = workorder.save_case(RAW | {"is_confidential": "是"}, "api")
    for address in ("/cases/", f"/cases/{case_id}"):
        page = text(supervisor.get(address))
        assert "保密" in page
        assert "张三" not in page
        assert "8000" not in page


def test_hostile_words_are_only_text(supervisor: Browser, workorder: WorkorderService) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    names = ("matter", "unit", "hall", "region", "applicant", "result", "category")
    case_id, _ = workorder.save_case(RAW | dict.fromkeys(names, evil), f"import:{evil}")
    report = workorder.import_cases(f'{HEADING}\n"<b>{evil}",x,y,z,\n'.encode(), f"{evil}.csv", "supervisor")
    addresses = ("/cases/", f"/cases/{case_id}", "/cases/import", f"/cases/imports/{report.import_id}", f"/cases/?q={evil}")
    for address in addresses:
        page = text(supervisor.get(address))
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address


def test_import_shows_and_gives_away_what_was_refused(supervisor: Browser, workorder: WorkorderService) -> None:
    content = f"{HEADING}\nA-1,居住证,市公安局,13800138000,2026-03-17\n=A2,,局,没有,\n".encode("gb18030")
    answer = send(supervisor, content, "三月.csv")
    assert answer.status_code == 302
    page = text(supervisor.get(answer.headers["Location"]))
    assert "没有导入的行" in page
    assert "不是电话号码" in page
    assert "三月.csv" in page
    link = re.search(r'href="([^"]+refused\.csv)"', page)
    assert link
    table = supervisor.get(link[1])
    assert table.headers["Content-Disposition"].startswith('attachment; filename="refused-')
    rows = list(csv.reader(io.StringIO(table.get_data().decode("utf-8-sig"))))
    assert rows[0] == ["行", "办件编号", "字段", "哪里不对"]
    assert [row[:3] for row in rows[1:]] == [["3", "'=A2", "办件编号"], ["3", "'=A2", "事项名称"], ["3", "'=A2", "联系电话"]]
    assert workorder.list_cases().total == 1
    assert "三月.csv" in text(supervisor.get("/cases/import"))


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "", "请先选择文件"),
        (b"x", "a.exe", "只收 .csv"),
        (b"junk", "a.xlsx", "不是可以读的表格"),
        ("办件编号,颜色\n".encode(), "a.csv", "不认识的列名：颜色"),
        (b"\xff\xff\xff\x81,x\n", "a.csv", "GB18030"),
    ],
)
def test_a_file_that_is_none_is_said(supervisor: Browser, content: bytes, name: str, words: str) -> None:
    answer = send(supervisor, content, name)
    assert answer.status_code == 400
    assert words in text(answer)


def test_the_template_can_be_imported(supervisor: Browser, workorder: WorkorderService) -> None:
    template = supervisor.get("/cases/import/template.csv").get_data()
    answer = send(supervisor, template, "cases.csv")
    assert "每一行都导入了" in text(supervisor.get(answer.headers["Location"]))
    assert workorder.list_cases().cases[0].closed_at is not None


def test_who_may(client: Browser) -> None:
    client.log_in("manager", PASSWORD)
    page = text(client.get("/cases/"))
    assert "/cases/import" not in page
    assert client.get("/cases/import").status_code == 403
    client.log_in("agent", PASSWORD)
    assert client.get("/cases/").status_code == 403


def test_in_english(supervisor: Browser, workorder: WorkorderService) -> None:
    case_id, _ = workorder.save_case(RAW, "api")
    supervisor.post("/language", data={"language": "en", "next": "/cases/"})
    for address in ("/cases/", f"/cases/{case_id}", "/cases/import", "/sms/"):
        page = text(supervisor.get(address))
        for word in ("办件编号", "承办单位", "导入", "短信"):
            assert word not in page, (address, word)
