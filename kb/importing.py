"""Import and export of articles. A broken row is reported and leaves nothing behind; the others are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.database import Database, new_id
from core.errors import InvalidInputError
from core.outbox import publish
from kb import articles
from kb.article_content import ArticleContent, InvalidArticleError, Status, read_content
from kb.article_files import FileRow, read_rows, write_rows
from kb.article_view import content_of, revision_of
from kb.events import ArticleChanged
from kb.models import Article, ArticleRevision

_BATCH = 200
_STATUSES: tuple[Status, ...] = ("draft", "published", "retired")


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was left out. `message` is Chinese, for the page."""

    row: int
    key: str
    message: str


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    created: int = 0
    revised: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    number: int
    key: str
    status: Status
    content: ArticleContent


class Importing:
    """Takes articles in from files and gives them out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def import_file(self, path: Path, actor: str, *, is_demo: bool = False) -> ImportReport:
        """Create or revise the articles of a file by their keys and publish them (or what their `status` says).

        Importing the same file again changes nothing.
        """
        report = ImportReport()
        wanted = _checked(read_rows(path), report)
        while batch := list(islice(wanted, _BATCH)):
            with self._database.transaction() as session:
                done = _keep(session, actor, batch, is_demo)
                if set(done) != {"unchanged"}:
                    publish(session, ArticleChanged(article_id=None))
            report.created += done.count("created")
            report.revised += done.count("revised")
            report.unchanged += done.count("unchanged")
        with self._database.transaction() as session:
            detail = {"file": path.name, "created": report.created, "revised": report.revised, "errors": len(report.errors)}
            audit.record(session, actor, "article.imported", "articles", detail)
        return report

    def export_file(self, path: Path) -> int:
        """Write every article to a file, in its published revision, or its latest when it was never published."""
        with self._database.transaction() as session:
            return write_rows(path, _rows(session))


def _keep(session: Session, actor: str, rows: list[_Wanted], is_demo: bool) -> list[str]:
    """Write a batch and return what became of each row."""
    articles.lock_changes(session)
    known_rows = select(Article).where(Article.key.in_([row.key for row in rows])).with_for_update()
    known = {article.key: article for article in session.scalars(known_rows)}
    new = [row for row in rows if row.key not in known]
    _create(session, actor, new, is_demo)
    return ["created"] * len(new) + [_revise(session, actor, row, known[row.key]) for row in rows if row.key in known]


def _create(session: Session, actor: str, rows: list[_Wanted], is_demo: bool) -> None:
    """Write new articles with a few statements for all of them: a base of 10,000 is imported at once."""
    change_no, now = articles.next_change_no(session), session.execute(select(func.clock_timestamp())).scalar_one()
    made, revisions = [], []
    for at, row in enumerate(rows):
        is_published = row.status == "published"
        first = revision_of(new_id(), 1, row.content, actor)
        first.id, first.published_at = new_id(), now if is_published else None
        article = Article(id=first.article_id, key=row.key, is_demo=is_demo, latest_revision_no=1, status=row.status)
        if is_published:
            article.published_revision_id, article.change_no = first.id, change_no + at
        made.append(article)
        revisions.append(first)
    session.add_all(made)
    session.flush()
    session.add_all(revisions)
    session.flush()


def _revise(session: Session, actor: str, row: _Wanted, article: Article) -> str:
    before = (article.latest_revision_no, article.status)
    articles.revise(session, actor, article, row.content)
    if row.status == "published":
        articles.publish_revision(session, article)
    elif row.status == "retired":
        articles.retire(session, article)
    return "unchanged" if before == (article.latest_revision_no, article.status) else "revised"


def _checked(rows: Iterable[FileRow], report: ImportReport) -> Iterator[_Wanted]:
    first_row_of: dict[str, int] = {}
    for row in rows:
        key = str(row.values.get("key") or "").strip()
        try:
            if row.problem:
                raise InvalidInputError(row.problem)
            wanted = _read(row, key)
            if key in first_row_of:
                raise InvalidInputError(f"编号与第 {first_row_of[key]} 行重复")
        except InvalidInputError as error:
            report.errors.append(RowError(row.number, key[:100], str(error)))
            continue
        first_row_of[key] = row.number
        yield wanted


def _read(row: FileRow, key: str) -> _Wanted:
    words: dict[str, Any] = {name: value for name, value in row.values.items() if name not in {"key", "status"}}
    articles.check_key(key)
    status = str(row.values.get("status") or "published").strip()
    if status not in _STATUSES:
        raise InvalidArticleError({"status": "只能是 draft、published 或 retired"})
    content = read_content(words)
    if status == "published" and not content.alternatives:
        raise InvalidArticleError({"alternatives": "至少要有一个其他问法才能发布"})
    return _Wanted(row.number, key, status, content)


def _rows(session: Session) -> Iterator[dict[str, Any]]:
    latest = (ArticleRevision.article_id == Article.id) & (ArticleRevision.revision_no == Article.latest_revision_no)
    published = ArticleRevision.id == Article.published_revision_id
    query = select(Article, ArticleRevision).join_from(
        Article, ArticleRevision, published | (Article.published_revision_id.is_(None) & latest)
    )
    for article, revision in session.execute(query.order_by(Article.key).execution_options(yield_per=500)):
        words = content_of(revision).model_dump()
        words |= {name: list(words[name]) for name in ("alternatives", "materials")}
        yield {"key": article.key, **words, "status": article.status}
