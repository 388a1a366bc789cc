"""A real Asterisk with the program's configuration, and a bridge that follows it into a real database."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from core.clock import SystemClock
from core.database import Database
from core.jobs import Job
from core.outbox import OutboxEvent
from telephony.adapters.ami_client import AmiAddress, AmiClient
from telephony.adapters.ami_switch import AmiSwitch
from telephony.bridge import Bridge, LiveText
from telephony.door import TelephonyRules
from telephony.models import (
    Agent,
    AgentQueue,
    AgentStateChange,
    Call,
    CallEvent,
    CallLeg,
    CallNote,
    OutboundDial,
    Recording,
    Segment,
    Transcript,
)
from telephony.service import TelephonyService
from tests.asterisk_server import AsteriskServer, Program, agent_phone, citizen, citizens

SPEECH = Path(__file__).parents[2] / "data" / "speech" / "01_yyzz.wav"
_TABLES = (
    OutboundDial,
    CallNote,
    Segment,
    Transcript,
    Recording,
    CallEvent,
    CallLeg,
    AgentStateChange,
    Call,
    AgentQueue,
    Agent,
    OutboxEvent,
    Job,
)


def eventually(what: Callable[[], object], timeout: float = 12.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@dataclass
class Hotline:
    """A bridge and a service on a real Asterisk and database."""

    server: AsteriskServer
    database: Database
    service: TelephonyService
    live_text: LiveText | None = None
    programs: list[Program] = field(default_factory=list)
    _bridge: threading.Thread | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start_bridge(self) -> None:
        self._stopping = threading.Event()
        settings = self.server.settings
        where = AmiAddress("127.0.0.1", settings.ami_port, settings.ami_username, settings.ami_password.get_secret_value())
        line = AmiClient(where)
        switch = AmiSwitch(line, self.server.provisioning, phone="sip", rtp_timeout_seconds=settings.agent_rtp_timeout_seconds)
        service = TelephonyService(self.database, SystemClock(), switch, TelephonyRules.of(settings))
        bridge = Bridge(service, switch, line, SystemClock(), self.server.recordings, self.live_text)
        self._bridge = threading.Thread(target=bridge.run, args=(self._stopping,))
        self._bridge.start()
        eventually(lambda: line.is_up)

    def stop_bridge(self) -> None:
        self._stopping.set()
        if self._bridge is not None:
            self._bridge.join(10)
            assert not self._bridge.is_alive()
            self._bridge = None

    def seat(
        self, number: str, queues: tuple[str, ...] = ("consult",), pick_up_after: float | None = None
    ) -> tuple[uuid.UUID, Program]:
        """Make a seat with a registered telephone, logged in and ready."""
        agent_id = self.service.save_agent(number, f"坐席{number}", queues)
        with self.database.transaction() as session:
            password = session.scalar(select(Agent.sip_password).where(Agent.id == agent_id))
        assert password
        phone = agent_phone(self.server, number, password, pick_up_after)
        self.programs.append(phone)
        eventually(lambda: self.agent(agent_id).is_registered)
        self.service.log_in_agent(agent_id)
        self.service.ready_agent(agent_id)
        return agent_id, phone

    def ring(self, **wanted: object) -> Program:
        """Place a citizen's call."""
        program = citizen(self.server, SPEECH, **wanted)
        self.programs.append(program)
        return program

    def people(self, people: dict[str, dict[str, object]], **more: object) -> Program:
        """Start citizens who can be rung."""
        program = citizens(self.server, people, **more)
        self.programs.append(program)
        return program

    def payloads(self, name: str) -> list[dict[str, object]]:
        """Return what was told by events of a name."""
        with self.database.transaction() as session:
            query = select(OutboxEvent.payload).where(OutboxEvent.name == name).order_by(OutboxEvent.id)
            return list(session.scalars(query))

    def agent(self, agent_id: uuid.UUID) -> Agent:
        with self.database.transaction() as session:
            agent = session.get(Agent, agent_id)
            assert agent is not None
            return agent

    def calls(self) -> list[Call]:
        with self.database.transaction() as session:
            return list(session.scalars(select(Call).order_by(Call.number)))

    def only_call(self) -> Call:
        (call,) = self.calls()
        return call

    def legs(self) -> list[CallLeg]:
        with self.database.transaction() as session:
            return list(session.scalars(select(CallLeg).order_by(CallLeg.id)))

    def recordings(self) -> list[Recording]:
        with self.database.transaction() as session:
            return list(session.scalars(select(Recording).order_by(Recording.party)))

    def story(self, call_id: uuid.UUID) -> list[str]:
        with self.database.transaction() as session:
            query = select(CallEvent.kind).where(CallEvent.call_id == call_id).order_by(CallEvent.at, CallEvent.id)
            return list(session.scalars(query))

    def events(self) -> list[str]:
        with self.database.transaction() as session:
            return list(session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id)))

    def state(self, agent_id: uuid.UUID) -> str:
        return self.agent(agent_id).state


@pytest.fixture
def hotline(asterisk: AsteriskServer, database: Database) -> Iterator[Hotline]:
    """A running bridge over empty tables; every program that a test starts is ended, every channel hung up."""
    switch = asterisk.shared_switch()
    service = TelephonyService(database, SystemClock(), switch, TelephonyRules.of(asterisk.settings))
    service.ensure_queues(asterisk.settings.queue_titles)
    hotline = Hotline(asterisk, database, service)
    hotline.start_bridge()
    yield hotline
    for program in hotline.programs:
        program.close()
    asterisk.command("channel request hangup all")
    eventually(lambda: not switch.state().channels)
    hotline.stop_bridge()
    for trace in switch.traces():
        switch.forget(trace.unique_id)
    for placed in switch.outbound_traces():
        switch.forget_outbound(placed.attempt_id)
    for seat in switch.state().seats:
        switch.log_out(seat.agent, [seat.queue])
    with database.transaction() as session:
        for table in _TABLES:
            session.execute(delete(table))
