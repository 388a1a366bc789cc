"""Approval cases: the list by conditions in the address, and one case. They come by import or over the API; nobody types them."""

import uuid
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webui.callbacks import may_dial, rows_of_case
from webui.calls import WholeNumberError
from webui.cases_query import read_cases_query
from webui.errors import says
from webui.house import current_house
from webui.paging import SIZE, Page, page_number, without
from webui.permissions import Permission, requires
from webui.person import current_person
from workorder.case_view import CaseNotFoundError, CaseView

blueprint = Blueprint("cases", __name__, url_prefix="/cases")
_STATES = {"open": _l("办理中"), "closed": _l("已办结")}
_CONDITIONS = {
    "q": _l("搜索"),
    "unit": _l("单位"),
    "region": _l("区域"),
    "state": _l("状态"),
    "from": _l("办结日期"),
    "to": _l("办结日期"),
}

says(CaseNotFoundError, lambda error: _("没有这个办件。请从办件列表重新进入。"))


@blueprint.get("/")
@requires(Permission.READ_CASES)
def index() -> str:
    """List cases, open ones first, then the last closed."""
    workorder = current_house().workorder
    query = read_cases_query(request.args, may_see_numbers=current_person().may(Permission.REVEAL_NUMBERS))
    if query.is_refused:
        raise WholeNumberError
    number = page_number()
    found = workorder.list_cases(query.wanted, offset=(number - 1) * SIZE, limit=SIZE)
    return render_template(
        "cases/index.html",
        cases=found.cases,
        page=Page(number, found.total),
        facets=workorder.case_facets(),
        states=list(_STATES.items()),
        conditions=[(_condition(name, value), without(name)) for name, value in query.chosen],
        arguments=request.args,
    )


@blueprint.get("/<uuid:case_id>")
@requires(Permission.READ_CASES)
def show(case_id: uuid.UUID) -> Any:
    """Show one case."""
    case = current_house().workorder.get_case(case_id)
    return render_template("cases/show.html", case=case, source=_source(case), rows=rows_of_case(case_id), may_dial=may_dial())


def _condition(name: str, value: str) -> str:
    shown = str(_STATES[value]) if name == "state" else value
    return str(_("%(name)s：%(value)s", name=_CONDITIONS[name], value=shown))


def _source(case: CaseView) -> str:
    kind, _colon, name = case.source.partition(":")
    if kind == "import":
        return str(_("导入 %(name)s", name=name))
    return str(_("接口 %(name)s", name=name) if name else _("接口"))
