"""The ivr process with citizens made of values: what they said is kept, whatever happens to the line and the database."""

import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import UnavailableError
from survey.ivr import Ivr
from survey.service import demonstration
from tests.fakes.line import CUT, FakeLine
from tests.integration.ivr.conftest import FakeCallbacks
from tests.integration.survey.conftest import Base


class Talk:
    """One call that was picked up; look at `outcome` and `survey`."""

    def __init__(self, base: Base, *moves: str) -> None:
        self.base = base
        self.callbacks = FakeCallbacks(base.launched(demonstration("case_service"), "case_service"))
        self.attempt_id = uuid.uuid4()
        self.callbacks.known.add(self.attempt_id)
        self.line = FakeLine(moves, {"TJ_ATTEMPT": self.attempt_id.hex})
        prompts = SimpleNamespace(file=self.line.prompt, missing=lambda _definition: [])
        self.ivr = Ivr(None, None, self.callbacks, base.service, prompts)  # type: ignore[arg-type]

    def run(self) -> str:
        """Speak to the end; return what callback was told."""
        self.ivr.on_call(self.line)
        ((_, told),) = self.callbacks.ended
        return told

    @property
    def survey(self) -> Any:
        return self.base.service.view(self.callbacks.attached[self.attempt_id])


ANSWERED = ["barge:1", "barge:1", "barge:1", "barge:7"]


@pytest.mark.parametrize(
    ("moves", "told", "state"),
    [
        ([*ANSWERED, CUT], "completed", "completed"),
        (["barge:9", CUT], "opted_out", "refused"),
        (["barge:1", "barge:1", "barge:0", CUT], "refused", "refused"),
        (["barge:1", "barge:1", CUT], "partial", "partial"),
    ],
)
def test_a_hang_up_counts_for_what_was_said_before(base: Base, moves: list[str], told: str, state: str) -> None:
    talk = Talk(base, *moves)
    assert talk.run() == told
    assert talk.survey.state == state


def test_a_database_that_is_away_for_a_while_loses_nothing(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("survey.ivr.time.sleep", waited.append)
    for name in ("answer", "finish"):
        real, left = getattr(base.service, name), [None] * 5

        def away(*given: Any, real: Any = real, left: list[None] = left, **more: Any) -> Any:
            if left:
                left.pop()
                raise UnavailableError("starting up")
            return real(*given, **more)

        monkeypatch.setattr(base.service, name, away)
    talk = Talk(base, *ANSWERED)
    assert talk.run() == "completed"
    assert talk.survey.values == {"satisfaction": 5, "resolved": "yes", "recommend": 7}
    assert sum(waited[:5]) > 10


def test_a_database_that_stays_away_is_waited_for_no_longer_than_a_person_waits(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: Any, **_more: Any) -> None:
        raise UnavailableError("gone")

    waited: list[float] = []
    monkeypatch.setattr("survey.ivr.time.sleep", waited.append)
    talk = Talk(base, *ANSWERED)
    monkeypatch.setattr(base.service, "answer", away)
    talk.ivr.on_call(talk.line)
    assert (talk.ivr.totals.failed, talk.line.is_hung_up) == (1, True)
    assert sum(waited) < 40
