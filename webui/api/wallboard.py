"""The hall screen's figures for programs: with a program's token, or with that of a display."""

import json
from typing import Any

from flask import Response
from pydantic import Field

from webui.api.application import resource
from webui.api.fields import Asked
from webui.permissions import Permission, requires
from webui.wallboard.figures import WallFigures
from webui.wallboard.wiring import current_wallboard

blueprint = resource("wallboard")


class WallboardFeed(WallFigures):
    """The figures of the hall screen, read once a second.

    Topics and ratings of fewer than five are left out, and so is what would tell them.
    """

    age_seconds: float = Field(description="多少秒前读的；超过 10 秒即应标明已停止更新")


class NoQuery(Asked):
    """Nothing can be asked for."""


@blueprint.get("/wallboard", responses={200: WallboardFeed}, operation_id="get_wallboard", summary="大屏数据")
@requires(Permission.READ_WALLBOARD)
def get_wallboard(query: NoQuery) -> Any:
    """Return the newest figures."""
    snapshot = current_wallboard().snapshots.current()
    age = json.dumps({"age_seconds": round(snapshot.age_seconds, 3)})
    return Response(snapshot.body[:-1] + b"," + age[1:].encode(), mimetype="application/json")
