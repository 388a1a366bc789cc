"""A dialer, a bridge or an exchange that dies between any two steps: nobody is rung twice for one attempt, and nothing is lost."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from callback.disposition import Disposition
from core.settings import PROJECT_DIR
from tests.dialer_child import STEPS
from tests.integration.callback.conftest import Base

NUMBERS = [f"1380013800{number}" for number in range(3)]


class Child:
    """A dialer in a process of its own."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "tests.dialer_child", url]
        self.process = subprocess.Popen(command, cwd=PROJECT_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._read() == "ready"

    def round(self, base: Base, fatal: str = "") -> str:
        """Let it do a round; an empty answer: it died."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{base.clock.now().isoformat()} {fatal}\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def child(base: Base) -> Iterator[Child]:
    made = Child(base.database.url)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        for pipe in (made.process.stdin, made.process.stdout):
            assert pipe is not None
            pipe.close()


def twice(base: Base) -> list[str]:
    """Return the attempts that the exchange was asked for more than once."""
    return [str(attempt) for attempt, times in Counter(attempt for attempt, _ in base.lines.requests()).items() if times > 1]


def ring_out(base: Base) -> None:
    """Let everything that rings or will ring today be answered, and every answer be complete."""
    dialer = base.dialer()
    for _ in range(40):
        base.clock.advance(20)
        dialer.run_once()
        phones = Counter(phone for _, phone, _ in base.lines.running())
        assert not phones or max(phones.values()) == 1, "one number twice at once"
        for attempt_id, _phone, _since in base.lines.running():
            base.service.record_answered(attempt_id)
            base.service.end_attempt(attempt_id, Disposition.COMPLETED)
            base.tell(attempt_id, "answered")


@pytest.mark.parametrize("step", STEPS)
def test_kill_9_of_the_dialer_at_every_step(base: Base, step: str) -> None:
    owed = [base.owe(number) for number in NUMBERS]
    with child(base) as first:
        # The first round has nothing to reconcile; one attempt is open for the second.
        base.lines.total = 60
        died = first.round(base, step) == ""
        if not died:
            base.clock.advance(16)
            base.owe("13900139000")
            assert first.round(base, step) == "", f"it did not die {step}"
        assert first.process.wait(60) == -9
    with child(base) as second:
        base.clock.advance(16)
        second.round(base)
        assert not twice(base)
        # Whoever was planned and never dialled is still held by the dead one's lease; then it counts as an attempt that failed.
        base.run_out()
        base.clock.advance(16)
        second.round(base)
    ring_out(base)
    assert not twice(base)
    for view in owed:
        found = base.get(view)
        lost = [attempt for attempt in base.service.attempts(view.callback_id) if attempt.cause == "lost"]
        if lost:
            # It counts: the next one keeps the distance of a survey.
            assert (found.state, found.attempt_count, lost[0].disposition) == ("owed", 1, "failed")
        else:
            assert (found.state, found.attempt_count) == ("done", 1)
    base.go_to("03-18 17:00")
    ring_out(base)
    assert {base.get(view).state for view in owed} == {"done"}
    assert not twice(base)


def test_what_the_dead_dialer_dialled_goes_on_as_if_it_lived(base: Base) -> None:
    owed = base.owe()
    with child(base) as first:
        assert first.round(base, "after the exchange dialled") == ""
    attempt_id = base.lines.requests()[0][0]
    base.lines.answer(attempt_id)
    base.dialer().run_once()
    assert base.service.attempts(owed.callback_id)[0].state == "answered"
    base.service.complete(owed.callback_id, Disposition.COMPLETED)
    base.lines.end(attempt_id, "answered")
    base.clock.advance(60)
    base.dialer().run_once()
    assert [attempt.state for attempt in base.service.attempts(owed.callback_id)] == ["ended"]
    assert base.get(owed).state == "done"


def test_a_dead_bridge_tells_nothing_and_the_exchange_is_asked(base: Base) -> None:
    busy, silent, answered = (base.owe(number) for number in NUMBERS)
    dialer = base.dialer()
    attempts = {attempt.callback_id: attempt.attempt_id for attempt in dialer.run_once()}
    base.lines.end(attempts[busy.callback_id], "busy")
    base.lines.answer(attempts[answered.callback_id])
    base.run_out()  # long after every lease: what the exchange still knows is not lost
    base.clock.advance(300)
    dialer.run_once()
    states = [base.service.attempts(view.callback_id)[0].state for view in (busy, silent, answered)]
    assert states == ["ended", "dialled", "answered"]
    assert base.get(busy).disposition == "busy"
    assert len(base.lines.requests()) == 3


def test_a_dead_exchange_forgets_and_nobody_is_rung_again_for_that_attempt(base: Base) -> None:
    owed = base.owe()
    dialer = base.dialer()
    attempt_id = dialer.run_once()[0].attempt_id
    base.lines.lose()
    base.clock.advance(30)
    assert dialer.run_once() == []  # it may yet turn up
    base.run_out()
    base.clock.advance(30)
    assert dialer.run_once() == []
    lost = base.service.attempts(owed.callback_id)[0]
    assert (lost.attempt_id, lost.disposition, lost.cause, lost.state) == (attempt_id, "failed", "lost", "ended")
    # What the bridge tells of it later changes nothing.
    base.service.record_answered(attempt_id)
    base.service.record_ended(attempt_id, "answered", "")
    assert base.get(owed).disposition == "failed"
    base.go_to("03-18 16:31")
    assert [attempt.attempt_id for attempt in dialer.run_once()] != [attempt_id]
    assert len(base.lines.requests()) == 1  # the lost one is gone from the exchange; the new attempt is another


@pytest.mark.parametrize("step", STEPS[1:])
def test_an_error_at_every_step_is_no_worse_than_a_kill(base: Base, step: str) -> None:
    """The same points by exceptions, in this process: the round ends, the next one goes on."""

    class Stop(BaseException):
        """Not an error that anything catches."""

    from callback.dialer import Dialer
    from callback.door import CallbackSettings
    from tests.dialer_child import service_on

    def stop(name: str) -> None:
        if name == step:
            raise Stop

    owed = [base.owe(number) for number in NUMBERS]
    service = service_on(base.database, base.clock, base.lines, CallbackSettings())
    base.dialer().run_once() if step in STEPS[1:3] else None
    service.step = base.lines._step = stop  # type: ignore[assignment]
    with pytest.raises(Stop):
        Dialer(service, base.lines).run_once()
    base.lines._step = lambda _name: None
    base.run_out()
    ring_out(base)
    base.go_to("03-18 17:00")
    ring_out(base)
    assert {base.get(view).state for view in owed} == {"done"}
    assert not twice(base)
