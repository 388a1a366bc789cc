"""The dialer on a real database: what it rings, when, and what it makes of how that went."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from callback.dialer import Dialer
from callback.disposition import Disposition
from callback.hindrance import Hindrance
from callback.models import CallbackAttempt
from callback.retry import MOST_ATTEMPTS_A_WAY
from callback.rule import Reason, RuleDefinition, Way
from core.errors import UnavailableError
from tests.integration.callback.conftest import QUESTIONNAIRE, Base


def test_rings_who_is_due_once_and_settles_the_answer(base: Base) -> None:
    owed = base.owe()
    dialer = base.dialer()
    planned = dialer.run_once()
    assert [attempt.phone for attempt in planned] == ["13800138000"]
    assert dialer.run_once() == []
    attempt_id = planned[0].attempt_id
    assert base.lines.requests() == [(attempt_id, "13800138000")]
    base.service.record_answered(attempt_id)
    brief = base.service.brief(attempt_id)
    assert (brief.questionnaire_version_id, brief.attempt.state) == (QUESTIONNAIRE, "answered")
    base.service.complete(owed.callback_id, Disposition.COMPLETED)
    base.tell(attempt_id, "answered")
    base.tell(attempt_id, "answered")
    found = base.get(owed)
    assert (found.state, found.disposition, found.attempt_count) == ("done", "completed", 1)
    assert found.contacted_at is not None
    assert base.service.attempts(owed.callback_id)[0].state == "ended"
    assert [len(base.events(name)) for name in ("CallbackOwed", "CallbackAttempted", "CallbackCompleted")] == [1, 1, 1]


def test_takes_whom_we_owe_before_whom_we_ask_and_no_more_than_the_lines_allow(base: Base) -> None:
    base.lines.total, base.lines.others = 10, 2  # six are kept free: two are left
    for number in range(4):
        base.owe(f"1380013800{number}")
    base.owe("13900139000", Reason.MISSED_CALL, ways=["ivr"], questionnaire="q")
    assert [attempt.phone for attempt in base.dialer().run_once()] == ["13900139000", "13800138000"]
    assert base.dialer().run_once() == []


def test_yields_to_citizens_who_wait(base: Base) -> None:
    for number in range(4):
        base.owe(f"1380013800{number}")
    base.lines.total = 10
    base.lines.waits = {"consult": [5]}
    dialer = base.dialer()
    assert len(dialer.run_once()) == 2
    base.lines.waits = {"consult": [5], "enterprise": [31]}
    for attempt_id, _phone, _since in base.lines.running():
        base.tell(attempt_id, "busy")
    assert dialer.run_once() == []
    base.lines.waits = {}
    assert len(dialer.run_once()) == 2


def test_never_one_number_twice_at_once(base: Base) -> None:
    first, second = base.owe("13800138000"), base.owe("+86 138 0013 8000")
    assert first.callback_id != second.callback_id
    dialer = base.dialer()
    assert len(dialer.run_once()) == 1
    assert dialer.run_once() == []


def test_nobody_is_rung_outside_the_window_and_the_clock_may_step_over_a_holiday(base: Base) -> None:
    base.go_to("09-30 19:59")
    inside, outside = base.owe("13800138000"), base.owe("13800138001")
    dialer = base.dialer()
    base.lines.total = 7
    assert [attempt.callback_id for attempt in dialer.run_once()] == [inside.callback_id]
    base.tell(base.lines.running()[0][0], "no_answer")
    for moment in ("09-30 20:00", "10-01 00:00", "10-01 09:00", "10-05 12:00", "10-07 23:59", "10-08 08:59"):
        base.go_to(moment)
        assert dialer.run_once() == [], moment
    assert base.get(outside).next_at == base.at("10-08 09:00")
    base.go_to("10-08 09:00")
    assert len(dialer.run_once()) == 1
    # The Saturday that is worked in exchange is a day like others; the Sunday after it is not.
    base.tell(base.lines.running()[0][0], "busy")
    base.lines.total = 60
    base.go_to("10-10 09:30")
    saturday = base.owe("13800138009")
    assert saturday.callback_id in {attempt.callback_id for attempt in dialer.run_once()}
    base.go_to("10-11 09:30")
    sunday = base.owe("13800138010")
    assert dialer.run_once() == []
    assert base.get(sunday).next_at == base.at("10-12 09:00")


def test_two_attempts_a_day_six_hours_apart_then_the_next_day(base: Base) -> None:
    base.go_to("03-18 09:00")
    owed = base.owe()
    dialer = base.dialer()
    rung = []
    for _ in range(14 * 24):
        for attempt in dialer.run_once():
            rung.append(base.clock.now())
            base.tell(attempt.attempt_id, "no_answer")
        base.clock.advance(3600)
        if base.get(owed).state != "owed":
            break
    local = [moment.astimezone(base.at("03-18 00:00").tzinfo).strftime("%m-%d %H:%M") for moment in rung]
    assert local == ["03-18 09:00", "03-18 15:00", "03-19 09:00"]
    assert (base.get(owed).state, base.get(owed).why) == ("given_up", "ways_used_up")


def test_who_refused_rests_and_who_opted_out_is_asked_no_more(base: Base) -> None:
    refuser, opponent = base.owe("13800138000"), base.owe("13800138001")
    dialer = base.dialer()
    for attempt in dialer.run_once():
        base.service.record_answered(attempt.attempt_id)
        word = Disposition.REFUSED if attempt.callback_id == refuser.callback_id else Disposition.OPTED_OUT
        base.service.end_attempt(attempt.attempt_id, word)
        base.tell(attempt.attempt_id, "answered")
    assert {base.get(view).state for view in (refuser, opponent)} == {"given_up"}
    assert base.service.has_opted_out("13800138001")
    later, never = base.owe("13800138000"), base.owe("13800138001")
    assert dialer.run_once() == []
    assert base.get(later).why == "resting"
    assert (base.get(never).state, base.get(never).why) == ("cancelled", "opted_out")
    # An opt-out never blocks a reply, nor does a refusal.
    reply = base.owe("13800138001", Reason.MISSED_CALL)
    listed = {entry.callback.callback_id: entry for entry in base.service.agent_list(uuid.uuid4())}
    assert listed[reply.callback_id].may_ring
    base.go_to("03-25 10:30")
    assert [attempt.callback_id for attempt in dialer.run_once()] == [later.callback_id]
    base.service.lift_opt_out("13800138001", "monitor")
    again = base.owe("13800138001")
    assert [attempt.callback_id for attempt in dialer.run_once()] == [again.callback_id]


def test_a_number_that_the_exchange_refuses_is_no_number(base: Base) -> None:
    base.lines.bad_phones = {"13800138000"}
    owed = base.owe()
    base.dialer().run_once()
    assert (base.get(owed).state, base.get(owed).disposition) == ("given_up", "invalid_number")
    assert base.lines.requests() == []


def test_a_person_is_asked_at_most_once_in_so_many_days(base: Base) -> None:
    view = base.service.save_rule("case", _rule(ask_every_days=7), "monitor")
    assert view.version_no == 1
    cases = [base.cases.save_case(_case(number, "13800138000"), "test")[0] for number in range(2)]
    first, second = (base.service.owe_for_case(case_id)[0] for case_id in cases)
    dialer = base.dialer()
    base.go_to("03-19 09:00")
    attempt = dialer.run_once()[0]
    base.service.complete(attempt.callback_id, Disposition.COMPLETED)
    base.tell(attempt.attempt_id, "answered")
    base.clock.advance(61)
    dialer.run_once()
    states = {base.get(view).why for view in (first, second)}
    assert states == {"", "asked_lately"}


def test_a_person_gets_one_of_several_messages_that_are_due_at_once(base: Base) -> None:
    base.service.save_rule("case", _rule(ask_every_days=7, ways=["sms"]), "monitor")
    owed = [base.service.owe_for_case(base.cases.save_case(_case(number, "13800138000"), "test")[0])[0] for number in range(3)]
    base.go_to("03-19 09:00")
    dialer = base.dialer()
    dialer.run_once()
    dialer.run_once()
    assert len(base.events("MessageDue")) == 1
    assert sorted(base.get(view).why for view in owed) == ["", "asked_lately", "asked_lately"]


def test_a_text_message_follows_and_its_answer_settles_all(base: Base) -> None:
    owed = base.owe(ways=["ivr", "sms", "agent"], questionnaire="q")
    dialer = base.dialer()
    for _ in range(2):
        attempt = dialer.run_once()[0]
        base.tell(attempt.attempt_id, "unavailable")
        base.clock.advance(6 * 3600 + 1)
    base.go_to("03-19 09:00")
    dialer.run_once()
    due = base.events("MessageDue")
    assert len(due) == 1
    reference = due[0].payload["attempt_id"]
    assert base.service.brief(uuid.UUID(reference)).callback.callback_id == owed.callback_id
    assert len(base.lines.requests()) == 2
    base.service.record_message(reference, "delivered")
    base.service.record_message("some other reference", "failed")
    assert dialer.run_once() == []
    base.service.complete(owed.callback_id, Disposition.COMPLETED)
    assert base.get(owed).state == "done"
    assert {attempt.state for attempt in base.service.attempts(owed.callback_id)} == {"ended"}


def test_a_text_message_that_failed_or_is_not_answered_leads_on(base: Base) -> None:
    failed = base.owe("13800138000", ways=["sms", "agent"], questionnaire="q")
    silent = base.owe("13800138001", ways=["sms"], questionnaire="q", sms_wait_days=3)
    landline = base.owe("01062841234", ways=["sms", "agent"], questionnaire="q")
    dialer = base.dialer()
    dialer.run_once()
    by_callback = {event.payload["callback_id"]: event.payload["attempt_id"] for event in base.events("MessageDue")}
    assert set(by_callback) == {str(failed.callback_id), str(silent.callback_id)}
    base.service.record_message(by_callback[str(failed.callback_id)], "failed")
    base.service.record_message(by_callback[str(failed.callback_id)], "failed")
    assert (base.get(failed).way_no, base.get(failed).state) == (1, "owed")
    assert base.get(landline).way_no == 1
    base.clock.advance(3 * 86400 - 60)
    dialer.run_once()
    assert base.get(silent).state == "owed"
    base.clock.advance(61)
    dialer.run_once()
    assert (base.get(silent).state, base.get(silent).why) == ("given_up", "ways_used_up")


def test_an_answer_that_comes_after_all_settles_what_was_given_up(base: Base) -> None:
    owed = base.owe(ways=["sms"])
    base.dialer().run_once()
    base.clock.advance(3 * 86_400 + 1)
    base.dialer().run_once()
    assert (base.get(owed).state, base.get(owed).contacted_at) == ("given_up", None)
    base.service.complete(owed.callback_id, Disposition.EXPIRED)
    assert base.get(owed).state == "given_up"
    for _ in range(2):
        base.service.complete(owed.callback_id, Disposition.COMPLETED)
    found = base.get(owed)
    assert (found.state, found.disposition, found.why, found.contacted_at) == ("done", "completed", "", base.clock.now())
    assert [event.payload["state"] for event in base.events("CallbackCompleted")] == ["given_up", "done"]


def test_an_answer_to_an_earlier_link_settles_what_is_still_owed(base: Base) -> None:
    owed = base.owe(ways=["sms", "agent"])
    base.dialer().run_once()
    base.clock.advance(3 * 86_400 + 1)
    base.dialer().run_once()
    assert (base.get(owed).state, base.get(owed).way) == ("owed", "agent")
    base.service.complete(owed.callback_id, Disposition.PARTIAL)
    assert (base.get(owed).state, base.get(owed).contacted_at) == ("done", base.clock.now())


def test_what_expired_is_given_up(base: Base) -> None:
    owed = base.owe(expires_after_days=1)
    base.clock.advance(86400 + 1)
    base.dialer().run_once()
    assert (base.get(owed).state, base.get(owed).disposition) == ("given_up", "expired")
    assert base.lines.requests() == []


def test_a_place_in_the_queue_is_kept(base: Base) -> None:
    """Rung when an agent is ready and nobody has waited longer; at any hour."""
    base.go_to("03-18 22:30")
    early = base.service.owe_queue_callback(uuid.uuid4(), "13800138000", "consult", base.at("03-18 22:20"))
    base.service.owe_queue_callback(uuid.uuid4(), "13800138001", "consult", base.at("03-18 22:29"))
    dialer = base.dialer()
    assert dialer.run_once() == []  # no agent is ready
    consult = frozenset({"consult"})
    base.lines.ready_agents = [consult, consult]
    base.lines.waits = {"consult": [300]}  # one has waited since 22:25
    planned = dialer.run_once()
    assert [attempt.callback_id for attempt in planned] == [early.callback_id]
    base.lines.waits = {}
    base.lines.ready_agents = [consult]
    assert dialer.run_once() == []  # the one who is ready is there for whom we ring
    base.service.record_answered(planned[0].attempt_id)
    assert dialer.run_once() == []  # and still, while the citizen is welcomed
    base.lines.served = {planned[0].attempt_id}
    assert [attempt.phone for attempt in dialer.run_once()] == ["13800138001"]
    base.service.end_attempt(planned[0].attempt_id, Disposition.COMPLETED)  # an agent has spoken with them
    base.tell(planned[0].attempt_id, "answered")
    assert (base.get(early).state, base.get(early).disposition) == ("done", "completed")


def test_each_queue_has_its_own_agents_and_its_own_wait(base: Base) -> None:
    kept = {
        queue: base.service.owe_queue_callback(uuid.uuid4(), f"1380013800{number}", queue, base.at("03-18 10:29"))
        for number, queue in enumerate(("consult", "enterprise"))
    }
    dialer = base.dialer()
    # Somebody waits longer in the one queue; the other has an agent who is ready and nobody before this one.
    base.lines.waits = {"consult": [300]}
    base.lines.ready_agents = [frozenset({"consult", "enterprise"})]
    assert [attempt.callback_id for attempt in dialer.run_once()] == [kept["enterprise"].callback_id]
    # That agent serves both queues, and is there for one citizen.
    base.lines.waits = {}
    assert dialer.run_once() == []
    base.lines.ready_agents.append(frozenset({"enterprise"}))
    assert [attempt.callback_id for attempt in dialer.run_once()] == [kept["consult"].callback_id]


def test_nobody_is_rung_by_machine_while_nobody_is_there_to_speak(base: Base) -> None:
    owed = base.owe()
    base.lines.has_ivr = False
    dialer = base.dialer()
    assert dialer.run_once() == []
    assert base.get(owed).attempt_count == 0
    base.lines.has_ivr = True
    assert len(dialer.run_once()) == 1


@pytest.mark.parametrize("cause", ["NOIVR", "NOTRUNK", "LATE", "never_dialled"])
def test_what_never_rang_does_not_count(base: Base, cause: str) -> None:
    owed = base.owe()
    dialer = base.dialer()
    for _ in range(MOST_ATTEMPTS_A_WAY + 1):
        attempt_id = dialer.run_once()[0].attempt_id
        base.lines.end(attempt_id, "failed")
        base.service.record_ended(attempt_id, "failed", cause)
        assert dialer.run_once() == []
        base.clock.advance(10 * 60)
    attempt_id = dialer.run_once()[0].attempt_id
    base.tell(attempt_id, "no_answer")
    base.clock.advance(10 * 60)
    # What rang counts: the distance of a survey is kept.
    assert dialer.run_once() == []
    assert (base.get(owed).state, base.get(owed).next_at) == ("owed", base.at("03-18 15:30"))


def test_what_was_planned_and_comes_too_late_is_not_dialled_and_does_not_count(base: Base) -> None:
    owed = base.owe()
    dialer = base.dialer()
    (planned,) = base.service.plan_due(base.lines.line_use())
    dialer._dial(replace(planned, dial_before=time.monotonic() - 1))
    assert base.lines.requests() == []
    base.clock.advance(10 * 60)
    assert [attempt.callback_id for attempt in dialer.run_once()] == [owed.callback_id]


def test_a_full_questionnaire_is_asked_no_more(base: Base) -> None:
    by_machine, by_message = base.owe("13800138000"), base.owe("13800138001", ways=["sms"])
    reply = base.owe("13800138002", Reason.MISSED_CALL, ways=["ivr", "agent"], questionnaire="q")
    base.questionnaires.hindered = dict.fromkeys(Way, Hindrance.QUOTA_FULL)
    assert base.dialer().run_once() == []
    assert base.lines.requests() == []
    assert base.events("MessageDue") == []
    for view in (by_machine, by_message):
        assert (base.get(view).state, base.get(view).why, base.get(view).attempt_count) == ("cancelled", "quota_full", 0)
    # A reply is owed all the same: an agent gives it.
    assert (base.get(reply).state, base.get(reply).way) == ("owed", "agent")


def test_prompts_are_waited_for_a_while_and_then_the_next_way_is_taken(base: Base) -> None:
    only, both = base.owe("13800138000"), base.owe("13800138001", ways=["ivr", "sms"])
    base.questionnaires.hindered = {Way.IVR: Hindrance.NO_PROMPTS}
    dialer = base.dialer()
    dialer.run_once()
    assert {(base.get(view).why, base.get(view).way) for view in (only, both)} == {("no_prompts", "ivr")}
    base.clock.advance(15 * 60)
    dialer.run_once()
    assert (base.get(both).way, len(base.events("MessageDue"))) == ("sms", 1)
    assert (base.get(only).state, base.get(only).why) == ("owed", "no_prompts")
    base.questionnaires.hindered = {}
    base.clock.advance(15 * 60)
    assert [attempt.callback_id for attempt in dialer.run_once()] == [only.callback_id]


def test_away_exchange_loses_nothing(base: Base) -> None:
    base.owe()
    base.lines.is_away = True
    with pytest.raises(UnavailableError):
        base.dialer().run_once()
    base.lines.is_away = False
    assert len(base.dialer().run_once()) == 1


def test_an_automatic_call_of_which_nobody_tells_the_outcome_was_broken_off(base: Base) -> None:
    owed = base.owe()
    dialer = base.dialer()
    attempt = dialer.run_once()[0]
    base.lines.answer(attempt.attempt_id)
    base.tell(attempt.attempt_id, "answered")
    base.clock.advance(20)
    dialer.run_once()
    assert base.get(owed).disposition == ""  # whoever spoke may still tell
    base.run_out()
    base.clock.advance(20)
    dialer.run_once()
    assert (base.get(owed).state, base.get(owed).disposition) == ("owed", "broken_off")
    # Told too late: the first word counts, and nothing else changes.
    base.service.end_attempt(attempt.attempt_id, Disposition.REFUSED)
    assert base.get(owed).disposition == "broken_off"
    # Except for this: who wants no more of it said so, whatever became of the call.
    base.service.end_attempt(attempt.attempt_id, Disposition.OPTED_OUT)
    assert base.service.has_opted_out("13800138000")


def test_the_refusal_that_the_survey_tells_after_an_opt_out_leaves_it(base: Base) -> None:
    owed = base.owe()
    attempt = base.dialer().run_once()[0]
    base.service.record_answered(attempt.attempt_id)
    base.service.end_attempt(attempt.attempt_id, Disposition.OPTED_OUT)
    base.service.complete(owed.callback_id, Disposition.REFUSED)
    assert (base.get(owed).state, base.get(owed).disposition) == ("given_up", "opted_out")


def test_the_citizen_names_another_time(base: Base) -> None:
    owed = base.owe()
    dialer = base.dialer()
    attempt = dialer.run_once()[0]
    base.service.record_answered(attempt.attempt_id)
    base.service.end_attempt(attempt.attempt_id, Disposition.CALLBACK_ASKED, again_at=base.at("03-21 19:30"))
    base.tell(attempt.attempt_id, "answered")
    base.go_to("03-21 19:29")
    assert dialer.run_once() == []
    base.go_to("03-21 19:30")  # a Saturday evening, as wished
    assert len(dialer.run_once()) == 1
    assert base.get(owed).asked_at == base.at("03-21 19:30")


def test_two_dialers_at_once_ring_nobody_twice_and_count_lines_once(base: Base) -> None:
    numbers = [f"138001380{number:02d}" for number in range(60)]
    for number in numbers:
        base.owe(number)
    dialers = [base.dialer() for _ in range(4)]
    found: list[str] = []
    lock = threading.Lock()

    def work(dialer: Dialer) -> None:
        for attempt in dialer.run_once():
            with lock:
                found.append(attempt.phone)

    threads = [threading.Thread(target=work, args=(dialer,)) for dialer in dialers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(numbers[:24])
    assert sorted(phone for _, phone in base.lines.requests()) == sorted(numbers[:24])
    with base.database.transaction() as session:
        assert len(session.scalars(select(CallbackAttempt.id)).all()) == 24


def test_the_loop_is_woken_outlives_an_away_exchange_and_stops(base: Base) -> None:
    dialer, stopping = Dialer(base.service, base.lines), threading.Event()
    base.lines.is_away = True
    thread = threading.Thread(target=dialer.run, args=(base.database.url, stopping))
    thread.start()
    try:
        _until(lambda: dialer.problem == "the exchange is away")
        base.lines.is_away = False
        base.owe()
        _until(lambda: len(base.lines.requests()) == 1)
        _until(lambda: not dialer.problem)
    finally:
        stopping.set()
        thread.join(30)
    assert not thread.is_alive()
    assert dialer.dialled == 1


def _until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def _rule(**words: object) -> RuleDefinition:
    known: dict[str, object] = {"title": "办件回访", "reason": "case_closed", "ways": ["ivr"], "questionnaire": "q"}
    known |= {"when": {"kind": "next_day", "at": "09:00"}}
    return RuleDefinition.model_validate(known | words)


def _case(number: int, phone: str) -> dict[str, object]:
    return {
        "number": f"YC2026{number:06d}",
        "matter": "居住证办理",
        "unit": "市公安局",
        "phone": phone,
        "closed_at": "2026-03-18T09:00:00+08:00",
    }
