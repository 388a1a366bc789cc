"""Recorded calls of a real Asterisk, played into the service: what the database says of each afterwards."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from core.database import Database
from core.errors import InvalidInputError, UnavailableError
from core.outbox import OutboxEvent
from core.settings import Settings
from telephony import ami_facts as f
from telephony.agent_state import AgentStateError
from telephony.board import ServiceCount
from telephony.bridge import Bridge
from telephony.door import TelephonyRules
from telephony.models import Agent, AgentQueue, AgentStateChange, Call, CallEvent, CallLeg, Recording
from telephony.ports import CallTrace, LiveChannel
from telephony.seat_actions import PauseReasonError, UnknownQueueError
from telephony.service import TelephonyService
from tests.calls_data import FOLDER, recorded
from tests.fakes.clock import FakeClock
from tests.fakes.switch import FakeSwitch

NOW = datetime(2026, 11, 23, tzinfo=UTC)
_TABLES = (Recording, CallEvent, CallLeg, AgentStateChange, Call, AgentQueue, Agent, OutboxEvent)
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 23, 4, 0, tzinfo=UTC))


@pytest.fixture
def switch() -> FakeSwitch:
    return FakeSwitch()


@pytest.fixture
def service(database: Database, clock: FakeClock, switch: FakeSwitch) -> Iterator[TelephonyService]:
    service = TelephonyService(database, clock, switch, TelephonyRules.of(Settings(_env_file=None)))
    service.ensure_queues({"consult": "办事咨询", "enterprise": "企业登记"})
    for number in ("8001", "8002"):
        agent_id = service.save_agent(number, number, ["consult", "enterprise"])
        service.record([f.LineChanged(clock.now(), number, True)])
        service.log_in_agent(agent_id)
        service.ready_agent(agent_id)
    yield service
    with database.transaction() as session:
        for table in _TABLES:
            session.execute(delete(table))


def facts_of(name: str) -> list[f.Fact]:
    return [fact for message in recorded(name) for fact in f.facts(message, NOW)]


def summary(database: Database) -> list[tuple[object, ...]]:
    with database.transaction() as session:
        numbers = {row.id: row.number for row in session.scalars(select(Agent))}
        rows = session.scalars(select(Call).order_by(Call.number)).all()
        legs = session.scalars(select(CallLeg).order_by(CallLeg.rang_at)).all()
        return [
            (
                row.state,
                row.outcome,
                row.queue_name,
                numbers.get(row.agent_id) if row.agent_id else None,
                round(row.waiting_seconds or 0, 1),
                round(row.talking_seconds or 0, 1),
                round(row.hold_seconds, 1),
                tuple((numbers[leg.agent_id], leg.outcome) for leg in legs if leg.call_id == row.id),
            )
            for row in rows
        ]


def state_of(service: TelephonyService, number: str) -> str:
    (agent_id,) = [agent.id for agent in service.list_agents() if agent.number == number]
    view = service.board.agent(agent_id)
    assert view is not None
    return view.state


def count(database: Database, table: type) -> int:
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


STORIES: dict[str, list[tuple[object, ...]]] = {
    "register": [],
    "answered_held_agent_hangs_up": [("ended", "answered", "consult", "8001", 0.0, 3.0, 1.0, (("8001", "answered"),))],
    "citizen_hangs_up": [("ended", "answered", "consult", "8001", 0.0, 3.9, 0.0, (("8001", "answered"),))],
    "missed_then_abandoned": [("ended", "abandoned", "consult", None, 5.9, 0.0, 0.0, (("8001", "missed"),))],
    "transferred_to_agent": [
        ("ended", "answered", "consult", "8002", 0.0, 2.0, 0.0, (("8001", "transferred"), ("8002", "answered")))
    ],
    "transfer_not_picked_up": [
        ("ended", "answered", "consult", "8001", 0.0, 2.0, 0.0, (("8001", "transferred"), ("8002", "missed"), ("8001", "answered")))
    ],
    "transferred_to_queue": [
        ("ended", "answered", "enterprise", "8001", 0.0, 2.0, 0.0, (("8001", "transferred"), ("8001", "answered")))
    ],
    "agent_died_talking": [("ended", "answered", "consult", "8002", 0.0, 5.1, 0.0, (("8001", "lost"), ("8002", "answered")))],
    "agent_died_ringing": [("ended", "abandoned", "consult", None, 14.9, 0.0, 0.0, (("8001", "missed"),))],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_call_becomes_rows(service: TelephonyService, database: Database, name: str) -> None:
    facts = facts_of(name)
    for fact in facts:
        service.record([fact])
    assert summary(database) == STORIES[name]
    # The same again: nothing changes, nothing is told twice.
    before = summary(database), count(database, CallEvent), count(database, CallLeg), count(database, Recording)
    told = count(database, OutboxEvent)
    calls = [fact for fact in facts if not isinstance(fact, f.LineChanged)]
    service.record(calls)
    assert (summary(database), count(database, CallEvent), count(database, CallLeg), count(database, Recording)) == before
    assert count(database, OutboxEvent) == told


@pytest.mark.parametrize("name", [name for name in NAMES if name != "register"])
@pytest.mark.parametrize("seed", range(4))
def test_facts_out_of_order_leave_nothing_stuck(service: TelephonyService, database: Database, name: str, seed: int) -> None:
    facts = facts_of(name)
    random.Random(seed).shuffle(facts)
    service.record(facts)
    # What came too late is recorded again, as the bridge's comparison with the exchange would.
    service.reconcile()
    assert [row[0] for row in summary(database)] == ["ended"]
    with database.transaction() as session:
        assert {row.line_state for row in session.scalars(select(Agent))} == {"idle"}
        assert session.scalars(select(CallLeg).where(CallLeg.ended_at.is_(None))).all() == []


def test_numbers_count_up_and_begin_anew_each_day(service: TelephonyService, database: Database) -> None:
    # 15:59 and 16:01 UTC lie on two days of the hall.
    for number, at in enumerate(("15:58", "15:59", "16:01")):
        hour, minute = map(int, at.split(":"))
        arrived = datetime(2026, 3, 17, hour, minute, tzinfo=UTC)
        service.record([f.CallArrived(arrived, f"n-{number}.0", f"n-{number}.0", "c", "1", "", "12345", "consult", "")])
    with database.transaction() as session:
        numbers = list(session.scalars(select(Call.number).order_by(Call.started_at)))
    assert numbers == ["20260317-000001", "20260317-000002", "20260318-000001"]


def test_who_waited_in_vain_was_offered_too(service: TelephonyService, clock: FakeClock) -> None:
    """The board counts as the statistics do."""
    at, unique, channel = clock.now(), "u-1.0", "PJSIP/carrier-u"
    for fact in (
        f.CallArrived(at, unique, unique, channel, "13800138000", "", "12345", "consult", ""),
        f.CallerJoined(at, unique, unique, channel, "consult", 1),
        f.CallUnserved(at, unique, "TIMEOUT"),
        f.ChannelGone(at, unique, channel, 17, ""),
    ):
        service.record([fact])
    assert service.live_board().today == ServiceCount(offered=1)


def test_where_the_switch_is_away_nothing_is_written(service: TelephonyService, switch: FakeSwitch) -> None:
    agent_id = service.list_agents()[0].id
    before = service.board.agent(agent_id)
    switch.is_away = True
    for action in (service.log_out_agent, service.ready_agent, lambda agent_id: service.pause_agent(agent_id, "用餐")):
        with pytest.raises(UnavailableError):
            action(agent_id)
    assert service.board.agent(agent_id) == before
    # A seat is ours to make, and known to the exchange as soon as it is back.
    service.save_agent("8009", "新", ["consult"])
    switch.is_away = False
    assert service.provision_agents() == 3
    assert "8009" in switch.telephones


def test_wrapup_ends_by_itself(service: TelephonyService, switch: FakeSwitch, clock: FakeClock, database: Database) -> None:
    service.record(facts_of("citizen_hangs_up"))
    agent_id = service.list_agents()[0].id
    view = service.board.agent(agent_id)
    assert view is not None
    assert view.state == "wrapup"
    assert view.wrapup_until is not None
    clock.advance((view.wrapup_until - clock.now()).total_seconds() - 1)
    assert service.expire_wrapups() == 0
    clock.advance(2)
    switch.is_away = True
    with pytest.raises(UnavailableError):
        service.expire_wrapups()
    switch.is_away = False
    assert service.expire_wrapups() == 1
    view = service.board.agent(agent_id)
    assert view is not None
    assert view.state == "ready"
    assert switch.asked[-1] == ("unpause", "8001")


def test_a_seat_that_the_exchange_forgot_is_taken_again(service: TelephonyService, switch: FakeSwitch) -> None:
    agent_id = service.list_agents()[0].id
    switch.seats.clear()
    service.pause_agent(agent_id, "用餐")
    assert switch.seats[("8001", "consult")] is True
    switch.seats.clear()
    service.reconcile()
    assert switch.seats == {
        ("8001", "consult"): True,
        ("8001", "enterprise"): True,
        ("8002", "consult"): False,
        ("8002", "enterprise"): False,
    }


def test_a_look_in_between_is_believed_the_second_time(service: TelephonyService, switch: FakeSwitch, database: Database) -> None:
    facts = facts_of("citizen_hangs_up")
    service.record(fact for fact in facts if not isinstance(fact, f.ChannelGone))
    suspects = service.reconcile(frozenset())
    assert summary(database)[0][0] == "talking"
    assert any(suspect.startswith("call:") for suspect in suspects)
    service.reconcile(suspects)
    assert summary(database)[0][:2] == ("ended", "answered")


def talking(service: TelephonyService, clock: FakeClock, unique: str = "u-1.0", agent: str = "8001") -> list[LiveChannel]:
    """Connect a citizen with an agent, and return their channels."""
    at, channel, leg = clock.now(), f"PJSIP/carrier-{unique}", f"{unique}-{agent}"
    for fact in (
        f.CallArrived(at, unique, unique, channel, "13800138000", "", "12345", "consult", ""),
        f.CallerJoined(at, unique, unique, channel, "consult", 1),
        f.AgentRinging(at, unique, agent, leg, f"PJSIP/{agent}-{unique}"),
        f.AgentConnected(at, unique, agent, leg, f"PJSIP/{agent}-{unique}"),
    ):
        service.record([fact])
    return [
        LiveChannel(unique, unique, channel, None, True, True, "citizen", ""),
        LiveChannel(leg, unique, f"PJSIP/{agent}-{unique}", agent, True, True, "agent", ""),
    ]


def test_a_hold_whose_end_we_missed_is_over(
    service: TelephonyService, switch: FakeSwitch, clock: FakeClock, database: Database
) -> None:
    switch.channels = talking(service, clock)
    service.record([f.Held(clock.now(), "u-1.0-8001")])
    clock.advance(20)
    # A look in between ends no hold: its end would have been told.
    service.reconcile(service.reconcile(frozenset()))
    assert (summary(database)[0][0], [talk.is_held for talk in service.talks()]) == ("held", [True])
    service.reconcile()
    assert (summary(database)[0][0], summary(database)[0][6], [talk.is_held for talk in service.talks()]) == (
        "talking",
        20.0,
        [False],
    )
    assert state_of(service, "8001") == "talking"


def test_an_answer_and_an_end_that_we_missed(
    service: TelephonyService, switch: FakeSwitch, clock: FakeClock, database: Database
) -> None:
    at, unique = clock.now(), "u-1.0"
    service.record([f.CallArrived(at, unique, unique, "PJSIP/carrier-u", "13800138000", "", "12345", "consult", "")])
    service.record([f.CallerJoined(at, unique, unique, "PJSIP/carrier-u", "consult", 1)])
    note = CallTrace(unique, at, "consult", "12345", "", "13800138000", "")
    answered = {"answered_at": at + timedelta(seconds=4), "agent": "8001", "agent_unique_id": "a", "agent_channel": "PJSIP/8001-a"}
    switch.notes = [replace(note, **answered, ended_at=at + timedelta(seconds=14), cause=16)]
    service.reconcile()
    service.reconcile()
    assert summary(database) == [("ended", "answered", "consult", "8001", 4.0, 10.0, 0.0, (("8001", "answered"),))]


def test_a_telephone_that_is_sent_two_calls_takes_one(service: TelephonyService, clock: FakeClock, database: Database) -> None:
    talking(service, clock)
    at, other = clock.now(), "u-2.0"
    service.record([f.CallArrived(at, other, other, "PJSIP/carrier-2", "13900139000", "", "12345", "consult", "")])
    service.record([f.CallerJoined(at, other, other, "PJSIP/carrier-2", "consult", 1)])
    told = count(database, OutboxEvent)
    for fact in (f.AgentRinging(at, other, "8001", "leg-2", "PJSIP/8001-2"), f.AgentMissed(at, other, "8001", "leg-2")):
        service.record([fact])
        assert state_of(service, "8001") == "talking"
    assert count(database, OutboxEvent) == told
    with database.transaction() as session:
        agent = session.scalars(select(Agent).where(Agent.number == "8001")).one()
        first, second = session.scalars(select(Call).order_by(Call.number))
        assert (agent.call_id, agent.pause_reason, agent.notice) == (first.id, None, None)
        assert (first.state, second.state) == ("talking", "queued")
        assert session.scalar(select(CallLeg.outcome).where(CallLeg.unique_id == "leg-2")) == "cancelled"
    service.record([f.ChannelGone(at, "u-1.0-8001", "PJSIP/8001-u-1.0", 16, "")])
    assert state_of(service, "8001") == "wrapup"


def test_a_seat_that_the_exchange_refuses_keeps_no_other_from_being_put_right(
    service: TelephonyService, switch: FakeSwitch
) -> None:
    switch.refused = {"8001", "8099"}
    switch.seats = {("8099", "consult"): False, ("8098", "consult"): False}
    service.reconcile()
    assert switch.seats == {("8099", "consult"): False, ("8002", "consult"): False, ("8002", "enterprise"): False}


def test_a_seat_that_the_exchange_refuses_keeps_nobody_else_in_the_after_call_work(
    service: TelephonyService, switch: FakeSwitch, clock: FakeClock
) -> None:
    for number, agent in enumerate(("8001", "8002")):
        talking(service, clock, f"u-{number}.0", agent)
        service.record([f.ChannelGone(clock.now(), f"u-{number}.0-{agent}", f"PJSIP/{agent}-u", 16, "")])
        clock.advance(1)
    clock.advance(3600)
    switch.refused = {"8001"}
    assert service.expire_wrapups() == 1
    assert (state_of(service, "8001"), state_of(service, "8002")) == ("wrapup", "ready")


def test_a_member_whom_nobody_logged_in_is_put_out(service: TelephonyService, switch: FakeSwitch) -> None:
    switch.seats[("8099", "consult")] = False
    suspects = service.reconcile(frozenset())
    assert ("8099", "consult") in switch.seats
    service.reconcile(suspects)
    assert ("8099", "consult") not in switch.seats


class UpLine:
    """A connection to the exchange that is up and silent."""

    is_up = True

    def subscribe(self, *_: object) -> None: ...
    def start(self) -> None: ...
    def close(self) -> None: ...


class Ears:
    """Remembers which taps were announced, and who was not to be listened to."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, uuid.UUID]] = []
        self.held: dict[str, bool] = {}

    def open(self, call_id: uuid.UUID, party: str, tap_id: uuid.UUID, origin_at: datetime) -> str:
        self.opened.append((party, tap_id))
        return "127.0.0.1:1"

    def hold(self, call_id: uuid.UUID, party: str, on: bool) -> None:
        self.held[party] = on

    def close(self, call_id: uuid.UUID) -> None:
        self.held.clear()


def test_a_bridge_listens_to_who_talks_and_tries_again_where_it_could_not(
    service: TelephonyService, switch: FakeSwitch, clock: FakeClock, tmp_path: Path
) -> None:
    ears = Ears()
    bridge = Bridge(service, switch, UpLine(), clock, tmp_path, ears)
    switch.channels = talking(service, clock)
    switch.refused = {"u-1.0"}
    bridge.on_up()
    switch.refused.clear()
    bridge.on_up()
    bridge.on_up()
    (first, citizen_tap), (second, agent_tap), again = ears.opened
    assert (first, second, again) == ("citizen", "agent", ("citizen", citizen_tap))
    # One that Asterisk could not start, and one that broke off.
    bridge.on_fact(f.TapFailed(clock.now(), f"tap-{citizen_tap}"))
    bridge.on_fact(f.ChannelGone(clock.now(), f"tap-{agent_tap}", "AudioSocket/x", 16, ""))
    bridge.on_up()
    assert ears.opened[3] == ("citizen", citizen_tap)
    assert ears.opened[4][0] == "agent"
    assert ears.opened[4][1] != agent_tap
    # The end of a hold was told while the bridge was away.
    bridge.on_fact(f.Held(clock.now(), "u-1.0-8001"))
    assert ears.held == {"citizen": True, "agent": True}
    bridge.on_up()
    assert ears.held == {"citizen": False, "agent": False}
    assert len(ears.opened) == 5


@pytest.mark.parametrize("reason", ["", "  ", "x\ny", "长" * 41])
def test_a_pause_needs_a_reason_that_can_be_read(service: TelephonyService, reason: str) -> None:
    with pytest.raises(PauseReasonError):
        service.pause_agent(service.list_agents()[0].id, reason)


def test_bad_seats_are_refused(service: TelephonyService) -> None:
    with pytest.raises(UnknownQueueError):
        service.save_agent("8003", "丙", ["nowhere"])
    for number in ("", "80x1", "8001\r\n", "1234567"):
        with pytest.raises(InvalidInputError, match="agent number"):
            service.save_agent(number, "丙", ["consult"])


def test_who_is_logged_out_does_nothing_more(service: TelephonyService) -> None:
    agent_id = service.list_agents()[0].id
    service.log_out_agent(agent_id)
    service.log_out_agent(agent_id)
    for action in (service.ready_agent, service.finish_wrapup, service.extend_wrapup):
        with pytest.raises(AgentStateError):
            action(agent_id)
