"""Builds the Flask application on top of a house."""

import os
import secrets
from pathlib import Path

from flask import Flask

from core.settings import Settings
from webui import (
    api,
    article_editor,
    article_transfer,
    articles,
    assets,
    audit_log,
    auth,
    callback_campaigns,
    callback_opt_outs,
    callback_rules,
    callbacks,
    callbacks_desk,
    calls,
    calls_pieces,
    calls_player,
    case_import,
    cases,
    desk,
    desk_actions,
    errors,
    formats,
    languages,
    me,
    navigation,
    paging,
    questionnaire_editor,
    questionnaire_trial,
    questionnaires,
    security,
    sms,
    stream,
    supervisor,
    survey_form,
    survey_page,
    users,
)
from webui.house import House
from webui.logins import LoginService
from webui.statistics import behind_pages as statistics_behind
from webui.statistics import filing as statistics_files
from webui.statistics import improvement_pages as statistics_improvements
from webui.statistics import survey_pages as statistics_surveys
from webui.wallboard import wiring as wallboard


def create_app(house: House) -> Flask:
    """Return the application; pages of a stage are there when the stage is."""
    settings = house.settings
    app = api.new_app(__name__)
    app.secret_key = secret_key(settings)
    app.config.update(
        SESSION_COOKIE_NAME="tingjian",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.extensions["house"] = house
    app.extensions["logins"] = LoginService(house.database, house.clock, settings)
    for part in (errors, formats, calls_pieces, navigation, paging):
        part.install(app)
    security.install(app, settings)
    languages.install(app)
    auth.install(app)
    assets.install(app, settings)
    for page in (auth, me, users, audit_log, articles, article_editor, article_transfer):
        app.register_blueprint(page.blueprint)
    for page in (stream, desk, desk_actions, calls, calls_player, supervisor):
        app.register_blueprint(page.blueprint)
    for page in (callbacks, callbacks_desk, callback_rules, callback_campaigns, callback_opt_outs):
        app.register_blueprint(page.blueprint)
    for page in (cases, case_import, sms):
        app.register_blueprint(page.blueprint)
    # One blueprint, whose views stand in several files.
    views = (statistics_files, statistics_improvements, statistics_behind, statistics_surveys)
    assert len({page.blueprint for page in views}) == 1
    app.register_blueprint(statistics_files.blueprint)
    for page in (questionnaires, questionnaire_editor, questionnaire_trial, survey_form, survey_page):
        app.register_blueprint(page.blueprint)
    stream.install(app, house)
    wallboard.install(app, house)
    api.install(app, house)
    return app


def secret_key(settings: Settings) -> str:
    """Return the key that signs cookies: the site's, or one made on the first start and kept beside the data."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = settings.state_dir / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return _read_key(path)


def _read_key(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < 32:
        raise RuntimeError(f"{path} is damaged: delete it and start again (everyone must log in again)")
    return key
