"""All set-up that can be done before anything runs: outside parts into the cache, side by side, and the web's built files."""

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import click

from core.settings import Settings
from launcher.parts import DEPLOY, PartFailedError
from webui import assets, languages

_RUN = {
    "Asterisk": "install_asterisk.sh",
    "Elasticsearch": "install_elasticsearch.sh",
    "Whisper 权重": "install_weights.sh",
    "报表排版组件": "install_printing.sh",
}
_TESTS = {"Chromium 与中文字体": "install_chromium.sh"}
_STILL_AT_IT_SECONDS = 10


def install_parts(for_tests: bool) -> None:
    """Install what is missing; instant when all is there.

    Raises:
        PartFailedError: the first script's own sentence on what is wrong and what to do.
    """
    scripts = {**_RUN, **(_TESTS if for_tests else {})}
    with ThreadPoolExecutor(len(scripts)) as pool:
        list(pool.map(_install, scripts, scripts.values()))


def _install(title: str, script: str) -> None:
    since = time.monotonic()
    process = subprocess.Popen(
        ["bash", str(DEPLOY / script)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    finished = threading.Event()
    threading.Thread(target=_say_still_at_it, args=(title, since, finished), daemon=True).start()
    last = ""
    for line in process.stderr:
        last = line.rstrip()
        click.echo(f"  {last}", err=True)
    finished.set()
    if process.wait():
        raise PartFailedError(last or f"{script} failed")
    if time.monotonic() - since > 2:
        click.echo(f"  ✓ {title}（{time.monotonic() - since:.0f} 秒）", err=True)


def _say_still_at_it(title: str, since: float, finished: threading.Event) -> None:
    while not finished.wait(_STILL_AT_IT_SECONDS):
        click.echo(f"  … {title} 还在安装，已用 {time.monotonic() - since:.0f} 秒", err=True)


def build_web(settings: Settings) -> None:
    """Compile the translations and hash and pack the static files."""
    languages.compile_catalogues()
    assets.build(settings)
