"""What every part behind the front door of callback shares: the database, the clock, the house's rules, the facts of numbers."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callback.calling_hours import Hours, Window, hours_from
from callback.decision import Candidate, HouseRules
from callback.disposition import CONTACTED, Disposition
from callback.etiquette import Etiquette, NumberFacts
from callback.line_budget import LineRules
from callback.models import Callback, CallbackAttempt, CallbackRuleVersion, OptOut
from callback.ports import OutboundLines, Questionnaires
from callback.rule import Reason, RuleDefinition, Way
from core.clock import Clock
from core.database import Database
from core.errors import ConflictError, NotFoundError
from core.settings import Settings
from core.working_days import WorkingDays

CHANNEL = "callback"
"""NOTIFY on it wakes the dialer."""
_NEVER_RANG = ("agent", "LATE", "NOIVR", "NOTRUNK", "never_dialled")
_SPACING = timedelta(days=2)


class UnknownCallbackError(NotFoundError):
    """There is no such callback."""

    def __init__(self, callback_id: object) -> None:
        super().__init__(str(callback_id))
        self.callback_id = callback_id


class UnknownAttemptError(NotFoundError):
    """There is no such attempt."""

    def __init__(self, attempt_id: object) -> None:
        super().__init__(str(attempt_id))
        self.attempt_id = attempt_id


class CallbackStateError(ConflictError):
    """The callback's state does not allow this."""

    def __init__(self, state: str, wanted: str) -> None:
        super().__init__(f"{wanted} while {state}")
        self.state = state


@dataclass(frozen=True)
class CallbackSettings:
    """The house's rules, as settings give them."""

    etiquette: Etiquette = field(default_factory=Etiquette)
    lines: LineRules = field(default_factory=LineRules)
    hours: dict[Window, Hours] = field(default_factory=lambda: _hours("09:00-20:00", "08:30-21:00", "08:00-22:00", "00:00-24:00"))
    ring_seconds: int = 30
    hold: timedelta = timedelta(minutes=15)

    @classmethod
    def of(cls, settings: Settings) -> CallbackSettings:
        """Return them as a site set them."""
        return cls(
            etiquette=Etiquette(
                settings.callback_attempts_a_day,
                timedelta(hours=settings.callback_gap_hours),
                timedelta(days=settings.callback_rest_days),
            ),
            lines=LineRules(
                settings.dialer_lines, settings.dialer_keep_free, settings.dialer_yield_each, settings.dialer_stop_wait_seconds
            ),
            hours=_hours(
                settings.callback_survey_hours,
                settings.callback_reply_hours,
                settings.callback_asked_hours,
                settings.callback_queue_hours,
            ),
            ring_seconds=settings.dialer_ring_seconds,
            hold=timedelta(minutes=settings.callback_hold_minutes),
        )


def _hours(survey: str, reply: str, asked: str, queue: str) -> dict[Window, Hours]:
    return {
        Window.SURVEY: hours_from(survey, working_days_only=True),
        Window.REPLY: hours_from(reply, working_days_only=False),
        Window.ASKED: hours_from(asked, working_days_only=False),
        Window.QUEUE: hours_from(queue, working_days_only=False),
    }


class Door:
    """Shared by the parts; opens no transaction by itself."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        working_days: WorkingDays,
        lines: OutboundLines,
        questionnaires: Questionnaires,
        settings: CallbackSettings,
    ) -> None:
        self.database = database
        self.clock = clock
        self.working_days = working_days
        self.lines = lines
        self.questionnaires = questionnaires
        self.settings = settings
        self.house_rules = HouseRules(settings.etiquette, settings.hours, working_days.is_working_day)
        # A version is never changed, so what was read once stays true.
        self._definitions: dict[uuid.UUID, RuleDefinition] = {}

    def definition(self, session: Session, version_id: uuid.UUID | None) -> RuleDefinition | None:
        """Return the wording that a callback came about by."""
        if version_id is None:
            return None
        if version_id not in self._definitions:
            row = session.get_one(CallbackRuleVersion, version_id)
            self._definitions[version_id] = RuleDefinition.model_validate(row.definition)
        return self._definitions[version_id]

    def candidate(self, session: Session, row: Callback) -> Candidate:
        """Return a callback as the decision sees it; a questionnaire launched since is taken up."""
        definition = self.definition(session, row.rule_version_id)
        if row.questionnaire_version_id is None and definition is not None and definition.questionnaire:
            row.questionnaire_version_id = self.questionnaires.launched_version(definition.questionnaire)
        return Candidate(
            reason=Reason(row.reason),
            way=current_way(row),
            phone=row.phone,
            is_asked=row.asked_at is not None,
            ask_every_days=definition.ask_every_days if definition else 0,
            expires_at=row.expires_at,
            has_questionnaire=row.questionnaire_version_id is not None,
        )

    def facts(self, session: Session, rows: Sequence[Callback], ask_every_days: int = 0) -> dict[uuid.UUID, NumberFacts]:
        """Return what is known of the numbers of some callbacks, by callback; so far back as their rules, or these days, need."""
        now = self.clock.now()
        phones = {row.phone for row in rows}
        lookback = max(self.settings.etiquette.rest, _SPACING, self._asked_lookback(session, rows), timedelta(days=ask_every_days))
        tries = self._tries(session, phones, now - lookback)
        opted_out = set(session.scalars(select(OptOut.phone).where(OptOut.phone.in_(phones), OptOut.lifted_at.is_(None))))
        return {row.id: _number_facts(row.id, tries[row.phone], row.phone in opted_out) for row in rows}

    def _asked_lookback(self, session: Session, rows: Iterable[Callback]) -> timedelta:
        definitions = (self.definition(session, row.rule_version_id) for row in rows)
        return timedelta(days=max((definition.ask_every_days for definition in definitions if definition), default=0))

    def _tries(self, session: Session, phones: set[str], since: datetime) -> dict[str, list[CallbackAttempt]]:
        query = select(CallbackAttempt).where(
            CallbackAttempt.phone.in_(phones), CallbackAttempt.is_survey, CallbackAttempt.planned_at >= since
        )
        found: dict[str, list[CallbackAttempt]] = defaultdict(list)
        for row in session.scalars(query):
            if not never_rang(row.cause):
                found[row.phone].append(row)
        # Also for a single try that a test or a page asks about: numbers without any are there, empty.
        return found

    def lock(self, session: Session, callback_id: uuid.UUID) -> Callback:
        """Return a callback that nobody else changes until this transaction ends.

        Raises:
            UnknownCallbackError: there is none.
        """
        row = session.get(Callback, callback_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise UnknownCallbackError(callback_id)
        return row


def _number_facts(callback_id: uuid.UUID, tries: list[CallbackAttempt], has_opted_out: bool) -> NumberFacts:
    refused = [row.planned_at for row in tries if row.disposition == Disposition.REFUSED]
    asked = [
        row.planned_at for row in tries if row.callback_id != callback_id and (row.way == Way.SMS or row.disposition in CONTACTED)
    ]
    return NumberFacts(
        rung_at=[row.planned_at for row in tries if row.way != Way.SMS],
        refused_at=max(refused, default=None),
        asked_at=max(asked, default=None),
        has_opted_out=has_opted_out,
    )


def current_way(row: Callback) -> Way:
    """Return the way that a callback is tried by now."""
    return Way(row.ways[min(row.way_no, len(row.ways) - 1)])


def never_rang(cause: str) -> bool:
    """Say by an attempt's cause whether the citizen's telephone stayed silent, so that nothing was tried.

    The agent did not pick up, the exchange refused it (too late, nobody to speak with, no way out), or never heard of it.
    """
    return cause.startswith(_NEVER_RANG)


def wake_dialer(session: Session) -> None:
    """Wake the dialer when this transaction commits."""
    session.execute(select(func.pg_notify(CHANNEL, "")))
