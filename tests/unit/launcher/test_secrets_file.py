"""Secrets are made once and belong to their owner alone."""

from pathlib import Path

from launcher.secrets_file import SecretsFile


def test_a_secret_is_the_same_at_every_start(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secrets.json"
    first = SecretsFile(path).get("ami", 24)
    assert len(first) == 24
    assert SecretsFile(path).get("ami") == first
    assert SecretsFile(path).get("cookies", 48) != first
    assert path.stat().st_mode & 0o777 == 0o600
