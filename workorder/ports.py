"""What workorder needs, as roles."""

import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from workorder.sms_state import ReceiptStatus
from workorder.sms_text import SmsText


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """A message for a gateway. `message_id` is the reference that the gateway is given.

    `taken_parts` are those that the gateway said it took in an earlier try: they must not be sent again.
    """

    message_id: uuid.UUID
    phone: str
    text: SmsText
    taken_parts: frozenset[int] = frozenset()


class Outcome(StrEnum):
    """What became of a try: `taken`; `refused` for good; `later` (surely not taken, try again); or `unknown`."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TakenPart:
    """A part that the gateway took, and the name under which its receipt will come. Part 0 is a message taken whole."""

    part_no: int
    gateway_id: str


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """The outcome, the parts taken in this try whatever the outcome, and the gateway's word for what went wrong."""

    outcome: Outcome
    parts: tuple[TakenPart, ...] = ()
    error: str = ""
    again_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a gateway tells of a part, perhaps early, late or twice. `reference` is our message's id, where it returns that."""

    gateway: str
    gateway_id: str
    status: ReceiptStatus
    detail: str = ""
    reference: uuid.UUID | None = field(default=None)


class SmsGateway(Protocol):
    """Carries text messages to citizens."""

    @property
    def name(self) -> str:
        """What its receipts are kept under."""
        ...

    @property
    def problem(self) -> str:
        """Why it cannot carry anything just now; empty while it can, as far as is known."""
        ...

    def submit(self, message: OutgoingSms) -> SubmitResult:
        """Hand a message over and return what became of it. Never raises, never tries the same part twice.

        `unknown` is told whenever the request may have been taken: an answer that did not come, or made no sense.
        """
        ...
