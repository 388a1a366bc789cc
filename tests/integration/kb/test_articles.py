from datetime import date

import pytest
from sqlalchemy import select, text

from core.audit import AuditEntry, verify
from core.errors import InvalidInputError
from core.outbox import OutboxEvent
from kb.article_view import (
    ArticleEditedMeanwhileError,
    ArticleKeyTakenError,
    ArticleNotFoundError,
    ArticleNotPublishableError,
)
from kb.articles import ArticleFilter
from kb.models import ArticleRevision
from tests.integration.kb.conftest import Base, article

ALTERNATIVES = ("外地人怎么办居住证", "租房子能不能办居住证")


def test_from_draft_to_retired(base: Base) -> None:
    made = base.service.create_article("editor", "jzz", article("居住证首次申领", *ALTERNATIVES))
    assert (made.status, made.revision_no, made.author) == ("draft", 1, "editor")
    assert base.service.search("居住证").hits == ()

    published = base.service.publish_article("editor", made.id)
    assert published.is_published_revision
    assert published.published_at is not None
    base.service.ensure_index()
    assert [hit.key for hit in base.service.search("居住证").hits] == ["jzz"]

    retired = base.service.retire_article("editor", made.id)
    assert retired.status == "retired"
    assert base.service.search("居住证").hits == ()
    assert base.service.get_article(made.id).content == made.content

    assert base.service.publish_article("editor", made.id).status == "published"
    assert [hit.key for hit in base.service.search("居住证").hits] == ["jzz"]


def test_a_revision_waits_until_it_is_published_and_an_old_one_can_come_back(base: Base) -> None:
    base.publish("jzz", article("居住证首次申领", *ALTERNATIVES))
    base.service.ensure_index()
    first = base.service.search("居住证").hits[0]
    second = base.service.revise_article("other", first.article_id, article("暂住登记怎么办", "暂住证还有吗"), based_on=1)
    assert (second.revision_no, second.status, second.is_published_revision) == (2, "published", False)
    assert base.service.search("居住证").hits[0].revision_no == 1
    assert [view.id for view in base.service.list_articles(ArticleFilter(has_draft=True)).articles] == [first.article_id]

    base.service.publish_article("other", first.article_id)
    base.service.ensure_index()
    assert base.service.search("暂住证").hits[0].revision_no == 2

    base.service.publish_article("other", first.article_id, revision_no=1)
    base.service.ensure_index()
    assert base.service.search("居住证").hits[0].revision_no == 1
    assert [view.revision_no for view in base.service.article_revisions(first.article_id)] == [2, 1]
    assert base.service.get_revision(first.revision_id).content.title == "居住证首次申领"


def test_two_editors_do_not_overwrite_each_other(base: Base) -> None:
    made = base.service.create_article("one", "jzz", article("居住证首次申领", *ALTERNATIVES))
    base.service.revise_article("one", made.id, article("居住证申领", *ALTERNATIVES), based_on=1)
    with pytest.raises(ArticleEditedMeanwhileError) as refused:
        base.service.revise_article("two", made.id, article("居住证办理", *ALTERNATIVES), based_on=1)
    assert refused.value.latest_revision_no == 2
    assert base.service.get_article(made.id).content.title == "居住证申领"


def test_the_same_words_make_no_revision(base: Base) -> None:
    content = article("居住证首次申领", *ALTERNATIVES)
    made = base.service.create_article("one", "jzz", content)
    assert base.service.revise_article("one", made.id, content).revision_no == 1


def test_a_revision_is_immutable(base: Base) -> None:
    made = base.service.create_article("one", "jzz", article("居住证首次申领", *ALTERNATIVES))
    with pytest.raises(AssertionError, match="immutable"), base.database.transaction() as session:
        session.get_one(ArticleRevision, made.revision_id).answer = "别的"
    assert base.service.get_article(made.id).content.answer == made.content.answer


def test_what_is_refused(base: Base) -> None:
    made = base.service.create_article("one", "jzz", article("居住证首次申领"))
    with pytest.raises(ArticleNotPublishableError):
        base.service.publish_article("one", made.id)
    with pytest.raises(ArticleKeyTakenError):
        base.service.create_article("one", "jzz", article("居住证首次申领"))
    with pytest.raises(ArticleNotFoundError):
        base.service.get_article(made.id, revision_no=7)
    with pytest.raises(ArticleNotFoundError):
        base.service.publish_article("one", made.revision_id)
    for key in ("", " x", "a\nb", "长" * 101):
        with pytest.raises(InvalidInputError):
            base.service.create_article("one", key, article("居住证首次申领"))
    assert base.service.count_articles() == 1


def test_lists_filter_and_page(base: Base) -> None:
    base.publish("jzz", article("居住证首次申领", "外地人办居住证"))
    base.publish("gjj", article("公积金100%提取_现", "买房取公积金", unit="公积金中心", region="高新区", category="住房"))
    base.service.create_article("one", "hz", article("护照换发", "护照到期", valid_to=date(2025, 6, 1)))

    def keys(**wanted: object) -> list[str]:
        return [view.key for view in base.service.list_articles(ArticleFilter(**wanted)).articles]  # type: ignore[arg-type]

    assert keys() == ["hz", "gjj", "jzz"]
    assert keys(text="居住证 外地人") == ["jzz"]
    assert keys(text="0%") == ["gjj"]
    assert keys(text="_") == ["gjj"]
    assert keys(text="\x00'; DROP TABLE article") == []
    assert keys(status="draft") == ["hz"]
    assert keys(unit="公积金中心", region="高新区", category="住房") == ["gjj"]
    assert keys(valid_on=date(2026, 1, 1)) == ["gjj", "jzz"]
    page = base.service.list_articles(page=2, size=2)
    assert ([view.key for view in page.articles], page.total) == (["jzz"], 3)
    assert base.service.list_articles(page=99, size=2).page == 2
    facets = base.service.article_facets()
    assert facets == {
        "unit": ["公积金中心", "市公安局"],
        "region": ["云川市", "高新区"],
        "category": ["住房", "户政"],
    }


def test_every_change_is_told_and_audited(base: Base) -> None:
    base.publish("jzz", article("居住证首次申领", *ALTERNATIVES))
    with base.database.transaction() as session:
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
        assert actions == ["article.created", "article.published"]
        assert verify(session) is None
        assert list(session.scalars(select(OutboxEvent.name))) == ["ArticleChanged"]


def test_change_numbers_grow_even_beside_a_clock_gone_back(base: Base) -> None:
    base.publish("jzz", article("居住证首次申领", *ALTERNATIVES))
    with base.database.transaction() as session:
        session.execute(text("UPDATE article SET change_no = change_no + 1000000000"))
    base.publish("gjj", article("公积金提取", "取公积金"))
    with base.database.transaction() as session:
        numbers = {row.key: row.change_no for row in session.execute(text("SELECT key, change_no FROM article"))}
    assert numbers["gjj"] == numbers["jzz"] + 1
