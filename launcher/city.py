"""`manage.py demo`: the program on a state folder of its own, whose database holds a made-up year of a city's hotline."""

import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
import psycopg

from bootstrap.house import House, build
from core import migrate
from core.clock import Clock, SystemClock
from core.database import libpq_url
from core.errors import InvalidInputError
from core.settings import PROJECT_DIR, Settings
from launcher.demonstration import Prepared, prepare_database
from launcher.year.fill import fill, is_filled
from launcher.year.plan import CITY_ANSWERS, CITY_CALLS, YearPlan
from webui.statistics.closing import Closing
from webui.statistics.counting import Counting

TRUTH_FILE = "truth.json"
_ACTOR = "manage.py demo"
# What `make run` starts for itself; naming a server of the site's would put made-up calls on it.
_OWN_PARTS = ("database_url", "elasticsearch_url", "ami_host")


class NamesAServerError(InvalidInputError):
    """The settings name a server; a made-up year is put on none."""

    def __init__(self, name: str) -> None:
        super().__init__(f"演示只用自带的组件：请在 .env 或环境变量里去掉 {name.upper()}，再运行 make demo")


def demo_settings() -> Settings:
    """Return the settings of the demonstration: everything of its own, and no call goes out by itself.

    Raises:
        NamesAServerError: a server is named that would be used instead of our own.
    """
    usual = Settings()
    for name in _OWN_PARTS:
        if name in usual.model_fields_set:
            raise NamesAServerError(name)
    os.environ |= {
        "STATE_DIR": str(usual.state_dir / "demo"),
        "ENDPOINTS_FILE": str(usual.endpoints_file.with_name("demo-endpoints.json")),
        "INDEX_PREFIX": "tingjian-demo-",
    }
    # Its open callbacks are there to be looked at; agents may still ring them by hand.
    os.environ.setdefault("DIALER_LINES", "0")
    return Settings()


def truth_file(settings: Settings) -> Path:
    """Return where the truth about the year is written."""
    return settings.state_dir / TRUTH_FILE


@dataclass(frozen=True)
class City:
    """How large a year is made when there is none, or when a fresh one is wanted."""

    calls: int = CITY_CALLS
    answers: int = CITY_ANSWERS
    fresh: bool = False

    def prepare(self, settings: Settings, clock: Clock | None = None) -> Prepared:
        """Bring the database up to date, fill it once, and add what every start needs."""
        url = settings.database_url
        assert url
        if self.fresh:
            forget_everything(url)
        migrate.upgrade(url)
        if not is_filled(url):
            self._fill(settings, (clock or SystemClock()).now())
        return prepare_database(settings)

    def _fill(self, settings: Settings, now: datetime) -> None:
        url = settings.database_url
        assert url
        house = build(settings)
        try:
            if not house.kb.count_articles():
                house.kb.load_demonstration(_ACTOR)
                # An index of an earlier demonstration knows other articles.
                house.kb.reindex()
            click.echo(f"  第一次启动：生成 {self.calls:,} 通来电、{self.answers:,} 份答卷的一年……")
            plan = YearPlan(now, calls=self.calls, answers=self.answers)
            fill(url, plan, truth_file(settings), lambda line: click.echo(f"    {line}"))
            _close_what_is_over(house)
        finally:
            house.close()


def _close_what_is_over(house: House) -> None:
    """Do what every night of the year would have done: count, freeze, open improvement items, make the latest reports."""
    since = time.monotonic()
    counting = Counting(house.database, house.clock, house.settings)
    days = counting.refresh()
    click.echo(f"    统计：{days} 天次（{time.monotonic() - since:.0f} 秒）")
    since = time.monotonic()
    Closing(house, counting).run()
    click.echo(f"    期间冻结、整改项、报表（{time.monotonic() - since:.0f} 秒）")


def forget_everything(url: str) -> None:
    """Empty the demonstration's database."""
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def announce_truth(settings: Settings) -> None:
    """Say where the truth is, and how to begin again."""
    path = truth_file(settings)
    shown = path.relative_to(PROJECT_DIR) if path.is_relative_to(PROJECT_DIR) else path
    click.echo(f"  真值      {shown}（生成数据所用的参数，可与统计页对照）")
    click.echo(f"  要对它用命令（如 make call），前面加 STATE_DIR={settings.state_dir}")
    click.echo("  数据全部为虚构，号码段 194 从未分配。要重新生成：manage.py demo --fresh\n")
