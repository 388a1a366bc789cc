"""A private Asterisk for tests, and real telephones to ring it with: one program each, ended by process id."""

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.settings import PROJECT_DIR, Settings
from telephony.adapters.ami_client import AmiAddress, AmiClient
from telephony.adapters.ami_switch import AmiSwitch
from telephony.ami_protocol import AmiMessage
from telephony.asterisk.render import PROMPTS, layout_for, render
from tests.servers import DEPLOY, free_port, installed, scratch_folder


def write_silence(path: Path, seconds: float) -> None:
    """Write a silent 8 kHz WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(8000 * seconds) * 2))


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class AsteriskServer:
    """A private Asterisk with the program's own configuration, desk phones instead of browsers, and short prompts."""

    folder: Path
    runtime: Path
    settings: Settings
    clients: list[AmiClient] = field(default_factory=list)

    def render(self, **changes: Any) -> None:
        """Write the configuration, with the settings changed as given."""
        self.settings = self.settings.model_copy(update=changes)
        prompts = self.folder / "prompts"
        prompts.mkdir(exist_ok=True)
        # The real prompts would be minutes of test time: a moment of silence in their place keeps the dialplan as it is.
        for real in PROMPTS.glob("*.wav"):
            write_silence(prompts / real.name, 0.1)
        layout = layout_for(self.settings, self.conf, self.folder / "state", self.runtime)
        render(self.settings, dataclasses.replace(layout, prompt_dir=prompts))

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def sip(self) -> str:
        return f"127.0.0.1:{self.settings.sip_port}"

    @property
    def trunk_port(self) -> int:
        """Where calls that we place ring."""
        return int(self.settings.outbound_trunk.rpartition(":")[2])

    @property
    def recordings(self) -> Path:
        return self.settings.recordings

    def start(self) -> None:
        self._script("start")

    def stop(self) -> None:
        self._script("stop")

    def kill(self) -> None:
        """End it as a crash would; `start` brings it back."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:4]:
            time.sleep(0.02)

    def pid(self) -> int:
        return int((self.conf / "asterisk.pid").read_text().split()[0])

    def command(self, line: str) -> str:
        """Run a line on Asterisk's console and return what it prints."""
        arguments = [str(self.runtime / "ast"), "-C", str(self.conf / "asterisk.conf"), "-rx", line]
        return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=10).stdout

    def client(self, on_event: Callable[[AmiMessage], None] | None = None, user: str | None = None, **more: Any) -> AmiClient:
        """Return a manager connection that is up; it is closed with the server."""
        name = user or self.settings.ami_username
        password = self.settings.ami_password.get_secret_value()
        where = AmiAddress("127.0.0.1", self.settings.ami_port, name, password)
        client = AmiClient(where, on_event, **more)
        self.clients.append(client)
        client.start()
        client.wait_until_up(5)
        return client

    @cached_property
    def provisioning(self) -> AmiClient:
        """The manager user that makes telephones known."""
        return self.client(user=f"{self.settings.ami_username}-provision")

    def switch(self, client: AmiClient | None = None) -> AmiSwitch:
        """Return a Switch on this server."""
        timeout = self.settings.agent_rtp_timeout_seconds
        return AmiSwitch(client or self.client(), self.provisioning, phone="sip", rtp_timeout_seconds=timeout)

    def shared_switch(self) -> AmiSwitch:
        """Return the one Switch that tests share where a connection of their own does not matter."""
        return self._shared

    @cached_property
    def _shared(self) -> AmiSwitch:
        return self.switch()

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _script(self, action: str) -> None:
        environment = {**os.environ, "ASTERISK_RUNTIME": str(self.runtime)}
        command = ["bash", str(DEPLOY / "start_asterisk.sh"), str(self.conf), action]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


@contextmanager
def asterisk_server(**changes: Any) -> Iterator[AsteriskServer]:
    """Run a private Asterisk in a scratch folder."""
    folder, rtp = scratch_folder("asterisk"), 20000 + os.getpid() % 100 * 200
    settings = Settings(
        _env_file=None,
        ami_port=free_port(),
        ami_password=SecretStr("ami password; of tests"),
        sip_port=_free_udp_port(),
        outbound_trunk=f"sip:{{phone}}@127.0.0.1:{_free_udp_port()}",
        asterisk_http_port=free_port(),
        rtp_port_start=rtp,
        rtp_port_end=rtp + 199,
        recordings_dir=folder / "recordings",
        agent_phone="sip",
        agent_rtp_timeout_seconds=3,
        ring_seconds=3,
    )
    server = AsteriskServer(folder, Path(installed("install_asterisk.sh")), settings)
    server.render(**changes)
    try:
        server.start()
        yield server
    finally:
        server.close()


class Program:
    """A subprocess that writes one JSON object a line."""

    def __init__(self, *arguments: str, patience_seconds: float = 0.0) -> None:
        self.patience_seconds = patience_seconds
        self.lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, *arguments], cwd=PROJECT_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, kind: str, timeout: float = 15.0, count: int = 1) -> dict[str, Any]:
        """Return the `count`-th line of a kind."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if line["kind"] == kind]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, timeout), f"no {kind}: {self.lines}"
        return found()[count - 1]

    def kinds(self) -> list[str]:
        return [line["kind"] for line in self.lines]

    def do(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it as a crash or a power cut would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End it: in order where it listens for the end of its input, by force where it does not."""
        if self.process.poll() is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.patience_seconds)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(json.loads(line))
                self._changed.notify_all()


def agent_phone(server: AsteriskServer, number: str, password: str, pick_up_after: float | None = None) -> Program:
    """Start a registered agent's telephone."""
    options = [] if pick_up_after is None else ["--auto", str(pick_up_after)]
    phone = Program("-m", "tests.agent_phone", *options, "--", number, password, server.sip, patience_seconds=3)
    phone.wait_for("registered")
    return phone


def citizens(server: AsteriskServer, people: dict[str, dict[str, Any]], **more: Any) -> Program:
    """Start citizens who can be rung, by number; see tests/citizen_listener.py for what they do."""
    wanted = {"port": server.trunk_port, "people": people, "hotline": server.sip, **more}
    program = Program("-m", "tests.citizen_listener", json.dumps(wanted), patience_seconds=2)
    program.wait_for("listening")
    return program


def citizen(server: AsteriskServer, file: Path, **wanted: Any) -> Program:
    """Start a citizen's call; fields of CitizenCall as JSON."""
    fields = {"file": str(file), "server": server.sip, "speak_after": 0.0, **wanted}
    return Program("-m", "tests.citizen_phone", json.dumps(fields, default=str))
