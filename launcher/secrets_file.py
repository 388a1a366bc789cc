"""Passwords that the program makes for itself on the first start, kept in the state folder (mode 600)."""

import json
import secrets
from pathlib import Path


class SecretsFile:
    """Named secrets; asking for one that does not exist yet makes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str, length: int = 24) -> str:
        """Return the secret of that name: letters and digits, the same at every call."""
        known: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}
        if name not in known:
            alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is read as another
            known[name] = "".join(secrets.choice(alphabet) for _ in range(length))
            write_private(self._path, json.dumps(known, indent=1))
        return known[name]


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.touch(mode=0o600)
    scratch.chmod(0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
