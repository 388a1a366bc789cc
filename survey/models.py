"""The tables of survey, and nobody else's."""

import uuid

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, JsonObject, Timestamp, new_id


class Questionnaire(Base):
    """A questionnaire (问卷); its questions lie in its versions."""

    __tablename__ = "questionnaire"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class QuestionnaireVersion(Base):
    """One wording. States: draft (may change) → launched (frozen) → retired."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (UniqueConstraint("questionnaire_id", "version_no"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    questionnaire_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("questionnaire.id"))
    version_no: Mapped[int]
    state: Mapped[str] = mapped_column(Text, default="draft")
    definition: Mapped[JsonObject]
    author: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    launched_at: Mapped[Timestamp | None]
    retired_at: Mapped[Timestamp | None]


class Survey(Base):
    """One asking of one person (调查). `natural_key` makes offering it twice harmless.

    kind: callback (asked by a callback) or after_call (one question at the end of a call); they are never counted together.
    way: ivr, web or agent. States: offered → started → completed | partial | refused; skipped,
    hung_up (at the question at the end of a call) and expired without any answer.
    """

    __tablename__ = "survey"
    __table_args__ = (
        Index("ix_survey_offered_at", "offered_at"),
        Index("ix_survey_finished_at", "finished_at"),
        Index("ix_survey_questionnaire_version_id_offered_at", "questionnaire_version_id", "offered_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    natural_key: Mapped[str] = mapped_column(Text, unique=True)
    questionnaire_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("questionnaire_version.id"))
    kind: Mapped[str] = mapped_column(Text)
    way: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="offered")
    language: Mapped[str] = mapped_column(Text, default="zh")
    callback_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    call_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    case_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    agent_id: Mapped[uuid.UUID | None]
    # Copied where it is offered, so that answers can be counted by them.
    queue_name: Mapped[str | None] = mapped_column(Text)
    hall: Mapped[str] = mapped_column(Text, default="")
    unit: Mapped[str] = mapped_column(Text, default="")
    region: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(Text, default="")
    matter_code: Mapped[str] = mapped_column(Text, default="")
    matter: Mapped[str] = mapped_column(Text, default="")
    window: Mapped[str] = mapped_column(Text, default="")
    weight: Mapped[float] = mapped_column(Double, default=1.0)
    offered_at: Mapped[Timestamp]
    started_at: Mapped[Timestamp | None]
    finished_at: Mapped[Timestamp | None]
    expires_at: Mapped[Timestamp | None]
    withdrawn_at: Mapped[Timestamp | None]


class Answer(Base):
    """The answer to one question. `value` is as given; `score` what it counts as: a grade 1–5 (5 best), a number, 1 or 0."""

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("survey_id", "question_key"),
        Index("ix_answer_answered_at", "answered_at"),
        Index("ix_answer_question_key_answered_at", "question_key", "answered_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    survey_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("survey.id"))
    question_key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[object] = mapped_column(JSONB)
    score: Mapped[float | None] = mapped_column(Double)
    heard: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[Timestamp]
    is_late: Mapped[bool] = mapped_column(default=False)
