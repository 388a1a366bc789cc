"""Rules in versions: a saved wording never changes, and every callback says by which it came about."""

from __future__ import annotations

import builtins
import re
import uuid
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callback.demonstration import RULES
from callback.door import Door
from callback.models import CallbackRule, CallbackRuleVersion
from callback.rule import Reason, RuleDefinition
from callback.views import RuleView
from core import audit
from core.database import new_id
from core.errors import ConflictError, InvalidInputError, NotFoundError

_KEY = re.compile(r"[a-z][a-z0-9_]{1,59}")
CAMPAIGN_PREFIX = "campaign:"


class UnknownRuleError(NotFoundError):
    """There is no such rule, or no such version of it."""


class BadRuleKeyError(InvalidInputError):
    """A key is small letters, digits and underscores, a letter first."""


class RuleChangedError(ConflictError):
    """Somebody saved another version meanwhile."""

    def __init__(self, version_no: int) -> None:
        super().__init__(str(version_no))
        self.version_no = version_no


class Rules:
    """Keeps and finds rules."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def save(self, key: str, definition: RuleDefinition, author: str, based_on: int | None) -> RuleView:
        """Write a new version; the same words again make none."""
        if not _KEY.fullmatch(key):
            raise BadRuleKeyError(key[:60])
        with self._door.database.transaction() as session:
            return self.write(session, key, definition, author, based_on)

    def write(self, session: Session, key: str, definition: RuleDefinition, author: str, based_on: int | None = None) -> RuleView:
        """Write a new version within another part's transaction."""
        session.execute(insert(CallbackRule).values(**_new_rule(key)).on_conflict_do_nothing(index_elements=["key"]))
        rule = session.scalars(select(CallbackRule).where(CallbackRule.key == key).with_for_update()).one()
        if based_on is not None and based_on != rule.version_no:
            raise RuleChangedError(rule.version_no)
        words = definition.model_dump(mode="json")
        latest = session.scalar(_version(rule.id, rule.version_no)) if rule.version_no else None
        if latest is None or latest.definition != words:
            rule.version_no += 1
            latest = CallbackRuleVersion(rule_id=rule.id, version_no=rule.version_no, definition=words, author=author)
            session.add(latest)
            session.flush()
            audit.record(session, author, "callback_rule.saved", key, {"version": rule.version_no})
        return _view(rule, latest)

    def set_active(self, key: str, is_active: bool, actor: str) -> RuleView:
        """Switch a rule on or off."""
        with self._door.database.transaction() as session:
            rule = session.scalar(select(CallbackRule).where(CallbackRule.key == key).with_for_update())
            if rule is None:
                raise UnknownRuleError(key)
            if rule.is_active != is_active:
                rule.is_active = is_active
                audit.record(session, actor, "callback_rule.switched", key, {"is_active": is_active})
            return _view(rule, session.scalars(_version(rule.id, rule.version_no)).one())

    def list(self) -> builtins.list[RuleView]:
        """Return every rule, campaigns left out."""
        query = _latest().where(~CallbackRule.key.startswith(CAMPAIGN_PREFIX))
        with self._door.database.transaction() as session:
            return [_view(*row) for row in session.execute(query.order_by(CallbackRule.is_active.desc(), CallbackRule.key))]

    def active(self, session: Session, reason: Reason) -> builtins.list[RuleView]:
        """Return the rules in force for a reason, the oldest first."""
        query = _latest().where(CallbackRule.is_active, CallbackRuleVersion.definition["reason"].astext == reason.value)
        query = query.where(~CallbackRule.key.startswith(CAMPAIGN_PREFIX))
        return [_view(*row) for row in session.execute(query.order_by(CallbackRule.created_at, CallbackRule.key))]

    def has_any(self, session: Session, reason: Reason) -> bool:
        """Say whether somebody wrote a rule for a reason, in force or not."""
        query = _latest().where(CallbackRuleVersion.definition["reason"].astext == reason.value)
        return session.execute(query.limit(1)).first() is not None

    def get(self, key: str, version_no: int | None) -> RuleView:
        """Return a rule."""
        found = [view for view in self.versions(key) if version_no in (None, view.version_no)]
        if not found:
            raise UnknownRuleError(key)
        return found[0]

    def versions(self, key: str) -> builtins.list[RuleView]:
        """Return every version of a rule, the latest first."""
        query = select(CallbackRule, CallbackRuleVersion).join(CallbackRuleVersion).where(CallbackRule.key == key)
        with self._door.database.transaction() as session:
            return [_view(*row) for row in session.execute(query.order_by(CallbackRuleVersion.version_no.desc()))]

    def ensure_demonstration(self, author: str) -> int:
        """Make what is missing; what a person changed stays as it is."""
        made = 0
        with self._door.database.transaction() as session:
            known = set(session.scalars(select(CallbackRule.key)))
            for key, definition in RULES.items():
                if key not in known:
                    self.write(session, key, definition, author)
                    made += 1
        return made


def _new_rule(key: str) -> dict[str, Any]:
    return {"id": new_id(), "key": key, "is_active": True, "version_no": 0}


def _version(rule_id: uuid.UUID, version_no: int) -> Select[CallbackRuleVersion]:
    return select(CallbackRuleVersion).where(CallbackRuleVersion.rule_id == rule_id, CallbackRuleVersion.version_no == version_no)


def _latest() -> Select[CallbackRule, CallbackRuleVersion]:
    is_latest = (CallbackRuleVersion.rule_id == CallbackRule.id) & (CallbackRuleVersion.version_no == CallbackRule.version_no)
    return select(CallbackRule, CallbackRuleVersion).join(CallbackRuleVersion, is_latest)


def _view(rule: CallbackRule, version: CallbackRuleVersion) -> RuleView:
    return RuleView(
        rule_id=rule.id,
        key=rule.key,
        is_active=rule.is_active,
        version_id=version.id,
        version_no=version.version_no,
        definition=RuleDefinition.model_validate(version.definition),
        author=version.author,
        created_at=version.created_at,
    )
