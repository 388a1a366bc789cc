"""`manage.py calendar …`: the days on which offices work against the calendar."""

from pathlib import Path

import click

from commands.people import ACTOR
from core.errors import InvalidInputError
from core.settings import get_settings


@click.group()
def calendar() -> None:
    """Working days and days off that the national calendar does not know, or that a city sets itself (调休)."""


@calendar.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_days(file: Path) -> None:
    """Set days from FILE, a CSV of date, 班 or 休, and a name; bad rows are named and the others kept."""
    from bootstrap.house import build

    house = build(get_settings())
    with house.exits:
        report = house.working_days.import_csv(file.read_bytes(), ACTOR)
    for row, problem in report.refused:
        click.echo(f"第 {row} 行：{problem}", err=True)
    click.echo(f"已保存 {report.saved} 天")
    if report.refused:
        raise InvalidInputError(f"{len(report.refused)} 行没有保存")
