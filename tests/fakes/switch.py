"""A Switch of values: remembers seats and what it was asked, and can be away."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from telephony.ports import CallTrace, Dial, LiveChannel, NotSeatedError, OutboundTrace, Seat, SwitchState


@dataclass
class FakeSwitch:
    """Put channels, registered and refused agents and traces in; look at seats, `dials`, `asked`. An attempt is dialled once."""

    channels: list[LiveChannel] = field(default_factory=list)
    registered: set[str] = field(default_factory=set)
    notes: list[CallTrace] = field(default_factory=list)
    telephones: dict[str, str] = field(default_factory=dict)
    seats: dict[tuple[str, str], bool] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    dials: list[Dial] = field(default_factory=list)
    outbound: dict[uuid.UUID, OutboundTrace] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    is_away: bool = False

    def provision(self, agent_number: str, password: str) -> None:
        self._ask("provision", agent_number)
        self.telephones[agent_number] = password

    def withdraw(self, agent_number: str) -> None:
        self._ask("withdraw", agent_number)
        self.telephones.pop(agent_number, None)

    def log_in(self, agent_number: str, name: str, queues: Sequence[str]) -> None:
        self._ask("log_in", agent_number, *queues)
        self.seats |= {(agent_number, queue): True for queue in queues}

    def log_out(self, agent_number: str, queues: Sequence[str]) -> None:
        self._ask("log_out", agent_number, *queues)
        for queue in queues:
            self.seats.pop((agent_number, queue), None)

    def pause(self, agent_number: str, reason: str) -> None:
        self._ask("pause", agent_number, reason)
        self._set_paused(agent_number, True)

    def unpause(self, agent_number: str) -> None:
        self._ask("unpause", agent_number)
        self._set_paused(agent_number, False)

    def hang_up(self, channel: str) -> None:
        self._ask("hang_up", channel)
        self._channel(channel)
        self.channels = [live for live in self.channels if live.channel != channel]

    def transfer(self, agent_channel: str, extension: str) -> None:
        self._ask("transfer", agent_channel, extension)
        self._channel(agent_channel)

    def start_tap(self, unique_id: str, tap_id: str, address: str) -> None:
        self._ask("start_tap", unique_id, tap_id, address)

    def state(self) -> SwitchState:
        self._ask("state")
        seats = tuple(Seat(agent, queue, is_paused) for (agent, queue), is_paused in self.seats.items())
        return SwitchState(tuple(self.channels), seats, frozenset(self.registered))

    def traces(self) -> list[CallTrace]:
        self._ask("traces")
        return [replace(note) for note in self.notes]

    def forget(self, unique_id: str) -> None:
        self._ask("forget", unique_id)
        self.notes = [note for note in self.notes if note.unique_id != unique_id]

    def dial(self, dial: Dial) -> None:
        if not (dial.phone.isascii() and dial.phone.isdigit()) or (dial.then == "queue") != (dial.queue is not None):
            raise InvalidInputError(f"cannot dial {dial.then}")
        self._ask("dial", str(dial.attempt_id), dial.phone)
        if dial.attempt_id not in self.outbound:
            self.dials.append(dial)
            self.outbound[dial.attempt_id] = OutboundTrace(dial.attempt_id)

    def dial_for_agent(
        self, attempt_id: uuid.UUID, phone: str, agent_number: str, ring_seconds: int, valid_until: datetime | None = None
    ) -> None:
        if not (phone.isascii() and phone.isdigit()):
            raise InvalidInputError("not a number")
        self._ask("dial_for_agent", str(attempt_id), phone, agent_number)
        self.outbound.setdefault(attempt_id, OutboundTrace(attempt_id))

    def outbound_traces(self) -> list[OutboundTrace]:
        self._ask("outbound_traces")
        return list(self.outbound.values())

    def forget_outbound(self, attempt_id: uuid.UUID) -> None:
        self._ask("forget_outbound", str(attempt_id))
        self.outbound.pop(attempt_id, None)

    def did(self, name: str) -> list[tuple[str, ...]]:
        """Return what was asked of one kind."""
        return [asked for asked in self.asked if asked[0] == name]

    def _ask(self, *what: str) -> None:
        if self.is_away:
            raise UnavailableError("the exchange is away")
        if self.refused & set(what[1:2]):
            raise ConflictError(f"{what[0]} is refused")
        self.asked.append(what)

    def _set_paused(self, agent_number: str, is_paused: bool) -> None:
        places = [place for place in self.seats if place[0] == agent_number]
        if not places:
            raise NotSeatedError(agent_number)
        self.seats |= dict.fromkeys(places, is_paused)

    def _channel(self, channel: str) -> None:
        if all(live.channel != channel for live in self.channels):
            raise NotFoundError(channel)
