"""A dialer in a process of its own, over simulated lines and a told time, that kills itself with -9 where it is told to.

`python -m tests.dialer_child URL`: reads lines `<iso time> [<step>]` and answers each with how many attempts it planned.
`bench.dialer` runs it too.
"""

import os
import signal
import sys
import uuid
from collections.abc import Iterable
from datetime import datetime

from callback.dialer import Dialer
from callback.door import CallbackSettings
from callback.hindrance import Hindrance
from callback.rule import Way
from callback.service import CallbackService
from callback.views import CallbackView
from core.database import Database
from core.settings import Settings
from core.working_days import WorkingDays
from telephony.door import TelephonyRules
from telephony.ports import OutboundTrace
from telephony.service import TelephonyService
from tests.fakes.clock import FakeClock
from tests.fakes.outbound_lines import FakeOutboundLines
from tests.fakes.switch import FakeSwitch
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules

STEPS = (
    "before the round",
    "before reconciling",
    "after reconciling",
    "after planning",
    "before the exchange dials",
    "after the exchange dialled",
    "before confirming",
    "after confirming",
)


class AnyQuestionnaire:
    """Whatever is asked for is launched."""

    def launched_version(self, key: str) -> uuid.UUID | None:
        return uuid.uuid5(uuid.NAMESPACE_OID, key)

    def hindrance(self, version_id: uuid.UUID, way: Way, about: CallbackView) -> Hindrance | None:
        return None


class Stumbling(CallbackService):
    """The service, with a word at each point between two steps of the dialer."""

    step = staticmethod(lambda _name: None)

    def reconcile(self, attempt_ids: Iterable[uuid.UUID], traces: Iterable[OutboundTrace]) -> None:
        self.step("before reconciling")
        super().reconcile(list(attempt_ids), list(traces))
        self.step("after reconciling")

    def plan_due(self, *arguments, **named):  # type: ignore[no-untyped-def]
        planned = super().plan_due(*arguments, **named)
        if planned:
            self.step("after planning")
        return planned

    def confirm_dialled(self, attempt_id: uuid.UUID) -> None:
        self.step("before confirming")
        super().confirm_dialled(attempt_id)
        self.step("after confirming")


def service_on(database: Database, clock: FakeClock, lines: FakeOutboundLines, settings: CallbackSettings) -> Stumbling:
    """Return callbacks over simulated lines."""
    site = Settings(_env_file=None)
    calls = TelephonyService(database, clock, FakeSwitch(), TelephonyRules.of(site))
    cases = WorkorderService(database, clock, SmsRules.of(site))
    return Stumbling(database, clock, WorkingDays(database), lines, calls, cases, AnyQuestionnaire(), settings)


def main() -> None:
    """Do rounds as told, until the end of input or the told step."""
    url = sys.argv[1]
    clock = FakeClock()
    fatal = ""

    def step(name: str) -> None:
        if name == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    lines = FakeOutboundLines(url, clock, step)
    service = service_on(Database(url), clock, lines, CallbackSettings())
    service.step = step  # type: ignore[assignment]
    dialer = Dialer(service, lines, monotonic=lambda: clock.now().timestamp())
    _say("ready")
    for line in sys.stdin:
        told, _, fatal = line.strip().partition(" ")
        clock.advance((datetime.fromisoformat(told) - clock.now()).total_seconds())
        step("before the round")
        _say(str(len(dialer.run_once())))


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
