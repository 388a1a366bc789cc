"""How commands in another terminal find the program that `manage.py up` runs: the settings that it gave to its processes."""

import json
import os

from core.settings import Settings
from launcher.secrets_file import write_private


def save_environment(settings: Settings, environment: dict[str, str]) -> None:
    """Keep what the processes were given, readable by the owner alone."""
    write_private(settings.state_dir / "run" / "environment.json", json.dumps(environment, indent=1))


def forget_environment(settings: Settings) -> None:
    """The program has stopped."""
    (settings.state_dir / "run" / "environment.json").unlink(missing_ok=True)


def adopt_environment() -> None:
    """Let this command see the running program's addresses; what the caller set itself goes first."""
    path = Settings().state_dir / "run" / "environment.json"
    if path.exists():
        for name, value in json.loads(path.read_text()).items():
            os.environ.setdefault(name, value)
