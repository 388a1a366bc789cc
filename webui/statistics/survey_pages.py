"""One survey with its answers, and its withdrawal (撤回): the citizen does not want it counted any more."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import InvalidInputError
from survey.scoring import in_words
from webui.errors import says
from webui.house import current_house
from webui.languages import is_english
from webui.permissions import Permission, requires
from webui.person import actor
from webui.statistics.behind_pages import STATE_WORDS
from webui.statistics.desk import current_desk
from webui.statistics.pages import blueprint as blueprint  # its views stand in several files
from webui.statistics.pages import common
from webui.statistics.questionnaire_view import WAY_WORDS

_LONGEST_REASON = 200


class MissingReasonError(InvalidInputError):
    """A survey is withdrawn for a reason that can be read later."""


says(MissingReasonError, lambda error: _("请写明撤回的原因。答卷没有撤回。"))


@blueprint.get("/surveys/<uuid:survey_id>")
@requires(Permission.READ_STATISTICS)
def survey(survey_id: uuid.UUID) -> str:
    """Show one survey."""
    surveys = current_house().survey
    found = surveys.view(survey_id)
    definition, language = surveys.definition(found.version_id), "en" if is_english() else "zh"
    answers = {answer.question_key: answer for answer in found.answers}
    return render_template(
        "statistics/survey.html",
        **common(current_desk(compares=False), "index"),
        survey=found,
        title=definition.title.in_language(language),
        answers=[
            (one.title.in_language(language), in_words(one, answers[one.key].value, language), answers[one.key])
            for one in definition.questions
            if one.key in answers
        ],
        way_words=WAY_WORDS,
        state_words=STATE_WORDS,
        longest_reason=_LONGEST_REASON,
    )


@blueprint.post("/surveys/<uuid:survey_id>/withdraw")
@requires(Permission.WITHDRAW_SURVEYS)
def withdraw_survey(survey_id: uuid.UUID) -> Any:
    """Count a survey no more; who did it and why stands in the audit."""
    reason = request.form.get("reason", "").replace("\x00", "").strip()[:_LONGEST_REASON]
    if not reason:
        raise MissingReasonError
    current_house().survey.withdraw(survey_id, actor(), reason)
    flash(_("答卷已撤回，一分钟内从各项统计中去掉"), "ok")
    return redirect(url_for("statistics.survey", survey_id=survey_id))
