"""Events of others, each delivered twice: the second time changes nothing."""

import uuid

import pytest
from sqlalchemy import func, select, update

from callback.disposition import Disposition
from callback.handlers import CallbackHandlers
from callback.rule import RuleDefinition
from core.jobs import Job, Worker
from core.outbox import Event
from telephony.events import CallAnswered, CallEnded, OutboundAnswered, OutboundEnded, QueueCallbackAsked
from telephony.handlers import HOUSEKEEPING
from tests.integration.callback.conftest import Base
from workorder.events import CaseClosed, SmsFinished


@pytest.fixture
def handlers(base: Base) -> CallbackHandlers:
    base.service.ensure_demonstration("up")
    return CallbackHandlers(base.service, base.database, base.clock)


def twice(handle: object, event: Event) -> None:
    for _ in range(2):
        handle(event)  # type: ignore[operator]


def test_a_missed_call_and_its_end(base: Base, handlers: CallbackHandlers) -> None:
    missed = base.call("13800138000", "abandoned")
    twice(handlers.on_call_ended, CallEnded(call_id=missed, agent_id=None, outcome="abandoned"))
    assert base.open_callbacks() == 1
    base.clock.advance(60)
    answered = base.call("13800138000", "answered")
    twice(handlers.on_call_answered, CallAnswered(call_id=answered, agent_id=uuid.uuid4()))
    assert base.open_callbacks() == 0
    twice(handlers.on_call_ended, CallEnded(call_id=missed, agent_id=None, outcome="abandoned"))
    assert base.open_callbacks() == 0


def test_a_place_in_the_queue(base: Base, handlers: CallbackHandlers) -> None:
    call = base.call("13800138000", "abandoned")
    asked = QueueCallbackAsked(call_id=call, phone="13800138000", queue_name="consult", queued_at=base.clock.now())
    twice(handlers.on_queue_callback_asked, asked)
    twice(handlers.on_call_ended, CallEnded(call_id=call, agent_id=None, outcome="abandoned"))
    assert base.open_callbacks() == 1
    assert base.service.of_call(call)[0].queue_name == "consult"


def look_again(base: Base, handlers: CallbackHandlers) -> int:
    """Do the jobs that wait, whatever their time, and none that they make; return how many there were."""
    with base.database.transaction() as session:
        session.execute(update(Job).values(run_at=base.at("01-01 00:00")))
    worker = Worker(base.database, handlers.tasks(), [HOUSEKEEPING])
    with base.database.transaction() as session:
        count = session.scalar(select(func.count()).select_from(Job).where(Job.state == "ready")) or 0
    for _ in range(count):
        worker.run_once()
    return count


def test_rules_look_at_an_answered_call_once_it_is_written_what_it_was_about(base: Base, handlers: CallbackHandlers) -> None:
    words = {"title": "社保来电", "reason": "call_answered", "ways": ["ivr"], "questionnaire": "q"}
    definition = RuleDefinition.model_validate(words | {"who": {"categories": ["社保"]}})
    saved = base.service.save_rule("social", definition, "monitor")

    def asked(call_id: uuid.UUID) -> int:
        return sum(view.rule_version_id == saved.version_id for view in base.service.of_call(call_id))

    written, unfinished, never = (base.call(f"1380013800{number}", "answered") for number in range(3))
    for call_id in (written, unfinished, never):
        twice(handlers.on_call_ended, CallEnded(call_id=call_id, agent_id=None, outcome="answered"))
    base.calls.save_note(unfinished, None, category="社保")
    assert look_again(base, handlers) == 3
    assert base.open_callbacks() == 0
    base.calls.save_note(written, None, category="社保", is_finished=True)
    assert look_again(base, handlers) == 3
    assert (asked(written), asked(unfinished)) == (1, 0)
    # Whoever never finishes a note is not waited for; what is written by then counts.
    base.clock.advance(15 * 60)
    assert look_again(base, handlers) == 2
    assert (asked(written), asked(unfinished), asked(never)) == (1, 1, 0)
    assert look_again(base, handlers) == 0


def test_a_closed_case_by_call_then_in_writing(base: Base, handlers: CallbackHandlers) -> None:
    case = {
        "number": "YC1",
        "matter": "居住证办理",
        "unit": "市公安局",
        "phone": "13800138000",
        "closed_at": "2026-03-18T09:00+08:00",
    }
    case_id, _ = base.cases.save_case(case, "test")
    twice(handlers.on_case_closed, CaseClosed(case_id=case_id))
    (owed,) = base.service.of_case(case_id)
    base.go_to("03-19 09:00")
    # The demonstration's questionnaire is not launched here: nobody is rung by machine without questions, nor written to.
    assert base.dialer().run_once() == []
    assert (base.get(owed).state, base.get(owed).why, base.get(owed).way) == ("owed", "no_questionnaire", "ivr")
    base.go_to("04-03 09:00")
    base.dialer().run_once()
    assert base.get(owed).disposition == "expired"


def test_what_the_line_and_the_message_say(base: Base, handlers: CallbackHandlers) -> None:
    owed = base.owe(ways=["ivr", "sms"], questionnaire="q")
    attempt = base.dialer().run_once()[0]
    twice(handlers.on_outbound_answered, OutboundAnswered(attempt_id=attempt.attempt_id))
    assert base.service.attempts(owed.callback_id)[0].state == "answered"
    base.service.end_attempt(attempt.attempt_id, Disposition.COMPLETED)
    base.lines.end(attempt.attempt_id, "answered")
    twice(handlers.on_outbound_ended, OutboundEnded(attempt_id=attempt.attempt_id, result="answered"))
    assert base.get(owed).state == "done"
    twice(handlers.on_sms_finished, SmsFinished(message_id=uuid.uuid4(), reference="verify:1", state="failed"))
    twice(handlers.on_sms_finished, SmsFinished(message_id=uuid.uuid4(), reference=str(uuid.uuid4()), state="failed"))


def test_calls_that_were_placed_for_something_else_are_nobodys(base: Base, handlers: CallbackHandlers) -> None:
    twice(handlers.on_outbound_answered, OutboundAnswered(attempt_id=uuid.uuid4()))
    twice(handlers.on_outbound_ended, OutboundEnded(attempt_id=uuid.uuid4(), result="busy"))
