"""`manage.py search …` and `manage.py article …`."""

import json
from pathlib import Path

import click

from bootstrap.house import build
from core.settings import get_settings

ACTOR = "manage.py"


@click.command()
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True)
def search(text: str, as_json: bool, limit: int) -> None:
    """Search the knowledge base as the desk does."""
    result = build(get_settings()).kb.search(text, limit=limit)
    if as_json:
        hits = [
            {"key": hit.key, "title": hit.title, "unit": hit.unit, "region": hit.region, "score": round(hit.score, 4)}
            | {
                "confidence": hit.confidence,
                "article_id": str(hit.article_id),
                "revision_no": hit.revision_no,
                "excerpt": hit.excerpt,
            }
            for hit in result.hits
        ]
        click.echo(json.dumps({"query": text, "degraded": result.degraded, "hits": hits}, ensure_ascii=False))
        return
    if result.degraded:
        click.echo("Elasticsearch 不可用，以下由内存检索给出。", err=True)
    for number, hit in enumerate(result.hits, start=1):
        click.echo(f"{number}. {hit.title}　{hit.unit} · {hit.region} · 把握 {hit.confidence}\n   {hit.excerpt}")


@click.group()
def article() -> None:
    """Articles of the knowledge base."""


@article.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(file: Path) -> None:
    """Import articles from FILE (.jsonl or .xlsx); a broken row is reported and left out, the others are kept."""
    report = build(get_settings()).kb.import_articles(file, ACTOR)
    for error in report.errors:
        click.echo(f"第 {error.row} 行：{error.message}", err=True)
    click.echo(f"新增 {report.created}，修订 {report.revised}，未变 {report.unchanged}，出错 {len(report.errors)}")
    if report.errors:
        raise SystemExit(1)


@article.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write all articles to FILE (.jsonl or .xlsx)."""
    click.echo(f"已导出 {build(get_settings()).kb.export_articles(file)} 条")


@article.command()
def reindex() -> None:
    """Build the index anew and swap it in."""
    click.echo(f"已重建索引，{build(get_settings()).kb.reindex()} 条")
