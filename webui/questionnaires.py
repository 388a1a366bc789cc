"""Questionnaires: the list with versions and how many answered, a new one, launching, retiring."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import TingjianError
from survey.logic import check
from survey.prompting import PromptLibrary
from survey.schema import QuestionnaireDefinition
from survey.views import (
    BadQuestionnaireKeyError,
    DraftExistsError,
    NotLaunchableError,
    QuestionnaireKeyTakenError,
    QuestionnaireNotFoundError,
    QuestionnaireView,
    VersionEditedMeanwhileError,
    VersionFrozenError,
)
from webui.errors import message, says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor
from webui.statistics.desk import surveys_by_version

blueprint = Blueprint("questionnaires", __name__, url_prefix="/questionnaires")
LONGEST_TITLE = 60

says(QuestionnaireNotFoundError, lambda error: _("没有这份问卷，或没有这一版。请从问卷列表重新进入。"))
says(QuestionnaireKeyTakenError, lambda error: _("代号“%(key)s”已经有了，请换一个。", key=error.key[:64]))
says(BadQuestionnaireKeyError, lambda error: _("代号用小写字母开头，只能有小写字母、数字和下划线，2 到 40 个。"))
says(VersionFrozenError, lambda error: _("第 %(number)s 版已经发布，不能再改。请另开一版。", number=error.version_no))
says(
    VersionEditedMeanwhileError,
    lambda error: _("%(name)s 刚刚改过这一版，您的修改没有保存。请打开最新的内容核对后再改。", name=error.author),
)
says(DraftExistsError, lambda error: _("已经有第 %(number)s 版草稿，请在它上面改。", number=error.version_no))
says(NotLaunchableError, lambda error: _("还不能发布：") + " ".join(problem.text for problem in error.problems))


def state_words() -> dict[str, tuple[str, str]]:
    """Return the states of a version: (word, class of the badge)."""
    return {"draft": (_("草稿"), "warn"), "launched": (_("在用"), "ok"), "retired": (_("已停用"), "")}


@blueprint.get("/")
@requires(Permission.READ_QUESTIONNAIRES)
def index() -> Any:
    """List questionnaires with their versions."""
    return _index({}, {})


@blueprint.post("/")
@requires(Permission.EDIT_QUESTIONNAIRES)
def create() -> Any:
    """Make a questionnaire and open its first draft."""
    title, key = request.form.get("title", "").strip(), request.form.get("key", "").strip()
    typed = {"title": title, "key": key}
    if not title or len(title) > LONGEST_TITLE:
        return _index(typed, {"title": _("请写标题，最多 %(count)s 个字。", count=LONGEST_TITLE)}), 400
    try:
        definition = QuestionnaireDefinition.model_validate({"title": {"zh": title}})
        made = current_house().survey.create_questionnaire(actor(), key or f"q_{uuid.uuid4().hex[:8]}", definition)
    except (QuestionnaireKeyTakenError, BadQuestionnaireKeyError) as error:
        return _index(typed, {"key": message(error)}), error.status
    return redirect(_editor(made.version_id))


@blueprint.post("/<uuid:version_id>/version")
@requires(Permission.EDIT_QUESTIONNAIRES)
def new_version(version_id: uuid.UUID) -> Any:
    """Open a draft with the words of this version."""
    try:
        made = current_house().survey.new_version(actor(), version_id)
    except DraftExistsError as error:
        flash(message(error), "warn")
        return redirect(_editor(error.version_id))
    return redirect(_editor(made.version_id))


@blueprint.post("/<uuid:version_id>/launch")
@requires(Permission.EDIT_QUESTIONNAIRES)
def launch(version_id: uuid.UUID) -> Any:
    """Freeze a draft and ask it from now on."""
    try:
        version = current_house().survey.launch(actor(), version_id)
    except NotLaunchableError as error:
        flash(message(error), "bad")
        return redirect(_editor(version_id))
    flash(_("已发布第 %(number)s 版，新的回访用它", number=version.version_no), "ok")
    return redirect(_editor(version_id))


@blueprint.post("/<uuid:version_id>/retire")
@requires(Permission.EDIT_QUESTIONNAIRES)
def retire(version_id: uuid.UUID) -> Any:
    """Ask a version no more."""
    version = current_house().survey.retire(actor(), version_id)
    flash(_("已停用第 %(number)s 版", number=version.version_no), "ok")
    return redirect(url_for("questionnaires.index"))


@blueprint.post("/<uuid:version_id>/discard")
@requires(Permission.EDIT_QUESTIONNAIRES)
def discard(version_id: uuid.UUID) -> Any:
    """Throw a draft away."""
    try:
        current_house().survey.discard_draft(actor(), version_id)
    except TingjianError as error:
        flash(message(error), "bad")
        return redirect(_editor(version_id))
    flash(_("草稿已删除"), "ok")
    return redirect(url_for("questionnaires.index"))


def _editor(version_id: uuid.UUID) -> str:
    return url_for("questionnaire_editor.edit", version_id=version_id)


def _unspoken(questionnaires: Sequence[QuestionnaireView]) -> dict[uuid.UUID, int]:
    """Return how many texts of launched versions have not been rendered yet: they are not asked by telephone."""
    library = PromptLibrary(current_house().settings.prompts)
    launched = [one.launched for one in questionnaires if one.launched]
    return {version.version_id: len(library.missing(version.definition)) for version in launched}


def _index(typed: dict[str, str], errors: dict[str, str]) -> str:
    questionnaires = current_house().survey.list_questionnaires()
    return render_template(
        "questionnaires/index.html",
        questionnaires=questionnaires,
        surveys=surveys_by_version(),
        unspoken=_unspoken(questionnaires),
        problems={one.draft.version_id: len(check(one.draft.definition)) for one in questionnaires if one.draft},
        names=current_house().accounts.names(),
        states=state_words(),
        typed=typed,
        errors=errors,
    )
