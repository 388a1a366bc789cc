"""Decides what happens to one callback now: ring, not before, the next way, or drop. Etiquette, then the way, then the window."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from callback.calling_hours import Hours, IsWorking, Window, next_open, window_of
from callback.etiquette import Drop, Etiquette, NotBefore, NumberFacts, check
from callback.hindrance import Hindrance
from callback.rule import SURVEYS, Reason, Way
from core.phone import is_mobile

_MOST_STEPS = 8
_LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Candidate:
    """A callback, as far as the decision needs it."""

    reason: Reason
    way: Way
    phone: str
    is_asked: bool = False
    ask_every_days: int = 0
    expires_at: datetime | None = None
    has_questionnaire: bool = True


@dataclass(frozen=True)
class HouseRules:
    """What the house allows; `is_working` knows the calendar."""

    etiquette: Etiquette
    hours: Mapping[Window, Hours]
    is_working: IsWorking


@dataclass(frozen=True)
class Ring:
    """Now."""


@dataclass(frozen=True)
class NextWay:
    """Not by this way."""

    why: Hindrance


Decision = Ring | NotBefore | NextWay | Drop


def decide(candidate: Candidate, facts: NumberFacts, now: datetime, rules: HouseRules) -> Decision:
    """Return what happens to a callback that is due."""
    if candidate.expires_at is not None and now >= candidate.expires_at:
        return Drop(Hindrance.EXPIRED)
    hindered = _by_etiquette(candidate, facts, now, rules)
    if isinstance(hindered, Drop):
        return hindered
    if candidate.way is Way.SMS and not is_mobile(candidate.phone):
        return NextWay(Hindrance.NOT_MOBILE)
    hours = rules.hours[window_of(candidate.reason, is_asked=candidate.is_asked)]
    if candidate.way is not Way.AGENT and not candidate.has_questionnaire:
        # Somebody may yet launch it: the callback waits for that until it expires.
        return NotBefore(next_open(hours, now + _LOOK_AGAIN, rules.is_working), Hindrance.NO_QUESTIONNAIRE)
    if hindered is not None:
        return NotBefore(next_open(hours, hindered.at, rules.is_working), hindered.why)
    opens_at = next_open(hours, now, rules.is_working)
    return Ring() if opens_at == now else NotBefore(opens_at, Hindrance.OUTSIDE_WINDOW)


def _by_etiquette(candidate: Candidate, facts: NumberFacts, now: datetime, rules: HouseRules) -> Drop | NotBefore | None:
    if candidate.reason not in SURVEYS:
        return None
    # A text message rings nobody: it needs no distance from calls, but rest and opt-out hold for it too.
    spaced = facts if candidate.way is not Way.SMS else _unspaced(facts)
    return check(spaced, now, rules.etiquette, candidate.ask_every_days, is_asked=candidate.is_asked)


def _unspaced(facts: NumberFacts) -> NumberFacts:
    return NumberFacts((), facts.refused_at, facts.asked_at, facts.has_opted_out, facts.is_being_rung)


def first_chance(
    candidate: Candidate, facts: NumberFacts, earliest: datetime, rules: HouseRules
) -> tuple[datetime | None, Hindrance | None]:
    """Return when a callback could be rung at the earliest, and what puts it off; no time when it is dropped."""
    at, why = earliest, None
    for _ in range(_MOST_STEPS):
        match decide(candidate, facts, at, rules):
            case Ring():
                return at, why
            case NotBefore(at=later, why=reason):
                at, why = later, why or reason
            case NextWay(why=reason):
                return at, reason
            case Drop(why=reason):
                return None, reason
    return None, why
