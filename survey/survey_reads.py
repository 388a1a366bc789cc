"""Surveys as they are read: one with its answers, and lists."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.database import Database
from survey.models import Answer, Questionnaire, QuestionnaireVersion, Survey
from survey.views import SurveyFilter, SurveyNotFoundError, SurveyPage, SurveyView, survey_view

_LONGEST_PAGE = 500


class SurveyReads:
    """Answers what others ask about surveys; writes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def view(self, survey_id: uuid.UUID) -> SurveyView:
        """Return a survey with its answers."""
        with self._database.transaction() as session:
            row = session.get(Survey, survey_id)
            if row is None:
                raise SurveyNotFoundError(str(survey_id))
            return survey_view(row, answers_of(session, survey_id))

    def list(self, wanted: SurveyFilter, offset: int, limit: int) -> SurveyPage:
        """Return surveys, the newest first, with their answers."""
        conditions = _conditions(wanted)
        with self._database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(Survey).where(*conditions)) or 0
            rows = session.scalars(
                select(Survey)
                .where(*conditions)
                .order_by(Survey.offered_at.desc(), Survey.id)
                .offset(max(0, offset))
                .limit(max(1, min(limit, _LONGEST_PAGE)))
            ).all()
            answers: dict[uuid.UUID, list[Answer]] = {row.id: [] for row in rows}
            for answer in session.scalars(select(Answer).where(Answer.survey_id.in_(list(answers)))):
                answers[answer.survey_id].append(answer)
        return SurveyPage(tuple(survey_view(row, answers[row.id]) for row in rows), total)


def answers_of(session: Session, survey_id: uuid.UUID) -> Sequence[Answer]:
    """Return the answers of a survey in the order in which they were first given."""
    query = select(Answer).where(Answer.survey_id == survey_id).order_by(Answer.id)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _conditions(wanted: SurveyFilter) -> list[ColumnElement[bool]]:
    pairs = [
        (Survey.questionnaire_version_id, wanted.version_id),
        (Survey.state, wanted.state),
        (Survey.way, wanted.way),
        (Survey.kind, wanted.kind),
        (Survey.callback_id, wanted.callback_id),
        (Survey.call_id, wanted.call_id),
        (Survey.case_id, wanted.case_id),
    ]
    conditions: list[ColumnElement[bool]] = [column == value for column, value in pairs if value is not None]
    if wanted.questionnaire_key is not None:
        versions = (
            select(QuestionnaireVersion.id)
            .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
            .where(Questionnaire.key == wanted.questionnaire_key)
        )
        conditions.append(Survey.questionnaire_version_id.in_(versions))
    if wanted.offered_from is not None:
        conditions.append(Survey.offered_at >= wanted.offered_from)
    if wanted.offered_before is not None:
        conditions.append(Survey.offered_at < wanted.offered_before)
    return conditions
