"""Writing articles: a new one, a revision, publishing, retiring."""

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from core.clock import local_date
from core.errors import TingjianError
from kb.article_content import InvalidArticleError, read_content
from kb.article_view import (
    ArticleEditedMeanwhileError,
    ArticleKeyTakenError,
    ArticleNotPublishableError,
    ArticleView,
)
from webui.article_words import FIELDS
from webui.errors import message, says
from webui.house import current_house
from webui.permissions import Permission, requires
from webui.person import actor, current_person

blueprint = Blueprint("article_editor", __name__, url_prefix="/articles")
_LISTS = ("alternatives", "materials")
_FIELD_OF: dict[type[TingjianError], str] = {ArticleKeyTakenError: "key", ArticleNotPublishableError: "alternatives"}

# The knowledge base says what is wrong with each field in Chinese; the catalogue has these sentences too.
says(InvalidArticleError, lambda error: "；".join(f"{FIELDS.get(name, name)} {_(text)}" for name, text in error.problems.items()))


@blueprint.get("/new")
@requires(Permission.EDIT_ARTICLES)
def new() -> Any:
    """Show an empty form."""
    today = local_date(current_house().clock.now())
    city = current_house().settings.city_name
    return _form({"valid_from": today.isoformat(), "region": city}, {})


@blueprint.post("/new")
@requires(Permission.EDIT_ARTICLES)
def create() -> Any:
    """Keep a new article as a draft, and publish it when asked to."""
    sent = _sent()
    typed = sent.pop("key").strip()
    try:
        content = read_content(sent)
        if _wants_to_publish() and not content.alternatives:
            raise ArticleNotPublishableError(uuid.UUID(int=0))  # before anything is written: the form must not leave half of it
        article = current_house().kb.create_article(actor(), typed or f"kb-{uuid.uuid4().hex[:8]}", content)
    except TingjianError as error:
        return _form({**sent, "key": typed}, _placed(error)), error.status
    return _done(article)


@blueprint.get("/<uuid:article_id>/edit")
@requires(Permission.EDIT_ARTICLES)
def edit(article_id: uuid.UUID) -> Any:
    """Show the newest revision in the form."""
    article = current_house().kb.get_article(article_id)
    return _form(_as_typed(article), {}, article)


@blueprint.post("/<uuid:article_id>/edit")
@requires(Permission.EDIT_ARTICLES)
def revise(article_id: uuid.UUID) -> Any:
    """Keep a new revision, unless somebody else did meanwhile; publish it when asked to."""
    sent, kb = _sent(), current_house().kb
    sent.pop("key")
    article = kb.get_article(article_id)
    try:
        content = read_content(sent)
        if _wants_to_publish() and not content.alternatives:
            raise ArticleNotPublishableError(article_id)
        based_on = request.form.get("based_on", type=int)
        revised = kb.revise_article(actor(), article_id, content, based_on=based_on)
    except ArticleEditedMeanwhileError as error:
        return _form(sent, {"": message(error)}, article, based_on=request.form.get("based_on", type=int)), error.status
    except TingjianError as error:
        return _form(sent, _placed(error), article), error.status
    return _done(revised)


@blueprint.post("/<uuid:article_id>/publish")
@requires(Permission.PUBLISH_ARTICLES)
def publish(article_id: uuid.UUID) -> Any:
    """Let citizens be told a revision: the newest, or an old one that is brought back."""
    article = current_house().kb.publish_article(actor(), article_id, request.form.get("revision", type=int))
    flash(_("已发布第 %(number)s 版", number=article.revision_no), "ok")
    return redirect(url_for("articles.article", article_id=article_id))


@blueprint.post("/<uuid:article_id>/retire")
@requires(Permission.PUBLISH_ARTICLES)
def retire(article_id: uuid.UUID) -> Any:
    """Tell it to nobody any more."""
    current_house().kb.retire_article(actor(), article_id)
    flash(_("已停用"), "ok")
    return redirect(url_for("articles.article", article_id=article_id))


def _wants_to_publish() -> bool:
    return request.form.get("do") == "publish" and current_person().may(Permission.PUBLISH_ARTICLES)


def _done(article: ArticleView) -> Any:
    if _wants_to_publish():
        article = current_house().kb.publish_article(actor(), article.id, article.revision_no)
        flash(_("已发布第 %(number)s 版", number=article.revision_no), "ok")
    else:
        flash(_("已保存草稿第 %(number)s 版，发布后才推荐给坐席", number=article.revision_no), "ok")
    return redirect(url_for("articles.article", article_id=article.id))


def _sent() -> dict[str, Any]:
    values: dict[str, Any] = {name: request.form.get(name, "") for name in ("key", *FIELDS)}
    for name in _LISTS:
        # One a line: semicolons belong to the sentence here.
        values[name] = [line.strip() for line in values[name].splitlines() if line.strip()]
    return values


def _as_typed(article: ArticleView) -> dict[str, Any]:
    content = article.content
    values = {name: getattr(content, name) for name in FIELDS}
    return {**values, "key": article.key, "valid_to": content.valid_to or ""}


def _placed(error: TingjianError) -> Mapping[str, str]:
    if isinstance(error, InvalidArticleError):
        return {name: _(text) for name, text in error.problems.items()}
    return {_FIELD_OF.get(type(error), ""): message(error)}


def _form(
    values: Mapping[str, Any], errors: Mapping[str, str], article: ArticleView | None = None, based_on: int | None = None
) -> str:
    typed = {name: "\n".join(value) if isinstance(value, list | tuple) else value for name, value in values.items()}
    return render_template(
        "articles/edit.html",
        values=typed,
        errors=errors,
        article=article,
        based_on=based_on or (article.latest_revision_no if article else 0),
        may_publish=current_user.may(Permission.PUBLISH_ARTICLES),
        facets=current_house().kb.article_facets(),
    )
