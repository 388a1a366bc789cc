"""A list of people to be asked once: a campaign's own definition, and a callback for each number."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from callback.attempts import finish
from callback.door import Door
from callback.hindrance import Hindrance
from callback.models import Callback
from callback.owing import Owing, Wording
from callback.rule import Reason, RuleDefinition, Subject
from callback.rules import CAMPAIGN_PREFIX, Rules
from callback.views import CampaignReport, CampaignView
from core import audit
from core.errors import InvalidInputError
from core.phone import BadPhoneError, normalise_phone

_LONGEST_NAME = 60
_LONGEST_WORD = 200
_MOST = 50_000
_WORDS = ("person", "hall", "unit", "region", "category", "matter_code", "matter", "window")


class BadCampaignError(InvalidInputError):
    """No name, nobody to ask, too many, or a definition that is none of a campaign."""


class Campaigns:
    """The part of the front door for campaigns."""

    def __init__(self, door: Door, rules: Rules, owing: Owing) -> None:
        self._door = door
        self._rules = rules
        self._owing = owing

    def start(self, name: str, people: Sequence[Mapping[str, str]], definition: RuleDefinition, actor: str) -> CampaignReport:
        """Owe a call to everybody in the list whose number is one."""
        name = name.strip()
        if not name or len(name) > _LONGEST_NAME or definition.reason is not Reason.CAMPAIGN or not 0 < len(people) <= _MOST:
            raise BadCampaignError(name[:_LONGEST_NAME])
        refused: builtins.list[tuple[int, str]] = []
        fresh: builtins.list[tuple[str, str, Subject]] = []
        with self._door.database.transaction() as session:
            view = self._rules.write(session, _key(name), definition, actor)
            wording = Wording(definition, view.version_id, view.key)
            known = set(session.scalars(select(Callback.phone).where(Callback.campaign == name)))
            for number, person in enumerate(people, start=1):
                try:
                    phone = normalise_phone(person.get("phone", ""))
                except BadPhoneError:
                    refused.append((number, str(person.get("phone", ""))[:40]))
                    continue
                if phone not in known:
                    words = {word: str(person.get(word, ""))[:_LONGEST_WORD] for word in _WORDS}
                    fresh.append((f"{view.key}:{phone}", phone, Subject(campaign=name, **words)))
                    known.add(phone)
            created = self._owing.write_many(session, fresh, wording)
            audit.record(session, actor, "campaign.started", name, {"created": created, "refused": len(refused)})
        return CampaignReport(name, created, len(people) - created - len(refused), refused)

    def list(self) -> builtins.list[CampaignView]:
        """Return every campaign in numbers."""
        query = (
            select(
                Callback.campaign,
                func.min(Callback.created_at),
                func.count().filter(Callback.state != "not_sampled"),
                func.count().filter(Callback.state == "owed"),
                func.count().filter(Callback.state == "done"),
                func.count().filter(Callback.state.in_(("given_up", "cancelled"))),
            )
            .where(Callback.campaign != "")
            .group_by(Callback.campaign)
            .order_by(func.min(Callback.created_at).desc())
        )
        with self._door.database.transaction() as session:
            return [CampaignView(*row) for row in session.execute(query)]

    def stop(self, name: str, actor: str) -> int:
        """Cancel what is still owed. Who is on the line this moment is spoken with to the end, and not tried again."""
        query = select(Callback).where(Callback.campaign == name, Callback.state == "owed")
        with self._door.database.transaction() as session:
            rows = session.scalars(query.with_for_update()).all()
            for row in rows:
                hold = row.held_by, row.held_until
                finish(session, row, "cancelled", Hindrance.STOPPED, self._door.clock.now())
                # An agent in the middle of a call keeps it, to say how it went.
                row.held_by, row.held_until = hold
            audit.record(session, actor, "campaign.stopped", name, {"cancelled": len(rows)})
        return len(rows)


def _key(name: str) -> str:
    """Return the key of a campaign's own rule: names are free text, keys are not."""
    return f"{CAMPAIGN_PREFIX}{hashlib.sha256(name.encode()).hexdigest()[:16]}"
