"""The JSON API for programs: /api/v1, its document, and beside it /health and /metrics."""

from flask_openapi.openapi import OpenAPI

from webui import health, metrics
from webui.api import agents, articles, calls, cases, documents, search, sms_receipts, suggestions, surveys, wallboard
from webui.api.application import new_app, rate_key, rate_limit
from webui.auth import limiter
from webui.health import HealthCheck
from webui.house import House

__all__ = ["install", "new_app"]
_RESOURCES = (
    calls.blueprint,
    agents.blueprint,
    articles.blueprint,
    search.blueprint,
    suggestions.blueprint,
    cases.blueprint,
    wallboard.blueprint,
    surveys.blueprint,
)


def install(app: OpenAPI, house: House) -> None:
    """Register everything that programs use."""
    app.extensions["health"] = HealthCheck(house)
    metrics.install(app, house.database)
    for blueprint in _RESOURCES:
        limiter.limit(rate_limit, key_func=rate_key)(blueprint)
        app.register_api(blueprint)
    for plain in (documents.blueprint, health.blueprint, sms_receipts.blueprint):
        app.register_blueprint(plain)
