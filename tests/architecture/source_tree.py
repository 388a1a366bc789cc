"""The project's own files, as the rules of this folder look at them."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from core.settings import PROJECT_DIR

_NOT_OURS = {".git", ".venv", "var", "__pycache__", "node_modules", "vendor", "dist", "licenses"}
PROGRAM = ("core", "telephony", "kb", "workorder", "callback", "survey", "webui", "launcher", "commands")
"""The packages that run; bench, deploy, migrations and tests only serve them."""


def files(*endings: str) -> Iterator[Path]:
    """Yield the project's files with one of these endings, without what was downloaded, built or vendored."""
    for folder, names, found in os.walk(PROJECT_DIR):
        names[:] = sorted(name for name in names if name not in _NOT_OURS and (name == ".ci" or not name.startswith(".")))
        yield from (Path(folder) / name for name in sorted(found) if name.endswith(endings))


def python_files(*packages: str) -> list[Path]:
    """Return the Python files of some packages, or of the whole project."""
    chosen = [PROJECT_DIR / package for package in packages]
    return [path for path in files(".py") if not chosen or any(path.is_relative_to(folder) for folder in chosen)]


def name_of(path: Path) -> str:
    """Return a file's path as the rules write it."""
    return path.relative_to(PROJECT_DIR).as_posix()


@cache
def syntax(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Return all that a file imports, wherever in it: `a.b` for `import a.b`, `a.b` and `a.b.c` for `from a.b import c`."""
    found: set[str] = set()
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def reaches(path: Path, *modules: str) -> set[str]:
    """Return which of some modules (or their submodules) a file imports itself."""
    found = imports(path)
    return {module for module in modules if any(name == module or name.startswith(f"{module}.") for name in found)}
