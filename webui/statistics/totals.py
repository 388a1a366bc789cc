"""What was counted of a stretch of time, as plain sums, and the measures that follow from them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Self

from webui.statistics import kpi
from webui.statistics.kpi import Mean, Ratio, Tally


@dataclass(frozen=True)
class Sums:
    """Numbers that can be added field by field."""

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True)
class CallTotals(Sums):
    """Calls of a stretch of time."""

    offered: int = 0
    answered: int = 0
    in_time: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    unserved: int = 0
    handled: int = 0
    waiting_seconds: float = 0
    talking_seconds: float = 0
    wrapup_seconds: float = 0
    direct: int = 0
    followed: int = 0
    resolved: int = 0
    suggested: int = 0
    adopted: int = 0

    @property
    def service_level(self) -> Ratio:
        """Answered within the target ÷ offered."""
        return kpi.service_level(self.in_time, self.offered)

    @property
    def connect_rate(self) -> Ratio:
        """Answered ÷ offered."""
        return kpi.connect_rate(self.answered, self.offered)

    @property
    def abandonment(self) -> Ratio:
        """Given up ÷ offered."""
        return kpi.abandonment(self.abandoned, self.offered)

    @property
    def average_speed_of_answer(self) -> Mean:
        """Waiting of the answered."""
        return kpi.average_speed_of_answer(self.waiting_seconds, self.answered)

    @property
    def handle_time(self) -> Mean:
        """Talking and wrap-up of the calls that are over."""
        return kpi.handle_time(self.talking_seconds, self.wrapup_seconds, self.handled)

    @property
    def talking(self) -> Mean:
        """Talking alone."""
        return Mean(self.talking_seconds, self.handled)

    @property
    def wrapup(self) -> Mean:
        """Wrap-up alone."""
        return Mean(self.wrapup_seconds, self.handled)

    @property
    def direct_answer_rate(self) -> Ratio:
        """Settled at once ÷ answered."""
        return kpi.direct_answer_rate(self.direct, self.answered)

    @property
    def first_contact_resolution(self) -> Ratio:
        """Settled and not repeated ÷ those whose window is over."""
        return kpi.first_contact_resolution(self.resolved, self.followed)

    @property
    def adoption_rate(self) -> Ratio:
        """With an adopted suggestion ÷ with any."""
        return kpi.adoption_rate(self.adopted, self.suggested)


@dataclass(frozen=True)
class CallbackTotals(Sums):
    """Callbacks of a stretch of time."""

    owed: int = 0
    contacted: int = 0
    refused: int = 0
    unreachable: int = 0
    done: int = 0
    due: int = 0
    in_time: int = 0
    cancelled: int = 0
    not_sampled: int = 0

    @property
    def response_rate(self) -> Ratio:
        """Contacted within the promise ÷ due."""
        return kpi.response_rate(self.in_time, self.due)

    @property
    def contact_rate(self) -> Ratio:
        """Reached ÷ owed."""
        return kpi.contact_rate(self.contacted, self.owed)

    @property
    def refusal_rate(self) -> Ratio:
        """Refused ÷ reached."""
        return kpi.refusal_rate(self.refused, self.contacted)


@dataclass(frozen=True)
class SurveyTotals(Sums):
    """Surveys of a stretch of time."""

    offered: int = 0
    answered: int = 0
    completed: int = 0
    partial: int = 0
    refused: int = 0
    skipped: int = 0
    expired: int = 0
    withdrawn: int = 0

    @property
    def received(self) -> int:
        """Ended with answers: all of them, or a part."""
        return self.completed + self.partial

    @property
    def survey_response_rate(self) -> Ratio:
        """With an answer ÷ offered."""
        return kpi.survey_response_rate(self.answered, self.offered)


@dataclass(frozen=True)
class AgentTotals(Sums):
    """An agent's stretch of time, or everybody's."""

    answered: int = 0
    concluded: int = 0
    missed: int = 0
    ready_seconds: float = 0
    ringing_seconds: float = 0
    talking_seconds: float = 0
    wrapup_seconds: float = 0
    paused_seconds: float = 0
    rating_offered: int = 0
    rated: int = 0
    rating_skipped: int = 0
    rating_hung_up: int = 0
    rated_satisfied: int = 0
    rated_barely: int = 0

    @property
    def occupancy(self) -> Ratio:
        """With a call or its wrap-up ÷ logged in and not paused."""
        busy = self.ringing_seconds + self.talking_seconds + self.wrapup_seconds
        return kpi.occupancy(busy, busy + self.ready_seconds)

    @property
    def after_call_rate(self) -> Ratio:
        """Rated ÷ offered."""
        return kpi.after_call_rate(self.rated, self.rating_offered)

    @property
    def not_offered(self) -> int:
        """Calls concluded with this agent at whose end nobody was asked; mostly the citizen hung up first."""
        return max(0, self.concluded - self.rating_offered)

    def after_call_satisfaction(self, *, counts_barely: bool) -> Ratio:
        """Satisfied ÷ rated, apart from callbacks."""
        return Ratio(self.rated_satisfied + (self.rated_barely if counts_barely else 0), self.rated)


@dataclass(frozen=True)
class Answers:
    """Answers to one question: by what was said, and how many were left out."""

    tallies: Sequence[tuple[str, Tally]] = field(default_factory=tuple)
    late: int = 0
    withdrawn: int = 0

    @property
    def scores(self) -> list[Tally]:
        """The tallies of graded answers."""
        return [tally for _, tally in self.tallies]

    @property
    def count(self) -> int:
        """How many answers."""
        return sum(tally.count for _, tally in self.tallies)

    def __add__(self, other: "Answers") -> "Answers":
        merged = dict(self.tallies)
        for option, tally in other.tallies:
            one = merged.get(option, Tally(tally.score, 0, 0, 0))
            merged[option] = Tally(tally.score, one.count + tally.count, one.weight + tally.weight, one.squared + tally.squared)
        return Answers(tuple(merged.items()), self.late + other.late, self.withdrawn + other.withdrawn)

    def option(self, name: str) -> Tally:
        """Return the tally of one option, nothing where nobody said it."""
        return next((tally for option, tally in self.tallies if option == name), Tally(0, 0, 0, 0))

    def solved(self) -> Ratio:
        """解决率 of these answers."""
        return kpi.solved_rate(self.scores)

    def satisfied(self, *, counts_barely: bool) -> Ratio:
        """满意率 of these answers."""
        return kpi.satisfaction(self.scores, counts_barely=counts_barely)
