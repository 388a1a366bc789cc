"""Who is asking: a logged-in person or a program with a token, as the views see them."""

import uuid
from dataclasses import dataclass
from typing import cast

from flask_babel import gettext as _
from flask_login import current_user

from webui.permissions import ROLE_NAMES, Permission, Role, permissions_of


@dataclass(frozen=True)
class Person:
    """One who passed the log-in. `handle` is what the cookie's log-in is found by; None for a program's token."""

    user_id: uuid.UUID | None
    username: str
    display_name: str
    roles: tuple[str, ...]
    agent_id: uuid.UUID | None = None
    agent_number: str | None = None
    session_id: uuid.UUID | None = None
    handle: str | None = None
    must_change_password: bool = False

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the cookie."""
        return self.handle or ""

    @property
    def permissions(self) -> frozenset[Permission]:
        """What this person may do."""
        return permissions_of(self.roles)

    def may(self, *permissions: Permission | str) -> bool:
        """Say whether the person holds one of these permissions."""
        return not self.permissions.isdisjoint(Permission(permission) for permission in permissions)

    @property
    def title(self) -> str:
        """The line under the name in the top bar: agent number, or the first role."""
        if self.agent_number:
            return str(_("坐席 %(number)s", number=self.agent_number))
        return str(ROLE_NAMES[Role(self.roles[0])]) if self.roles and self.roles[0] in set(Role) else ""


def current_person() -> Person:
    """Return who is asking; only for views that are not public."""
    return cast(Person, current_user._get_current_object())


def actor() -> str:
    """Return the name under which the audit keeps what this person does."""
    return current_person().username
