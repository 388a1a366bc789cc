"""The API's own description: the OpenAPI document, and the page to read and try it, without the network."""

from pathlib import Path

import flask_openapi_swagger
from flask import Blueprint, Response, abort, current_app, jsonify, render_template, send_from_directory

from webui.api.application import PREFIX
from webui.permissions import public

blueprint = Blueprint("openapi_documents", __name__, url_prefix=PREFIX)
_FILES = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"
_SERVED = {"css/swagger-ui.css", "js/swagger-ui-bundle.js", "images/swagger.svg"}
# The page is drawn with inline styles; its scripts are files. It may send to this site only, and its form goes nowhere.
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@blueprint.get("/openapi.json")
@public
def document() -> Response:
    """Return the OpenAPI document."""
    return jsonify(current_app.api_doc)  # type: ignore[attr-defined]  # of flask_openapi.OpenAPI


@blueprint.get("/docs")
@public
def page() -> Response:
    """Show the document."""
    response = Response(render_template("api_docs.html"), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.get("/docs/<path:name>")
@public
def file(name: str) -> Response:
    """Return one of the page's files."""
    if name not in _SERVED:
        abort(404)
    response = send_from_directory(_FILES, name, max_age=24 * 3600)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@blueprint.get("/docs/start.js")
@public
def start() -> Response:
    """Return the few lines that start the page."""
    return Response(_START, mimetype="text/javascript")


_START = """window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, layout: "BaseLayout",
    presets: [SwaggerUIBundle.presets.apis], validatorUrl: null, persistAuthorization: false,
  });
});
"""
