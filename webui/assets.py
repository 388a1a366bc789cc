"""Static files: one hash over the whole tree is part of every address, so browsers may keep them for ever.

`manage.py static build` writes the tree and its gzip copies once; without that, or after a change, the plain files are
served and browsers ask each time. The hash covers the tree and not each file because modules import each other by
relative names.
"""

import gzip
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, send_from_directory

from core.settings import Settings
from webui.permissions import public

STATIC_DIR = Path(__file__).parent / "static"
_MANIFEST = "manifest.json"
_COMPRESSED = {".css", ".js", ".svg", ".json", ".txt", ".html", ".md"}
_KEEP_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Assets:
    """Where the files are served from, and under which hash; no hash means plain files."""

    directory: Path
    tree_hash: str | None

    def url(self, name: str) -> str:
        """Return the address of a file."""
        return f"/static/{self.tree_hash or 'plain'}/{name}"


def tree_hash(directory: Path) -> str:
    """Return a short hash over names and contents of all files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        digest.update(path.relative_to(directory).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def built_dir(settings: Settings) -> Path:
    """Return where the built tree lies: beside the data, for the program's own folder may be read-only."""
    return settings.state_dir / "static"


def build(settings: Settings, source: Path = STATIC_DIR) -> Assets:
    """Copy the tree with gzip copies and a manifest, and put it in place in one step."""
    target = built_dir(settings)
    fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source, fresh)
    for path in [path for path in fresh.rglob("*") if path.suffix in _COMPRESSED]:
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        path.with_name(path.name + ".gz").write_bytes(packed)
    digest = tree_hash(source)
    (fresh / _MANIFEST).write_text(json.dumps({"tree_hash": digest}))
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return Assets(target, digest)


def find(settings: Settings) -> Assets:
    """Return the built tree when it is there and fits the sources, else the plain files."""
    manifest = built_dir(settings) / _MANIFEST
    try:
        digest = json.loads(manifest.read_text())["tree_hash"]
    except (OSError, ValueError, KeyError):
        return Assets(STATIC_DIR, None)
    return Assets(built_dir(settings), digest) if digest == tree_hash(STATIC_DIR) else Assets(STATIC_DIR, None)


def install(app: Flask, settings: Settings) -> None:
    """Serve the files and give templates `asset(name)`."""
    assets = find(settings)
    blueprint = Blueprint("assets", __name__)

    @blueprint.get("/static/<tree>/<path:name>")
    @public
    def file(tree: str, name: str) -> Response:
        if tree != (assets.tree_hash or "plain"):
            # A page from before an update asks for files that are gone; the present ones are nearest to it.
            return _send(assets, name, keep=False)
        return _send(assets, name, keep=assets.tree_hash is not None)

    @blueprint.get("/favicon.ico")
    @public
    def favicon() -> Response:
        return _send(assets, "favicon.svg", keep=False)

    app.register_blueprint(blueprint)
    app.jinja_env.globals["asset"] = assets.url


def _send(assets: Assets, name: str, *, keep: bool) -> Response:
    if name == _MANIFEST or name.endswith(".gz"):
        abort(404)
    packed = name + ".gz"
    takes_gzip = request.accept_encodings["gzip"] > 0
    if takes_gzip and (assets.directory / packed).is_file():
        response = send_from_directory(assets.directory, packed, mimetype=_mimetype(name), conditional=True)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = send_from_directory(assets.directory, name, mimetype=_mimetype(name), conditional=True)
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={_KEEP_SECONDS}, immutable" if keep else "no-cache"
    return response


def _mimetype(name: str) -> str | None:
    # The machine's table of types may call scripts text/plain, which `nosniff` then refuses.
    return {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}.get(Path(name).suffix)
