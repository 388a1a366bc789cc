"""`manage.py up`: outside parts side by side, then the database, then the program's processes, then the addresses."""

import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click
import httpx

from core.errors import ConflictError, TingjianError
from core.settings import PROJECT_DIR, Settings
from launcher.children import Child, Children
from launcher.demonstration import Prepared
from launcher.ledger import Ledger, end_processes
from launcher.parts import AsteriskPart, ElasticsearchPart, Part, PostgresPart, WeightsPart
from launcher.ports import Ports
from launcher.running import forget_environment, save_environment
from launcher.secrets_file import SecretsFile

_HEALTH_SECONDS = 60
# Live text is for people who are talking: on a machine that does other things too (a browser), what makes and shows it goes first.
AHEAD = -10


class AlreadyRunningError(ConflictError):
    """This clone's program runs already."""


@dataclass
class Progress:
    """Says what is being done and how long it took."""

    begun: float = field(default_factory=time.monotonic)

    def done(self, what: str, since: float) -> None:
        """Report a finished step."""
        click.echo(f"  ✓ {what}（{time.monotonic() - since:.1f} 秒）")

    def total(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.begun


class Launcher:
    """Owns everything that it starts, for as long as it runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._secrets = SecretsFile(settings.state_dir / "secrets.json")
        self.environment: dict[str, str] = {"SECRET_KEY": self._secrets.get("cookies", 48)}
        self._ledger = Ledger(settings.state_dir / "run" / "processes.json")
        self._stopping = threading.Event()
        self._ports = Ports()
        self._parts: list[Part] = []
        self._children: Children | None = None

    def run(self, prepare: Callable[[Settings], Prepared], announce: Callable[[Settings, Prepared], None]) -> None:
        """Start everything, announce it, keep it running until INT or TERM, and stop everything.

        Args:
            prepare: brings the database up to date and fills what a first start needs; given the settings with every address.
            announce: tells the newcomer, and `endpoints.json`, where everything is.
        """
        progress = Progress()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        with self._only_one():
            try:
                self._end_leftovers()
                self._start_parts(progress)
                settings = self._settings_with_addresses()
                since = time.monotonic()
                facts = prepare(settings)
                progress.done("数据库与演示数据", since)
                self._start_children(settings, progress)
                if not self._stopping.is_set():
                    announce(settings, facts)
                    click.echo(f"已就绪，用时 {progress.total():.0f} 秒。按 Ctrl-C 停止。")
                while not self._stopping.wait(0.5):
                    assert self._children is not None
                    self._children.keep_running()
            finally:
                self._stop_all()

    def _only_one(self) -> "_Lock":
        return _Lock(self.settings.state_dir / "run" / "lock")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _end_leftovers(self) -> None:
        leftovers = self._ledger.leftovers()
        if leftovers:
            click.echo(f"  上次没有正常停止，先结束它留下的 {len(leftovers)} 个进程")
            end_processes(leftovers)

    def _start_parts(self, progress: Progress) -> None:
        self._parts = self._needed_parts()
        click.echo("正在启动外部组件：" + "、".join(part.title for part in self._parts))

        def start(part: Part) -> dict[str, str]:
            since = time.monotonic()
            environment = part.start()
            progress.done(part.title, since)
            return environment

        with ThreadPoolExecutor(len(self._parts) or 1) as pool:
            for environment in list(pool.map(start, self._parts)):
                self.environment |= environment

    def _needed_parts(self) -> list[Part]:
        """Only what the site does not name a server for."""
        given, state = self.settings.model_fields_set, self.settings.state_dir
        parts: list[Part] = []
        if self.settings.database_url is None:
            parts.append(PostgresPart(state / "postgres"))
        if "elasticsearch_url" not in given:
            parts.append(ElasticsearchPart(state / "elasticsearch", self._port(9200), self._port(9300)))
        if "speech_model" not in given and self.settings.speech_engine == "faster-whisper":
            parts.append(WeightsPart())
        if "ami_host" not in given:
            parts.append(AsteriskPart(state / "asterisk", self._asterisk_addresses()))
        return parts

    def _asterisk_addresses(self) -> dict[str, str]:
        http, rtp = self._port(8088), self._free_rtp_range()
        return {
            "AMI_PORT": str(self._port(5038)),
            "AMI_PASSWORD": self._secrets.get("ami"),
            "AMI_PROVISION_PASSWORD": self._secrets.get("ami_provision"),
            "AMI_IVR_PASSWORD": self._secrets.get("ami_ivr"),
            "ASTERISK_HTTP_PORT": str(http),
            "SIP_PORT": str(self._ports.pick(5060, socket.SOCK_DGRAM)),
            "SOFTPHONE_URL": f"ws://127.0.0.1:{http}/ws",
            "AUDIOSOCKET_PORT": str(self._port(9092)),
            "RTP_PORT_START": str(rtp),
            "RTP_PORT_END": str(rtp + 999),
            **self._demonstration_calls(),
        }

    def _demonstration_calls(self) -> dict[str, str]:
        """What a private Asterisk shows of itself unless the site says otherwise: the rating after a call, and outgoing calls that
        ring on this machine and nowhere else.
        """
        given, wanted = self.settings.model_fields_set, {}
        if "after_call_survey" not in given:
            wanted["AFTER_CALL_SURVEY"] = "true"
        if "outbound_trunk" not in given:
            wanted["OUTBOUND_TRUNK"] = f"sip:{{phone}}@127.0.0.1:{self._ports.pick(5066, socket.SOCK_DGRAM)}"
        return wanted

    def _free_rtp_range(self) -> int:
        for start in range(self.settings.rtp_port_start, 60000, 1000):
            if self._ports.pick(start, socket.SOCK_DGRAM) == start:
                return start
        return self.settings.rtp_port_start

    def _port(self, preferred: int) -> int:
        return self._ports.pick(preferred)

    def _settings_with_addresses(self) -> Settings:
        if "web_port" not in self.settings.model_fields_set:
            self.environment["WEB_PORT"] = str(self._port(self.settings.web_port))
        if "public_url" not in self.settings.model_fields_set:
            port = self.environment.get("WEB_PORT", self.settings.web_port)
            self.environment["PUBLIC_URL"] = f"http://{self.settings.web_host}:{port}"
        self.environment["STATE_DIR"] = str(self.settings.state_dir)
        os.environ.update(self.environment)
        settings = Settings()
        save_environment(settings, self.environment)
        return settings

    def _start_children(self, settings: Settings, progress: Progress) -> None:
        since = time.monotonic()
        # What carries the call goes before what recognises it, and both before what can wait.
        self._children = Children(
            [
                Child("dispatcher", ["manage.py", "dispatcher"], niceness=AHEAD),
                Child("bridge", ["manage.py", "bridge"], niceness=AHEAD),
                Child("web", ["manage.py", "web"], niceness=AHEAD),
                Child("worker", ["manage.py", "worker"], niceness=10),
                Child("ivr", ["manage.py", "ivr"], niceness=-2),
                Child("dialer", ["manage.py", "dialer"], niceness=5),
            ],
            settings.state_dir / "logs",
            self._ledger,
        )
        self._children.start(self.environment)
        deadline = time.monotonic() + _HEALTH_SECONDS
        address = f"http://{settings.web_host}:{settings.web_port}/health"
        while not self._stopping.is_set() and not _is_healthy(address):
            if time.monotonic() > deadline:
                raise TingjianError(f"网站 {_HEALTH_SECONDS} 秒内没有就绪：请看 {settings.state_dir / 'logs'} 里的日志")
            self._children.keep_running()
            time.sleep(0.2)
        progress.done("网站、话务桥、分发、后台任务", since)

    def _stop_all(self) -> None:
        click.echo("正在停止……")
        if self._children:
            self._children.stop()
        with ThreadPoolExecutor(len(self._parts) or 1) as pool:
            list(pool.map(_stop_quietly, self._parts))
        self.settings.endpoints_file.unlink(missing_ok=True)
        forget_environment(self.settings)
        click.echo("已停止。")


def _stop_quietly(part: Part) -> None:
    try:
        part.stop()
    except TingjianError as error:
        click.echo(f"  {part.title} 没有正常停止：{error}", err=True)


def _is_healthy(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2.0).status_code == 200
    except httpx.HTTPError:
        return False


class _Lock:
    """One launcher a clone; the kernel frees it even after a kill -9."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunningError(f"{PROJECT_DIR.name} 已经在运行；要重新启动，请先停止它") from error

    def __exit__(self, *_: object) -> None:
        self._file.close()
