"""`manage.py up` and the processes that it, or the site's own service manager, starts."""

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

import click

from core.logs import configure_logging
from core.settings import Settings, get_settings


def stopping_event() -> threading.Event:
    """Return an event that INT and TERM set, so that a loop ends between two pieces of work."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopping


def begin(process: str) -> Settings:
    """Return the settings, with logging set up for one process."""
    settings = get_settings()
    configure_logging(process, settings.log_level, settings.log_json)
    return settings


@click.command()
@click.option("--tests", is_flag=True, help="Also what the tests need: a browser with Chinese fonts.")
def prepare(tests: bool) -> None:
    """Install the outside parts and build the web's files."""
    from launcher.prepare import build_web, install_parts

    install_parts(for_tests=tests)
    build_web(get_settings())


@click.command()
def up() -> None:
    """Start everything on this machine; Ctrl-C ends it."""
    from launcher.announce import announce
    from launcher.demonstration import prepare_database
    from launcher.up import Launcher

    settings = Settings()
    configure_logging("up", "WARNING")
    Launcher(settings).run(prepare_database, announce)


@click.command()
def web() -> None:
    """Serve the pages and the API."""
    settings = get_settings()
    arguments = ["gunicorn", "--worker-class", "gthread", "--workers", "1", "--threads", str(settings.web_threads)]
    arguments += ["--bind", f"{settings.web_host}:{settings.web_port}", "--graceful-timeout", "5", "--timeout", "0"]
    # gunicorn's heartbeat file on a disk would make every request wait for the disk.
    scratch = next(folder for folder in ("/dev/shm", tempfile.gettempdir()) if Path(folder).is_dir())  # noqa: S108
    arguments += ["--no-control-socket", "--keep-alive", "30", "--worker-tmp-dir", scratch]
    os.execv(sys.executable, [sys.executable, "-m", *arguments, "bootstrap.processes:web_application()"])  # noqa: S606


@click.command()
def bridge() -> None:
    """Follow Asterisk: calls, agents, recordings and the two voices."""
    from bootstrap.processes import run_bridge

    run_bridge(begin("bridge"), stopping_event())


@click.command()
def dispatcher() -> None:
    """Bring events to their handlers."""
    from bootstrap.processes import run_dispatcher

    run_dispatcher(begin("dispatcher"), stopping_event())


@click.command()
def ivr() -> None:
    """Speak with citizens by itself: callbacks that were picked up, and the question at the end of a call."""
    from bootstrap.processes import run_ivr

    run_ivr(begin("ivr"), stopping_event())


@click.command()
def dialer() -> None:
    """Ring whom we owe a call: callbacks that are due, inside their window and within etiquette."""
    from bootstrap.processes import run_dialer

    run_dialer(begin("dialer"), stopping_event())


@click.command()
def worker() -> None:
    """Do the jobs: transcripts from recordings, the index, what is due by the clock."""
    from bootstrap.worker import run_worker

    run_worker(begin("worker"), stopping_event())


@click.group()
def db() -> None:
    """The database."""


@db.command()
def upgrade() -> None:
    """Bring the database to this program's schema, and give it the queues that the settings name."""
    from bootstrap.house import build, database_url
    from core import migrate

    settings = get_settings()
    migrate.upgrade(database_url(settings))
    house = build(settings)
    with house.exits:
        house.telephony.ensure_queues(settings.queues)


@click.group()
def asterisk() -> None:
    """Asterisk."""


@asterisk.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--runtime", type=click.Path(path_type=Path), help="Folder that deploy/install_asterisk.sh printed, for a private Asterisk."
)
def render(folder: Path, runtime: Path | None) -> None:
    """Write Asterisk's configuration, from the settings, into FOLDER."""
    from telephony.asterisk.render import layout_for, render

    settings = get_settings()
    written = render(settings, layout_for(settings, folder, folder, runtime or Path("/usr/lib/asterisk")))
    click.echo(f"{len(written)} files written to {folder}")
