"""The five kinds of error, and the web's own, as pages and as JSON: what failed, what still works, what to do."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from core.database import BadValueError, DatabaseUnavailableError
from core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    TingjianError,
    UnavailableError,
)

log = structlog.get_logger()
E = TypeVar("E", bound=TingjianError)
_words: dict[type[TingjianError], Callable[[Any], str]] = {}


def says(kind: type[E], words: Callable[[E], str]) -> None:
    """Give an error its words for people. Errors carry data, pages know the language."""
    _words[kind] = words


@dataclass(frozen=True)
class Trouble:
    """An error as it is shown."""

    status: int
    kind: str
    title: str
    text: str
    icon: str = "alert-triangle"


def describe(error: TingjianError) -> Trouble:
    """Return the words of an error: its own when it has some, else those of its kind."""
    trouble = next(_of_kind(kind) for kind in type(error).__mro__ if kind in _KINDS)
    own = next((_words[kind] for kind in type(error).__mro__ if kind in _words), None)
    if own is None and type(error) is InvalidInputError and error.args:
        # Raised bare, its text is a sentence for people.
        return Trouble(trouble.status, trouble.kind, trouble.title, _(str(error)), trouble.icon)
    return Trouble(trouble.status, trouble.kind, trouble.title, own(error), trouble.icon) if own else trouble


def message(error: TingjianError) -> str:
    """Return only the sentence, for a form or a toast."""
    return describe(error).text


_KINDS = {InvalidInputError, PermissionDeniedError, NotFoundError, ConflictError, UnavailableError, TingjianError}


def _of_kind(kind: type) -> Trouble:
    if kind is InvalidInputError:
        return Trouble(400, "invalid_input", _("内容有误"), _("提交的内容无法使用，什么都没有改动。请核对后再提交。"))
    if kind is PermissionDeniedError:
        return Trouble(403, "permission_denied", _("没有权限"), _("您的账号没有这项权限，需要时请联系系统管理员。"), "lock")
    if kind is NotFoundError:
        return Trouble(404, "not_found", _("没有找到"), _("页面不存在，或内容已经移走。请从左侧导航重新进入。"), "search")
    if kind is ConflictError:
        return Trouble(409, "conflict", _("状态已经改变"), _("内容已被他人修改，或不允许这样操作。请刷新页面，核对后再试。"))
    if kind is UnavailableError:
        text = _("所依赖的服务没有应答，通话不受影响。稍后重试，仍不行请通知值班运维。")
        return Trouble(503, "unavailable", _("暂时连不上"), text, "plug-connected")
    return Trouble(500, "internal", _("程序出错"), _("这次操作没有完成，错误已记录。可以重试，仍不行请把编号告诉值班运维。"))


def trouble_of_status(status: int) -> Trouble:
    """Return the words of an HTTP status."""
    if status == 400:
        return _of_kind(InvalidInputError)
    if status == 401:
        return Trouble(401, "unauthorized", _("需要登录"), _("登录已失效，请重新登录。"), "lock")
    if status == 403:
        return _of_kind(PermissionDeniedError)
    if status in (404, 410):
        return _of_kind(NotFoundError)
    if status == 405:
        return Trouble(405, "method_not_allowed", _("不能这样访问"), _("这个地址不接受这种请求。"))
    if status == 413:
        return Trouble(413, "too_large", _("文件太大"), _("上传的文件超过了 %(size)s MB。请拆分后再传。", size=UPLOAD_MEGABYTES))
    if status == 429:
        return Trouble(429, "too_many_requests", _("操作太频繁"), _("请等一分钟再试。"), "clock")
    if status == 503:
        return _of_kind(UnavailableError)
    return Trouble(status, "http_error", _("请求没有完成"), _("服务器返回了状态 %(status)s。", status=status))


UPLOAD_MEGABYTES = 20


def wants_json() -> bool:
    """Say whether the asker is a program or a script of a page."""
    if request.path.startswith("/api/") or request.headers.get("HX-Request") or request.is_json:
        return True
    accepts = request.accept_mimetypes
    return accepts.best_match(["text/html", "application/json"]) == "application/json"


def respond(trouble: Trouble, reference: str = "") -> tuple[Response | str, int]:
    """Return a page, or JSON for who asked for it."""
    if wants_json():
        error = {"kind": trouble.kind, "message": trouble.text}
        if reference:
            error["reference"] = reference
        return jsonify(error=error), trouble.status
    page = render_template(
        "error.html", title=trouble.title, text=trouble.text, icon=trouble.icon, status=trouble.status, reference=reference
    )
    return page, trouble.status


def install(app: Flask) -> None:
    """Catch everything."""
    app.config["MAX_CONTENT_LENGTH"] = UPLOAD_MEGABYTES * 1024 * 1024

    @app.errorhandler(TingjianError)
    def of_ours(error: TingjianError) -> Any:
        trouble = describe(error)
        if trouble.status >= 500:
            log.warning("request_failed", path=request.path, error=repr(error)[:300])
        return respond(trouble)

    @app.errorhandler(CSRFError)
    def of_token(error: CSRFError) -> Any:
        text = _("页面打开太久，安全口令已失效。请刷新页面再提交。")
        return respond(Trouble(400, "csrf", _("请刷新页面"), text, "refresh"))

    @app.errorhandler(HTTPException)
    def of_web(error: HTTPException) -> Any:
        if error.response is not None:
            return error.response
        status = error.code or 500
        if 300 <= status < 400:
            return error
        body, status = respond(trouble_of_status(status))
        response = app.make_response((body, status))
        # 405 says what is allowed, 429 when to come back.
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def of_program(error: Exception) -> Any:
        reference = secrets.token_hex(4)
        log.error("request_crashed", path=request.path, reference=reference, exc_info=error)
        return respond(_of_kind(TingjianError), reference)


says(DatabaseUnavailableError, lambda error: _("数据库没有应答，页面暂时打不开，通话不受影响。恢复后刷新即可。"))
says(BadValueError, lambda error: _("有一项太长或含有不能保存的字符，什么都没有改动。"))
