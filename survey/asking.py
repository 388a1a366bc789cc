"""Surveys: offered once for each reason, started, answered question by question, and ended. Every answer is kept as it comes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit
from core.clock import Clock
from core.database import Database, new_id
from core.outbox import publish
from survey import scoring
from survey.events import BadRatingGiven, SurveyAnswered, SurveyFinished
from survey.interview import Interview
from survey.models import Answer, QuestionnaireVersion, Survey
from survey.room import asked_now, check_room
from survey.schema import QuestionKind, QuestionnaireDefinition
from survey.survey_reads import answers_of
from survey.survey_state import ENDS, SurveyState, honest_end, next_state
from survey.views import (
    BadAnswerError,
    LinkExpiredError,
    LinkUsedError,
    LinkWithdrawnError,
    SurveyContext,
    SurveyEndedError,
    SurveyNotFoundError,
    SurveyView,
    survey_view,
)
from telephony.speech.redaction import redact

AGENT, WEB = "agent", "web"
LATE_HOURS = 24
"""A page that was open when its survey ran out may be handed in for so long; its answers are marked late."""
_LONGEST_HEARD = 500


class Asking:
    """Keeps surveys and their answers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def offer(self, natural_key: str, version_id: uuid.UUID, kind: str, way: str, context: SurveyContext) -> uuid.UUID:
        """Make a survey, or return the one made for the same key."""
        now = self._clock.now()
        with self._database.transaction() as session:
            known = session.scalar(select(Survey.id).where(Survey.natural_key == natural_key))
            if known is not None:
                return known
            version, definition = asked_now(session, version_id, way, context)
            values = {name: getattr(context, name) for name in SurveyContext.__dataclass_fields__}
            made = session.scalar(
                insert(Survey)
                .values(
                    id=new_id(),
                    natural_key=natural_key,
                    questionnaire_version_id=version.id,
                    kind=kind,
                    way=way,
                    state=SurveyState.OFFERED,
                    offered_at=now,
                    # An agent asks as long as the callback is owed: `close_of_callback` ends it.
                    expires_at=None if way == AGENT else now + timedelta(days=definition.expires_after_days),
                    **values,
                )
                .on_conflict_do_nothing(index_elements=[Survey.natural_key])
                .returning(Survey.id)
            )
            # Another process offered it in the same moment: its row is committed by now.
            return made or session.scalars(select(Survey.id).where(Survey.natural_key == natural_key)).one()

    def check(self, version_id: uuid.UUID, way: str, context: SurveyContext) -> QuestionnaireDefinition:
        """Return what would be asked now, without offering it."""
        with self._database.transaction() as session:
            return asked_now(session, version_id, way, context)[1]

    def start(self, survey_id: uuid.UUID, language: str | None = None, way: str | None = None) -> SurveyView:
        """Note that the person has begun; again is harmless."""
        with self._database.transaction() as session:
            row = _locked(session, survey_id)
            _must_be_open(row)
            self._begin(session, row)
            row.language, row.way = language or row.language, way or row.way
            return survey_view(row, answers_of(session, survey_id))

    def _begin(self, session: Session, row: Survey) -> None:
        """Note that the person has begun. A link lies about for days: whether there is room is looked at again, one at a time."""
        if row.state != SurveyState.OFFERED:
            return
        definition = _definition(session, row)
        if row.way == WEB and definition.quotas:
            session.get(QuestionnaireVersion, row.questionnaire_version_id, with_for_update={"key_share": True})
            check_room(session, row.questionnaire_version_id, definition, row.way, row)
        row.state, row.started_at = next_state(SurveyState.OFFERED, SurveyState.STARTED), self._clock.now()

    def answer(self, survey_id: uuid.UUID, question_key: str, value: object, heard: str = "") -> SurveyView:
        """Keep an answer, or change it; answers to questions that it hides are dropped. Numbers of persons are masked in words."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row = _locked(session, survey_id)
            _must_be_open(row)
            definition = _definition(session, row)
            question = definition.question(question_key)
            if question is None or not scoring.fits(question, value):
                raise BadAnswerError(question_key)
            self._begin(session, row)
            if question.kind is QuestionKind.TEXT:
                value = redact(str(value))
            values = {
                "kind": question.kind.value,
                "value": value,
                "score": scoring.score(question, value),
                "heard": heard[:_LONGEST_HEARD],
                "answered_at": now,
                "is_late": row.expires_at is not None and now > row.expires_at,
            }
            session.execute(
                insert(Answer)
                .values(survey_id=survey_id, question_key=question_key, **values)
                .on_conflict_do_update(index_elements=[Answer.survey_id, Answer.question_key], set_=values)
            )
            answers = _drop_hidden(session, definition, survey_id)
            publish(session, SurveyAnswered(survey_id=survey_id, question_key=question_key))
            return survey_view(row, answers)

    def retract(self, survey_id: uuid.UUID, question_key: str) -> SurveyView:
        """Take an answer back: the person left the question out after all."""
        with self._database.transaction() as session:
            row = _locked(session, survey_id)
            _must_be_open(row)
            session.execute(delete(Answer).where(Answer.survey_id == survey_id, Answer.question_key == question_key))
            answers = _drop_hidden(session, _definition(session, row), survey_id)
            publish(session, SurveyAnswered(survey_id=survey_id, question_key=question_key))
            return survey_view(row, answers)

    def finish(self, survey_id: uuid.UUID, state: SurveyState) -> SurveyView:
        """End a survey. The same end again changes nothing; another one is a conflict."""
        with self._database.transaction() as session:
            row = _locked(session, survey_id)
            return self._end(session, row, state)

    def _end(self, session: Session, row: Survey, wanted: SurveyState) -> SurveyView:
        answers = answers_of(session, row.id)
        interview = Interview(_definition(session, row), {answer.question_key: answer.value for answer in answers})
        end = honest_end(wanted, answers=len(answers), required_left=len(interview.unanswered_required()))
        if row.state in ENDS and row.state == end:
            return survey_view(row, answers)
        row.state = next_state(SurveyState(row.state), end)
        row.finished_at = self._clock.now()
        publish(session, SurveyFinished(survey_id=row.id, state=end))
        worst = scoring.worst_rating((answer.kind, answer.score) for answer in answers)
        if worst is not None and scoring.is_bad(worst) and row.withdrawn_at is None:
            publish(session, BadRatingGiven(survey_id=row.id, score=worst))
        return survey_view(row, answers)

    def withdraw(self, survey_id: uuid.UUID, actor: str, reason: str = "") -> SurveyView:
        """Count a survey no more, by the citizen's wish; its answers stay for the record."""
        with self._database.transaction() as session:
            row = _locked(session, survey_id)
            if row.withdrawn_at is None:
                row.withdrawn_at = self._clock.now()
                audit.record(session, actor, "survey.withdrawn", f"survey:{survey_id}", {"reason": reason})
                publish(session, SurveyFinished(survey_id=survey_id, state=row.state))
            return survey_view(row, answers_of(session, survey_id))

    def close_expired(self, limit: int = 500) -> int:
        """End surveys whose time is over, with the hours for late answers; return how many."""
        limit_at = self._clock.now() - timedelta(hours=LATE_HOURS)
        with self._database.transaction() as session:
            rows = session.scalars(
                select(Survey)
                .where(Survey.state.in_((SurveyState.OFFERED, SurveyState.STARTED)), Survey.expires_at < limit_at)
                .order_by(Survey.expires_at)
                .limit(limit)
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                self._end(session, row, SurveyState.EXPIRED)
            return len(rows)

    def close_of_callback(self, callback_id: uuid.UUID, *, with_links: bool) -> None:
        """End what an agent could still ask for a callback that is over, and with it the links that are out."""
        ways = (AGENT, WEB) if with_links else (AGENT,)
        with self._database.transaction() as session:
            rows = session.scalars(
                select(Survey)
                .where(Survey.callback_id == callback_id, Survey.way.in_(ways), Survey.state.not_in(ENDS))
                .with_for_update()
            ).all()
            for row in rows:
                self._end(session, row, SurveyState.EXPIRED)

    def must_open(self, survey: SurveyView, is_sent: bool) -> None:
        """Raise the reason when a survey's link must not open any more, now that it is known to be still unanswered."""
        if survey.withdrawn_at is not None:
            raise LinkWithdrawnError(str(survey.survey_id))
        with self._database.transaction() as session:
            if _is_answered_otherwise(session, survey):
                raise LinkUsedError(survey)
            if survey.state == SurveyState.OFFERED:
                version = session.get_one(QuestionnaireVersion, survey.version_id)
                definition = QuestionnaireDefinition.model_validate(version.definition)
                check_room(session, version.id, definition, survey.way, survey.context)
        if survey.expires_at is None:
            return
        if survey.state == SurveyState.PARTIAL:
            # Ended by running out, with some answers: not handed in.
            raise LinkExpiredError(survey)
        grace = timedelta(hours=LATE_HOURS) if is_sent or survey.state == SurveyState.STARTED else timedelta()
        if survey.state == SurveyState.EXPIRED or self._clock.now() > survey.expires_at + grace:
            raise LinkExpiredError(survey)


def ran_out(survey: SurveyView) -> bool:
    """Say whether a survey with some answers was ended by the clock, not by anybody."""
    finished, expires = survey.finished_at, survey.expires_at
    late = timedelta(hours=LATE_HOURS)
    return survey.state == SurveyState.PARTIAL and finished is not None and expires is not None and finished > expires + late


def _locked(session: Session, survey_id: uuid.UUID) -> Survey:
    row = session.get(Survey, survey_id, with_for_update=True)
    if row is None:
        raise SurveyNotFoundError(str(survey_id))
    return row


def _must_be_open(row: Survey) -> None:
    if row.state in ENDS or row.withdrawn_at is not None:
        raise SurveyEndedError(row.id, row.state)


def _definition(session: Session, row: Survey) -> QuestionnaireDefinition:
    version = session.get(QuestionnaireVersion, row.questionnaire_version_id)
    assert version is not None
    return QuestionnaireDefinition.model_validate(version.definition)


def _drop_hidden(session: Session, definition: QuestionnaireDefinition, survey_id: uuid.UUID) -> Sequence[Answer]:
    answers = answers_of(session, survey_id)
    shown = Interview(definition, {answer.question_key: answer.value for answer in answers}).answers
    for answer in answers:
        if answer.question_key not in shown:
            session.delete(answer)
    session.flush()
    return [answer for answer in answers if answer.question_key in shown]


def _is_answered_otherwise(session: Session, survey: SurveyView) -> bool:
    """Say whether the same callback was answered by another way meanwhile: nobody counts twice."""
    if survey.context.callback_id is None:
        return False
    others = select(Survey.id).where(
        Survey.callback_id == survey.context.callback_id,
        Survey.id != survey.survey_id,
        Survey.state.in_((SurveyState.COMPLETED, SurveyState.PARTIAL)),
    )
    return session.scalar(others.limit(1)) is not None
