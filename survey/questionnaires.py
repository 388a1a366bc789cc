"""Questionnaires in versions: written as a draft, frozen at launch, retired. One version is asked at a time."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import Clock
from core.database import Database, RowConflictError
from core.outbox import publish
from survey.events import QuestionnaireLaunched
from survey.logic import check
from survey.models import Questionnaire, QuestionnaireVersion
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
    VersionView,
    version_view,
)

_KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")


class Questionnaires:
    """Writes, launches and lists questionnaires."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, actor: str, key: str, definition: QuestionnaireDefinition) -> VersionView:
        """Make a questionnaire with its first version as a draft."""
        if not _KEY.fullmatch(key):
            raise BadQuestionnaireKeyError(key)
        now = self._clock.now()
        try:
            with self._database.transaction() as session:
                made = Questionnaire(key=key, title=definition.title.zh, created_at=now)
                session.add(made)
                session.flush()
                view = _add_version(session, made, 1, definition, actor, now)
                audit.record(session, actor, "questionnaire.created", f"questionnaire:{made.id}", {"key": key})
                return view
        except RowConflictError as error:
            raise QuestionnaireKeyTakenError(key) from error

    def save_draft(
        self, actor: str, version_id: uuid.UUID, definition: QuestionnaireDefinition, seen: datetime | None = None
    ) -> VersionView:
        """Replace the words of a draft, unless it was launched or, with `seen`, changed since then."""
        with self._database.transaction() as session:
            row, questionnaire = _locked(session, version_id)
            _must_be_draft(row)
            if seen is not None and row.updated_at != seen:
                raise VersionEditedMeanwhileError(row.version_no, row.author)
            row.definition = definition.model_dump(mode="json", exclude_defaults=True)
            row.author, row.updated_at = actor, self._clock.now()
            if row.version_no == 1 or definition.title.zh:
                questionnaire.title = definition.title.zh or questionnaire.title
            audit.record(session, actor, "questionnaire.saved", f"questionnaire_version:{row.id}", {"version_no": row.version_no})
            return version_view(row, questionnaire)

    def new_version(self, actor: str, version_id: uuid.UUID) -> VersionView:
        """Open a draft with the words of an older version."""
        with self._database.transaction() as session:
            base, questionnaire = _locked(session, version_id)
            rows = session.scalars(
                select(QuestionnaireVersion).where(QuestionnaireVersion.questionnaire_id == questionnaire.id)
            ).all()
            draft = next((row for row in rows if row.state == "draft"), None)
            if draft is not None:
                raise DraftExistsError(draft.id, draft.version_no)
            number = max(row.version_no for row in rows) + 1
            definition = QuestionnaireDefinition.model_validate(base.definition)
            view = _add_version(session, questionnaire, number, definition, actor, self._clock.now())
            audit.record(
                session,
                actor,
                "questionnaire.version_opened",
                f"questionnaire_version:{view.version_id}",
                {"version_no": number, "from": base.version_no},
            )
            return view

    def discard_draft(self, actor: str, version_id: uuid.UUID) -> None:
        """Throw a draft away; the only version of a questionnaire takes the questionnaire with it."""
        with self._database.transaction() as session:
            row, questionnaire = _locked(session, version_id)
            _must_be_draft(row)
            session.delete(row)
            session.flush()
            others = session.scalar(select(func.count()).where(QuestionnaireVersion.questionnaire_id == questionnaire.id))
            if not others:
                session.delete(questionnaire)
            audit.record(
                session,
                actor,
                "questionnaire.discarded",
                f"questionnaire:{questionnaire.id}",
                {"key": questionnaire.key, "version_no": row.version_no},
            )

    def launch(self, actor: str, version_id: uuid.UUID) -> VersionView:
        """Freeze a draft and ask it from now on; the version asked until now is retired, its open surveys may still be answered."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row, questionnaire = _locked(session, version_id)
            _must_be_draft(row)
            problems = check(QuestionnaireDefinition.model_validate(row.definition))
            if problems:
                raise NotLaunchableError(problems)
            session.execute(
                update(QuestionnaireVersion)
                .where(QuestionnaireVersion.questionnaire_id == questionnaire.id, QuestionnaireVersion.state == "launched")
                .values(state="retired", retired_at=now)
            )
            row.state, row.launched_at = "launched", now
            audit.record(
                session, actor, "questionnaire.launched", f"questionnaire_version:{row.id}", {"version_no": row.version_no}
            )
            publish(session, QuestionnaireLaunched(version_id=row.id))
            return version_view(row, questionnaire)

    def retire(self, actor: str, version_id: uuid.UUID) -> VersionView:
        """Ask a launched version no more; again is harmless."""
        with self._database.transaction() as session:
            row, questionnaire = _locked(session, version_id)
            if row.state == "draft":
                raise VersionFrozenError(row.version_no, row.state)
            if row.state == "launched":
                row.state, row.retired_at = "retired", self._clock.now()
                audit.record(
                    session, actor, "questionnaire.retired", f"questionnaire_version:{row.id}", {"version_no": row.version_no}
                )
            return version_view(row, questionnaire)

    def get(self, version_id: uuid.UUID) -> VersionView:
        """Return a version."""
        with self._database.transaction() as session:
            return version_view(*_found(session, version_id))

    def list(self) -> tuple[QuestionnaireView, ...]:
        """Return every questionnaire with its versions, the newest first."""
        with self._database.transaction() as session:
            questionnaires = session.scalars(select(Questionnaire).order_by(Questionnaire.created_at, Questionnaire.id)).all()
            rows = session.scalars(select(QuestionnaireVersion).order_by(QuestionnaireVersion.version_no.desc())).all()
        return tuple(
            QuestionnaireView(
                questionnaire_id=one.id,
                key=one.key,
                title=one.title,
                created_at=one.created_at,
                versions=tuple(version_view(row, one) for row in rows if row.questionnaire_id == one.id),
            )
            for one in questionnaires
        )

    def launched(self, key: str) -> uuid.UUID | None:
        """Return the version of a questionnaire that is asked now."""
        with self._database.transaction() as session:
            return session.scalar(
                select(QuestionnaireVersion.id)
                .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
                .where(Questionnaire.key == key, QuestionnaireVersion.state == "launched")
            )


def _add_version(
    session: Session, questionnaire: Questionnaire, number: int, definition: QuestionnaireDefinition, actor: str, now: datetime
) -> VersionView:
    row = QuestionnaireVersion(
        questionnaire_id=questionnaire.id,
        version_no=number,
        definition=definition.model_dump(mode="json", exclude_defaults=True),
        author=actor,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return version_view(row, questionnaire)


def _found(session: Session, version_id: uuid.UUID) -> tuple[QuestionnaireVersion, Questionnaire]:
    row = session.get(QuestionnaireVersion, version_id)
    if row is None:
        raise QuestionnaireNotFoundError(str(version_id))
    questionnaire = session.get(Questionnaire, row.questionnaire_id)
    assert questionnaire is not None
    return row, questionnaire


def _locked(session: Session, version_id: uuid.UUID) -> tuple[QuestionnaireVersion, Questionnaire]:
    """Lock the questionnaire first: launching and opening versions of one never run beside each other."""
    row, questionnaire = _found(session, version_id)
    session.refresh(questionnaire, with_for_update=True)
    session.refresh(row)
    return row, questionnaire


def _must_be_draft(row: QuestionnaireVersion) -> None:
    if row.state != "draft":
        raise VersionFrozenError(row.version_no, row.state)
