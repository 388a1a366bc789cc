"""What the scripts and templates of the live pages may not do, and that every word of theirs can be translated."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel

from webui import desk_words, languages

WEBUI = Path(desk_words.__file__).parent
SCRIPTS = sorted(
    path
    for folder in ("static/desk", "static/supervisor", "static/callbacks", "static")
    for path in (WEBUI / folder).glob("*.js")
    # It reads our own templates, which the next test looks at.
    if path.name != "fragments.js"
)
TEMPLATES = sorted(
    path
    for folder in ("desk", "calls", "supervisor", "callbacks", "callback_rules")
    for path in (WEBUI / "templates" / folder).glob("*.html")
)
LIVE = [path for path in SCRIPTS if path.name != "app.js"]
MARKUP_SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment|DOMParser"
)


def test_there_is_something_to_look_at() -> None:
    assert len(LIVE) >= 12
    assert len(TEMPLATES) >= 17


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_data_never_becomes_markup(path: Path) -> None:
    assert not MARKUP_SINKS.findall(path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_keep_the_content_security_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.findall(r"\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b|autoescape false", text)
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script


def test_every_message_of_a_script_is_in_the_list_of_words() -> None:
    known = {desk_words._source(message) for message in desk_words.SCRIPT_MESSAGES}
    said = {message for path in LIVE for message in re.findall(r'\bt\("((?:[^"\\]|\\.)*)"', path.read_text())}
    assert len(said) > 100
    assert said - known == set()


def test_the_words_are_english_only_where_the_page_is(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask(__name__)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(languages.CATALOGUE_DIR.parent)
    languages.compile_catalogues()
    Babel(app, default_locale="zh", locale_selector=lambda: "en")
    with app.test_request_context():
        words = desk_words.words()
        assert (words["采用"], words["挂断"], words["保持"]) == ("Adopt", "Hang up", "Hold")
        assert [message for message, word in words.items() if message == word and not message.isascii()] == []
        for message, word in words.items():
            assert set(re.findall(r"\{\w+\}", message)) == set(re.findall(r"\{\w+\}", word)), message
    monkeypatch.setattr(desk_words, "is_english", lambda: False)
    assert desk_words.words() == {}
