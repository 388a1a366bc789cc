"""`manage.py case …`: approval cases."""

from pathlib import Path

import click

from commands.people import ACTOR
from core.errors import InvalidInputError
from core.settings import get_settings


@click.group()
def case() -> None:
    """Approval cases of the hall."""


@case.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(file: Path) -> None:
    """Import cases from FILE (.csv or a spreadsheet); refused rows are told one by one, the others are kept."""
    from bootstrap.house import build
    from workorder.case_import import field_title

    house = build(get_settings())
    with house.exits:
        report = house.workorder.import_cases(file, file.name, ACTOR)
    for problem in report.refused:
        click.echo(f"第 {problem.row} 行 {problem.number}：{field_title(problem.field)}：{problem.message}", err=True)
    click.echo(f"新增 {report.created}，更新 {report.changed}，未变 {report.unchanged}，出错 {report.refused_rows} 行")
    if report.refused:
        raise InvalidInputError(f"{report.refused_rows} 行没有导入")
