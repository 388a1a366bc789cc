"""The knowledge pages: reading, writing, publishing, comparing, searching, importing."""

import io
import json
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from core.audit import AuditEntry
from core.database import Database
from kb.article_content import read_content
from kb.article_view import ArticleView
from kb.models import Suggestion, SuggestionFeedback
from kb.service import KnowledgeService
from tests.fakes.browser import Browser
from tests.fakes.clock import FakeClock
from tests.fakes.search_index import FakeSearchIndex
from tests.integration.webui.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("people")
WORDS: dict[str, Any] = {
    "title": "居住证丢了怎么补",
    "alternatives": "居住证掉了在哪补\n补居住证要钱吗",
    "unit": "市公安局",
    "region": "云川市",
    "category": "户籍/居住证",
    "answer": "本人带身份证到派出所补领，当场办结。",
    "materials": "身份证；户口簿\n近照",
    "valid_from": "2026-01-01",
    "valid_to": "",
}


@pytest.fixture
def kb(app: Flask) -> KnowledgeService:
    service: KnowledgeService = app.extensions["house"].kb
    return service


@pytest.fixture
def editor(client: Browser) -> Browser:
    client.log_in("kb_editor", PASSWORD)
    return client


@pytest.fixture
def published(kb: KnowledgeService) -> ArticleView:
    article = write(kb, "kb-1")
    return kb.publish_article("setup", article.id)


def write(kb: KnowledgeService, key: str, **changes: Any) -> ArticleView:
    words = {**WORDS, "alternatives": WORDS["alternatives"].splitlines(), "materials": WORDS["materials"].splitlines(), **changes}
    return kb.create_article("setup", key, read_content(words))


def sent(**changes: Any) -> dict[str, Any]:
    return {**WORDS, **changes}


def text(answer: Any) -> str:
    page: str = answer.get_data(as_text=True)
    return page


def test_list_filters_and_counts(editor: Browser, kb: KnowledgeService, published: ArticleView) -> None:
    write(kb, "kb-2", title="随父母迁户口怎么办", category="户籍/迁入", unit="城东区公安分局", region="城东区")
    write(kb, "kb-3", title="公司注销要多久", category="企业登记/注销")
    everything = text(editor.get("/articles/"))
    assert "居住证丢了怎么补" in everything
    assert "第 1–3 条，共 3 条" in everything
    assert "企业登记" in everything
    household = text(editor.get("/articles/?category=户籍"))
    assert "公司注销" not in household
    assert "第 1–2 条，共 2 条" in household
    assert "迁入" in household, "the branch that is chosen is open"
    assert "随父母迁户口" in text(editor.get("/articles/?region=城东区"))
    assert "居住证丢了" not in text(editor.get("/articles/?status=draft"))
    assert "居住证丢了" in text(editor.get("/articles/?q=居住证掉了"))
    assert "没有符合条件的条目" in text(editor.get("/articles/?q=%25"))
    assert "没有符合条件的条目" in text(editor.get("/articles/?unit=没有"))


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "word"),
    [
        ("2026-01-01", "2026-03-17", "已过期"),
        ("2026-01-01", "2026-03-18", "将到期"),
        ("2026-03-19", "", "未生效"),
        ("2026-01-01", "2027-01-01", "已发布"),
    ],
)
def test_what_the_date_makes_of_an_article(
    editor: Browser, kb: KnowledgeService, valid_from: str, valid_to: str, word: str
) -> None:
    article = write(kb, "kb-9", valid_from=valid_from, valid_to=valid_to or None)
    kb.publish_article("setup", article.id)
    assert word in text(editor.get("/articles/"))


def test_readers_see_what_citizens_are_told(app: Flask, editor: Browser, kb: KnowledgeService, published: ArticleView) -> None:
    kb.revise_article("setup", published.id, read_content({**_raw(published), "answer": "还没定的新说法"}))
    agent = app.test_client()
    assert isinstance(agent, Browser)
    agent.log_in("agent", PASSWORD)
    page = text(agent.get(f"/articles/{published.id}"))
    assert "当场办结" in page
    assert "还没定的新说法" not in page
    draft = text(editor.get(f"/articles/{published.id}"))
    assert "还没定的新说法" in draft
    assert "这不是市民听到的版本" in draft


def test_hostile_words_are_only_text(editor: Browser, kb: KnowledgeService) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    article = write(
        kb, "kb-evil", **dict.fromkeys(("title", "answer", "unit", "region", "source", "fee"), evil), alternatives=[evil]
    )
    kb.publish_article("setup", article.id)
    edited = kb.revise_article("setup", article.id, read_content({**_raw(article), "answer": evil + "二"}))
    assert edited.revision_no == 2
    pages = (f"/articles/{article.id}", f"/articles/{article.id}/edit", f"/articles/{article.id}/compare")
    for address in ("/articles/", *pages, "/articles/search?q=alert", f"/articles/?q={evil}"):
        page = text(editor.get(address))
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address


def test_write_publish_and_retire(editor: Browser, kb: KnowledgeService, database: Database) -> None:
    answer = editor.post("/articles/new", data=sent(key="kb-new", do="draft"))
    assert answer.status_code == 302
    article = kb.list_articles().articles[0]
    assert (article.status, article.author) == ("draft", "kb_editor")
    assert article.content.materials == ("身份证；户口簿", "近照"), "one a line; a semicolon belongs to the sentence"
    assert editor.post(f"/articles/{article.id}/publish", data={"revision": 1}).status_code == 302
    assert kb.get_article(article.id).status == "published"
    assert editor.post(f"/articles/{article.id}/retire").status_code == 302
    assert kb.get_article(article.id).status == "retired"
    with database.transaction() as session:
        acts = session.scalars(select(AuditEntry.action).where(AuditEntry.actor == "kb_editor")).all()
    assert [act for act in acts if act.startswith("article")] == ["article.created", "article.published", "article.retired"]


def test_publishing_needs_a_question_and_leaves_nothing_half_done(editor: Browser, kb: KnowledgeService) -> None:
    answer = editor.post("/articles/new", data=sent(alternatives="", do="publish"))
    assert answer.status_code == 400
    page = text(answer)
    assert "至少要有一个市民的问法" in page
    assert "居住证丢了怎么补" in page, "what was typed stays"
    assert kb.count_articles() == 0
    assert editor.post("/articles/new", data=sent(alternatives="", do="draft")).status_code == 302
    article = kb.list_articles().articles[0]
    assert editor.post(f"/articles/{article.id}/publish").status_code == 400


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "至少 2 个字"),
        ({"answer": "  "}, "必须填写"),
        ({"valid_from": "明天"}, "日期要写成"),
        ({"valid_to": "2025-01-01"}, "失效日期早于生效日期"),
        ({"unit": "局" * 101}, "最多 100 个字"),
    ],
)
def test_bad_words_are_named_beside_their_field(editor: Browser, kb: KnowledgeService, changes: dict[str, str], words: str) -> None:
    answer = editor.post("/articles/new", data=sent(**changes))
    assert answer.status_code == 400
    assert words in text(answer)
    assert "什么都没有保存" in text(answer)
    assert kb.count_articles() == 0


def test_a_key_is_used_once(editor: Browser, published: ArticleView) -> None:
    answer = editor.post("/articles/new", data=sent(key="kb-1"))
    assert answer.status_code == 409
    assert "已经有了" in text(answer)


def test_two_editors_at_once(editor: Browser, kb: KnowledgeService, published: ArticleView) -> None:
    form = text(editor.get(f"/articles/{published.id}/edit"))
    based_on = re.search(r'name="based_on" value="(\d+)"', form)
    assert based_on
    kb.revise_article("other", published.id, read_content({**_raw(published), "fee": "不收费"}))
    data = sent(answer="我的改法", based_on=based_on[1])
    answer = editor.post(f"/articles/{published.id}/edit", data=data)
    assert answer.status_code == 409
    page = text(answer)
    assert "他人已保存第 2 版" in page
    assert "我的改法" in page, "what was typed isn't lost"
    assert kb.get_article(published.id).revision_no == 2


def test_revise_and_publish_in_one(editor: Browser, kb: KnowledgeService, published: ArticleView) -> None:
    data = sent(answer="新说法", based_on=1, do="publish")
    assert editor.post(f"/articles/{published.id}/edit", data=data).status_code == 302
    article = kb.get_article(published.id)
    assert (article.revision_no, article.is_published_revision) == (2, True)


def test_a_unit_drafts_but_does_not_publish(client: Browser, kb: KnowledgeService, published: ArticleView) -> None:
    client.log_in("unit", PASSWORD)
    page = text(client.get(f"/articles/{published.id}/edit"))
    assert 'value="publish"' not in page
    data = sent(answer="单位的说法", based_on=1, do="publish")
    assert client.post(f"/articles/{published.id}/edit", data=data).status_code == 302
    assert not kb.get_article(published.id).is_published_revision, "asking for it doesn't help"
    assert client.post(f"/articles/{published.id}/publish").status_code == 403
    assert client.get("/articles/export").status_code == 403


def test_compare_shows_only_what_changed(editor: Browser, kb: KnowledgeService, published: ArticleView) -> None:
    kb.revise_article("other", published.id, read_content({**_raw(published), "answer": "本人带身份证到派出所补领，三日办结。"}))
    page = text(editor.get(f"/articles/{published.id}/compare"))
    assert "<del>当场</del>" in page
    assert "<ins>三日</ins>" in page
    assert "1 项不同，15 项相同" in page
    assert "两版内容相同" in text(editor.get(f"/articles/{published.id}/compare?from=2&to=2"))
    assert editor.get(f"/articles/{published.id}/compare?from=7").status_code == 404


def test_old_revisions_stay_readable_and_come_back(editor: Browser, kb: KnowledgeService, published: ArticleView) -> None:
    second = kb.revise_article("other", published.id, read_content({**_raw(published), "answer": "第二种说法"}))
    kb.publish_article("other", published.id)
    assert "当场办结" in text(editor.get(f"/articles/{published.id}?revision=1"))
    editor.post(f"/articles/{published.id}/publish", data={"revision": 1})
    assert kb.get_article(published.id, 1).is_published_revision
    assert second.revision_no == 2


def test_usage_of_thirty_days(editor: Browser, database: Database, clock: FakeClock, published: ArticleView) -> None:
    with database.transaction() as session:
        for number in range(4):
            suggestion = Suggestion(
                call_id=uuid.uuid4(),
                article_id=published.id,
                revision_id=published.revision_id,
                rank=number + 1,
                score=1.0,
                confidence=90,
                query="居住证",
                excerpt="",
                marks=[],
                created_at=clock.now(),
            )
            session.add(suggestion)
            session.flush()
            kind, reason = ("wrong", "地区不符") if number else ("adopted", "")
            session.add(SuggestionFeedback(suggestion_id=suggestion.id, kind=kind, reason=reason, at=clock.now()))
        session.flush()
    page = text(editor.get(f"/articles/{published.id}"))
    assert re.search(r"推荐</div><div class=\"b t-xl\">3</div>", page), "only the first three count as offered"
    assert re.search(r"采用</div><div class=\"b t-xl\">1</div><div class=\"t-xs ink-3\">33.3%", page)
    assert "地区不符" in page
    clock.advance(31 * 24 * 3600)
    editor.log_in("kb_editor", PASSWORD)
    assert re.search(r"推荐</div><div class=\"b t-xl\">0</div>", text(editor.get(f"/articles/{published.id}")))


class TestSearchPage:
    """Trying what citizens say."""

    def test_finds(self, editor: Browser, kb: KnowledgeService, published: ArticleView) -> None:
        kb.reindex()
        page = text(editor.get("/articles/search?q=我的居住证丢了怎么补办"))
        assert "居住证丢了怎么补" in page
        assert "检索降级" not in page

    def test_says_when_it_is_degraded(self, editor: Browser, index: FakeSearchIndex, published: ArticleView) -> None:
        index.is_away = True
        page = text(editor.get("/articles/search?q=我的居住证丢了怎么补办"))
        assert "检索降级" in page
        assert "居住证丢了怎么补" in page

    def test_nothing_asked_nothing_found(self, editor: Browser) -> None:
        assert "和工作台用同一个搜索" in text(editor.get("/articles/search"))
        assert "没有命中的条目" in text(editor.get("/articles/search?q=qqqq"))


class TestFiles:
    """Import and export."""

    @staticmethod
    def row(**changes: Any) -> str:
        words = {**WORDS, "key": "row-1", "alternatives": ["一个问法"], "materials": [], "valid_to": None, **changes}
        return json.dumps(words, ensure_ascii=False)

    def upload(self, editor: Browser, content: bytes, name: str) -> Any:
        return editor.post("/articles/import", data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")

    def test_a_broken_row_is_named_and_the_others_are_kept(self, editor: Browser, kb: KnowledgeService) -> None:
        lines = [self.row(), "{broken", self.row(key="row-3", title=""), self.row(key="row-4", extra="<script>alert(1)</script>")]
        answer = self.upload(editor, "\n".join(lines).encode(), "条目.jsonl")
        page = text(answer)
        assert answer.status_code == 200
        assert kb.count_articles("published") == 1
        assert page.count('<td class="r">') == 3
        assert "<script>alert" not in page
        assert "row-3" in page

    @pytest.mark.parametrize(("name", "content"), [("a.exe", b"x"), ("a.xlsx", b"not a workbook"), ("", b"")])
    def test_a_file_that_is_none(self, editor: Browser, kb: KnowledgeService, name: str, content: bytes) -> None:
        answer = self.upload(editor, content, name)
        assert answer.status_code == 400
        assert 'role="alert"' in text(answer)
        assert kb.count_articles() == 0

    def test_too_large(self, editor: Browser) -> None:
        assert self.upload(editor, b"x" * (21 * 1024 * 1024), "a.jsonl").status_code == 413

    @pytest.mark.parametrize("kind", ["jsonl", "xlsx"])
    def test_what_goes_out_comes_in_again(
        self, editor: Browser, kb: KnowledgeService, database: Database, published: ArticleView, kind: str
    ) -> None:
        answer = editor.get(f"/articles/export?format={kind}")
        assert answer.headers["Content-Disposition"].endswith(f"articles-20260318.{kind}")
        page = text(self.upload(editor, answer.data, f"again.{kind}"))
        assert "出错" in page
        assert kb.count_articles() == 1
        assert kb.get_article(published.id).latest_revision_no == 1, "nothing changed, so nothing was revised"
        with database.transaction() as session:
            entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "article.exported")).one()
        assert (entry.actor, entry.detail) == ("kb_editor", {"count": 1})


def _raw(article: ArticleView) -> dict[str, Any]:
    return article.content.model_dump()
