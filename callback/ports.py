"""What callback needs, as roles: lines to dial out on, and the questionnaires of the later stage."""

import uuid
from collections.abc import Iterable
from typing import Protocol

from callback.hindrance import Hindrance
from callback.rule import Way
from callback.views import CallbackView
from telephony.ports import Dial, LineUse, OutboundTrace


class OutboundLines(Protocol):
    """The telephone lines, as TelephonyService offers them; each method raises UnavailableError when the exchange is away."""

    def dial_out(self, dial: Dial) -> None:
        """Ask the exchange once to ring a citizen; how it went comes as events and as a trace.

        Raises:
            UnavailableError: it may ring or not; only its trace will tell.
            InvalidInputError: the number cannot be dialled; nothing rang.
        """
        ...

    def dial_for_agent(self, agent_id: uuid.UUID, phone: str, attempt_id: uuid.UUID) -> None:
        """Ring the agent's own telephone, then the citizen. Errors as `dial_out`."""
        ...

    def line_use(self) -> LineUse:
        """Return how the lines, the queues and the agents stand now."""
        ...

    def reconcile_outbound(self, attempt_ids: Iterable[uuid.UUID] | None = None) -> list[OutboundTrace]:
        """Ask the exchange what became of some attempts, and return it; without `ended_at` an attempt still goes on.

        An attempt that is missing from the answer is not known: it was never asked for, or its note was lost.
        """
        ...


class Questionnaires(Protocol):
    """The launched questionnaires."""

    def launched_version(self, key: str) -> uuid.UUID | None:
        """Return the version of a questionnaire that is asked now; None when there is none."""
        ...

    def hindrance(self, version_id: uuid.UUID, way: Way, about: CallbackView) -> Hindrance | None:
        """Return why a version cannot be asked by a way: NO_QUESTIONNAIRE, NO_PROMPTS or QUOTA_FULL; None when it can."""
        ...
