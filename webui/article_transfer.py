"""Articles in and out by file: an import that says what is wrong with which row, an export of everything."""

import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request, send_file
from flask_babel import gettext as _

from core import audit
from core.clock import local_time
from core.errors import InvalidInputError, TingjianError
from webui.errors import message, says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor

blueprint = Blueprint("article_transfer", __name__, url_prefix="/articles")
_KINDS = {".jsonl", ".xlsx"}
_TYPES = {
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class NoFileError(InvalidInputError):
    """Nothing was chosen."""


class WrongKindOfFileError(InvalidInputError):
    """Neither .jsonl nor .xlsx."""


says(NoFileError, lambda error: _("请先选择文件。"))
says(WrongKindOfFileError, lambda error: _("只收 .jsonl 和 .xlsx 文件。可先导出一份，照它的格式填写。"))


@blueprint.get("/import")
@requires(Permission.TRANSFER_ARTICLES)
def choose() -> Any:
    """Show the form."""
    return render_template("articles/import.html", report=None, error="", filename="")


@blueprint.post("/import")
@requires(Permission.TRANSFER_ARTICLES)
def take() -> Any:
    """Import what was sent and report row by row."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise NoFileError
        kind = Path(sent.filename).suffix.lower()
        if kind not in _KINDS:
            raise WrongKindOfFileError
        # The name is the sender's word: only its ending is used, and only out of the two.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"upload{kind}"
            sent.save(path)
            report = current_house().kb.import_articles(path, actor())
    except TingjianError as error:
        return render_template("articles/import.html", report=None, error=message(error), filename=""), error.status
    return render_template("articles/import.html", report=report, error="", filename=sent.filename)


@blueprint.get("/export")
@requires(Permission.TRANSFER_ARTICLES)
def export() -> Response:
    """Send all articles as one file; kept in the audit."""
    kind = "jsonl" if request.args.get("format") == "jsonl" else "xlsx"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"articles.{kind}"
        count = current_house().kb.export_articles(path)
        with current_house().database.transaction() as session:
            audit.record(session, actor(), "article.exported", "articles", {"count": count})
        day = local_time(current_house().clock.now()).strftime("%Y%m%d")
        # The open file outlives its folder until it is sent.
        return send_file(path.open("rb"), mimetype=_TYPES[kind], as_attachment=True, download_name=f"articles-{day}.{kind}")
