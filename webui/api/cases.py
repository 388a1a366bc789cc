"""Approval cases over the API: the hall's approval system sends them, one or many, as often as it likes."""

from typing import Any

from core.clock import day_bounds
from webui.api.application import PREFIX, resource
from webui.api.case_items import (
    BatchBody,
    BatchReport,
    BatchRow,
    CaseBody,
    CaseItem,
    CaseList,
    CasePath,
    CasesQuery,
    SavedCase,
)
from webui.api.fields import bounded_day, tell
from webui.api.refusals import WrongField, wrong_fields
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor
from workorder.case_fields import InvalidCaseError
from workorder.case_view import CaseFilter

blueprint = resource("cases")
_LONGEST_SHOWN = 64


@blueprint.get("/cases", responses={200: CaseList}, operation_id="list_cases", summary="办件列表")
@requires(Permission.READ_CASES)
def list_cases(query: CasesQuery) -> Any:
    """List cases, open ones first, then the last closed."""
    wanted = CaseFilter(
        text=query.q,
        number=query.number,
        phone_tail=query.phone_tail[-4:],
        unit=query.unit,
        region=query.region,
        is_closed=None if query.state is None else query.state == "closed",
        closed_from=day_bounds(bounded_day(query.closed_since))[0] if query.closed_since else None,
        closed_before=day_bounds(bounded_day(query.closed_until))[1] if query.closed_until else None,
    )
    found = current_house().workorder.list_cases(wanted, query.offset, query.size)
    return tell(CaseList(items=[CaseItem.of(view) for view in found.cases], page=query.page, size=query.size, total=found.total))


@blueprint.get("/cases/<case_id>", responses={200: CaseItem}, operation_id="get_case", summary="一个办件")
@requires(Permission.READ_CASES)
def get_case(path: CasePath) -> Any:
    """Return one case."""
    return tell(CaseItem.of(current_house().workorder.get_case(path.case_id)))


@blueprint.post("/cases", responses={200: SavedCase, 201: SavedCase}, operation_id="save_case", summary="送来一个办件")
@requires(Permission.IMPORT_CASES)
def save_case(body: CaseBody) -> Any:
    """Create or change the case with this number. Sending the same again changes nothing; 201 only for a new one."""
    fields = {name: value for name, value in body.model_dump().items() if value is not None}
    try:
        case_id, change = current_house().workorder.save_case(fields, _source())
    except InvalidCaseError as error:
        return wrong_fields(_named(error))
    saved = SavedCase(case_id=case_id, number=current_house().workorder.get_case(case_id).number, change=change)
    is_new = change == "created"
    return tell(saved, 201 if is_new else 200, f"{PREFIX}/cases/{case_id}" if is_new else None)


@blueprint.post("/cases/batch", responses={200: BatchReport}, operation_id="save_cases", summary="送来一批办件")
@requires(Permission.IMPORT_CASES)
def save_cases(body: BatchBody) -> Any:
    """Create or change many cases, each by itself; the answer tells what became of each, in order."""
    rows = [_save(index, dict(item)) for index, item in enumerate(body.items)]
    counts = {change: sum(row.change == change for row in rows) for change in ("created", "changed", "unchanged", "refused")}
    return tell(BatchReport(items=rows, **counts))


def _save(index: int, item: dict[str, Any]) -> BatchRow:
    given = item.get("number")
    shown = "".join(character for character in str(given) if character.isprintable())[:_LONGEST_SHOWN] if given is not None else ""
    fields = {name: value for name, value in item.items() if value is not None}
    try:
        case_id, change = current_house().workorder.save_case(fields, _source())
    except InvalidCaseError as error:
        return BatchRow(index=index, number=shown, change="refused", fields=_named(error))
    return BatchRow(index=index, number=shown, change=change, case_id=case_id)


def _named(error: InvalidCaseError) -> list[WrongField]:
    return [WrongField(field=name[:_LONGEST_SHOWN], problem=problem) for name, problem in error.problems.items()]


def _source() -> str:
    return f"api:{actor()}"
