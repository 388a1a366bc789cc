"""Whole calls over a real Asterisk: SIP citizens, SIP agents, the bridge, and what the database says afterwards."""

import threading
from datetime import timedelta

import pytest

from core.errors import ConflictError
from telephony.agent_state import MISSED
from telephony.call_actions import AgentNotReadyError, BadExtensionError
from tests.integration.telephony.conftest import Hotline, eventually


def test_a_call_is_answered_held_and_ended(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001")
    citizen = hotline.ring(number="13800138000")
    phone.wait_for("ringing")
    eventually(lambda: hotline.state(agent_id) == "ringing")
    assert hotline.only_call().state == "ringing"
    phone.do("answer")
    eventually(lambda: hotline.state(agent_id) == "talking")
    phone.do("hold")
    eventually(lambda: hotline.state(agent_id) == "held")
    phone.do("resume")
    eventually(lambda: hotline.state(agent_id) == "talking")
    assert hotline.service.is_caller_answered("13800138000", hotline.only_call().started_at)
    phone.do("hangup")
    assert citizen.wait_for("ended")["ended_by"] == "hotline"
    eventually(lambda: hotline.only_call().state == "ended")

    call, (leg,) = hotline.only_call(), hotline.legs()
    assert (call.outcome, call.queue_name, call.caller_number, call.dialled, call.agent_id) == (
        "answered",
        "consult",
        "13800138000",
        "12345",
        agent_id,
    )
    assert call.queued_at is not None
    assert call.answered_at is not None
    assert call.ended_at is not None
    assert leg.ended_at is not None
    assert call.started_at <= call.queued_at <= call.answered_at < leg.ended_at <= call.ended_at
    assert call.waiting_seconds == pytest.approx((call.answered_at - call.queued_at).total_seconds())
    assert call.talking_seconds == pytest.approx((leg.ended_at - call.answered_at).total_seconds())
    assert 0 < call.hold_seconds < call.talking_seconds
    assert (leg.outcome, call.cause) == ("answered", "16")
    assert hotline.story(call.id) == ["arrived", "queued", "ringing", "answered", "held", "resumed", "ended"]
    assert hotline.state(agent_id) == "wrapup"
    assert call.number.endswith("-000001")
    names = [name for name in hotline.events() if name.startswith("Call")]
    assert names == ["CallQueued", "CallQueued", "CallRinging", "CallAnswered", "CallHeld", "CallResumed", "CallEnded"]
    eventually(lambda: {row.state for row in hotline.recordings()} == {"kept"})
    expected = (call.ended_at - call.started_at).total_seconds()
    assert [row.seconds for row in hotline.recordings()] == pytest.approx([expected, expected], abs=1.0)


def test_wrapup_keeps_calls_away_until_it_is_finished(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=2).wait_for("ended")
    eventually(lambda: hotline.state(agent_id) == "wrapup")
    hotline.ring(stay_seconds=20)
    eventually(lambda: len(hotline.calls()) == 2 and hotline.calls()[1].queued_at)
    with pytest.raises(AssertionError):
        phone.wait_for("ringing", timeout=4, count=2)
    before = hotline.agent(agent_id).wrapup_until
    hotline.service.extend_wrapup(agent_id)
    assert hotline.agent(agent_id).wrapup_until == before + timedelta(seconds=hotline.server.settings.wrapup_extension_seconds)
    hotline.service.finish_wrapup(agent_id)
    phone.wait_for("ringing", count=2)


def test_a_citizen_who_gives_up_is_abandoned(hotline: Hotline) -> None:
    hotline.ring(stay_seconds=1.5).wait_for("ended")
    eventually(lambda: hotline.calls() and hotline.only_call().state == "ended")
    call = hotline.only_call()
    assert (call.outcome, call.agent_id, call.talking_seconds) == ("abandoned", None, None)
    assert call.waiting_seconds == pytest.approx(1.4, abs=0.6)


def test_an_agent_who_does_not_pick_up_is_paused_and_told(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001", ("consult", "enterprise"))
    hotline.ring(stay_seconds=15)
    phone.wait_for("ringing")
    eventually(lambda: hotline.state(agent_id) == "paused")
    agent, call = hotline.agent(agent_id), hotline.only_call()
    assert (agent.pause_reason, agent.notice, call.state) == (MISSED, call.number, "queued")
    assert [leg.outcome for leg in hotline.legs()] == ["missed"]
    assert all(seat.is_paused for seat in hotline.server.shared_switch().state().seats)
    hotline.service.ready_agent(agent_id)
    phone.wait_for("ringing", count=2)


def test_two_agents_answering_at_once_get_one_call_each(hotline: Hotline) -> None:
    seats = [hotline.seat("8001"), hotline.seat("8002")]
    citizens = [hotline.ring(number=f"1380013800{number}") for number in (1, 2)]
    for _, phone in seats:
        phone.wait_for("ringing")
    both = [threading.Thread(target=phone.do, args=("answer",)) for _, phone in seats]
    for thread in both:
        thread.start()
    eventually(lambda: [call.state for call in hotline.calls()] == ["talking", "talking"])
    assert {call.agent_id for call in hotline.calls()} == {agent_id for agent_id, _ in seats}
    for citizen in citizens:
        citizen.kill()
    for _, phone in seats:
        phone.do("hangup")
    eventually(lambda: {hotline.state(agent_id) for agent_id, _ in seats} == {"wrapup"})


def test_an_agent_whose_machine_dies_frees_the_citizen(hotline: Hotline) -> None:
    first, phone = hotline.seat("8011")
    citizen = hotline.ring(stay_seconds=60)
    phone.wait_for("ringing")
    phone.do("answer")
    eventually(lambda: hotline.state(first) == "talking")
    waiting = hotline.ring(number="13900139000", stay_seconds=60)
    eventually(lambda: len(hotline.calls()) == 2 and hotline.calls()[1].queued_at)
    phone.kill()
    eventually(lambda: hotline.state(first) == "faulty", timeout=15)
    eventually(lambda: hotline.calls()[0].state == "queued")
    second, other = hotline.seat("8012")
    other.wait_for("ringing")
    # The citizen who was cut off goes before the one who waited.
    eventually(lambda: hotline.calls()[0].state == "ringing")
    assert hotline.calls()[1].state == "queued"
    other.do("answer")
    eventually(lambda: hotline.state(second) == "talking")
    assert [leg.outcome for leg in hotline.legs()] == ["lost", None]
    other.do("hangup")
    citizen.wait_for("ended")
    waiting.close()
    eventually(lambda: hotline.calls()[0].outcome == "answered")


def test_an_agent_whose_machine_dies_while_it_rings(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    hotline.server.render(ring_seconds=60)
    hotline.server.command("module reload app_queue.so")
    try:
        first, phone = hotline.seat("8021")
        hotline.ring(stay_seconds=60)
        phone.wait_for("ringing")
        phone.kill()
        second, _ = hotline.seat("8022", pick_up_after=0)
        eventually(lambda: hotline.state(second) == "talking", timeout=15)
        eventually(lambda: hotline.state(first) == "faulty")
    finally:
        hotline.server.render(ring_seconds=3)
        hotline.server.command("module reload app_queue.so")


def test_transfer_to_an_agent_and_to_a_queue(hotline: Hotline) -> None:
    first, phone = hotline.seat("8001", pick_up_after=0)
    citizen = hotline.ring(number="13800138000", stay_seconds=40)
    eventually(lambda: hotline.state(first) == "talking")
    call_id = hotline.only_call().id
    with pytest.raises(BadExtensionError):
        hotline.service.transfer_call(call_id, "13800138000")
    second, other = hotline.seat("8002", ("enterprise",))
    hotline.service.pause_agent(second, "会议")
    with pytest.raises(AgentNotReadyError):
        hotline.service.transfer_call(call_id, "8002")
    hotline.service.ready_agent(second)
    hotline.service.transfer_call(call_id, "8002")
    other.wait_for("ringing")
    eventually(lambda: hotline.state(second) == "ringing" and hotline.state(first) == "wrapup")
    # The number of the citizen never reaches the agent's telephone.
    assert "13800138000" not in str(other.lines) + str(phone.lines)
    other.do("answer")
    eventually(lambda: hotline.state(second) == "talking")
    assert hotline.only_call().agent_id == second
    hotline.service.transfer_call(call_id, "12345")
    eventually(lambda: hotline.only_call().state == "queued")
    hotline.service.finish_wrapup(first)
    phone.wait_for("ringing", count=2)
    eventually(lambda: hotline.state(first) == "talking")
    hotline.service.hang_up(call_id)
    citizen.wait_for("ended")
    eventually(lambda: hotline.only_call().state == "ended")
    assert [leg.outcome for leg in hotline.legs()] == ["transferred", "transferred", "answered"]
    assert hotline.story(call_id).count("transferred") == 2


def test_the_agent_to_whom_a_call_was_passed_is_lost(hotline: Hotline) -> None:
    """How the first agent's side ended says nothing of the second's."""
    first, phone = hotline.seat("8031", pick_up_after=0)
    hotline.ring(stay_seconds=60)
    eventually(lambda: hotline.state(first) == "talking")
    second, other = hotline.seat("8032", ("enterprise",))
    hotline.service.transfer_call(hotline.only_call().id, "8032")
    other.wait_for("ringing")
    # What the handler on the first agent's channel writes; on a busy machine as late as this.
    hotline.server.command(f"dialplan set chanvar {hotline.only_call().channel} SHARED(TJ_AGENT_CAUSE) 16")
    other.do("answer")
    eventually(lambda: hotline.state(second) == "talking")
    other.kill()
    eventually(lambda: hotline.only_call().state == "queued", timeout=15)
    assert hotline.story(hotline.only_call().id).count("agent_lost") == 1
    hotline.service.finish_wrapup(first)
    phone.wait_for("ringing", count=2)


def test_a_transfer_that_nobody_picks_up_comes_back(hotline: Hotline) -> None:
    first, phone = hotline.seat("8001", pick_up_after=0)
    hotline.ring(stay_seconds=40)
    eventually(lambda: hotline.state(first) == "talking")
    second, _ = hotline.seat("8002", ("enterprise",))
    hotline.service.transfer_call(hotline.only_call().id, "8002")
    eventually(lambda: hotline.state(second) == "paused", timeout=10)
    assert hotline.agent(second).pause_reason == MISSED
    eventually(lambda: hotline.only_call().state == "queued")
    hotline.service.finish_wrapup(first)
    phone.wait_for("ringing", count=2)


@pytest.mark.parametrize(
    "name",
    [
        "张三\u2028Channel: PJSIP/8001-00000001\u2028Event: Hangup",
        "x\u0085Uniqueid: 1\u000bLinkedid: 2",
        "$(touch /tmp/owned)`id`;SYSTEM(id),r(/etc/passwd)",
        "${SHELL(id)}|&,)",
        "\u202egnp.exe",
    ],
)
def test_a_hostile_display_name_is_only_a_name(hotline: Hotline, name: str) -> None:
    agent_id, _ = hotline.seat("8001", pick_up_after=0)
    hotline.ring(display_name=name, number="13800138000", stay_seconds=2).wait_for("ended")
    eventually(lambda: hotline.calls() and hotline.only_call().state == "ended")
    call = hotline.only_call()
    assert (call.outcome, call.agent_id, call.caller_number) == ("answered", agent_id, "13800138000")
    assert str(call.channel).startswith("PJSIP/carrier-")
    assert call.caller_name.isprintable()
    assert len(call.caller_name) <= 60
    files = [path.name for path in hotline.server.recordings.rglob(f"{call.unique_id}*")]
    assert sorted(files) == [f"{call.unique_id}-agent.wav", f"{call.unique_id}-citizen.wav"]


def test_what_the_state_does_not_allow_is_refused(hotline: Hotline) -> None:
    agent_id, phone = hotline.seat("8001")
    hotline.ring(stay_seconds=20)
    phone.wait_for("ringing")
    eventually(lambda: hotline.state(agent_id) == "ringing")
    with pytest.raises(ConflictError):
        hotline.service.log_out_agent(agent_id)
    phone.do("answer")
    eventually(lambda: hotline.state(agent_id) == "talking")
    with pytest.raises(ConflictError):
        hotline.service.log_out_agent(agent_id)
    # Asked for in a call, a pause begins after it and its after-call work.
    hotline.service.pause_agent(agent_id, "用餐")
    phone.do("hangup")
    eventually(lambda: hotline.state(agent_id) == "wrapup")
    hotline.service.finish_wrapup(agent_id)
    assert (hotline.state(agent_id), hotline.agent(agent_id).pause_reason) == ("paused", "用餐")
    hotline.service.log_out_agent(agent_id)
    assert hotline.state(agent_id) == "offline"
    assert hotline.server.shared_switch().state().seats == ()
