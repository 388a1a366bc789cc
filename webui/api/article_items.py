"""What the API takes and tells of an article."""

import uuid
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from kb.article_view import ArticleView
from webui.api.fields import Asked, Day, FullLine, FullText, Identifier, Line, Moment, PagedQuery, Text, Told, written_number

RevisionNumber = Annotated[int, Field(ge=1, le=2**31 - 1), written_number]


class ArticlesQuery(PagedQuery):
    """Which articles to list. What is left out does not matter."""

    q: Line = Field("", description="标题、事项、编号、其他问法里的字面文字；按意思找用 /search")
    status: Literal["draft", "published", "retired"] | None = Field(None, description="只能读的令牌总是只看到已发布的")
    unit: Line = ""
    region: Line = ""
    category: Line = ""
    valid_on: Day | None = Field(None, description="在这一天有效")


class ArticlePath(BaseModel):
    """Which article."""

    article_id: Identifier


class RevisionQuery(Asked):
    """Which revision; without it the latest that the asker may read."""

    revision: RevisionNumber | None = None


class WordsBody(Asked):
    """The words of a revision."""

    title: FullLine
    alternatives: list[FullLine] = Field([], max_length=50, description="其他问法；发布时至少要有一个")
    matter: Line = ""
    matter_code: Line = ""
    unit: FullLine = Field(description="承办单位")
    region: FullLine
    category: FullLine
    answer: FullText
    conditions: Text = ""
    materials: list[FullLine] = Field([], max_length=100)
    promised_time: Line = ""
    fee: Line = ""
    window: Line = ""
    valid_from: Day
    valid_to: Day | None = Field(None, description="空为长期有效")
    source: Line = ""


class ArticleBody(WordsBody):
    """A new article."""

    key: FullLine = Field(description="唯一编号，导入导出时认它")


class RevisionBody(WordsBody):
    """A new revision of an article."""

    based_on: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = Field(
        None, description="修订时看到的修订号；别人已另有修订时拒绝（409）"
    )


class PublishBody(Asked):
    """Which revision to publish; the latest when it is left out."""

    revision: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = None


class ArticleItem(Told):
    """An article in one of its revisions."""

    article_id: uuid.UUID
    key: str
    status: str
    is_demo: bool
    revision_id: uuid.UUID
    revision_no: int
    latest_revision_no: int
    is_published_revision: bool
    title: str
    alternatives: list[str]
    matter: str
    matter_code: str
    unit: str
    region: str
    category: str
    answer: str
    conditions: str
    materials: list[str]
    promised_time: str
    fee: str
    window: str
    valid_from: date
    valid_to: date | None
    source: str
    author: str
    created_at: Moment
    published_at: Moment | None
    updated_at: Moment

    @classmethod
    def of(cls, view: ArticleView) -> Self:
        """Return an article as programs see it."""
        facts: dict[str, Any] = {name: getattr(view, name) for name in cls.model_fields if hasattr(view, name)}
        return cls(article_id=view.id, **facts, **view.content.model_dump())


class ArticleList(Told):
    """A page of articles, the last changed first."""

    items: list[ArticleItem]
    page: int
    size: int
    total: int
