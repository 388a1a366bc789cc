"""Static files: kept for ever under their hash, asked for each time without one, never anything else than they are."""

import gzip
import hashlib
import re

from flask.testing import FlaskClient

from core.settings import Settings
from tests.unit.webui.conftest import create_app
from webui import assets


def test_plain_files_are_asked_for_each_time(client: FlaskClient) -> None:
    answer = client.get("/static/plain/app.css")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.mimetype == "text/css"


def test_built_files_are_kept_for_ever_and_packed(settings: Settings, client: FlaskClient) -> None:
    built = assets.build(settings)
    app = create_app(client.application.extensions["house"])
    page = app.test_client().get("/login").get_data(as_text=True)
    address = built.url("app.css")
    assert address in page
    answer = app.test_client().get(address, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.mimetype == "text/css"
    assert gzip.decompress(answer.data) == (assets.STATIC_DIR / "app.css").read_bytes()
    plain = app.test_client().get(address, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers


def test_a_page_from_before_an_update_still_gets_its_files(settings: Settings, client: FlaskClient) -> None:
    answer = client.get("/static/0123456789ab/app.js")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_tree_that_changed_is_not_used(settings: Settings) -> None:
    built = assets.build(settings)
    assert assets.find(settings) == built
    (assets.built_dir(settings) / "manifest.json").write_text('{"tree_hash": "0"}')
    assert assets.find(settings).tree_hash is None


def test_nothing_outside_is_served(client: FlaskClient) -> None:
    assert client.get("/static/plain/../app.py").status_code == 404
    assert client.get("/static/plain/..%2fapp.py").status_code == 404


def test_vendored_files_are_the_ones_that_were_checked() -> None:
    folder = assets.STATIC_DIR / "vendor"
    rows = re.findall(r"\| (\S+) \| .* \| ([0-9a-f]{64}) \|", (folder / "VENDOR.md").read_text())
    assert len(rows) >= 3
    for name, digest in rows:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    sprite = (assets.STATIC_DIR / "icons.svg").read_text()
    there = set(re.findall(r'symbol id="([^"]+)"', sprite))
    used = set()
    for template in (assets.STATIC_DIR.parent / "templates").rglob("*.html"):
        used |= set(re.findall(r"""\bi\(['"]([a-z0-9-]+)['"]""", template.read_text()))
    assert used
    assert used <= there
