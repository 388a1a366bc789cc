"""Questionnaires and surveys over the API, to be read by programs that count for themselves."""

from typing import Any

from core.clock import day_bounds
from survey.views import SurveyFilter
from webui.api.application import resource
from webui.api.fields import bounded_day, tell
from webui.api.refusals import refuse
from webui.api.survey_items import (
    NoQuery,
    QuestionnaireItem,
    QuestionnaireList,
    SurveyItem,
    SurveyList,
    SurveyPath,
    SurveysQuery,
    WithdrawalBody,
)
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor
from webui.statistics.desk import surveys_by_version

blueprint = resource("surveys")


@blueprint.get("/questionnaires", responses={200: QuestionnaireList}, operation_id="list_questionnaires", summary="问卷列表")
@requires(Permission.READ_QUESTIONNAIRES)
def list_questionnaires(query: NoQuery) -> Any:
    """Return every questionnaire with its versions."""
    found = current_house().survey.list_questionnaires()
    surveys = surveys_by_version()
    return tell(QuestionnaireList(items=[QuestionnaireItem.of(one, surveys) for one in found]))


@blueprint.get("/surveys", responses={200: SurveyList}, operation_id="list_surveys", summary="调查与答卷")
@requires(Permission.READ_QUESTIONNAIRES)
def list_surveys(query: SurveysQuery) -> Any:
    """Return surveys with their answers, the newest first."""
    wanted = SurveyFilter(
        version_id=query.version_id,
        questionnaire_key=query.questionnaire,
        state=query.state,
        way=query.way,
        kind=query.kind,
        call_id=query.call_id,
        case_id=query.case_id,
        callback_id=query.callback_id,
        offered_from=day_bounds(bounded_day(query.offered_from))[0] if query.offered_from else None,
        offered_before=day_bounds(bounded_day(query.offered_to))[1] if query.offered_to else None,
    )
    found = current_house().survey.list_surveys(wanted, query.offset, query.size)
    items = [SurveyItem.of(survey) for survey in found.surveys]
    return tell(SurveyList(items=items, page=query.page, size=query.size, total=found.total))


@blueprint.post("/surveys/<survey_id>/withdrawal", responses={200: SurveyItem}, operation_id="withdraw_survey", summary="撤回答卷")
@requires(Permission.WITHDRAW_SURVEYS)
def withdraw_survey(path: SurveyPath, body: WithdrawalBody) -> Any:
    """Count a survey no more, by the citizen's wish; its answers stay for the record. Again is harmless."""
    if not body.reason.strip():
        refuse("reason", "must say why")
    return tell(SurveyItem.of(current_house().survey.withdraw(path.survey_id, actor(), body.reason.strip())))
