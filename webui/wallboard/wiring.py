"""Puts the hall screen into the application: one reader of figures, one memory of displays, the pages and their feed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app

from webui import assets
from webui.house import House
from webui.permissions import Permission
from webui.person import Person
from webui.wallboard.compose import WallReader
from webui.wallboard.displays import DisplayService
from webui.wallboard.snapshot import Snapshots
from webui.wallboard.webhooks import WebhookService

_TEMPLATES = Path(__file__).parents[1] / "templates" / "wallboard"


@dataclass(frozen=True)
class DisplayProgram(Person):
    """Who shows a display's token instead of a program's: may read the figures and nothing else."""

    @property
    def permissions(self) -> frozenset[Permission]:
        """What a display may do."""
        return frozenset({Permission.READ_WALLBOARD})


@dataclass(frozen=True)
class Wallboard:
    """The hall screen's parts in one process of the web. When `version` changes, running displays load themselves anew."""

    displays: DisplayService
    webhooks: WebhookService
    snapshots: Snapshots
    version: str

    def program_of_token(self, token: str) -> DisplayProgram | None:
        """Return the display behind a bearer token, or None."""
        display = self.displays.display_of_token(token)
        if display is None:
            return None
        return DisplayProgram(None, f"display:{display.key}", display.name, ())


def current_wallboard() -> Wallboard:
    """Return the hall screen of the running application."""
    wallboard: Wallboard = current_app.extensions["wallboard"]
    return wallboard


def install(app: Flask, house: House) -> None:
    """Build the parts and register the pages; nothing is read before somebody asks."""
    from webui.wallboard import admin, wall, webhook_pages

    app.extensions["wallboard"] = Wallboard(
        DisplayService(house.database, house.clock),
        WebhookService(house.database, house.settings.webhook_networks),
        Snapshots(WallReader(house.database, house.clock, house.settings).read),
        page_version(),
    )
    for page in (wall, admin, webhook_pages):
        app.register_blueprint(page.blueprint)


def page_version() -> str:
    """Return a short hash over everything that a display's page is made of."""
    both = assets.tree_hash(assets.STATIC_DIR / "wall") + assets.tree_hash(_TEMPLATES)
    return hashlib.sha256(both.encode()).hexdigest()[:12]
