"""Articles over the API: lists by filters, one article, writing, revising, publishing and retiring."""

from collections.abc import Callable
from typing import Any

from flask import abort

from kb.article_content import InvalidArticleError, read_content
from kb.article_view import ArticleNotFoundError, ArticleNotPublishableError, ArticleView
from kb.articles import ArticleFilter
from webui.api.application import PREFIX, resource
from webui.api.article_items import (
    ArticleBody,
    ArticleItem,
    ArticleList,
    ArticlePath,
    ArticlesQuery,
    PublishBody,
    RevisionBody,
    RevisionQuery,
    WordsBody,
)
from webui.api.fields import bounded_day, tell
from webui.api.refusals import WrongField, refuse, wrong_fields
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor, current_person

blueprint = resource("articles")


@blueprint.get("/articles", responses={200: ArticleList}, operation_id="list_articles", summary="条目列表")
@requires(Permission.READ_ARTICLES)
def list_articles(query: ArticlesQuery) -> Any:
    """List articles in their latest revision; to those who only read, the published ones as published."""
    wanted = ArticleFilter(
        text=query.q,
        status=query.status if _edits() else "published",
        unit=query.unit or None,
        region=query.region or None,
        category=query.category or None,
        valid_on=bounded_day(query.valid_on) if query.valid_on else None,
    )
    if not _edits() and query.status not in (None, "published"):
        return tell(ArticleList(items=[], page=query.page, size=query.size, total=0))
    found = current_house().kb.list_articles(wanted, query.page, query.size)
    # A page past the end is empty, not the last one again: a program that reads on must come to an end.
    views = found.articles if found.page == query.page else []
    items = [ArticleItem.of(view if _edits() else _as_published(view)) for view in views]
    return tell(ArticleList(items=items, page=query.page, size=query.size, total=found.total))


@blueprint.get("/articles/<article_id>", responses={200: ArticleItem}, operation_id="get_article", summary="一个条目")
@requires(Permission.READ_ARTICLES)
def get_article(path: ArticlePath, query: RevisionQuery) -> Any:
    """Return an article in a revision: the latest to editors, the published one to those who only read."""
    view = current_house().kb.get_article(path.article_id, query.revision)
    if not _edits():
        if view.published_revision_id is None or view.status == "draft":
            raise ArticleNotFoundError(path.article_id)
        if query.revision is None:
            view = _as_published(view)
        elif view.published_at is None:
            raise ArticleNotFoundError(path.article_id, query.revision)
    return tell(ArticleItem.of(view))


@blueprint.post("/articles", responses={201: ArticleItem}, operation_id="create_article", summary="新建条目")
@requires(Permission.EDIT_ARTICLES)
def create_article(body: ArticleBody) -> Any:
    """Write a new article as a draft."""
    if not body.key.isprintable() or not body.key.strip() or len(body.key) > 100:
        refuse("key", "must be 1 to 100 visible characters")
    view = _written(body, lambda content: current_house().kb.create_article(actor(), body.key, content))
    return tell(ArticleItem.of(view), 201, f"{PREFIX}/articles/{view.id}")


@blueprint.post("/articles/<article_id>/revisions", responses={201: ArticleItem}, operation_id="revise_article", summary="修订条目")
@requires(Permission.EDIT_ARTICLES)
def revise_article(path: ArticlePath, body: RevisionBody) -> Any:
    """Write a new revision; what is published stays until this is published too. The same words make no new revision."""
    view = _written(body, lambda content: current_house().kb.revise_article(actor(), path.article_id, content, body.based_on))
    return tell(ArticleItem.of(view), 201, f"{PREFIX}/articles/{view.id}?revision={view.revision_no}")


@blueprint.post("/articles/<article_id>/publish", responses={200: ArticleItem}, operation_id="publish_article", summary="发布条目")
@requires(Permission.PUBLISH_ARTICLES)
def publish_article(path: ArticlePath, body: PublishBody) -> Any:
    """Let citizens be told a revision; an older one rolls back, a retired article comes back."""
    try:
        view = current_house().kb.publish_article(actor(), path.article_id, body.revision)
    except ArticleNotPublishableError:
        refuse("alternatives", "an article needs at least one alternative question to be published")
    return tell(ArticleItem.of(view))


@blueprint.post("/articles/<article_id>/retire", responses={200: ArticleItem}, operation_id="retire_article", summary="停用条目")
@requires(Permission.PUBLISH_ARTICLES)
def retire_article(path: ArticlePath) -> Any:
    """Tell the article to nobody any more; it stays readable."""
    return tell(ArticleItem.of(current_house().kb.retire_article(actor(), path.article_id)))


def _edits() -> bool:
    return current_person().may(Permission.EDIT_ARTICLES)


def _as_published(view: ArticleView) -> ArticleView:
    if view.published_revision_id is None or view.revision_id == view.published_revision_id:
        return view
    return current_house().kb.articles.get_revision(view.published_revision_id)


def _written(body: WordsBody, write: Callable[..., ArticleView]) -> ArticleView:
    try:
        return write(read_content(body.model_dump(exclude={"key", "based_on"})))
    except InvalidArticleError as error:
        abort(wrong_fields([WrongField(field=name, problem=problem) for name, problem in error.problems.items()]))
