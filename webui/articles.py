"""Knowledge pages for readers: the list, one article, two revisions side by side, and a search as the desk does it."""

import uuid
from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from core.clock import local_date
from kb.article_view import (
    ArticleEditedMeanwhileError,
    ArticleKeyTakenError,
    ArticleNotFoundError,
    ArticleNotPublishableError,
    ArticleView,
)
from kb.articles import ArticleFilter
from kb.usage import UsageReads
from webui.article_words import FIELDS, badge, differences, ending, tree
from webui.errors import says
from webui.excerpts import marked
from webui.house import board_reads, current_house
from webui.paging import Page, page_number, without
from webui.permissions import Permission, requires
from webui.person import current_person

blueprint = Blueprint("articles", __name__, url_prefix="/articles")
USAGE_DAYS = 30
_STATUSES = {"draft", "published", "retired"}

says(ArticleNotFoundError, lambda error: _("没有这个条目，或没有这一版。请从知识库列表重新进入。"))
says(ArticleKeyTakenError, lambda error: _("编号“%(key)s”已经有了，请换一个。", key=error.key[:64]))
says(
    ArticleEditedMeanwhileError,
    lambda error: _("他人已保存第 %(number)s 版，您的修改没有保存。请打开最新版核对后再改。", number=error.latest_revision_no),
)
says(ArticleNotPublishableError, lambda error: _("至少要有一个市民的问法才能发布，否则市民怎么说都查不到它。"))


@blueprint.get("/")
@requires(Permission.READ_ARTICLES)
def index() -> Any:
    """List articles by the conditions in the address."""
    values, kb, usage = request.args, current_house().kb, UsageReads(current_house().database)
    today = local_date(current_house().clock.now())
    status = values.get("status", "")
    found = kb.list_articles(
        ArticleFilter(
            text=values.get("q", "").strip(),
            status=status if status in _STATUSES else None,
            unit=values.get("unit") or None,
            region=values.get("region") or None,
            category=values.get("category") or None,
            valid_on=today if values.get("valid") == "now" else None,
            has_draft=status == "pending",
        ),
        page=page_number(),
        size=50,
    )
    since = current_house().clock.now() - timedelta(days=USAGE_DAYS)
    return render_template(
        "articles/index.html",
        articles=found.articles,
        page=Page(found.page, found.total, found.size),
        usage=usage.usage([article.id for article in found.articles], since),
        branches=tree(usage.categories(), values.get("category", "")),
        total=kb.count_articles(),
        facets=kb.article_facets(),
        conditions=_conditions(),
        today=today,
        badge=badge,
        ending=ending,
    )


@blueprint.get("/<uuid:article_id>")
@requires(Permission.READ_ARTICLES)
def article(article_id: uuid.UUID) -> Any:
    """Show an article: the revision asked for, else what citizens are told, else the draft."""
    house = current_house()
    revisions = house.kb.article_revisions(article_id)
    asked = request.args.get("revision", type=int)
    shown = _chosen(revisions, asked, article_id)
    since = house.clock.now() - timedelta(days=USAGE_DAYS)
    reads = UsageReads(house.database)
    today = local_date(house.clock.now())
    return render_template(
        "articles/article.html",
        article=shown,
        revisions=revisions,
        names=current_house().accounts.names(),
        usage=reads.usage([article_id], since).get(article_id),
        complaints=reads.complaints(article_id, since),
        agents={agent.agent_id: agent.number for agent in board_reads().agents()},
        badge=badge(shown, today),
        ending=ending(shown.content.valid_to, today),
    )


@blueprint.get("/<uuid:article_id>/compare")
@requires(Permission.READ_ARTICLES)
def compare(article_id: uuid.UUID) -> Any:
    """Show what changed between two revisions; by default the newest and the one before."""
    revisions = current_house().kb.article_revisions(article_id)
    newest = revisions[0].revision_no
    after = _chosen(revisions, request.args.get("to", newest, type=int), article_id)
    before = _chosen(revisions, request.args.get("from", max(1, after.revision_no - 1), type=int), article_id)
    return render_template(
        "articles/compare.html",
        before=before,
        after=after,
        revisions=revisions,
        names=current_house().accounts.names(),
        differences=differences(before.content, after.content),
        fields=FIELDS,
    )


@blueprint.get("/search")
@requires(Permission.READ_ARTICLES)
def search() -> Any:
    """Search as the desk does, with how sure each answer is: for trying whether what citizens say is found."""
    values, house = request.args, current_house()
    text = values.get("q", "").strip()[:500]
    region, unit = values.get("region") or None, values.get("unit") or None
    result = house.kb.search(text, unit=unit, region=region, limit=10) if text else None
    return render_template(
        "articles/search.html", result=result, text=text, facets=house.kb.article_facets(), marked=marked, conditions=_conditions()
    )


def _chosen(revisions: list[ArticleView], number: int | None, article_id: uuid.UUID) -> ArticleView:
    if number is not None:
        for revision in revisions:
            if revision.revision_no == number:
                return revision
        raise ArticleNotFoundError(article_id, number)
    newest = revisions[0]
    # Whoever may write sees their draft; the others see what citizens are told.
    if current_person().may(Permission.EDIT_ARTICLES):
        return newest
    return next((revision for revision in revisions if revision.revision_id == revision.published_revision_id), newest)


def _conditions() -> list[tuple[str, str]]:
    values = request.args
    named = [
        ("q", _("搜索：%(value)s", value=values.get("q", ""))),
        ("status", _("状态：%(value)s", value=_status_word(values.get("status", "")))),
        ("unit", _("单位：%(value)s", value=values.get("unit", ""))),
        ("region", _("区域：%(value)s", value=values.get("region", ""))),
        ("category", _("分类：%(value)s", value=values.get("category", ""))),
        ("valid", _("今日有效")),
    ]
    return [(text, without(name)) for name, text in named if values.get(name, "").strip()]


def _status_word(status: str) -> str:
    words: dict[str, str] = {"draft": _("草稿"), "published": _("已发布"), "retired": _("已停用"), "pending": _("有未发布的修订")}
    return words.get(status, status)
