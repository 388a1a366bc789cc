"""Who may do what. Every view names a permission or says that it is public; a view that says neither is refused."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l


class Role(StrEnum):
    """What a person is to the hotline; a person may have several."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    KB_EDITOR = "kb_editor"
    UNIT = "unit"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMIN = "admin"


ROLE_NAMES = {
    Role.AGENT: _l("坐席"),
    Role.SUPERVISOR: _l("班长"),
    Role.KB_EDITOR: _l("知识库管理员"),
    Role.UNIT: _l("承办单位"),
    Role.MANAGER: _l("管理人员"),
    Role.AUDITOR: _l("审计员"),
    Role.ADMIN: _l("系统管理员"),
}


class Permission(StrEnum):
    """One thing that may be allowed."""

    OWN_ACCOUNT = "account.own"
    USE_DESK = "desk.use"
    READ_OWN_CALLS = "calls.read_own"
    READ_ALL_CALLS = "calls.read_all"
    EXPORT_CALLS = "calls.export"
    PLAY_RECORDINGS = "recordings.play"
    REVEAL_NUMBERS = "numbers.reveal"
    VIEW_SUPERVISOR = "supervisor.view"
    ACT_ON_AGENTS = "supervisor.act"
    READ_ARTICLES = "articles.read"
    EDIT_ARTICLES = "articles.edit"
    PUBLISH_ARTICLES = "articles.publish"
    TRANSFER_ARTICLES = "articles.transfer"
    MANAGE_USERS = "users.manage"
    READ_AUDIT = "audit.read"
    WORK_CALLBACKS = "callbacks.work"
    READ_CALLBACKS = "callbacks.read"
    EDIT_CALLBACK_RULES = "callbacks.rules"
    READ_CASES = "cases.read"
    IMPORT_CASES = "cases.import"
    READ_SMS = "sms.read"
    RESOLVE_SMS = "sms.resolve"
    READ_QUESTIONNAIRES = "questionnaires.read"
    EDIT_QUESTIONNAIRES = "questionnaires.edit"
    READ_STATISTICS = "statistics.read"
    EXPORT_STATISTICS = "statistics.export"
    WITHDRAW_SURVEYS = "surveys.withdraw"
    MANAGE_IMPROVEMENTS = "improvements.manage"
    MANAGE_DISPLAYS = "displays.manage"
    READ_WALLBOARD = "wallboard.read"


_P = Permission
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    # An agent reveals only the number of a call of their own: the view sees to that, and the audit keeps it.
    Role.AGENT: frozenset(
        {_P.OWN_ACCOUNT, _P.USE_DESK, _P.READ_OWN_CALLS, _P.REVEAL_NUMBERS, _P.READ_ARTICLES, _P.WORK_CALLBACKS, _P.READ_CALLBACKS}
    ),
    Role.SUPERVISOR: frozenset(
        {
            _P.OWN_ACCOUNT,
            _P.READ_OWN_CALLS,
            _P.READ_ALL_CALLS,
            _P.EXPORT_CALLS,
            _P.PLAY_RECORDINGS,
            _P.REVEAL_NUMBERS,
            _P.VIEW_SUPERVISOR,
            _P.ACT_ON_AGENTS,
            _P.READ_ARTICLES,
            _P.READ_CALLBACKS,
            _P.EDIT_CALLBACK_RULES,
            _P.READ_CASES,
            _P.IMPORT_CASES,
            _P.READ_SMS,
            _P.RESOLVE_SMS,
            _P.READ_QUESTIONNAIRES,
            _P.EDIT_QUESTIONNAIRES,
            _P.READ_STATISTICS,
            _P.EXPORT_STATISTICS,
            _P.WITHDRAW_SURVEYS,
            _P.MANAGE_DISPLAYS,
            _P.READ_WALLBOARD,
        }
    ),
    Role.KB_EDITOR: frozenset({_P.OWN_ACCOUNT, _P.READ_ARTICLES, _P.EDIT_ARTICLES, _P.PUBLISH_ARTICLES, _P.TRANSFER_ARTICLES}),
    # A unit reads what is answered in its name; it drafts a revision, the knowledge base's editors publish it.
    Role.UNIT: frozenset({_P.OWN_ACCOUNT, _P.READ_ARTICLES, _P.EDIT_ARTICLES}),
    Role.MANAGER: frozenset(
        {
            _P.OWN_ACCOUNT,
            _P.READ_OWN_CALLS,
            _P.READ_ALL_CALLS,
            _P.PLAY_RECORDINGS,
            _P.VIEW_SUPERVISOR,
            _P.READ_ARTICLES,
            _P.READ_CALLBACKS,
            _P.READ_CASES,
            _P.READ_QUESTIONNAIRES,
            _P.READ_STATISTICS,
            _P.EXPORT_STATISTICS,
            _P.WITHDRAW_SURVEYS,
            _P.MANAGE_IMPROVEMENTS,
            _P.MANAGE_DISPLAYS,
            _P.READ_WALLBOARD,
        }
    ),
    Role.AUDITOR: frozenset({_P.OWN_ACCOUNT, _P.READ_AUDIT}),
    # Who hands out rights sees neither calls nor the record of what was done with them.
    Role.ADMIN: frozenset({_P.OWN_ACCOUNT, _P.MANAGE_USERS, _P.READ_ARTICLES, _P.MANAGE_DISPLAYS, _P.READ_WALLBOARD}),
}


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Return what a person with these roles may do; an unknown role gives nothing."""
    known = [Role(role) for role in roles if role in set(Role)]
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in known)) if known else frozenset()


View = TypeVar("View", bound=Callable[..., Any])
PUBLIC = "public"


def requires(permission: Permission, *others: Permission) -> Callable[[View], View]:
    """Mark a view: only those who hold one of the permissions may open it."""

    def mark(view: View) -> View:
        view.access_rule = frozenset({permission, *others})  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Mark a view that needs no log-in."""
    view.access_rule = PUBLIC  # type: ignore[attr-defined]
    return view


def access_rule(view: object) -> frozenset[Permission] | str | None:
    """Return a view's mark, or None for one that nobody marked (which is refused)."""
    return getattr(view, "access_rule", None)
