"""Approval cases on a real database: once for each number, closed once, imported row by row."""

import io
import threading
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import select

from core.audit import AuditEntry
from core.errors import InvalidInputError, NotFoundError
from tests.integration.workorder.conftest import Desk
from workorder.case_fields import InvalidCaseError
from workorder.case_view import CaseFilter

RAW: dict[str, Any] = {
    "number": "YC-1",
    "matter": "居住证申领",
    "unit": "市公安局",
    "phone": "13800138000",
    "applicant": "张三",
}
CLOSED = "2026-03-17 10:00:00"
HEADING = "办件编号,事项名称,承办单位,联系电话,办结时间"


def csv(*lines: str) -> bytes:
    return "\n".join([HEADING, *lines]).encode()


def closed(desk: Desk) -> list[uuid.UUID]:
    return [event.case_id for event in desk.events("CaseClosed")]  # type: ignore[attr-defined]


def test_a_number_is_one_case(desk: Desk) -> None:
    case_id, change = desk.service.save_case(RAW, "api")
    assert change == "created"
    assert desk.service.save_case(RAW, "api") == (case_id, "unchanged")
    assert desk.service.save_case(RAW | {"result": "准予"}, "api") == (case_id, "changed")
    view = desk.service.get_case(case_id)
    assert (view.result, view.applicant, view.closed_at, view.source) == ("准予", "张三", None, "api")
    assert view.updated_at > view.created_at
    assert desk.service.list_cases().total == 1


def test_closing_is_told_exactly_once(desk: Desk) -> None:
    case_id, _ = desk.service.save_case(RAW, "api")
    assert closed(desk) == []
    desk.service.save_case(RAW | {"closed_at": CLOSED}, "api")
    assert closed(desk) == [case_id]
    desk.service.save_case(RAW | {"closed_at": CLOSED}, "api")
    desk.service.save_case(RAW | {"closed_at": "2026-03-17 11:00:00"}, "api")
    desk.service.save_case(RAW | {"closed_at": ""}, "api")
    desk.service.save_case(RAW | {"matter": "居住证换领"}, "api")
    assert closed(desk) == [case_id]
    view = desk.service.get_case(case_id)
    assert view.closed_at is not None, "a source that leaves the time out does not open a closed case"
    other, _ = desk.service.save_case(RAW | {"number": "YC-2", "closed_at": CLOSED}, "api")
    assert closed(desk) == [case_id, other], "known closed from the start"


def test_what_a_source_leaves_out_stays(desk: Desk) -> None:
    case_id, _ = desk.service.save_case(RAW | {"hall": "中心大厅", "is_confidential": "是"}, "api")
    desk.service.save_case({name: RAW[name] for name in ("number", "matter", "unit", "phone")}, "api")
    view = desk.service.get_case(case_id)
    assert (view.hall, view.applicant, view.is_confidential) == ("中心大厅", "张三", True)


def test_a_wrong_value_changes_nothing(desk: Desk) -> None:
    with pytest.raises(InvalidCaseError) as refused:
        desk.service.save_case(RAW | {"phone": "1380013800", "closed_at": "明天"}, "api")
    assert set(refused.value.problems) == {"phone", "closed_at"}
    assert desk.service.list_cases().total == 0


def test_many_at_once_make_one(desk: Desk) -> None:
    barrier, changes = threading.Barrier(6), []

    def save() -> None:
        barrier.wait()
        changes.append(desk.service.save_case(RAW | {"closed_at": CLOSED}, "api")[1])

    threads = [threading.Thread(target=save) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changes) == ["created"] + ["unchanged"] * 5
    assert len(closed(desk)) == 1


def test_an_import_tells_row_by_row(desk: Desk) -> None:
    report = desk.service.import_cases(
        csv(
            f"A-1,居住证申领,市公安局,13800138000,{CLOSED}",
            "A-2,,市公安局,1380013800,",
            "A-1,居住证申领,市公安局,13900139000,",
            "=1+1,x,y,13800138000,",
            f"A-3,护照换发,市公安局,139 0013 9000,{CLOSED},多,两格",
            "A-4,营业执照,市监局,010-62345678,",
            "A-5,营业执照,市监局,13700137000,2099-01-01",
        ),
        "三月.csv",
        "monitor",
    )
    assert (report.created, report.changed, report.unchanged, report.refused_rows) == (2, 0, 0, 5)
    assert [(one.row, one.number, one.field) for one in report.refused] == [
        (3, "A-2", "matter"),
        (3, "A-2", "phone"),
        (4, "A-1", "number"),
        (5, "=1+1", "number"),
        (6, "", ""),
        (8, "A-5", "closed_at"),
    ]
    assert report.refused[2].message == "与第 2 行重复"
    assert desk.service.get_import(report.import_id) == report
    listed = desk.service.list_imports()[0]
    assert (listed.import_id, listed.refused_rows, listed.refused) == (report.import_id, 5, [])
    cases = {view.number: view for view in desk.service.list_cases().cases}
    assert set(cases) == {"A-1", "A-4"}
    assert (cases["A-4"].phone, cases["A-1"].source) == ("01062345678", "import:三月.csv")
    assert closed(desk) == [cases["A-1"].case_id]
    with desk.database.transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "case.imported")).one()
        assert (entry.actor, entry.detail["created"], entry.detail["refused"]) == ("monitor", 2, 5)


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    content = csv(f"A-1,居住证,市公安局,13800138000,{CLOSED}", "A-2,护照,市公安局,13900139000,")
    desk.service.import_cases(content, "a.csv", "monitor")
    report = desk.service.import_cases(content, "a.csv", "monitor")
    assert (report.created, report.changed, report.unchanged) == (0, 0, 2)
    report = desk.service.import_cases(csv(f"A-2,护照,市公安局,13900139000,{CLOSED}"), "b.csv", "monitor")
    assert (report.created, report.changed, report.unchanged) == (0, 1, 0)
    assert len(closed(desk)) == 2


def test_a_spreadsheet(desk: Desk, tmp_path: Path) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["number", "matter", "department", "mobile", "closed"])
        sheet.write_row(1, 0, [1001, "居住证", "市公安局", 13800138000, CLOSED])
    path = tmp_path / "cases.xlsx"
    path.write_bytes(out.getvalue())
    report = desk.service.import_cases(path, path.name, "monitor")
    assert (report.created, report.refused_rows) == (1, 0)
    assert desk.service.list_cases().cases[0].number == "1001"


def test_a_file_that_is_none_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    for content, name in ((b"\x00\x01", "a.csv"), (b"x", "a.xlsx"), (b"x", "a.exe")):
        with pytest.raises(InvalidInputError):
            desk.service.import_cases(content, name, "monitor")
    with pytest.raises(InvalidInputError, match="读不到"):
        desk.service.import_cases(tmp_path / "none.csv", "none.csv", "monitor")
    assert desk.service.list_imports() == []


def test_a_hostile_file_name_is_kept_plain(desk: Desk) -> None:
    report = desk.service.import_cases(csv("A-1,居,局,13800138000,"), "..\x00/\r\n<b>\u202ex.csv", "monitor")
    assert report.file_name == "../<b>x.csv"


def test_a_large_file(desk: Desk) -> None:
    lines = [f"B-{number},居住证申领,市公安局,138{number:08},{CLOSED}" for number in range(3000)]
    report = desk.service.import_cases(csv(*lines), "large.csv", "monitor")
    assert (report.created, len(closed(desk))) == (3000, 3000)


def test_the_list_finds_by_conditions(desk: Desk) -> None:
    desk.service.save_case(RAW | {"closed_at": CLOSED, "region": "城东区"}, "api")
    desk.service.save_case(RAW | {"number": "YC_2", "unit": "市监局", "phone": "13900139000", "applicant": "李%四"}, "api")
    found = desk.service.list_cases

    def numbers(**wanted: Any) -> list[str]:
        return [view.number for view in found(CaseFilter(**wanted)).cases]

    assert numbers() == ["YC_2", "YC-1"], "open ones first"
    assert numbers(text="居住证") == ["YC_2", "YC-1"]
    assert numbers(text="_") == ["YC_2"]
    assert numbers(text="%") == ["YC_2"]
    assert numbers(number="YC-1") == ["YC-1"]
    assert numbers(phone_tail="9000") == ["YC_2"]
    assert numbers(phone="13800138000") == ["YC-1"]
    assert numbers(unit="市监局") == ["YC_2"]
    assert numbers(is_closed=True) == ["YC-1"]
    now = desk.clock.now()
    assert numbers(closed_from=now - timedelta(days=2), closed_before=now) == ["YC-1"]
    assert numbers(closed_from=now) == []
    assert found(CaseFilter(), offset=1, limit=1).total == 2
    assert desk.service.case_facets() == {"unit": ["市公安局", "市监局"], "region": ["城东区"]}
    case = found().cases[1]
    assert desk.service.cases_of([case.case_id, uuid.uuid4()]) == {case.case_id: case}
    assert desk.service.cases_closed_between(now - timedelta(days=2), now) == [case]


def test_what_is_not_there(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.service.get_case(uuid.uuid4())
    with pytest.raises(NotFoundError):
        desk.service.get_import(uuid.uuid4())
