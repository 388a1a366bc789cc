"""Chinese is the language of the message ids; English comes from the catalogues in `translations/en/*.po`.

Each part of the pages keeps its own catalogue there; they are joined into one compiled file when the program starts.
"""

import io
import os
from pathlib import Path

import structlog
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Blueprint, Flask, redirect, request
from flask_babel import Babel, get_locale
from werkzeug.wrappers import Response

from webui.permissions import public
from webui.redirects import safe_target

log = structlog.get_logger()
COOKIE = "language"
LANGUAGES = {"zh": "中", "en": "EN"}
PACKAGE_DIR = Path(__file__).parent
CATALOGUE_DIR = PACKAGE_DIR / "translations" / "en"
_COMPILED = CATALOGUE_DIR / "LC_MESSAGES" / "messages.mo"


def join_catalogues() -> Catalog:
    """Return all English catalogues as one."""
    joined = Catalog(locale="en", fuzzy=False)
    for path in sorted(CATALOGUE_DIR.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="en"):
                if message.id and message.string:
                    joined.add(message.id, message.string)
    return joined


def compile_catalogues() -> None:
    """Write the compiled file when it is older than what it is made of."""
    sources = [path.stat().st_mtime for path in CATALOGUE_DIR.glob("*.po")]
    if _COMPILED.exists() and _COMPILED.stat().st_mtime > max(sources, default=0):
        return
    buffer = io.BytesIO()
    write_mo(buffer, join_catalogues())
    try:
        _COMPILED.parent.mkdir(parents=True, exist_ok=True)
        fresh = _COMPILED.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_bytes(buffer.getvalue())
        fresh.replace(_COMPILED)
    except OSError as error:
        log.warning("catalogue_not_compiled", error=str(error))


def messages_in_sources() -> dict[str, str]:
    """Return every message id that the pages use, with the file it stands in."""
    found: dict[str, str] = {}
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
    for name, _line, message, _comments, _context in extract_from_dir(str(PACKAGE_DIR), methods, keywords=keywords):
        for single in message if isinstance(message, tuple) else (message,):
            found.setdefault(single, name)
    return found


def gaps() -> dict[str, str]:
    """Return the message ids that have no English, with the file each stands in."""
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in join_catalogues() if message.id}
    return {message: name for message, name in messages_in_sources().items() if message not in known}


def chosen_language() -> str:
    """Return the visitor's choice; Chinese unless they chose English."""
    choice = request.cookies.get(COOKIE, "zh")
    return choice if choice in LANGUAGES else "zh"


def is_english() -> bool:
    """Say whether the page is in English."""
    locale = get_locale()
    return locale is not None and locale.language == "en"


def install(app: Flask) -> None:
    """Prepare translation and the switch in the top bar."""
    compile_catalogues()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUE_DIR.parent)
    Babel(app, default_locale="zh", default_timezone="Asia/Shanghai", locale_selector=chosen_language)
    app.jinja_env.globals["is_english"] = is_english
    blueprint = Blueprint("languages", __name__)

    @blueprint.post("/language")
    @public
    def switch() -> Response:
        response = redirect(safe_target(request.form.get("next", "/")))
        choice = request.form.get("language", "zh")
        if choice in LANGUAGES:
            response.set_cookie(
                COOKIE, choice, max_age=365 * 24 * 3600, samesite="Lax", httponly=True, secure=app.config["SESSION_COOKIE_SECURE"]
            )
        return response

    app.register_blueprint(blueprint)
