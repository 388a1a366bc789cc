"""What agents ring themselves: list, hold, dial, report."""

import uuid

import pytest

from callback.agent_list import BadReportError, HeldByAnotherError, NothingDialledError, NotNowError
from callback.attempts import BadTimeError
from callback.disposition import Disposition
from callback.hindrance import Hindrance
from callback.rule import Reason, RuleDefinition
from core.errors import ConflictError, UnavailableError
from tests.integration.callback.conftest import Base

MINE, OTHERS = uuid.uuid4(), uuid.uuid4()


def missed(base: Base, phone: str = "13800138000") -> uuid.UUID:
    return base.owe(phone, Reason.MISSED_CALL).callback_id


def test_an_agent_rings_by_click_and_reports(base: Base) -> None:
    callback_id = missed(base)
    assert base.service.agent_list(MINE)[0].may_ring
    base.service.hold(callback_id, MINE)
    attempt = base.service.dial(callback_id, MINE)
    assert (attempt.state, attempt.agent_id) == ("dialled", MINE)
    assert base.lines.requests() == [(attempt.attempt_id, "13800138000")]
    brief = base.service.attempt_of_agent(MINE)
    assert brief is not None
    assert brief.callback.callback_id == callback_id
    base.service.record_answered(attempt.attempt_id)
    base.tell(attempt.attempt_id, "answered")
    # The line is free; the agent still writes.
    assert base.service.get(callback_id).state == "owed"
    assert base.service.attempt_of_agent(MINE) is not None
    found = base.service.report(callback_id, MINE, Disposition.COMPLETED)
    assert (found.state, found.disposition) == ("done", "completed")
    assert base.service.report(callback_id, MINE, Disposition.COMPLETED).state == "done"
    assert base.service.attempt_of_agent(MINE) is None


def test_what_one_holds_nobody_else_is_shown_or_may_ring(base: Base) -> None:
    callback_id = missed(base)
    base.service.hold(callback_id, MINE)
    assert base.service.agent_list(OTHERS) == []
    for act in (base.service.hold, base.service.dial):
        with pytest.raises(HeldByAnotherError):
            act(callback_id, OTHERS)
    base.service.release(callback_id, OTHERS)
    assert base.service.agent_list(OTHERS) == []
    base.service.release(callback_id, MINE)
    assert len(base.service.agent_list(OTHERS)) == 1
    base.service.hold(callback_id, MINE)
    base.clock.advance(15 * 60 + 1)
    assert base.service.hold(callback_id, OTHERS).callback.held_by == OTHERS


def test_the_dialer_leaves_what_agents_hold_and_ring(base: Base) -> None:
    missed(base)
    assert base.dialer().run_once() == []


def test_never_one_number_twice_at_once_by_agents_and_machine(base: Base) -> None:
    survey = base.owe("13800138000")
    reply = missed(base)
    base.service.dial(reply, MINE)
    assert base.dialer().run_once() == []
    base.lines.end(base.lines.running()[0][0], "busy")
    base.clock.advance(60)
    dialer = base.dialer()
    dialer.run_once()
    assert base.lines.running()[0][1] == "13800138000"
    assert base.get(survey).attempt_count == 1
    with pytest.raises(NotNowError) as refused:
        base.service.dial(reply, MINE)
    assert refused.value.why is Hindrance.BEING_RUNG


def test_an_agent_keeps_the_window_the_gap_and_the_last_lines_too(base: Base) -> None:
    survey = base.owe(ways=["agent"], questionnaire="")
    base.lines.total = 6
    with pytest.raises(NotNowError) as refused:
        base.service.dial(survey.callback_id, MINE)
    assert refused.value.why is Hindrance.NO_LINE
    base.lines.total = 60
    attempt = base.service.dial(survey.callback_id, MINE)
    base.tell(attempt.attempt_id, "no_answer")
    base.service.report(survey.callback_id, MINE, Disposition.NO_ANSWER)
    base.clock.advance(5 * 3600)
    with pytest.raises(NotNowError) as refused:
        base.service.dial(survey.callback_id, MINE)
    assert (refused.value.why, refused.value.at) == (Hindrance.TOO_SOON, base.at("03-18 16:30"))
    entry = base.service.agent_list(MINE)[0]
    assert (entry.may_ring, entry.why_not, entry.may_ring_at) == (False, "too_soon", base.at("03-18 16:30"))
    base.go_to("03-21 12:00")
    with pytest.raises(NotNowError) as refused:
        base.service.dial(survey.callback_id, MINE)
    assert refused.value.why is Hindrance.OUTSIDE_WINDOW


def test_the_agents_own_word_goes_before_the_lines(base: Base) -> None:
    callback_id = missed(base)
    attempt = base.service.dial(callback_id, MINE)
    base.tell(attempt.attempt_id, "no_answer")
    assert base.service.get(callback_id).disposition == "no_answer"
    found = base.service.report(callback_id, MINE, Disposition.WRONG_NUMBER)
    assert (found.state, found.disposition) == ("given_up", "wrong_number")


def test_the_citizen_names_another_time(base: Base) -> None:
    callback_id = missed(base)
    attempt = base.service.dial(callback_id, MINE)
    base.service.record_answered(attempt.attempt_id)
    base.tell(attempt.attempt_id, "answered")
    with pytest.raises(BadReportError):
        base.service.report(callback_id, MINE, Disposition.CALLBACK_ASKED)
    for when in ("03-18 10:00", "03-19 22:30"):
        with pytest.raises(BadTimeError):
            base.service.report(callback_id, MINE, Disposition.CALLBACK_ASKED, base.at(when))
    found = base.service.report(callback_id, MINE, Disposition.CALLBACK_ASKED, base.at("03-19 21:30"))
    assert (found.state, found.asked_at, found.held_by) == ("owed", base.at("03-19 21:30"), None)
    with pytest.raises(NotNowError) as refused:
        base.service.dial(callback_id, OTHERS)
    assert refused.value.why is Hindrance.NOT_YET_DUE
    base.go_to("03-19 21:30")
    assert base.service.dial(callback_id, OTHERS).attempt_no == 2


@pytest.mark.parametrize("word", [Disposition.NO_ANSWER, Disposition.UNAVAILABLE, Disposition.WRONG_NUMBER])
def test_what_picked_up_and_was_not_the_citizen_is_no_contact(base: Base, word: Disposition) -> None:
    callback_id = missed(base)
    attempt = base.service.dial(callback_id, MINE)
    base.service.record_answered(attempt.attempt_id)
    assert base.service.get(callback_id).contacted_at is not None
    base.tell(attempt.attempt_id, "answered")
    assert base.service.report(callback_id, MINE, word).contacted_at is None
    base.service.record_answered(attempt.attempt_id)
    assert base.service.get(callback_id).contacted_at is None


def test_who_was_spoken_with_before_stays_spoken_with(base: Base) -> None:
    callback_id = missed(base)
    attempt = base.service.dial(callback_id, MINE)
    base.service.record_answered(attempt.attempt_id)
    base.tell(attempt.attempt_id, "answered")
    first = base.service.report(callback_id, MINE, Disposition.CALLBACK_ASKED, base.at("03-19 10:00")).contacted_at
    base.go_to("03-19 10:00")
    attempt = base.service.dial(callback_id, MINE)
    base.service.record_answered(attempt.attempt_id)
    base.tell(attempt.attempt_id, "answered")
    assert first is not None
    assert base.service.report(callback_id, MINE, Disposition.NO_ANSWER).contacted_at == first


def test_a_time_beyond_its_expiry_is_kept(base: Base) -> None:
    callback_id = missed(base)  # given up after two weeks
    attempt = base.service.dial(callback_id, MINE)
    base.service.report(callback_id, MINE, Disposition.CALLBACK_ASKED, base.at("04-20 10:00"))
    base.tell(attempt.attempt_id, "answered")
    base.go_to("04-20 09:59")
    base.dialer().run_once()
    assert base.service.get(callback_id).state == "owed"
    base.go_to("04-20 10:00")
    assert base.service.dial(callback_id, OTHERS).attempt_no == 2


def test_nobody_takes_what_another_still_talks_about(base: Base) -> None:
    callback_id = missed(base)
    attempt = base.service.dial(callback_id, MINE)
    base.service.record_answered(attempt.attempt_id)
    base.clock.advance(16 * 60)
    for act in (base.service.hold, base.service.dial):
        with pytest.raises(HeldByAnotherError):
            act(callback_id, OTHERS)
    base.service.hold(callback_id, MINE)
    base.tell(attempt.attempt_id, "answered")
    assert base.service.report(callback_id, MINE, Disposition.COMPLETED).state == "done"


def test_a_campaign_may_be_stopped_in_the_middle_of_a_call(base: Base) -> None:
    words = {"title": "回访", "reason": "campaign"}
    base.service.start_campaign("春季", [{"phone": "13800138000"}], RuleDefinition.model_validate(words), "monitor")
    callback_id = base.service.agent_list(MINE)[0].callback.callback_id
    attempt = base.service.dial(callback_id, MINE)
    base.service.record_answered(attempt.attempt_id)
    assert base.service.stop_campaign("春季", "monitor") == 1
    base.tell(attempt.attempt_id, "answered")
    assert base.service.attempt_of_agent(MINE) is not None
    found = base.service.report(callback_id, MINE, Disposition.OPTED_OUT)
    assert (found.state, found.why, found.disposition) == ("cancelled", "stopped", "opted_out")
    assert base.service.has_opted_out("13800138000")
    assert base.service.attempt_of_agent(MINE) is None


def test_nothing_is_reported_that_was_not_dialled(base: Base) -> None:
    callback_id = missed(base)
    with pytest.raises(NothingDialledError):
        base.service.report(callback_id, MINE, Disposition.COMPLETED)
    with pytest.raises(BadReportError):
        base.service.report(callback_id, MINE, Disposition.EXPIRED)
    survey = base.owe("13900139000")  # the machine's
    with pytest.raises(ConflictError):
        base.service.hold(survey.callback_id, MINE)


def test_away_exchange_leaves_the_entry(base: Base) -> None:
    callback_id = missed(base)
    base.lines.is_away = True
    with pytest.raises(UnavailableError):
        base.service.dial(callback_id, MINE)
    base.lines.is_away = False
    assert base.service.attempts(callback_id) == []
    assert base.service.agent_list(MINE)[0].may_ring


def test_what_the_agent_never_reported_goes_back_to_the_list(base: Base) -> None:
    callback_id = missed(base)
    attempt = base.service.dial(callback_id, MINE)
    base.service.record_answered(attempt.attempt_id)
    base.tell(attempt.attempt_id, "answered")
    base.clock.advance(15 * 60 + 1)
    entry = base.service.agent_list(OTHERS)[0]
    assert entry.may_ring
    assert entry.last_attempt is not None
    assert (entry.last_attempt.answered_at is not None, entry.last_attempt.disposition) == (True, "")
    assert base.service.attempt_of_agent(MINE) is None


def test_surveys_that_may_not_be_rung_leave_the_list(base: Base) -> None:
    """Nobody clicks them away: the dialer's sweep drops who opted out or was asked lately, and puts off who is to rest."""
    view = base.service.save_rule("case", _rule(), "monitor")
    assert view.version_no == 1
    opted_out, resting, fresh = "13800138000", "13800138001", "13800138003"
    base.service.opt_out(opted_out, "agent")
    for number, word in ((resting, Disposition.REFUSED), ("13800138002", Disposition.COMPLETED)):
        asked = base.owe(number)
        (attempt,) = base.dialer().run_once()
        base.service.record_answered(attempt.attempt_id)
        base.service.end_attempt(attempt.attempt_id, word)
        base.tell(attempt.attempt_id, "answered")
        assert base.get(asked).state != "owed"
    owed = {
        phone: base.service.owe_for_case(base.cases.save_case(_case(number, phone), "test")[0])[0]
        for number, phone in enumerate((opted_out, resting, "13800138002", fresh))
    }
    base.clock.advance(60)
    base.dialer().run_once()
    found = {phone: (base.get(view).state, base.get(view).why) for phone, view in owed.items()}
    assert found == {
        opted_out: ("cancelled", "opted_out"),
        resting: ("owed", "resting"),
        "13800138002": ("cancelled", "asked_lately"),
        fresh: ("owed", ""),
    }
    assert base.get(owed[resting]).next_at == base.at("03-25 10:30")
    listed = base.service.agent_list(MINE)
    assert [(entry.callback.phone, entry.why_not) for entry in listed] == [(fresh, ""), (resting, "resting")]


def test_what_is_due_stands_before_what_is_not(base: Base) -> None:
    """However urgent what is put off may be: the page shows only the beginning of the list."""
    later = base.service.promise("13800138000", base.at("03-18 15:00"), "agent")
    due = base.owe("13800138001", ways=["agent"])
    reply = base.owe("13800138002", Reason.MISSED_CALL, when={"kind": "next_day"})
    assert [entry.callback.callback_id for entry in base.service.agent_list(MINE)] == [
        reply.callback_id,
        due.callback_id,
        later.callback_id,
    ]


def _rule() -> RuleDefinition:
    return RuleDefinition(title="办件回访", reason=Reason.CASE_CLOSED, ask_every_days=7, questionnaire="q")


def _case(number: int, phone: str) -> dict[str, object]:
    closed_at = "2026-03-18T09:00:00+08:00"
    return {"number": f"YC2026{number:06d}", "matter": "居住证办理", "unit": "市公安局", "phone": phone, "closed_at": closed_at}
