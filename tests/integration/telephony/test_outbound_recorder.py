"""Calls that we place, as facts played into the service: each attempt asked for once, each step told once, in any order."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from core.database import Database
from core.errors import ConflictError, InvalidInputError, UnavailableError
from core.heartbeat import STALE_SECONDS, ProcessHeartbeat, beat
from core.outbox import OutboxEvent
from core.settings import Settings
from telephony import ami_facts as f
from telephony.call_actions import AgentNotReadyError
from telephony.door import TelephonyRules
from telephony.models import Agent, AgentQueue, AgentStateChange, Call, CallEvent, CallLeg, OutboundDial, Recording
from telephony.outbound import AGENT_CHANNEL, DIAL_CHANNEL, channel_of
from telephony.ports import Dial, LiveChannel, OutboundResult, OutboundTrace, SwitchState
from telephony.service import TelephonyService
from tests.fakes.clock import FakeClock
from tests.fakes.switch import FakeSwitch

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PHONE, CITIZEN = "13800138000", "node1-1795411185.3"
_TABLES = (OutboundDial, Recording, CallEvent, CallLeg, AgentStateChange, Call, AgentQueue, Agent, OutboxEvent, ProcessHeartbeat)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Site:
    """A service over a simulated exchange."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.switch = database, FakeClock(NOW), FakeSwitch()
        self.service = TelephonyService(database, self.clock, self.switch, TelephonyRules.of(Settings(_env_file=None)))
        self.service.ensure_queues({"consult": "办事咨询"})
        self.agent_id = self.service.save_agent("8001", "甲", ["consult"])
        self.service.record([f.LineChanged(NOW, "8001", True)])
        self.service.log_in_agent(self.agent_id)
        self.service.ready_agent(self.agent_id)

    def dialled(self, then: str = "ivr", queue: str | None = None) -> uuid.UUID:
        attempt_id = uuid.uuid4()
        self.service.dial_out(Dial(attempt_id, PHONE, then, queue))  # type: ignore[arg-type]
        return attempt_id

    def agent_dialled(self) -> uuid.UUID:
        attempt_id = uuid.uuid4()
        self.service.dial_for_agent(self.agent_id, PHONE, attempt_id)
        return attempt_id

    def trace(self, attempt_id: uuid.UUID) -> OutboundTrace:
        (trace,) = self.service.outbound([attempt_id])
        return trace

    def events(self, *names: str) -> list[OutboxEvent]:
        with self.database.transaction() as session:
            rows = session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
            return [row for row in rows if row.name in names]

    def state(self) -> str:
        with self.database.transaction() as session:
            agent = session.get(Agent, self.agent_id)
            assert agent is not None
            return agent.state

    def call(self) -> Call:
        with self.database.transaction() as session:
            return session.scalars(select(Call)).one()


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    yield Site(database)
    with database.transaction() as session:
        for table in _TABLES:
            session.execute(delete(table))


def test_an_attempt_is_asked_for_once(site: Site) -> None:
    attempt_id = site.dialled()
    with pytest.raises(ConflictError):
        site.service.dial_out(Dial(attempt_id, PHONE, "ivr"))
    assert [dial.attempt_id for dial in site.switch.dials] == [attempt_id]
    assert site.switch.dials[0].valid_until == at(30)


def test_an_attempt_that_may_have_reached_the_exchange_is_not_asked_for_again(site: Site) -> None:
    attempt_id = uuid.uuid4()
    site.switch.is_away = True
    with pytest.raises(UnavailableError):
        site.service.dial_out(Dial(attempt_id, PHONE, "ivr"))
    site.switch.is_away = False
    with pytest.raises(ConflictError):
        site.service.dial_out(Dial(attempt_id, PHONE, "ivr"))
    assert site.switch.dials == []
    # Nothing is known of it: after a minute nothing ever will be.
    assert site.service.reconcile_outbound([attempt_id])[0].ended_at is None
    site.clock.advance(61)
    (trace,) = site.service.reconcile_outbound([attempt_id])
    assert (trace.result, trace.cause, trace.dialled_at) == (OutboundResult.FAILED, "never_dialled", None)
    assert len(site.events("OutboundEnded")) == 1


@pytest.mark.parametrize("phone", ["", "12a", "+8613800138000", "1380013800０", "1" * 21, "1;2", "${X}"])
def test_what_is_no_number_is_not_dialled(site: Site, phone: str) -> None:
    with pytest.raises(InvalidInputError):
        site.service.dial_out(Dial(uuid.uuid4(), phone, "ivr"))
    with pytest.raises(InvalidInputError):
        site.service.dial_for_agent(site.agent_id, phone, uuid.uuid4())
    assert site.switch.outbound == {}
    assert site.state() == "ready"


def test_a_survey_call_from_dialling_to_its_end(site: Site) -> None:
    attempt_id = site.dialled()
    story = [
        f.OutboundDialled(at(1), attempt_id),
        f.OutboundUp(at(5), attempt_id, CITIZEN),
        f.OutboundOver(at(45), attempt_id, "ANSWER", 16),
    ]
    for fact in (*story, *story):
        site.service.record([fact])
    trace = site.trace(attempt_id)
    assert (trace.dialled_at, trace.answered_at, trace.ended_at) == (at(1), at(5), at(45))
    assert (trace.result, trace.cause, trace.unique_id) == (OutboundResult.ANSWERED, "ANSWER 16", CITIZEN)
    answered, ended = site.events("OutboundAnswered", "OutboundEnded")
    assert answered.payload["attempt_id"] == str(attempt_id)
    assert (ended.payload["result"], ended.payload["answered_seconds"]) == ("answered", 40)


def test_facts_in_any_order_end_it_once(site: Site) -> None:
    for seed in range(6):
        attempt_id = site.dialled()
        story: list[f.Fact] = [
            f.OutboundDialled(at(1), attempt_id),
            f.OutboundUp(at(5), attempt_id, CITIZEN),
            f.OutboundOver(at(45), attempt_id, "ANSWER", 16),
        ]
        random.Random(seed).shuffle(story)
        for fact in story:
            site.service.record([fact])
        assert site.trace(attempt_id).result is OutboundResult.ANSWERED
    assert len(site.events("OutboundAnswered")) == len(site.events("OutboundEnded")) == 6


def test_what_happened_while_nobody_followed(site: Site) -> None:
    busy, talks, gone = site.dialled(), site.dialled(), site.dialled()
    stranger = uuid.uuid4()
    site.switch.outbound = {
        busy: OutboundTrace(busy, at(1), None, at(9), OutboundResult.BUSY, "BUSY 17"),
        talks: OutboundTrace(talks, at(1), at(5), unique_id=CITIZEN),
        gone: OutboundTrace(gone, at(1), at(6)),
        stranger: OutboundTrace(stranger, at(1), None, at(2), OutboundResult.BUSY, "BUSY 17"),
    }
    live = LiveChannel(CITIZEN, channel_of(DIAL_CHANNEL, talks), "PJSIP/carrier-1", None, True, False, "outbound-answered", "")
    site.switch.channels = [live]
    site.clock.advance(20)
    traces = {trace.attempt_id: trace for trace in site.service.reconcile_outbound()}
    assert (traces[busy].result, traces[busy].ended_at) == (OutboundResult.BUSY, at(9))
    assert (traces[talks].answered_at, traces[talks].ended_at) == (at(5), None)
    # It was answered, and no channel of it is left: the exchange died in it.
    assert (traces[gone].result, traces[gone].cause) == (OutboundResult.ANSWERED, "lost")
    assert set(site.switch.outbound) == {talks}
    again = {trace.attempt_id: trace for trace in site.service.reconcile_outbound()}
    assert again == traces
    assert len(site.events("OutboundEnded")) == 2


def test_an_agents_own_call(site: Site) -> None:
    attempt_id = site.agent_dialled()
    agent_channel = channel_of(AGENT_CHANNEL, attempt_id)
    assert site.state() == "ringing"
    assert site.switch.seats["8001", "consult"] is True
    recording = "2026/11/23/node1-1795411185.3"
    placed = f.CallPlaced(at(2), CITIZEN, agent_channel, "PJSIP/carrier-1", attempt_id, "8001", agent_channel, "PJSIP/8001-1")
    # While it rings there is nothing to record yet, however long it rings.
    site.service.record([placed])
    assert site.service.running_recordings() == []
    story: list[f.Fact] = [
        f.OutboundDialled(at(2), attempt_id),
        placed,
        f.OutboundUp(at(8), attempt_id, CITIZEN),
        f.AgentConnected(at(8), CITIZEN, "8001", agent_channel, "PJSIP/8001-1", recording),
    ]
    for fact in (*story, *story):
        site.service.record([fact])
    call = site.call()
    assert {row.started_at for row in site.service.reads.recordings(call.id)} == {at(8)}
    assert (call.direction, call.caller_number, call.state, call.agent_id) == ("out", PHONE, "talking", site.agent_id)
    assert site.state() == "talking"
    assert site.trace(attempt_id).call_id == call.id
    assert site.service.board.figures().waiting == 0
    for fact in (
        f.OutboundOver(at(60), attempt_id, "ANSWER", 16),
        f.ChannelGone(at(60), CITIZEN, "PJSIP/carrier-1", 16, ""),
        f.ChannelGone(at(60), agent_channel, "PJSIP/8001-1", 16, ""),
    ):
        site.service.record([fact])
    call = site.call()
    assert (call.outcome, call.talking_seconds, call.waiting_seconds, call.queue_name) == ("answered", 52, None, None)
    assert site.state() == "wrapup"
    assert [row.party for row in site.service.reads.recordings(call.id)] == ["citizen", "agent"]
    # The hotline's own figures know nothing of it.
    assert site.service.live_board().today.offered == 0
    assert [row.call_id for row in site.events("OutboundAnswered", "OutboundEnded")] == [call.id, call.id]


def test_a_citizen_who_does_not_pick_up_leaves_the_agent_as_before(site: Site) -> None:
    attempt_id = site.agent_dialled()
    agent_channel = channel_of(AGENT_CHANNEL, attempt_id)
    placed = f.CallPlaced(at(2), CITIZEN, agent_channel, "PJSIP/carrier-1", attempt_id, "8001", agent_channel, "PJSIP/8001-1")
    site.service.record([placed])
    assert (site.state(), site.call().state) == ("ringing", "ringing")
    assert site.service.board.figures().waiting == 0
    site.service.record([f.ChannelGone(at(30), CITIZEN, "PJSIP/carrier-1", 16, "")])
    site.service.record([f.OutboundOver(at(30), attempt_id, "NOANSWER", 0)])
    site.service.record([f.ChannelGone(at(32), agent_channel, "PJSIP/8001-1", 16, "")])
    site.service.release_agent(attempt_id)
    assert (site.call().outcome, site.call().talking_seconds) == ("failed", None)
    assert site.service.reads.recordings(site.call().id) == []
    assert (site.state(), site.switch.seats["8001", "consult"]) == ("ready", False)
    assert site.trace(attempt_id).result is OutboundResult.NO_ANSWER


def test_an_agent_who_does_not_pick_up_their_own_call(site: Site) -> None:
    attempt_id = site.agent_dialled()
    site.service.record([f.AgentNotReached(at(20), attempt_id), f.AgentNotReached(at(21), attempt_id)])
    site.service.release_agent(attempt_id)
    assert (site.state(), site.switch.seats["8001", "consult"]) == ("ready", False)
    trace = site.trace(attempt_id)
    assert (trace.result, trace.dialled_at) == (OutboundResult.FAILED, None)
    assert trace.cause.startswith("agent")
    assert len(site.events("OutboundEnded")) == 1


def test_a_paused_agent_stays_paused_after_their_own_call(site: Site) -> None:
    site.service.pause_agent(site.agent_id, "会议")
    attempt_id = site.agent_dialled()
    site.service.record([f.AgentNotReached(at(20), attempt_id)])
    site.service.release_agent(attempt_id)
    assert (site.state(), site.switch.seats["8001", "consult"]) == ("paused", True)


def test_an_agent_in_a_call_places_none(site: Site) -> None:
    first = site.agent_dialled()
    with pytest.raises(AgentNotReadyError):
        site.agent_dialled()
    assert list(site.switch.outbound) == [first]


def test_a_waiting_citizen_asks_to_be_rung_back(site: Site) -> None:
    arrived = f.CallArrived(at(0), CITIZEN, CITIZEN, "PJSIP/carrier-1", PHONE, "", "12345", "consult", "")
    joined = f.CallerJoined(at(3), CITIZEN, CITIZEN, "PJSIP/carrier-1", "consult", 1)
    asked = f.CallbackAsked(at(40), CITIZEN)
    for fact in (arrived, joined, asked, asked, f.ChannelGone(at(45), CITIZEN, "PJSIP/carrier-1", 16, "")):
        site.service.record([fact])
    (event,) = site.events("QueueCallbackAsked")
    assert event.payload["phone"] == PHONE
    assert event.payload["queue_name"] == "consult"
    assert datetime.fromisoformat(event.payload["queued_at"]) == at(3)
    call = site.call()
    assert (call.outcome, call.cause, event.call_id) == ("abandoned", "callback_asked", call.id)


def test_who_is_rung_back_waits_like_anybody_and_counts_once(site: Site) -> None:
    attempt_id = site.dialled("queue", "consult")
    linked = channel_of(DIAL_CHANNEL, attempt_id)
    site.service.record([f.OutboundUp(at(5), attempt_id, CITIZEN)])
    site.service.record([f.CallArrived(at(5), CITIZEN, linked, "PJSIP/carrier-1", PHONE, "", "", "consult", "", attempt_id)])
    site.service.record([f.CallerJoined(at(6), CITIZEN, linked, "PJSIP/carrier-1", "consult", 1)])
    assert site.service.line_use().waiting_citizens == 1
    assert site.service.board.figures().waiting == 1
    site.service.record([f.AgentConnected(at(9), CITIZEN, "8001", "node1-1.7", "PJSIP/8001-1")])
    call = site.call()
    assert (call.direction, call.state, call.linkedid) == ("out", "talking", linked)
    assert site.trace(attempt_id).call_id == call.id
    assert site.service.live_board().today.answered == 0


def test_the_question_at_the_end_ends_the_call(site: Site) -> None:
    arrived = f.CallArrived(at(0), CITIZEN, CITIZEN, "PJSIP/carrier-1", PHONE, "", "12345", "consult", "")
    joined = f.CallerJoined(at(1), CITIZEN, CITIZEN, "PJSIP/carrier-1", "consult", 1)
    connected = f.AgentConnected(at(5), CITIZEN, "8001", "node1-1.7", "PJSIP/8001-1")
    begun = f.AfterCallBegun(at(61), CITIZEN)
    gone = f.ChannelGone(at(60), "node1-1.7", "PJSIP/8001-1", 16, "")
    for fact in (arrived, joined, connected, gone, begun, begun, f.ChannelGone(at(80), CITIZEN, "PJSIP/carrier-1", 16, "")):
        site.service.record([fact])
    (offered,) = site.events("AfterCallOffered")
    call = site.call()
    assert (offered.call_id, offered.payload["agent_id"]) == (call.id, str(site.agent_id))
    assert (call.outcome, call.ended_at, call.talking_seconds) == ("answered", at(61), 55)
    assert len(site.events("CallEnded")) == 1
    found = site.service.call_of_channel(CITIZEN)
    assert found is not None
    assert found.call_id == call.id


def citizen(unique_id: str, linked_id: str = "") -> LiveChannel:
    return LiveChannel(unique_id, linked_id or unique_id, f"PJSIP/carrier-{unique_id[-1]}", None, True, True, "", "")


def arrived(seconds: float, unique_id: str, queue: str) -> f.CallArrived:
    return f.CallArrived(at(seconds), unique_id, "", "PJSIP/carrier-1", PHONE, "", "12345", queue, "")


def test_how_busy_the_lines_are(site: Site) -> None:
    site.service.ensure_queues({"enterprise": "企业登记"})
    other = site.service.save_agent("8002", "乙", ["consult", "enterprise"])
    site.service.record([f.LineChanged(NOW, "8002", True)])
    site.service.log_in_agent(other)
    site.service.ready_agent(other)
    site.dialled()
    site.switch.channels = [
        citizen("node1-1.1"),
        LiveChannel("node1-1.2", "node1-1.2", "PJSIP/8001-1", "8001", True, True, "", ""),
        LiveChannel("x", "x", "Local/a@outbound-1;1", None, True, True, "", ""),
    ]
    site.service.record([arrived(-30, "node1-1.1", "consult"), arrived(-10, "node1-1.3", "enterprise")])
    use = site.service.line_use()
    assert (use.total, use.others, use.outbound, use.waiting_citizens) == (30, 1, 1, 2)
    assert use.longest_waits == {"consult": 30, "enterprise": 10}
    assert sorted(use.ready_agents, key=len) == [{"consult"}, {"consult", "enterprise"}]


def test_an_agents_telephone_that_rings_takes_no_line_from_whoever_rings_in(site: Site) -> None:
    own = site.agent_dialled()
    site.switch.channels = [citizen("node1-1.1")]
    use = site.service.line_use()
    assert (use.others, use.outbound) == (1, 1)
    site.switch.channels.append(citizen("node1-1.2", channel_of(AGENT_CHANNEL, own)))
    assert site.service.line_use().others == 1


def test_a_site_without_a_way_out_has_no_line_for_callbacks(site: Site) -> None:
    assert TelephonyRules.of(Settings(_env_file=None, outbound_trunk="")).trunk_lines == 0  # type: ignore[call-arg]


def test_whoever_is_rung_back_is_served_once_an_agents_telephone_rings(site: Site) -> None:
    attempt_id = site.dialled("queue", "consult")
    linked = channel_of(DIAL_CHANNEL, attempt_id)
    site.service.record([f.OutboundUp(at(5), attempt_id, CITIZEN)])
    site.service.record([f.CallArrived(at(5), CITIZEN, linked, "PJSIP/carrier-1", PHONE, "", "", "consult", "", attempt_id)])
    assert site.service.line_use().served == set()
    site.service.record([f.CallerJoined(at(14), CITIZEN, linked, "PJSIP/carrier-1", "consult", 1)])
    assert site.service.line_use().served == set()
    site.service.record([f.AgentConnected(at(19), CITIZEN, "8001", "node1-1.7", "PJSIP/8001-1")])
    assert site.service.line_use().served == {attempt_id}


def test_whether_somebody_is_there_to_speak(site: Site) -> None:
    assert not site.service.line_use().has_ivr
    for detail, is_there in (({"problem": "no connection"}, False), ({"problem": ""}, True)):
        with site.database.transaction() as session:
            beat(session, "ivr", Settings(_env_file=None).node, detail)  # type: ignore[call-arg]
        assert site.service.line_use().has_ivr is is_there
    with site.database.transaction() as session:
        session.execute(update(ProcessHeartbeat).values(at=datetime.now(UTC) - timedelta(seconds=STALE_SECONDS + 5)))
    assert not site.service.line_use().has_ivr


def test_a_call_that_began_while_we_looked_is_not_closed(site: Site) -> None:
    """The exchange was asked for its channels, and then it dialled: nothing of that call was to be seen yet."""
    attempt_id = site.dialled()
    state = site.switch.state

    def state_before_it_dialled() -> SwitchState:
        found = state()
        site.clock.advance(3)
        site.service.record([f.OutboundDialled(at(3), attempt_id)])
        return found

    site.switch.state = state_before_it_dialled  # type: ignore[method-assign]
    (trace,) = site.service.reconcile_outbound([attempt_id])
    assert (trace.dialled_at, trace.ended_at) == (at(3), None)
    # What the exchange forgot is still closed at the next look.
    site.switch.state = state  # type: ignore[method-assign]
    site.clock.advance(15)
    (trace,) = site.service.reconcile_outbound([attempt_id])
    assert (trace.result, trace.cause) == (OutboundResult.FAILED, "lost")
