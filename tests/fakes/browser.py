"""A browser without eyes: keeps the token of the last page and sends it with every change, as app.js and the forms do."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Browser(FlaskClient):
    """Use as `app.test_client_class`."""

    token = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if kwargs.get("method") == "POST":
            if not self.token:
                self.get("/login")
            kwargs["headers"] = {"X-CSRFToken": self.token, **(kwargs.get("headers") or {})}
        answer = super().open(*args, **kwargs)
        if answer.mimetype == "text/html" and (found := _TOKEN.search(answer.get_data(as_text=True))):
            self.token = found[1]
        return answer

    def log_in(self, username: str, password: str) -> TestResponse:
        """Go through the first step, after logging out whoever was in."""
        if self.get("/login").status_code == 302:
            self.get("/me/")
            self.post("/logout")
            self.get("/login")
        answer = self.post("/login", data={"username": username, "password": password})
        if answer.status_code == 302 and "/login/code" not in answer.headers["Location"]:
            self.get("/me/")
        return answer
