"""`manage.py demo`: every page full."""

from __future__ import annotations

import click

from core.logs import configure_logging
from core.settings import Settings


@click.command()
@click.option("--fresh", is_flag=True, help="Throw the demonstration's data away and make it anew, up to today.")
@click.option(
    "--calls", type=click.IntRange(1000, 5_000_000), default=200_000, show_default=True, help="Calls of the year, when it is made."
)
@click.option(
    "--answers",
    type=click.IntRange(100, 5_000_000),
    default=60_000,
    show_default=True,
    help="Answered surveys of the year, when it is made.",
)
def demo(fresh: bool, calls: int, answers: int) -> None:
    """Start everything on this machine with a made-up year of a city's hotline; Ctrl-C ends it."""
    from launcher.announce import announce
    from launcher.city import City, announce_truth, demo_settings
    from launcher.demonstration import Prepared
    from launcher.up import Launcher

    def tell(settings: Settings, prepared: Prepared) -> None:
        announce(settings, prepared)
        announce_truth(settings)

    own = demo_settings()
    configure_logging("demo", "WARNING")
    Launcher(own).run(City(calls, answers, fresh).prepare, tell)
