"""Questionnaires and surveys as others see them, and what can be wrong with them. Plain values, free of the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.errors import ConflictError, InvalidInputError, NotFoundError
from survey.logic import Problem
from survey.models import Answer, Questionnaire, QuestionnaireVersion, Survey
from survey.schema import QuestionnaireDefinition


class QuestionnaireNotFoundError(NotFoundError):
    """No such questionnaire, or no such version."""


class QuestionnaireKeyTakenError(ConflictError):
    """Another questionnaire has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class BadQuestionnaireKeyError(InvalidInputError):
    """A key is lower-case letters, digits and underscores."""


class VersionFrozenError(ConflictError):
    """A launched or retired version never changes."""

    def __init__(self, version_no: int, state: str) -> None:
        super().__init__(f"v{version_no} {state}")
        self.version_no = version_no
        self.state = state


class VersionEditedMeanwhileError(ConflictError):
    """Somebody else saved the draft since it was opened."""

    def __init__(self, version_no: int, author: str) -> None:
        super().__init__(f"v{version_no} by {author}")
        self.version_no = version_no
        self.author = author


class DraftExistsError(ConflictError):
    """The questionnaire has a draft already; one at a time."""

    def __init__(self, version_id: uuid.UUID, version_no: int) -> None:
        super().__init__(f"v{version_no}")
        self.version_id = version_id
        self.version_no = version_no


class NotLaunchableError(InvalidInputError):
    """The questionnaire makes no sense yet; `problems` say where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("；".join(problem.text for problem in problems))
        self.problems = tuple(problems)


class NotLaunchedError(ConflictError):
    """Only a launched version can be asked."""


class QuotaFullError(ConflictError):
    """Enough of these have answered: nobody more is asked."""


class SurveyNotFoundError(NotFoundError):
    """No such survey."""


class SurveyEndedError(ConflictError):
    """The survey has ended; its answers stay as they are."""

    def __init__(self, survey_id: uuid.UUID, state: str) -> None:
        super().__init__(f"{survey_id} {state}")
        self.survey_id = survey_id
        self.state = state


class BadAnswerError(InvalidInputError):
    """The value is no answer to the question, or there is no such question."""

    def __init__(self, question_key: str) -> None:
        super().__init__(question_key)
        self.question_key = question_key


class LinkForgedError(NotFoundError):
    """We never made this link."""


class LinkUsedError(ConflictError):
    """The survey behind the link was handed in, or ended otherwise."""

    def __init__(self, survey: SurveyView) -> None:
        super().__init__(str(survey.survey_id))
        self.survey = survey


class LinkExpiredError(ConflictError):
    """The survey behind the link is over."""

    def __init__(self, survey: SurveyView) -> None:
        super().__init__(str(survey.survey_id))
        self.survey = survey


class LinkWithdrawnError(ConflictError):
    """The survey behind the link was withdrawn."""


@dataclass(frozen=True, slots=True)
class VersionView:
    """A questionnaire in one of its versions."""

    version_id: uuid.UUID
    questionnaire_id: uuid.UUID
    key: str
    version_no: int
    state: str
    definition: QuestionnaireDefinition
    author: str
    created_at: datetime
    updated_at: datetime
    launched_at: datetime | None
    retired_at: datetime | None

    @property
    def is_draft(self) -> bool:
        """Whether it may still change."""
        return self.state == "draft"


@dataclass(frozen=True, slots=True)
class QuestionnaireView:
    """A questionnaire with all its versions, the newest first."""

    questionnaire_id: uuid.UUID
    key: str
    title: str
    created_at: datetime
    versions: tuple[VersionView, ...]

    @property
    def launched(self) -> VersionView | None:
        """The version that is asked now."""
        return next((version for version in self.versions if version.state == "launched"), None)

    @property
    def draft(self) -> VersionView | None:
        """The version that is being written."""
        return next((version for version in self.versions if version.state == "draft"), None)


@dataclass(frozen=True, slots=True)
class SurveyContext:
    """What a survey is about; copied into it, so that answers can be counted by it."""

    callback_id: uuid.UUID | None = None
    call_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None
    agent_id: uuid.UUID | None = None
    queue_name: str | None = None
    hall: str = ""
    unit: str = ""
    region: str = ""
    category: str = ""
    matter_code: str = ""
    matter: str = ""
    window: str = ""
    weight: float = 1.0
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One answer."""

    question_key: str
    kind: str
    value: object
    score: float | None
    heard: str
    answered_at: datetime
    is_late: bool


@dataclass(frozen=True, slots=True)
class SurveyView:
    """One asking of one person, with the answers so far."""

    survey_id: uuid.UUID
    natural_key: str
    version_id: uuid.UUID
    kind: str
    way: str
    state: str
    language: str
    context: SurveyContext
    offered_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    withdrawn_at: datetime | None
    answers: tuple[AnswerView, ...] = field(default=())

    @property
    def values(self) -> dict[str, object]:
        """The answers by question."""
        return {answer.question_key: answer.value for answer in self.answers}

    @property
    def is_open(self) -> bool:
        """Whether answers are still taken."""
        return self.state in ("offered", "started") and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class SurveyFilter:
    """Which surveys a list shows; None takes any."""

    version_id: uuid.UUID | None = None
    questionnaire_key: str | None = None
    state: str | None = None
    way: str | None = None
    kind: str | None = None
    callback_id: uuid.UUID | None = None
    call_id: uuid.UUID | None = None
    case_id: uuid.UUID | None = None
    offered_from: datetime | None = None
    offered_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class SurveyPage:
    """One page of a list of surveys."""

    surveys: tuple[SurveyView, ...]
    total: int


def version_view(row: QuestionnaireVersion, questionnaire: Questionnaire) -> VersionView:
    """Return a version as a value."""
    return VersionView(
        version_id=row.id,
        questionnaire_id=questionnaire.id,
        key=questionnaire.key,
        version_no=row.version_no,
        state=row.state,
        definition=QuestionnaireDefinition.model_validate(row.definition),
        author=row.author,
        created_at=row.created_at,
        updated_at=row.updated_at,
        launched_at=row.launched_at,
        retired_at=row.retired_at,
    )


def survey_view(row: Survey, answers: Sequence[Answer] = ()) -> SurveyView:
    """Return a survey as a value."""
    names = SurveyContext.__dataclass_fields__
    return SurveyView(
        survey_id=row.id,
        natural_key=row.natural_key,
        version_id=row.questionnaire_version_id,
        kind=row.kind,
        way=row.way,
        state=row.state,
        language=row.language,
        context=SurveyContext(**{name: getattr(row, name) for name in names}),
        offered_at=row.offered_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        withdrawn_at=row.withdrawn_at,
        answers=tuple(
            AnswerView(a.question_key, a.kind, a.value, a.score, a.heard, a.answered_at, a.is_late)
            for a in sorted(answers, key=lambda answer: answer.id)
        ),
    )
