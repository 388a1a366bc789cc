"""The questionnaire as an agent fills it in while talking: every answer is kept the moment it is given.

A fragment for other pages; who shows it also says how the conversation ended.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from core.errors import PermissionDeniedError
from survey.interview import Accepted, Interview, NotUnderstood, take_form
from survey.opening import opening_words
from survey.views import BadAnswerError, NotLaunchedError, QuotaFullError, SurveyEndedError, SurveyNotFoundError, SurveyView
from webui.errors import says
from webui.house import current_house
from webui.languages import is_english
from webui.permissions import Permission, requires
from webui.person import current_person
from webui.survey_sheet import Field, field_of

blueprint = Blueprint("survey_form", __name__, url_prefix="/surveys")

says(SurveyNotFoundError, lambda error: _("没有这份调查。"))
says(SurveyEndedError, lambda error: _("这份问卷已经结束，答案不能再改。"))
says(BadAnswerError, lambda error: _("这个回答不在选项里，没有保存。请重新选。"))
says(NotLaunchedError, lambda error: _("这份问卷没有在用的版本，无法发起调查。请先发布。"))
says(QuotaFullError, lambda error: _("这份问卷的配额已满，不再发起新的调查。"))


@dataclass(frozen=True)
class AgentForm:
    """The fragment's content."""

    survey: SurveyView
    title: str
    opening: str
    fields: list[Field]
    required_left: list[int]


def render_agent_form(survey_id: uuid.UUID, problems: dict[str, str] | None = None) -> str:
    """Return the fragment, to be put into a page as it is."""
    survey = current_house().survey.view(survey_id)
    interview, problems = _interview(survey), problems or {}
    about, definition = survey.context, interview.definition
    numbers = {question.key: place for place, question in enumerate(interview.visible(), 1)}
    form = AgentForm(
        survey=survey,
        title=definition.title.in_language(interview.language),
        opening=opening_words(definition, matter=about.matter, unit=about.unit, hall=about.hall, language=interview.language),
        fields=[field_of(interview, question, problem=problems.get(question.key, "")) for question in interview.visible()],
        required_left=[numbers[question.key] for question in interview.unanswered_required()],
    )
    return render_template("survey/_agent_form.html", form=form)


@blueprint.get("/<uuid:survey_id>/form")
@requires(Permission.WORK_CALLBACKS)
def show(survey_id: uuid.UUID) -> Any:
    """Return the fragment as it stands."""
    _must_be_mine(current_house().survey.view(survey_id))
    return render_agent_form(survey_id)


@blueprint.post("/<uuid:survey_id>/answers/<key>")
@requires(Permission.WORK_CALLBACKS)
def answer(survey_id: uuid.UUID, key: str) -> Any:
    """Keep one answer, or take it back when nothing is sent."""
    surveys = current_house().survey
    survey = surveys.view(survey_id)
    _must_be_mine(survey)
    question = surveys.definition(survey.version_id).question(key)
    if question is None:
        raise BadAnswerError(key)
    problems: dict[str, str] = {}
    match take_form(question, request.form.getlist(key)):
        case Accepted(value=value):
            surveys.answer(survey_id, key, value)
        case NotUnderstood(reason) if reason != "required":
            problems[key] = reason
        case _:
            surveys.retract(survey_id, key)
    return render_agent_form(survey_id, problems)


def _interview(survey: SurveyView) -> Interview:
    definition = current_house().survey.definition(survey.version_id)
    return Interview(definition, survey.values, "en" if is_english() else "zh")


def _must_be_mine(survey: SurveyView) -> None:
    """An agent writes only into surveys that they ask; one that nobody in particular asks may be taken by any agent."""
    asked_by = survey.context.agent_id
    if survey.way != "agent" or (asked_by is not None and asked_by != current_person().agent_id):
        raise PermissionDeniedError(str(survey.survey_id))
