"""Calls that we place over a real Asterisk: to real telephones, to numbers that refuse, and while parts of us are away."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from telephony import outbound_actions
from telephony.ports import Dial, OutboundResult, OutboundTrace
from tests.fakes.refusing_citizens import RINGS, SILENT, RefusingCitizens
from tests.integration.telephony.conftest import Hotline, eventually

PHONE = "13800138000"


def dial(hotline: Hotline, phone: str = PHONE, ring_seconds: int = 20) -> uuid.UUID:
    attempt_id = uuid.uuid4()
    hotline.service.dial_out(Dial(attempt_id, phone, "queue", "consult", ring_seconds))
    return attempt_id


def trace(hotline: Hotline, attempt_id: uuid.UUID) -> OutboundTrace:
    (found,) = hotline.service.outbound([attempt_id])
    return found


def test_what_becomes_of_calls_that_nobody_picks_up(hotline: Hotline) -> None:
    statuses = {
        "13800000486": (486, OutboundResult.BUSY),
        "13800000600": (600, OutboundResult.BUSY),
        "13800000603": (603, OutboundResult.REJECTED),
        "13800000404": (404, OutboundResult.INVALID_NUMBER),
        "13800000410": (410, OutboundResult.INVALID_NUMBER),
        "13800000484": (484, OutboundResult.INVALID_NUMBER),
        "13800000480": (480, OutboundResult.NO_ANSWER),
        "13800000502": (502, OutboundResult.UNAVAILABLE),
        "13800000503": (503, OutboundResult.FAILED),
        "13800000180": (RINGS, OutboundResult.NO_ANSWER),
        "13800000000": (SILENT, OutboundResult.NO_ANSWER),
    }
    with RefusingCitizens(hotline.server.trunk_port, {phone: status for phone, (status, _) in statuses.items()}) as people:
        attempts = {phone: dial(hotline, phone, ring_seconds=2) for phone in statuses}
        eventually(lambda: all(trace(hotline, attempt_id).ended_at for attempt_id in attempts.values()), timeout=20)
        assert sorted(people.rung) == sorted(statuses)
        eventually(lambda: "13800000180" in people.ended)
    results = {phone: trace(hotline, attempt_id).result for phone, attempt_id in attempts.items()}
    assert results == {phone: result for phone, (_, result) in statuses.items()}
    assert all(trace(hotline, attempt_id).dialled_at for attempt_id in attempts.values())
    assert hotline.calls() == []
    assert len(hotline.payloads("OutboundEnded")) == len(statuses)
    eventually(lambda: hotline.server.shared_switch().outbound_traces() == [])
    eventually(lambda: not hotline.server.shared_switch().state().channels)


def test_an_attempt_rings_once_however_often_the_exchange_is_asked(hotline: Hotline) -> None:
    hotline.stop_bridge()
    switch, wanted = hotline.server.shared_switch(), Dial(uuid.uuid4(), PHONE, "queue", "consult", 10)
    with RefusingCitizens(hotline.server.trunk_port, {PHONE: RINGS}) as people:
        for _ in range(3):
            switch.dial(wanted)
        eventually(lambda: PHONE in people.rung)
        time.sleep(1)
        assert people.rung.count(PHONE) == 1
        hotline.server.command("channel request hangup all")
        eventually(lambda: switch.outbound_traces()[0].ended_at)
        switch.dial(wanted)
        time.sleep(1)
        assert people.rung.count(PHONE) == 1
    (noted,) = switch.outbound_traces()
    assert noted.result is OutboundResult.FAILED


def test_nobody_is_rung_late_or_for_nothing(hotline: Hotline) -> None:
    hotline.stop_bridge()
    switch = hotline.server.shared_switch()
    late = Dial(uuid.uuid4(), PHONE, "queue", "consult", valid_until=datetime.now(UTC) - timedelta(seconds=5))
    # No ivr process is there to speak with who would pick up, nor was one here a moment ago, in another test.
    hotline.server.command("database del tj-ivr beat")
    silent = Dial(uuid.uuid4(), PHONE, "ivr", valid_until=datetime.now(UTC) + timedelta(seconds=30))
    with RefusingCitizens(hotline.server.trunk_port, {PHONE: 486}) as people:
        switch.dial(late)
        switch.dial(silent)
        eventually(lambda: len(switch.outbound_traces()) == 2)
        assert PHONE not in people.rung
    noted = {found.attempt_id: (found.cause, found.result, found.dialled_at) for found in switch.outbound_traces()}
    failed = OutboundResult.FAILED
    assert noted == {late.attempt_id: ("LATE", failed, None), silent.attempt_id: ("NOIVR", failed, None)}


def test_who_is_rung_back_goes_before_who_waits(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001")
    hotline.service.pause_agent(agent_id, "会议")
    hotline.ring(number="13900139000", stay_seconds=60)
    eventually(lambda: hotline.calls() and hotline.calls()[0].queued_at)
    hotline.people({PHONE: {"answer_after": 0.5}})
    attempt_id = dial(hotline)
    eventually(lambda: len(hotline.calls()) == 2 and hotline.calls()[1].queued_at)
    back = hotline.calls()[1]
    assert (back.direction, back.caller_number, back.queue_name, back.state) == ("out", PHONE, "consult", "queued")
    assert hotline.service.line_use().waiting_citizens == 2
    assert (hotline.service.line_use().others, hotline.service.line_use().outbound) == (1, 1)
    hotline.service.ready_agent(agent_id)
    phone.wait_for("ringing")
    eventually(lambda: hotline.calls()[1].state == "ringing")
    assert hotline.calls()[0].state == "queued"
    # The citizen's number reaches no agent's telephone.
    assert PHONE not in str(phone.lines)
    phone.do("answer")
    eventually(lambda: hotline.state(agent_id) == "talking")
    time.sleep(1)
    phone.do("hangup")
    eventually(lambda: trace(hotline, attempt_id).ended_at)
    found = trace(hotline, attempt_id)
    assert (found.result, found.call_id) == (OutboundResult.ANSWERED, back.id)
    eventually(lambda: hotline.calls()[1].outcome == "answered")
    (answered,) = hotline.payloads("OutboundAnswered")
    (ended,) = hotline.payloads("OutboundEnded")
    assert answered["attempt_id"] == ended["attempt_id"] == str(attempt_id)
    assert ended["call_id"] == str(back.id)
    assert hotline.service.live_board().today.answered == 0
    eventually(lambda: [row.state for row in hotline.recordings() if row.call_id == back.id] == ["kept", "kept"])


def test_an_agents_own_call_from_ring_to_wrapup(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001")
    # Longer than what may be missing of a recording: that one begins when the citizen picks up.
    people = hotline.people({PHONE: {"answer_after": 4.0}})
    attempt_id = uuid.uuid4()
    hotline.service.dial_for_agent(agent_id, PHONE, attempt_id)
    phone.wait_for("ringing")
    assert hotline.state(agent_id) == "ringing"
    assert people.kinds() == ["listening"]
    phone.do("answer")
    people.wait_for("answered")
    eventually(lambda: hotline.state(agent_id) == "talking")
    call = hotline.only_call()
    assert (call.direction, call.caller_number, call.state, call.queue_name) == ("out", PHONE, "talking", None)
    phone.do("hold")
    eventually(lambda: hotline.state(agent_id) == "held")
    phone.do("resume")
    eventually(lambda: hotline.state(agent_id) == "talking")
    time.sleep(1.5)
    phone.do("hangup")
    people.wait_for("closed")
    eventually(lambda: hotline.state(agent_id) == "wrapup" and hotline.only_call().state == "ended")
    call, (leg,) = hotline.only_call(), hotline.legs()
    assert (call.outcome, leg.outcome, call.waiting_seconds) == ("answered", "answered", None)
    assert call.hold_seconds > 0
    assert hotline.story(call.id) == ["placed", "answered", "held", "resumed", "ended"]
    found = trace(hotline, attempt_id)
    assert (found.result, found.call_id) == (OutboundResult.ANSWERED, call.id)
    eventually(lambda: {row.state for row in hotline.recordings()} == {"kept"})
    assert {(row.party, row.started_at) for row in hotline.recordings()} == {
        (party, call.answered_at) for party in ("citizen", "agent")
    }
    assert call.answered_at is not None
    assert call.ended_at is not None
    talked = (call.ended_at - call.answered_at).total_seconds()
    assert [row.seconds for row in hotline.recordings()] == pytest.approx([talked, talked], abs=1.0)
    assert PHONE not in str(phone.lines)
    eventually(lambda: hotline.server.shared_switch().outbound_traces() == [])


def test_an_agents_own_call_that_comes_to_nothing(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001", pick_up_after=0)
    with RefusingCitizens(hotline.server.trunk_port, {PHONE: 486}):
        attempt_id = uuid.uuid4()
        hotline.service.dial_for_agent(agent_id, PHONE, attempt_id)
        eventually(lambda: trace(hotline, attempt_id).result is OutboundResult.BUSY)
        phone.wait_for("call_closed")
    eventually(lambda: hotline.state(agent_id) == "ready")
    assert (hotline.only_call().outcome, hotline.only_call().direction) == ("failed", "out")
    # And the queue's calls come again.
    eventually(lambda: not any(seat.is_paused for seat in hotline.server.shared_switch().state().seats))


def test_an_agent_who_does_not_pick_up_rings_nobody(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001")
    people = hotline.people({PHONE: {}})
    attempt_id = uuid.uuid4()
    hotline.service.dial_for_agent(agent_id, PHONE, attempt_id, ring_seconds=20)
    phone.wait_for("ringing")
    phone.do("reject")
    eventually(lambda: trace(hotline, attempt_id).ended_at)
    found = trace(hotline, attempt_id)
    assert (found.result, found.dialled_at) == (OutboundResult.FAILED, None)
    assert found.cause.startswith("agent")
    eventually(lambda: hotline.state(agent_id) == "ready")
    eventually(lambda: not any(seat.is_paused for seat in hotline.server.shared_switch().state().seats))
    assert people.kinds() == ["listening"]
    assert hotline.calls() == []


def test_an_agent_passes_on_a_citizen_that_they_rang(hotline: Hotline) -> None:
    first, _ = hotline.seat("8001", pick_up_after=0)
    hotline.people({PHONE: {}})
    hotline.service.dial_for_agent(first, PHONE, uuid.uuid4())
    eventually(lambda: hotline.state(first) == "talking")
    second, other = hotline.seat("8002", ("enterprise",))
    hotline.service.transfer_call(hotline.only_call().id, "8002")
    other.wait_for("ringing")
    other.do("answer")
    eventually(lambda: hotline.state(second) == "talking" and hotline.state(first) == "wrapup")
    other.do("hangup")
    eventually(lambda: hotline.only_call().outcome == "answered")
    assert [leg.outcome for leg in hotline.legs()] == ["transferred", "answered"]


def test_the_bridge_was_away_from_the_dialling_to_the_end(hotline: Hotline) -> None:
    people = hotline.people({PHONE: {"answer_after": 0.3, "hang_up_after": 1.5}})
    hotline.stop_bridge()
    attempt_id = dial(hotline)
    people.wait_for("closed")
    eventually(lambda: not hotline.server.shared_switch().state().channels)
    assert trace(hotline, attempt_id).dialled_at is None
    hotline.start_bridge()
    eventually(lambda: trace(hotline, attempt_id).ended_at)
    found = trace(hotline, attempt_id)
    assert found.result is OutboundResult.ANSWERED
    assert found.answered_at is not None
    eventually(lambda: hotline.calls() and hotline.only_call().state == "ended")
    assert (hotline.only_call().direction, hotline.only_call().outcome) == ("out", "abandoned")
    assert found.call_id == hotline.only_call().id
    hotline.stop_bridge()
    hotline.start_bridge()
    assert len(hotline.payloads("OutboundAnswered")) == len(hotline.payloads("OutboundEnded")) == 1
    assert hotline.server.shared_switch().outbound_traces() == []


def test_the_bridge_dies_between_dialling_and_answer(hotline: Hotline) -> None:
    people = hotline.people({PHONE: {"answer_after": 2.0}})
    attempt_id = dial(hotline)
    people.wait_for("ringing")
    hotline.stop_bridge()
    people.wait_for("answered")
    hotline.start_bridge()
    eventually(lambda: trace(hotline, attempt_id).answered_at)
    eventually(lambda: hotline.calls() and hotline.only_call().state == "queued")
    assert trace(hotline, attempt_id).ended_at is None
    assert len(hotline.payloads("OutboundAnswered")) == 1


def test_asterisk_dies_with_a_call_that_we_placed(hotline: Hotline) -> None:
    people = hotline.people({PHONE: {"answer_after": 0.2}})
    attempt_id = dial(hotline)
    people.wait_for("answered")
    eventually(lambda: trace(hotline, attempt_id).answered_at)
    # Asterisk writes its notes to disk about once a second.
    time.sleep(2)
    hotline.server.kill()
    hotline.server.start()
    eventually(lambda: trace(hotline, attempt_id).ended_at, timeout=20)
    found = trace(hotline, attempt_id)
    assert (found.result, found.cause) == (OutboundResult.ANSWERED, "lost")
    assert len(hotline.payloads("OutboundEnded")) == 1
    assert [line["kind"] for line in people.lines].count("ringing") == 1


def test_asterisk_dies_before_it_wrote_anything_down(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound_actions, "_UNDER_WAY", timedelta(seconds=3))
    with RefusingCitizens(hotline.server.trunk_port, {PHONE: RINGS}) as people:
        attempt_id = dial(hotline)
        eventually(lambda: PHONE in people.rung)
        hotline.server.kill()
        hotline.server.start()
        eventually(lambda: trace(hotline, attempt_id).ended_at, timeout=30)
        assert trace(hotline, attempt_id).result is OutboundResult.FAILED
        assert people.rung.count(PHONE) == 1
    with pytest.raises(outbound_actions.AlreadyDialledError):
        hotline.service.dial_out(Dial(attempt_id, PHONE, "queue", "consult"))


def test_a_waiting_citizen_presses_the_key(hotline: Hotline) -> None:
    people = hotline.people({PHONE: {"calls": "12345", "keys_at": [[1.5, "1"]]}})
    people.wait_for("closed")
    eventually(lambda: hotline.calls() and hotline.only_call().state == "ended")
    call = hotline.only_call()
    assert (call.outcome, call.cause, call.caller_number) == ("abandoned", "callback_asked", PHONE)
    (asked,) = hotline.payloads("QueueCallbackAsked")
    assert (asked["phone"], asked["queue_name"], asked["call_id"]) == (PHONE, "consult", str(call.id))
    assert datetime.fromisoformat(str(asked["queued_at"])) == call.queued_at


@pytest.mark.parametrize(("number", "keys", "joined"), [("anonymous", "1", 2), (PHONE, "5", 1)])
def test_a_withheld_number_and_another_key_go_on_waiting(hotline: Hotline, number: str, keys: str, joined: int) -> None:
    people = hotline.people({number: {"calls": "12345", "keys_at": [[1.0, keys]], "hang_up_after": 3.0}})
    people.wait_for("closed")
    eventually(lambda: hotline.calls() and hotline.only_call().state == "ended")
    assert (hotline.only_call().outcome, hotline.only_call().cause) == ("abandoned", "")
    assert hotline.story(hotline.only_call().id).count("queued") == joined
    assert hotline.only_call().waiting_seconds == pytest.approx(2.9, abs=0.8)
    assert hotline.payloads("QueueCallbackAsked") == []


def test_the_key_pressed_while_the_bridge_was_away(hotline: Hotline) -> None:
    hotline.stop_bridge()
    people = hotline.people({PHONE: {"calls": "12345", "keys_at": [[1.0, "1"]]}})
    people.wait_for("closed")
    eventually(lambda: not hotline.server.shared_switch().state().channels)
    hotline.start_bridge()
    eventually(lambda: len(hotline.payloads("QueueCallbackAsked")) == 1)
    assert (hotline.only_call().outcome, hotline.only_call().cause) == ("abandoned", "callback_asked")
