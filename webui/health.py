"""/health: can the web serve, and how are the other parts? 200 while the database answers; no secret, no address, no name."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask_login import current_user

from core.errors import UnavailableError
from core.heartbeat import Sign
from webui.house import House, current_house
from webui.permissions import public
from webui.vitals import Backlog, read_backlogs

blueprint = Blueprint("health", __name__)
LATE_SECONDS = {"dispatcher": 30.0, "worker": 900.0}
"""Work that waits longer than this is late: live suggestions hang on the dispatcher; a transcript may wait for its turn."""
_KEEP_SECONDS = 2.0
_LOOPBACK = {"127.0.0.1", "::1"}
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@dataclass(frozen=True)
class Part:
    """One part: ok or degraded, and figures for whoever looks after it."""

    is_ok: bool
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self, is_detailed: bool) -> dict[str, Any]:
        """Return what is told of the part."""
        return {"status": "ok" if self.is_ok else "degraded", **(self.detail if is_detailed else {})}


class HealthCheck:
    """Looks at the parts, at most every two seconds however often it is asked."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._parts: dict[str, Part] = {}
        self._seen_at = -_KEEP_SECONDS

    def parts(self) -> dict[str, Part]:
        """Return every part by name."""
        with self._lock:
            if time.monotonic() - self._seen_at >= _KEEP_SECONDS:
                self._parts = self._look()
                self._seen_at = time.monotonic()
            return self._parts

    def _look(self) -> dict[str, Part]:
        begun = time.monotonic()
        try:
            with self._house.database.transaction() as session:
                events, jobs, alive = read_backlogs(session)
        except UnavailableError:
            return {"database": Part(False)}
        database = Part(True, {"seconds": round(time.monotonic() - begun, 4)})
        return {
            "database": database,
            "elasticsearch": self._search_part(),
            "bridge": process_part("bridge", alive),
            "dispatcher": process_part("dispatcher", alive, events),
            "worker": process_part("worker", alive, jobs),
            "dialer": process_part("dialer", alive),
            "ivr": process_part("ivr", alive),
        }

    def _search_part(self) -> Part:
        try:
            documents = self._house.kb.index_size()
        except UnavailableError:
            return Part(False)
        # No index yet is as good as none: searches are answered from memory until it is built.
        return Part(documents is not None, {"documents": documents})


def process_part(name: str, alive: list[Sign], backlog: Backlog | None = None) -> Part:
    """Judge the processes of one name: one must live, none may report a problem, and its work may not lie about.

    What was given up is told but does not count: it waits for a person, and nothing gets better by restarting.
    """
    own = [sign for sign in alive if sign.name == name]
    living = [sign for sign in own if sign.is_alive]
    problems = sorted({sign.problem for sign in living if sign.problem})
    detail: dict[str, Any] = {"processes": len(living)}
    if own:
        detail["heartbeat_seconds"] = round(min(sign.age_seconds for sign in own), 1)
    if problems:
        detail["problems"] = problems
    is_ok = bool(living) and not problems
    if backlog is not None:
        detail |= {"waiting": backlog.waiting, "oldest_seconds": round(backlog.oldest_seconds, 1), "given_up": backlog.given_up}
        is_ok = is_ok and backlog.oldest_seconds <= LATE_SECONDS[name]
    return Part(is_ok, detail)


def is_trusted() -> bool:
    """Say whether the asker may see figures: this machine itself, a program with a token, or anybody where the site says so."""
    if current_house().settings.metrics_public:
        return True
    # A proxy on this machine speaks from loopback too, for the whole world; it says so in a header.
    is_forwarded = any(name in request.headers for name in _FORWARDED)
    if request.remote_addr in _LOOPBACK and not is_forwarded:
        return True
    # Only ask who it is when there is a token to look up: the answer needs the database.
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        return False
    return bool(current_user.is_authenticated)


@blueprint.get("/health")
@public
def health() -> Response:
    """Tell how the parts are; 503 only when the web itself can't serve."""
    check: HealthCheck = current_app.extensions["health"]
    parts = check.parts()
    can_serve = parts["database"].is_ok
    is_detailed = can_serve and is_trusted()
    status = "ok" if all(part.is_ok for part in parts.values()) else "degraded" if can_serve else "down"
    response = jsonify(status=status, parts={name: part.as_json(is_detailed) for name, part in parts.items()})
    response.status_code = 200 if can_serve else 503
    return response
