"""Approval cases in by file: what was taken, what was refused and why, row by row, to read and to take away."""

import uuid
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import TingjianError
from webui.article_transfer import NoFileError
from webui.errors import message, says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor
from workorder.case_fields import FIELD_TITLES, REQUIRED
from workorder.case_files import MOST_ROWS, CaseFileError, csv_text
from workorder.case_import import field_title
from workorder.case_view import ImportNotFoundError

blueprint = Blueprint("case_import", __name__, url_prefix="/cases")
_SHOWN = 200
_EXAMPLE = {
    "number": "YC-2026-000001",
    "matter": "居住证申领",
    "unit": "市公安局",
    "hall": "市政务服务中心",
    "window": "A12",
    "region": "云川市",
    "category": "户政",
    "applicant": "张某",
    "phone": "13800138000",
    "is_confidential": "否",
    "result": "准予许可",
    "accepted_at": "2026-03-16 09:30:00",
    "closed_at": "2026-03-17 15:20:00",
}

# What is wrong with a file is told in the words of whoever read it.
says(CaseFileError, lambda error: str(error))
says(ImportNotFoundError, lambda error: _("没有这次导入。请从导入页重新进入。"))


@blueprint.get("/import")
@requires(Permission.IMPORT_CASES)
def choose() -> Any:
    """Show the form and the latest imports."""
    return _page("")


@blueprint.post("/import")
@requires(Permission.IMPORT_CASES)
def take() -> Any:
    """Import what was sent, then show what became of it."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise NoFileError
        report = current_house().workorder.import_cases(sent.read(), sent.filename, actor())
    except TingjianError as error:
        return _page(message(error)), error.status
    return redirect(url_for("case_import.imported", import_id=report.import_id))


@blueprint.get("/imports/<uuid:import_id>")
@requires(Permission.IMPORT_CASES)
def imported(import_id: uuid.UUID) -> Any:
    """Show what became of an import."""
    report = current_house().workorder.get_import(import_id)
    return render_template("cases/imported.html", report=report, shown=report.refused[:_SHOWN], field_title=field_title)


@blueprint.get("/imports/<uuid:import_id>/refused.csv")
@requires(Permission.IMPORT_CASES)
def refused(import_id: uuid.UUID) -> Response:
    """Send what was refused as a table, to be corrected beside the file."""
    report = current_house().workorder.get_import(import_id)
    rows = [(problem.row, problem.number, field_title(problem.field), problem.message) for problem in report.refused]
    heads = [_(head) for head in ("行", "办件编号", "字段", "哪里不对")]
    return _table(csv_text(heads, rows), f"refused-{report.created_at:%Y%m%d-%H%M%S}.csv")


@blueprint.get("/import/template.csv")
@requires(Permission.IMPORT_CASES)
def template() -> Response:
    """Send an example with every column."""
    return _table(csv_text(FIELD_TITLES.values(), [[_EXAMPLE.get(name, "") for name in FIELD_TITLES]]), "cases.csv")


def _page(error: str) -> str:
    return render_template(
        "cases/import.html",
        error=error,
        imports=current_house().workorder.list_imports(),
        titles=FIELD_TITLES,
        required=REQUIRED,
        most_rows=MOST_ROWS,
    )


def _table(text: str, name: str) -> Response:
    response = Response(text, mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
