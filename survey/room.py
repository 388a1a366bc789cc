"""Whether somebody may be asked now: which version of a questionnaire is asked, and whether its quotas have room."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey.models import QuestionnaireVersion, Survey
from survey.schema import QuestionnaireDefinition, Quota
from survey.survey_state import SurveyState
from survey.views import NotLaunchedError, QuestionnaireNotFoundError, QuotaFullError, SurveyContext


def asked_now(
    session: Session, version_id: uuid.UUID, way: str, context: SurveyContext
) -> tuple[QuestionnaireVersion, QuestionnaireDefinition]:
    """Return a version, or the one that took its place.

    Raises:
        QuestionnaireNotFoundError, NotLaunchedError, QuotaFullError
    """
    version = session.get(QuestionnaireVersion, version_id)
    if version is None:
        raise QuestionnaireNotFoundError(str(version_id))
    if version.state != "launched":
        version = _successor(session, version)
    definition = QuestionnaireDefinition.model_validate(version.definition)
    check_room(session, version.id, definition, way, context)
    return version, definition


def _successor(session: Session, version: QuestionnaireVersion) -> QuestionnaireVersion:
    """Return the version that took the place of a retired one: what was owed before a launch is asked in the new words."""
    found = None
    if version.state == "retired":
        found = session.scalar(
            select(QuestionnaireVersion).where(
                QuestionnaireVersion.questionnaire_id == version.questionnaire_id, QuestionnaireVersion.state == "launched"
            )
        )
    if found is None:
        raise NotLaunchedError(str(version.id))
    return found


def check_room(
    session: Session, version_id: uuid.UUID, definition: QuestionnaireDefinition, way: str, about: SurveyContext | Survey
) -> None:
    """Raise QuotaFullError when enough have answered of those whom a survey about this is one of."""
    if any(_is_full(session, version_id, quota, way, about) for quota in definition.quotas):
        raise QuotaFullError(str(version_id))


def _is_full(session: Session, version_id: uuid.UUID, quota: Quota, way: str, about: SurveyContext | Survey) -> bool:
    """Say whether a quota that this survey falls under is full. Who is being asked now counts, or all would be let in at once."""
    wanted = way if quota.field == "way" else getattr(about, quota.field, "") if quota.field else ""
    if quota.field and (wanted or "") != quota.value:
        return False
    conditions = [
        Survey.questionnaire_version_id == version_id,
        Survey.state.in_((SurveyState.STARTED, SurveyState.COMPLETED, SurveyState.PARTIAL)),
        Survey.withdrawn_at.is_(None),
    ]
    if quota.field:
        conditions.append(getattr(Survey, quota.field) == quota.value)
    return (session.scalar(select(func.count()).select_from(Survey).where(*conditions)) or 0) >= quota.most
