"""The rail: only what exists and what the person may open."""

from dataclasses import dataclass

from flask import Flask, current_app, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from webui.permissions import access_rule
from webui.person import Person


@dataclass(frozen=True)
class Item:
    """One word on the rail."""

    key: str
    icon: str
    label: str
    address: str
    at_foot: bool = False


# Key, icon, word, endpoint, at the foot. A stage's page appears when its blueprint does; 管理 leads to the first page allowed.
_ITEMS = [
    ("desk", "headset", _l("工作台"), "desk.page", False),
    ("calls", "phone", _l("通话"), "calls.index", False),
    ("kb", "book-2", _l("知识库"), "articles.index", False),
    ("supervisor", "users-group", _l("班长"), "supervisor.page", False),
    ("callbacks", "phone-outgoing", _l("回访"), "callbacks.index", False),
    ("surveys", "clipboard-list", _l("问卷"), "questionnaires.index", False),
    ("statistics", "chart-bar", _l("统计"), "statistics.index", False),
    ("wallboard", "device-tv", _l("大屏"), "displays.index", False),
    ("admin", "settings", _l("管理"), "users.index", True),
    ("admin", "settings", _l("管理"), "audit.index", True),
]


def navigation() -> list[Item]:
    """Return the present person's items, in order, each key once."""
    items: list[Item] = []
    for key, icon, label, endpoint, at_foot in _ITEMS:
        if may_open(endpoint) and all(item.key != key for item in items):
            items.append(Item(key, icon, str(label), url_for(endpoint), at_foot))
    return items


def may_open(endpoint: str) -> bool:
    """Say whether the page exists and the present person may open it."""
    view = current_app.view_functions.get(endpoint)
    rule = access_rule(view)
    if rule is None or not current_user.is_authenticated:
        return False
    person: Person = current_user
    return isinstance(rule, str) or person.may(*rule)


def home() -> str:
    """Return the first page that the present person may open."""
    items = navigation()
    return items[0].address if items else url_for("me.account")


def install(app: Flask) -> None:
    """Give every template the rail."""

    @app.context_processor
    def rail() -> dict[str, object]:
        return {"navigation": navigation(), "may_open": may_open}
