"""What is owed for what happened, by the rules; and what closes it again."""

import uuid
from datetime import timedelta

import pytest

from callback.attempts import BadTimeError
from callback.disposition import Disposition
from callback.rule import Reason, RuleDefinition
from callback.rules import BadRuleKeyError, RuleChangedError
from core.errors import ConflictError, InvalidInputError
from tests.integration.callback.conftest import QUESTIONNAIRE, Base
from workorder.case_view import CaseFilter

CASE = {"matter": "居住证办理", "unit": "市公安局", "region": "东山区", "phone": "13800138000"}


def rule(reason: str = "case_closed", **words: object) -> RuleDefinition:
    known: dict[str, object] = {"title": "回访", "reason": reason, "ways": ["ivr"], "questionnaire": "q"}
    return RuleDefinition.model_validate(known | words)


def close_case(base: Base, number: str = "YC1", **words: object) -> uuid.UUID:
    return base.cases.save_case({"number": number, "closed_at": "2026-03-18T09:00:00+08:00", **CASE, **words}, "test")[0]


def test_owing_twice_is_owing_once(base: Base) -> None:
    first = base.service.owe(Reason.MISSED_CALL, "a", "138 0013 8000")
    assert base.service.owe(Reason.MISSED_CALL, "a", "13800138000") == first
    assert base.open_callbacks() == len(base.events("CallbackOwed")) == 1


@pytest.mark.parametrize("phone", ["", "anonymous", "138001380", "8001", "13800138000; DROP TABLE", "１３８", "+99912345678"])
def test_a_number_that_is_none_is_owed_nothing(base: Base, phone: str) -> None:
    with pytest.raises(InvalidInputError):
        base.service.owe(Reason.MISSED_CALL, "a", phone)
    assert base.service.owe_for_call(base.call(phone, "abandoned")) == []
    assert base.open_callbacks() == 0


def test_missed_calls_are_one_entry_a_number_closed_when_the_citizen_is_answered(base: Base) -> None:
    first, second = base.call("13800138000", "abandoned"), base.call("+8613800138000", "failed")
    owed = base.service.owe_for_call(first)[0]
    base.clock.advance(60)
    assert base.service.owe_for_call(second)[0].callback_id == owed.callback_id
    assert base.service.owe_for_call(first)[0].callback_id == owed.callback_id
    assert base.get(owed).call_id == second  # the agent is shown the latest
    base.service.owe_for_call(base.call("13900139000", "abandoned"))
    assert base.open_callbacks() == 2
    base.clock.advance(60)
    answered = base.call("13800138000", "answered")
    assert base.service.close_missed_calls(answered) == 1
    found = base.get(owed)
    assert (found.state, found.why) == ("done", "answered_again")
    assert found.contacted_at is not None
    # Events that come late, or again, open nothing.
    assert base.service.owe_for_call(second) == []
    assert base.service.owe_for_call(first)[0].state == "done"
    assert base.open_callbacks() == 1


def test_a_missed_call_after_that_is_a_new_entry(base: Base) -> None:
    owed = base.service.owe_for_call(base.call("13800138000", "abandoned"))[0]
    base.clock.advance(600)
    base.service.close_missed_calls(base.call("13800138000", "answered"))
    base.clock.advance(600)
    again = base.service.owe_for_call(base.call("13800138000", "abandoned"))[0]
    assert again.callback_id != owed.callback_id
    assert again.promised_by == base.at("03-20 00:00")


def test_a_later_missed_call_has_its_own_time_to_be_rung_back(base: Base) -> None:
    owed = base.service.owe_for_call(base.call("13800138000", "abandoned"))[0]
    base.clock.advance(3 * 86_400)
    base.service.owe_for_call(base.call("13800138000", "abandoned"))
    assert owed.expires_at is not None
    assert base.get(owed).expires_at == owed.expires_at + timedelta(days=3)


def test_calls_that_agents_placed_are_neither_missed_nor_asked_about(base: Base) -> None:
    base.service.save_rule("answered", rule("call_answered"), "monitor")
    assert base.service.owe_for_call(base.call("13800138000", "failed", direction="out")) == []
    assert base.service.owe_for_call(base.call("13800138000", "answered", direction="out")) == []


def test_whoever_kept_a_place_in_the_queue_is_not_missed_too(base: Base) -> None:
    missed = base.service.owe_for_call(base.call("13800138000", "abandoned"))[0]
    call = base.call("13800138000", "abandoned")
    kept = base.service.owe_queue_callback(call, "13800138000", "consult", base.clock.now())
    assert base.service.owe_queue_callback(call, "13800138000", "consult", base.clock.now()) == kept
    assert base.service.owe_for_call(call) == []
    assert (base.get(missed).state, base.get(missed).why) == ("cancelled", "merged")
    assert base.open_callbacks() == 1


def test_a_closed_case_is_asked_about_on_the_next_day_by_the_version_then_in_force(base: Base) -> None:
    first = base.service.save_rule("case", rule(when={"kind": "next_day", "at": "09:30"}, promised_working_days=5), "monitor")
    case_id = close_case(base)
    owed = base.service.owe_for_case(case_id)[0]
    assert base.service.owe_for_case(case_id) == [owed]
    assert owed.next_at == base.at("03-19 09:30")
    assert owed.promised_by == base.at("03-26 00:00")
    assert (owed.rule_version_id, owed.questionnaire_version_id) == (first.version_id, QUESTIONNAIRE)
    assert (owed.unit, owed.region, owed.matter, owed.case_id) == ("市公安局", "东山区", "居住证办理", case_id)
    second = base.service.save_rule("case", rule(ways=["agent"], questionnaire=""), "monitor")
    assert (second.version_no, base.get(owed).rule_version_id) == (2, first.version_id)
    assert base.service.owe_for_case(close_case(base, "YC2"))[0].ways == ("agent",)
    assert [view.version_no for view in base.service.rule_versions("case")] == [2, 1]
    base.service.set_rule_active("case", False, "monitor")
    assert base.service.owe_for_case(close_case(base, "YC3")) == []


def test_an_office_that_hands_in_its_old_cases_has_nobody_rung(base: Base) -> None:
    base.service.save_rule("case", rule(expires_after_days=14), "test")
    assert base.service.owe_for_case(close_case(base, "YC-OLD", closed_at="2026-03-03T09:00:00+08:00")) == []
    assert len(base.service.owe_for_case(close_case(base, "YC-NEW", closed_at="2026-03-05T09:00:00+08:00"))) == 1


def test_a_rule_is_about_whom_it_says(base: Base) -> None:
    base.service.save_rule("case", rule(who={"units": ["市税务局"]}), "monitor")
    assert base.service.owe_for_case(close_case(base)) == []
    assert base.service.owe_for_case(close_case(base, "YC2", unit="市税务局"))
    assert base.service.owe_for_case(close_case(base, "YC3", unit="市税务局", is_confidential=True)) == []


def test_who_was_not_drawn_is_kept_with_seed_and_weight(base: Base) -> None:
    base.service.save_rule("case", rule(sampling={"kind": "share", "share": 0.25, "seed": "s1"}), "monitor")
    views = [base.service.owe_for_case(close_case(base, f"YC{number}", phone=f"1380013{number:04d}"))[0] for number in range(60)]
    drawn = [view for view in views if view.state == "owed"]
    assert 5 <= len(drawn) <= 27
    assert {view.state for view in views} == {"owed", "not_sampled"}
    assert {view.weight for view in views} == {4.0}
    assert len(base.events("CallbackOwed")) == len(drawn)


def test_a_saved_rule_does_not_overwrite_anothers(base: Base) -> None:
    base.service.save_rule("case", rule(), "a")
    base.service.save_rule("case", rule(title="乙"), "b", based_on=1)
    with pytest.raises(RuleChangedError):
        base.service.save_rule("case", rule(title="丙"), "c", based_on=1)
    assert base.service.save_rule("case", rule(title="乙"), "d").version_no == 2  # nothing new, no version
    for key in ("", "Case", "1st", "a b", "campaign:x"):
        with pytest.raises(BadRuleKeyError):
            base.service.save_rule(key, rule(), "a")


def test_a_bad_rating_is_put_right(base: Base) -> None:
    base.service.save_rule("case", rule(), "monitor")
    asked = base.service.owe_for_case(close_case(base))[0]
    survey = uuid.uuid4()
    owed = base.service.owe_bad_rating(survey, callback_id=asked.callback_id)
    assert owed is not None
    assert base.service.owe_bad_rating(survey, callback_id=asked.callback_id) == owed
    assert (owed.reason, owed.phone, owed.unit, owed.ways) == (Reason.BAD_RATING, "13800138000", "市公安局", ("agent",))
    assert owed.promised_by == base.at("03-26 00:00")  # five working days
    assert base.service.owe_bad_rating(uuid.uuid4(), call_id=base.call("13900139000", "answered")) is not None
    assert base.service.owe_bad_rating(uuid.uuid4(), call_id=base.call("anonymous", "answered")) is None
    assert base.service.owe_bad_rating(uuid.uuid4()) is None


def test_a_time_is_promised(base: Base) -> None:
    owed = base.service.promise("13800138000", base.at("03-21 20:00"), "agent1", person="王女士")
    assert (owed.next_at, owed.reason) == (base.at("03-21 20:00"), Reason.ASKED_TIME)
    for when in ("03-18 10:00", "03-19 23:00", "03-19 07:59"):
        with pytest.raises(BadTimeError):
            base.service.promise("13800138000", base.at(when), "agent1")


def test_a_campaign_asks_everybody_once(base: Base) -> None:
    people = [{"phone": "13800138000", "person": "甲"}, {"phone": "138 0013 8000"}, {"phone": "none"}, {"phone": "01062841234"}, {}]
    definition = rule("campaign")
    report = base.service.start_campaign("春季回访", people, definition, "monitor")
    assert (report.created, report.unchanged, [row for row, _ in report.refused]) == (2, 1, [3, 5])
    again = base.service.start_campaign("春季回访", [*people, {"phone": "13900139000"}], definition, "monitor")
    assert (again.created, again.unchanged) == (1, 3)
    assert [rule.key for rule in base.service.list_rules()] == []
    assert len(base.dialer().run_once()) == 3
    # Who is on the line is spoken with to the end, and nobody is tried again.
    assert base.service.stop_campaign("春季回访", "monitor") == 3
    for attempt_id, _phone, _since in base.lines.running():
        base.tell(attempt_id, "busy")
    base.clock.advance(86_400)
    assert base.dialer().run_once() == []
    view = base.service.list_campaigns()[0]
    assert (view.name, view.total, view.open_count, view.given_up_count) == ("春季回访", 3, 0, 3)
    for bad in ("", "  ", "x" * 61):
        with pytest.raises(InvalidInputError):
            base.service.start_campaign(bad, people, definition, "monitor")
    with pytest.raises(InvalidInputError):
        base.service.start_campaign("空", [], definition, "monitor")
    with pytest.raises(InvalidInputError):
        base.service.start_campaign("别的", people, rule(), "monitor")


def test_what_is_cancelled_is_owed_no_more(base: Base) -> None:
    owed = base.owe()
    assert base.service.cancel(owed.callback_id, "monitor", "打错了").state == "cancelled"
    with pytest.raises(ConflictError):
        base.service.cancel(owed.callback_id, "monitor", "")
    ringing = base.owe("13900139000")
    base.dialer().run_once()
    with pytest.raises(ConflictError):
        base.service.cancel(ringing.callback_id, "monitor", "")


def test_demonstration_rules_are_made_once_and_left_to_people_then(base: Base) -> None:
    assert base.service.ensure_demonstration("up") == 4
    base.service.save_rule("missed_call", rule("missed_call", ways=["agent"], questionnaire="", title="别的"), "monitor")
    assert base.service.ensure_demonstration("up") == 0
    assert base.service.get_rule("missed_call").definition.title == "别的"
    base.service.set_rule_active("missed_call", False, "monitor")
    assert base.service.owe_for_call(base.call("13800138000", "abandoned")) == []


def test_preview_says_who_is_rung_and_who_is_not_and_why(base: Base) -> None:
    base.service.save_rule("case", rule(when={"kind": "next_day", "at": "09:00"}, ask_every_days=7), "monitor")
    phones = {name: f"1380013800{number}" for number, name in enumerate(("rung", "out", "resting", "asked", "busy"))}
    refuser = base.owe(phones["resting"])
    attempt = base.dialer().run_once()[0]
    base.service.record_answered(attempt.attempt_id)
    base.service.end_attempt(attempt.attempt_id, Disposition.REFUSED)
    base.tell(attempt.attempt_id, "answered")
    base.owe(phones["asked"])
    attempt = base.dialer().run_once()[0]
    base.service.complete(attempt.callback_id, Disposition.COMPLETED)
    base.tell(attempt.attempt_id, "answered")
    base.service.opt_out(phones["out"], "agent")
    for name, phone in phones.items():
        base.service.owe_for_case(close_case(base, f"YC-{name}", phone=phone))
    day = base.at("03-19 00:00").date()
    preview = base.service.preview(day)
    told = {row.phone: (row.is_rung, row.why) for row in preview.rows}
    assert told == {
        phones["rung"]: (True, ""),
        phones["out"]: (False, "opted_out"),
        phones["resting"]: (False, "resting"),
        phones["asked"]: (False, "asked_lately"),
        phones["busy"]: (True, ""),
    }
    assert (preview.rung_count, preview.counts) == (2, {"opted_out": 1, "resting": 1, "asked_lately": 1})
    assert {row.rule_key for row in preview.rows} == {"case"}
    # The dialer then does what the preview said.
    base.go_to("03-19 09:00")
    assert {attempt.phone for attempt in base.dialer().run_once()} == {phones["rung"], phones["busy"]}
    assert base.get(refuser).state == "given_up"


def test_a_preview_of_too_much_says_that_it_is_not_whole(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    day = base.at("03-18 00:00").date()
    for number in range(3):
        base.owe(f"1380013800{number}")
        base.call(f"1390013900{number}", "abandoned")
    missed = rule("missed_call", ways=["agent"], questionnaire="")
    assert (base.service.preview(day).is_whole, base.service.try_rule(missed, day).is_whole) == (True, True)
    monkeypatch.setattr("callback.previewing._MOST", 2)
    monkeypatch.setattr("callback.previewing._MOST_CALLS", 2)
    preview, tried = base.service.preview(day), base.service.try_rule(missed, day)
    assert (preview.is_whole, preview.rung_count) == (False, 2)
    assert (tried.is_whole, tried.rung_count) == (False, 2)


def test_a_rule_can_be_tried_before_it_is_saved(base: Base) -> None:
    for number in range(20):
        close_case(base, f"YC{number}", phone=f"138001380{number:02d}", unit="市公安局" if number % 2 else "市税务局")
    base.service.opt_out("13800138001", "agent")
    day = base.at("03-19 00:00").date()
    draft = rule(when={"kind": "next_day", "at": "09:00"}, who={"units": ["市公安局"]})
    preview = base.service.try_rule(draft, day)
    assert (preview.rung_count, preview.counts) == (9, {"opted_out": 1})
    assert base.service.try_rule(draft, base.at("03-20 00:00").date()).rows == []
    assert base.open_callbacks() == 0
    half = draft.model_copy(update={"sampling": rule(sampling={"kind": "share", "share": 0.5, "seed": "x"}).sampling})
    sampled = base.service.try_rule(half, day)
    assert sampled.rung_count + sampled.counts["sampled_out"] + sampled.counts.get("opted_out", 0) == 10
    base.service.save_rule("case", half, "monitor")
    drawn = {
        view.phone
        for case in base.cases.list_cases(CaseFilter(), 0, 50).cases
        for view in base.service.owe_for_case(case.case_id)
        if view.state == "owed"
    }
    assert {row.phone for row in sampled.rows if row.is_rung} == drawn - {"13800138001"}
    base.call("13900139000", "abandoned")
    missed = rule("missed_call", ways=["agent"], questionnaire="")
    assert base.service.try_rule(missed, base.at("03-18 00:00").date()).rung_count == 1
    with pytest.raises(InvalidInputError):
        base.service.try_rule(rule("campaign"), day)
