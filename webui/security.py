"""Headers and the guard against forged requests, the same for every page."""

import secrets

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from core.settings import Settings

csrf = CSRFProtect()


def content_security_policy(settings: Settings, nonce: str) -> str:
    """Return the policy: only our own files, no inline style, a script only by nonce, and the softphone's WebSocket."""
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "media-src 'self' blob:",
            f"connect-src 'self' {settings.softphone_url}",
            "font-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def install(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer, and ask every change for its token."""
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_SSL_STRICT=False)
    csrf.init_app(app)
    if settings.trusted_proxies:
        # Else everybody comes from the proxy: one limit of attempts for all, and log-ins whose address says nothing.
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]

    @app.before_request
    def check_token() -> None:
        g.csp_nonce = secrets.token_urlsafe(16)
        # A browser never sends Authorization by itself, so a bearer token is no forgery; cookies are asked for the token.
        # The API takes no cookies at all.
        # A citizen's survey takes none either: the signed link is all there is, and whoever has it may answer.
        if request.path.startswith(("/api/v1/", "/s/")):
            return
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            csrf.protect()

    @app.after_request
    def harden(response: Response) -> Response:
        policy = content_security_policy(settings, getattr(g, "csp_nonce", ""))
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        if settings.secure_cookies:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response
