"""The application as flask-openapi wants it, and the blueprint that all resources of /api/v1 stand on."""

import hashlib
from typing import Any

from flask import Response, abort, request
from flask_limiter.util import get_remote_address
from flask_login import current_user
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.info import Info
from flask_openapi.openapi import OpenAPI

from webui.api.refusals import RESPONSES, RefusalBody, WrongField, refuse_invalid, wrong_fields
from webui.errors import respond, trouble_of_status
from webui.house import current_house

PREFIX = "/api/v1"
VERSION = "1.0.0"
_LARGEST_BODY = 1024 * 1024
_SECURITY: dict[str, Any] = {"bearer": {"type": "http", "scheme": "bearer", "description": "manage.py token create 给出的令牌"}}
_ABOUT = (
    "热线的程序接口。每个请求带 `Authorization: Bearer <令牌>`；令牌有一个角色，能做的事与该角色在网页上相同。"
    '时间是 UTC（RFC 3339），日期是当地日期。出错时返回 `{"error": {"kind", "message", "fields"}}`。'
)


def new_app(import_name: str) -> OpenAPI:
    """Return an empty application; its document is served by `documents`, without the library's own unmarked views."""
    app = OpenAPI(
        import_name,
        static_folder=None,
        info=Info(title="听见 Tingjian API", version=VERSION, description=_ABOUT),
        security_schemes=_SECURITY,
        validation_error_status=400,
        validation_error_model=RefusalBody,
        validation_error_callback=refuse_invalid,
        doc_ui=False,
    )
    # What schemathesis and most generators read; nothing of 3.2 is used.
    app.openapi_version = "3.1.0"
    # Retry-After on 429: read when the limiter is installed.
    app.config["RATELIMIT_HEADERS_ENABLED"] = True
    return app


def resource(name: str) -> APIBlueprint:
    """Return a blueprint under /api/v1 whose views need a token and answer in one way when they refuse."""
    made = APIBlueprint(
        f"api_{name}",
        __name__,
        url_prefix=PREFIX,
        abp_tags=[{"name": name}],
        abp_security=[{"bearer": []}],
        abp_responses={**RESPONSES},
    )
    made.before_request(check_request)
    made.after_request(challenge)
    return made


def check_request() -> Any:
    """Refuse what no view of the API takes."""
    # A browser's cookie is no key to the API: nothing here asks for the token against forged requests.
    if not current_user.is_authenticated or current_user.user_id is not None:
        return respond(trouble_of_status(401))
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        return wrong_fields([WrongField(field=name, problem="given more than once") for name in repeated])
    if (request.content_length or 0) > _LARGEST_BODY:
        abort(413)
    try:
        request.get_json(silent=True)
    except RecursionError:
        return wrong_fields([WrongField(field="body", problem="nested too deeply")])
    return None


def challenge(response: Response) -> Response:
    """Say by which means one can get in, as RFC 6750 asks."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def rate_key() -> str:
    """Count requests by token; by address before there is one."""
    given = request.headers.get("Authorization")
    return hashlib.sha256(given.encode("utf-8", "replace")).hexdigest() if given else str(get_remote_address())


def rate_limit() -> str:
    """Return how many requests a token may make."""
    return f"{current_house().settings.api_requests_per_minute} per minute"
