"""What the API takes and tells of questionnaires and surveys. Telephone numbers and names are in neither."""

import uuid
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from survey.views import QuestionnaireView, SurveyView, VersionView
from webui.api.fields import Asked, Day, FullLine, Identifier, Line, Moment, PagedQuery, Told
from webui.statistics.totals import SurveyTotals


class NoQuery(Asked):
    """Nothing can be asked for."""


class SurveysQuery(PagedQuery):
    """Which surveys to list. What is left out does not matter."""

    questionnaire: Line | None = Field(None, description="问卷代号")
    version_id: Identifier | None = None
    state: Literal["offered", "started", "completed", "partial", "refused", "skipped", "hung_up", "expired"] | None = None
    way: Literal["ivr", "web", "agent"] | None = None
    kind: Literal["callback", "after_call"] | None = Field(None, description="回访，或挂机评价；两者不合并统计")
    offered_from: Day | None = Field(None, description="发出日期从这一天起")
    offered_to: Day | None = Field(None, description="发出日期到这一天止，含当天")
    call_id: Identifier | None = None
    case_id: Identifier | None = None
    callback_id: Identifier | None = None


class SurveyPath(BaseModel):
    """Which survey."""

    survey_id: Identifier


class WithdrawalBody(Asked):
    """Why it does not count any more."""

    reason: FullLine = Field(description="撤回的原因，记入审计")


class VersionItem(Told):
    """One version of a questionnaire."""

    version_id: uuid.UUID
    version_no: int
    state: Literal["draft", "launched", "retired"]
    launched_at: Moment | None
    retired_at: Moment | None
    offered: int = Field(description="已发份数，不含撤回的")
    answered: int = Field(description="已收份数：答完的和没有答完的，不含撤回的")
    definition: dict[str, Any] = Field(description="题目、选项、显示条件、配额；结构见 survey/schema.py")

    @classmethod
    def of(cls, view: VersionView, surveys: SurveyTotals) -> Self:
        """Return a version as it is told."""
        names = ("version_id", "version_no", "state", "launched_at", "retired_at")
        return cls(
            **{name: getattr(view, name) for name in names},
            offered=surveys.offered,
            answered=surveys.received,
            definition=view.definition.model_dump(mode="json"),
        )


class QuestionnaireItem(Told):
    """A questionnaire with its versions, the newest first."""

    key: str
    title: str
    versions: list[VersionItem]

    @classmethod
    def of(cls, view: QuestionnaireView, surveys: Mapping[str, SurveyTotals]) -> Self:
        """Return a questionnaire as it is told, with the surveys of each version by its id."""
        versions = [VersionItem.of(version, surveys[str(version.version_id)]) for version in view.versions]
        return cls(key=view.key, title=view.title, versions=versions)


class QuestionnaireList(Told):
    """All questionnaires."""

    items: list[QuestionnaireItem]


class AnswerItem(Told):
    """The answer to one question."""

    question_key: str
    kind: str
    value: Any = Field(description="五级好差评、打分、数字为数；单选为选项代号；多选为代号的列表；是否为 yes 或 no；开放题为文字")
    score: float | None = Field(description="计分：好差评 5 最好；是为 1，否为 0；选项和文字没有计分")
    answered_at: Moment
    is_late: bool = Field(description="逾期才作答，不计入各项比率")


class SurveyItem(Told):
    """One asking of one person."""

    survey_id: uuid.UUID
    version_id: uuid.UUID
    kind: str
    way: str
    state: str
    callback_id: uuid.UUID | None
    call_id: uuid.UUID | None
    case_id: uuid.UUID | None
    agent_id: uuid.UUID | None
    queue_name: str | None
    hall: str
    unit: str
    region: str
    category: str
    matter_code: str
    matter: str
    window: str
    weight: float = Field(description="抽样权重")
    offered_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Moment | None
    withdrawn_at: Moment | None = Field(description="撤回后不计入任何统计")
    answers: list[AnswerItem]

    @classmethod
    def of(cls, view: SurveyView) -> Self:
        """Return a survey as it is told."""
        own = {name: getattr(view, name) for name in cls.model_fields if hasattr(view, name) and name != "answers"}
        about = {name: getattr(view.context, name) for name in cls.model_fields if hasattr(view.context, name)}
        return cls(**own, **about, answers=[AnswerItem.model_validate(answer) for answer in view.answers])


class SurveyList(Told):
    """One page of surveys, the newest first."""

    items: list[SurveyItem]
    page: int
    size: int
    total: int
