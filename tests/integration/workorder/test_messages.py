"""Text messages on a real database: once for each reference, never twice to the gateway, settled by receipts in any order."""

import threading
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.audit import AuditEntry
from core.errors import ConflictError, InvalidInputError, NotFoundError
from core.jobs import Worker
from tests.integration.workorder.conftest import Desk
from workorder.handlers import WorkorderHandlers
from workorder.models import SmsPart
from workorder.ports import Outcome, OutgoingSms, Receipt, SubmitResult, TakenPart
from workorder.service import SMS_QUEUE
from workorder.sms_state import ReceiptStatus
from workorder.sms_view import SmsFilter

PHONE = "13800138000"
LONG = "您" * 100  # two parts with the signature


def ask(desk: Desk, reference: str = "r1", body: str = "您的办件已办结。", **more: object) -> uuid.UUID:
    return desk.service.send_sms(reference, PHONE, body, "survey", **more)  # type: ignore[arg-type]


def receipt(desk: Desk, gateway_id: str, status: str = "delivered", **more: object) -> None:
    desk.service.record_sms_receipt(Receipt("told", gateway_id, ReceiptStatus(status), **more))  # type: ignore[arg-type]


def state(desk: Desk, message_id: uuid.UUID) -> str:
    return desk.service.get_sms(message_id).state


def finished(desk: Desk) -> list[tuple[str, str]]:
    return [(event.reference, event.state) for event in desk.events("SmsFinished")]  # type: ignore[attr-defined]


def test_asking_twice_sends_once(desk: Desk) -> None:
    first = ask(desk)
    assert ask(desk) == first
    assert ask(desk, body="另一段话") == first
    assert desk.service.list_sms().total == 1
    assert len(desk.jobs()) == 1
    view = desk.service.get_sms(first)
    assert view.body == "【云川12345】您的办件已办结。"
    assert (view.state, view.part_count, view.phone) == ("queued", 1, PHONE)


def test_a_message_belongs_to_the_askers_transaction(desk: Desk) -> None:
    def ask_and_fail() -> None:
        with desk.database.transaction() as session:
            desk.service.send_sms("r1", PHONE, "您好", "survey", session=session)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError):
        ask_and_fail()
    assert desk.service.list_sms().total == 0
    assert desk.jobs() == []


@pytest.mark.parametrize("phone", ["01062345678", "12345", "没有", "", "1380013800"])
def test_a_number_that_takes_no_messages_is_refused(desk: Desk, phone: str) -> None:
    with pytest.raises(InvalidInputError):
        desk.service.send_sms("r1", phone, "您好", "survey")
    assert desk.service.list_sms().total == 0


def test_a_number_is_kept_in_one_form(desk: Desk) -> None:
    made = desk.service.send_sms("r1", "+86 138-0013-8000", "您好", "survey")
    assert desk.service.get_sms(made).phone == PHONE


def test_from_the_queue_to_the_telephone(desk: Desk) -> None:
    made = ask(desk, body=LONG)
    assert desk.send(made) == "submitted"
    assert [len(part) for part in desk.gateway.heard[0].text.parts] == [67, 42]
    assert desk.gateway.heard[0].message_id == made
    assert desk.parts_today() == 2
    receipt(desk, f"{made}-2")
    assert state(desk, made) == "submitted"
    assert finished(desk) == []
    receipt(desk, f"{made}-1")
    assert state(desk, made) == "delivered"
    assert finished(desk) == [("r1", "delivered")]


def test_the_job_runs_twice_and_the_gateway_hears_once(desk: Desk) -> None:
    made = ask(desk)
    desk.send(made)
    assert desk.send(made) == "submitted"
    assert len(desk.gateway.heard) == 1


def test_two_workers_at_once_send_once(desk: Desk) -> None:
    made = ask(desk)
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        desk.send(made)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(desk.gateway.heard) == 1
    assert state(desk, made) == "submitted"


def test_receipts_before_the_answer_twice_and_after_the_end(desk: Desk) -> None:
    made = ask(desk)
    # The gateway tells of the delivery while our own request still waits for its answer.
    desk.gateway.during = lambda message: receipt(desk, f"{message.message_id}-1")
    assert desk.send(made) == "delivered"
    receipt(desk, f"{made}-1")
    receipt(desk, f"{made}-1", "failed")
    receipt(desk, f"{made}-1", "on_the_way")
    assert state(desk, made) == "delivered"
    assert finished(desk) == [("r1", "delivered")]


def test_receipts_of_one_message_at_once(desk: Desk) -> None:
    made = ask(desk, body="您" * 600)
    desk.send(made)
    count = desk.service.get_sms(made).part_count
    barrier = threading.Barrier(count)

    def tell(number: int) -> None:
        barrier.wait()
        receipt(desk, f"{made}-{number}")

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(1, count + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state(desk, made) == "delivered"
    assert finished(desk) == [("r1", "delivered")]


def test_a_failed_part_fails_the_message_once(desk: Desk) -> None:
    made = ask(desk, body=LONG)
    desk.send(made)
    receipt(desk, f"{made}-1", "failed", detail="UNDELIV 012")
    receipt(desk, f"{made}-2")
    view = desk.service.get_sms(made)
    assert (view.state, view.error) == ("failed", "UNDELIV 012")
    assert finished(desk) == [("r1", "failed")]


def test_a_receipt_of_a_stranger_is_kept_and_moves_nothing(desk: Desk) -> None:
    made = ask(desk)
    receipt(desk, "somebody-elses")
    receipt(desk, "with-a-reference", reference=uuid.uuid4())
    assert state(desk, made) == "queued"
    with desk.database.transaction() as session:
        assert session.scalars(select(SmsPart.message_id)).all() == [None, None]


def test_refused_for_good(desk: Desk) -> None:
    made = ask(desk)
    desk.gateway.answers = [SubmitResult(Outcome.REFUSED, error="Invalid Destination Address")]
    assert desk.send(made) == "failed"
    assert desk.service.get_sms(made).error == "Invalid Destination Address"
    assert finished(desk) == [("r1", "failed")]
    assert desk.parts_today() == 0


def test_a_busy_gateway_is_asked_again_later_and_later(desk: Desk) -> None:
    made = ask(desk)
    desk.gateway.answers = [SubmitResult(Outcome.LATER, error="throttled") for _ in range(3)]
    pauses = []
    for _ in range(3):
        assert desk.send(made) == "queued"
        view = desk.service.get_sms(made)
        pauses.append((view.send_after - desk.clock.now()).total_seconds())
        assert view.error == "throttled"
        assert desk.send(made) == "queued", "not before its time"
        desk.clock.advance(pauses[-1])
    assert pauses == [20, 40, 80]
    assert desk.parts_today() == 0
    assert desk.send(made) == "submitted"
    assert len(desk.gateway.heard) == 4
    assert finished(desk) == []


def test_parts_that_were_taken_are_not_sent_again(desk: Desk) -> None:
    made = ask(desk, body=LONG)
    desk.gateway.answers = [SubmitResult(Outcome.LATER, (TakenPart(1, "one"),), "throttled")]
    assert desk.send(made) == "queued"
    assert desk.parts_today() == 1
    receipt(desk, "one")
    desk.clock.advance(60)
    assert desk.send(made) == "submitted"
    assert desk.gateway.heard[1].taken_parts == {1}
    assert desk.parts_today() == 2
    receipt(desk, f"{made}-2")
    assert state(desk, made) == "delivered"


def test_an_unknown_outcome_is_parked_and_never_repeated(desk: Desk) -> None:
    made = ask(desk)
    desk.gateway.answers = [SubmitResult(Outcome.UNKNOWN, error="timeout")]
    assert desk.send(made) == "unknown"
    assert finished(desk) == [("r1", "unknown")]
    for _ in range(20):
        desk.clock.advance(3600)
        desk.service.tidy_sms()
        assert desk.send(made) == "unknown"
    assert len(desk.gateway.heard) == 1
    assert desk.parts_today() == 1


def test_a_person_says_that_it_was_sent(desk: Desk) -> None:
    made = ask(desk)
    desk.gateway.answers = [SubmitResult(Outcome.UNKNOWN, error="timeout")]
    desk.send(made)
    assert desk.service.resolve_unknown_sms(made, "sent", "monitor").state == "submitted"
    with pytest.raises(ConflictError):
        desk.service.resolve_unknown_sms(made, "resend", "monitor")
    assert len(desk.gateway.heard) == 1
    with desk.database.transaction() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "sms.resolved")).one()
        assert (entry.actor, entry.detail) == ("monitor", {"decision": "sent"})


def test_a_person_sends_it_again_only_what_is_missing(desk: Desk) -> None:
    made = ask(desk, body=LONG)
    desk.gateway.answers = [SubmitResult(Outcome.UNKNOWN, (TakenPart(1, "one"),), "timeout")]
    desk.send(made)
    desk.clock.advance(timedelta(days=5).total_seconds())
    desk.service.resolve_unknown_sms(made, "resend", "monitor")
    assert desk.send(made) == "submitted"
    assert desk.gateway.heard[1].taken_parts == {1}
    receipt(desk, "one")
    receipt(desk, f"{made}-2")
    assert finished(desk) == [("r1", "unknown"), ("r1", "delivered")]


def test_who_resolves_what_is_not_unknown(desk: Desk) -> None:
    made = ask(desk)
    with pytest.raises(ConflictError):
        desk.service.resolve_unknown_sms(made, "resend", "monitor")
    with pytest.raises(NotFoundError):
        desk.service.resolve_unknown_sms(uuid.uuid4(), "sent", "monitor")
    with pytest.raises(InvalidInputError):
        desk.service.resolve_unknown_sms(made, "whatever", "monitor")  # type: ignore[arg-type]


def test_a_receipt_that_names_the_message_settles_an_unknown_one(desk: Desk) -> None:
    made = ask(desk)
    desk.gateway.answers = [SubmitResult(Outcome.UNKNOWN, error="timeout")]
    desk.send(made)
    receipt(desk, "gw-77", reference=made)
    assert finished(desk) == [("r1", "unknown"), ("r1", "delivered")]


def test_a_worker_that_dies_leaves_an_unknown_message(desk: Desk) -> None:
    made = ask(desk)

    def die(_message: OutgoingSms) -> None:
        raise SystemExit  # as kill -9: nothing after the gateway's call runs

    desk.gateway.during = die
    with pytest.raises(SystemExit):
        desk.send(made)
    assert state(desk, made) == "submitting"
    desk.gateway.during = None
    assert desk.send(made) == "submitting", "the job comes back and changes nothing"
    desk.service.tidy_sms()
    assert state(desk, made) == "submitting", "it may only be slow"
    desk.clock.advance(301)
    assert desk.service.tidy_sms() == 1
    assert state(desk, made) == "unknown"
    assert finished(desk) == [("r1", "unknown")]
    assert len(desk.gateway.heard) == 1


def test_a_slow_answer_after_the_parking_still_counts(desk: Desk) -> None:
    made = ask(desk)

    def be_slow(_message: OutgoingSms) -> None:
        desk.clock.advance(301)
        desk.service.tidy_sms()

    desk.gateway.during = be_slow
    assert desk.send(made) == "submitted"
    receipt(desk, f"{made}-1")
    assert state(desk, made) == "delivered"


def test_the_days_cap_counts_parts_and_the_rest_waits_for_tomorrow(desk: Desk) -> None:
    service = desk.with_rules(sms_daily_cap=3)
    first, second, third = (ask(desk, reference, body=body) for reference, body in (("a", LONG), ("b", LONG), ("c", "短")))
    assert desk.send(first, service) == "submitted"
    assert desk.send(second, service) == "queued"
    assert desk.send(third, service) == "submitted"
    view = service.get_sms(second)
    assert view.error == "daily_cap"
    assert view.send_after.isoformat() == "2026-03-19T01:00:00+00:00", "09:00, when the quiet hours end"
    assert (service.sms_today().part_count, service.sms_today().daily_cap) == (3, 3)
    desk.clock.advance(timedelta(days=1).total_seconds())
    assert desk.send(second, service) == "submitted"
    with pytest.raises(InvalidInputError):
        service.send_sms("d", PHONE, "您" * 300, "survey")


def test_quiet_hours(desk: Desk) -> None:
    desk.clock.advance(timedelta(hours=10).total_seconds())  # 20:30
    made = ask(desk)
    assert desk.service.get_sms(made).send_after.isoformat() == "2026-03-19T01:00:00+00:00"
    assert desk.send(made) == "queued"
    desk.clock.advance(timedelta(hours=12, minutes=30).total_seconds())
    assert desk.send(made) == "submitted"


def test_a_message_that_waits_into_the_quiet_hours_waits_on(desk: Desk) -> None:
    made = ask(desk)
    desk.clock.advance(timedelta(hours=11).total_seconds())
    assert desk.send(made) == "queued"
    assert desk.gateway.heard == []


def test_not_before(desk: Desk) -> None:
    made = ask(desk, not_before=desk.clock.now() + timedelta(hours=2))
    assert desk.send(made) == "queued"
    desk.clock.advance(7200)
    assert desk.send(made) == "submitted"


def test_what_ran_out_is_never_sent(desk: Desk) -> None:
    made = ask(desk, expires_at=desk.clock.now() + timedelta(hours=1))
    desk.clock.advance(3600)
    assert desk.send(made) == "failed"
    assert desk.gateway.heard == []
    assert desk.service.get_sms(made).error == "expired"
    assert finished(desk) == [("r1", "failed")]


def test_without_a_gateway_messages_wait_and_then_run_out(desk: Desk) -> None:
    made = ask(desk)
    desk.clock.advance(timedelta(hours=71).total_seconds())
    assert desk.service.tidy_sms() == 0
    assert state(desk, made) == "queued"
    desk.clock.advance(3600)
    assert desk.service.tidy_sms() == 1
    assert state(desk, made) == "failed"


def test_an_overlooked_message_is_woken_once(desk: Desk) -> None:
    from sqlalchemy import delete

    from core.jobs import Job

    ask(desk)
    with desk.database.transaction() as session:
        session.execute(delete(Job))
    desk.clock.advance(601)
    desk.service.tidy_sms()
    desk.service.tidy_sms()
    assert len(desk.jobs()) == 1


def test_the_worker_does_it(desk: Desk) -> None:
    made = ask(desk, reference="by-worker")
    tasks = WorkorderHandlers(desk.service, desk.database).tasks(desk.gateway)
    worker = Worker(desk.database, tasks, [SMS_QUEUE])
    assert worker.run_once()
    assert not worker.run_once()
    assert state(desk, made) == "submitted"


def test_a_gateway_that_uses_a_number_again_does_not_mix_messages(desk: Desk) -> None:
    first, second = ask(desk, "a"), ask(desk, "b")
    for message_id in (first, second):
        desk.gateway.answers = [SubmitResult(Outcome.TAKEN, (TakenPart(1, "0001"),))]
        desk.send(message_id)
        if message_id == first:
            receipt(desk, "0001")
    assert (state(desk, first), state(desk, second)) == ("delivered", "submitted")
    receipt(desk, "0001", "failed")
    assert (state(desk, first), state(desk, second)) == ("delivered", "failed")


def test_the_list_finds_by_conditions(desk: Desk) -> None:
    ask(desk, "a")
    desk.service.send_sms("b", "13900139000", "您好", "notice")
    found = desk.service.list_sms
    assert [view.reference for view in found(SmsFilter(phone_tail="9000")).messages] == ["b"]
    assert found(SmsFilter(state="queued")).total == 2
    assert found(SmsFilter(state="queued"), offset=1, limit=1).messages[0].reference == "a"
    assert found(SmsFilter(purpose="notice", phone="13800138000")).total == 0
    assert found(SmsFilter(phone_tail="%")).total == 0
    assert desk.service.sms_today().waiting == {"queued": 2}
