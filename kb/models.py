"""The tables of the knowledge base, and nobody else's."""

import uuid
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, event, func, inspect, text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, JsonList, Timestamp, new_id


class Article(Base):
    """One matter's answer (知识条目). Its words are in revisions; `key` is its name in imports."""

    __tablename__ = "article"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'published', 'retired')", "status"),
        Index("ix_article_change_no", "change_no"),
        Index("ix_article_unindexed", "change_no", postgresql_where=text("indexed_no <> change_no")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text, default="draft")
    # The revision that is published, or was when retired; a draft that never was has none.
    published_revision_id: Mapped[uuid.UUID | None]
    latest_revision_no: Mapped[int] = mapped_column(default=0)
    is_demo: Mapped[bool] = mapped_column(default=False)
    # Grows with every change that searches must see, over all articles; the index has seen the article up to `indexed_no`.
    change_no: Mapped[int] = mapped_column(BigInteger, default=0)
    indexed_no: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class ArticleRevision(Base):
    """The words of an article at one time; never changed once written, for suggestions cite them for ever."""

    __tablename__ = "article_revision"
    __table_args__ = (UniqueConstraint("article_id", "revision_no"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    article_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("article.id"))
    revision_no: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    alternatives: Mapped[JsonList]
    matter: Mapped[str] = mapped_column(Text, default="")
    matter_code: Mapped[str] = mapped_column(Text, default="")
    unit: Mapped[str] = mapped_column(Text)
    region: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    conditions: Mapped[str] = mapped_column(Text, default="")
    materials: Mapped[JsonList]
    promised_time: Mapped[str] = mapped_column(Text, default="")
    fee: Mapped[str] = mapped_column(Text, default="")
    window: Mapped[str] = mapped_column(Text, default="")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
    published_at: Mapped[Timestamp | None]


@event.listens_for(ArticleRevision, "before_update")
def _refuse_change(_mapper: Any, _connection: Any, revision: ArticleRevision) -> None:
    changed = [name.key for name in inspect(revision).attrs if name.history.has_changes()]
    assert changed == ["published_at"], f"a revision is immutable: {changed}"


class DictionaryWord(Base):
    """A word that segmentation must keep whole: a term, a place, a unit."""

    __tablename__ = "dictionary_word"

    word: Mapped[str] = mapped_column(Text, primary_key=True)
    frequency: Mapped[int] = mapped_column(default=10_000)


class Suggestion(Base):
    """An article offered to the agent in a call, in the revision that was shown. `confidence` is 0–100."""

    __tablename__ = "suggestion"
    __table_args__ = (
        Index("ix_suggestion_call_id", "call_id"),
        Index("ix_suggestion_article_id_created_at", "article_id", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    call_id: Mapped[uuid.UUID]
    article_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("article.id"))
    revision_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("article_revision.id"))
    segment_id: Mapped[uuid.UUID | None]
    rank: Mapped[int | None]
    score: Mapped[float]
    confidence: Mapped[int]
    query: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text)
    marks: Mapped[JsonList]
    is_degraded: Mapped[bool] = mapped_column(default=False)
    is_current: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())


class SuggestionFeedback(Base):
    """What the agent did with a suggestion: adopted, ignored or wrong (with a reason); undone rows stay."""

    __tablename__ = "suggestion_feedback"
    __table_args__ = (
        Index("ix_suggestion_feedback_suggestion_id", "suggestion_id"),
        Index("ix_suggestion_feedback_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    suggestion_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("suggestion.id"))
    kind: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    agent_id: Mapped[uuid.UUID | None]
    at: Mapped[Timestamp]
    undone_at: Mapped[Timestamp | None]


class KnowledgeGap(Base):
    """What a citizen asked that the knowledge base could not answer with confidence."""

    __tablename__ = "knowledge_gap"
    __table_args__ = (UniqueConstraint("call_id", "segment_id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    call_id: Mapped[uuid.UUID]
    segment_id: Mapped[uuid.UUID]
    query: Mapped[str] = mapped_column(Text)
    best_confidence: Mapped[int]
    best_article_id: Mapped[uuid.UUID | None]
    created_at: Mapped[Timestamp] = mapped_column(server_default=func.clock_timestamp())
