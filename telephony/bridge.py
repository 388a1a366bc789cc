"""The process that follows one Asterisk: its events become facts, facts become rows, and rows have consequences at the switch.

Nothing is kept here that another bridge could not rebuild: after every connection the exchange is asked for its whole state.
"""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from core.clock import Clock
from core.errors import TingjianError, UnavailableError
from telephony import ami_facts as f
from telephony.agent_state import MISSED
from telephony.ami_protocol import AmiMessage
from telephony.outbound import AGENT_CHANNEL, attempt_of
from telephony.ports import Switch
from telephony.reconciliation import Talk
from telephony.recordings import RecordingWatch
from telephony.service import TelephonyService

log = structlog.get_logger()
PARTIES = ("citizen", "agent")
_ON_CALL = "通话"
_BOOTED = "FullyBooted"
_TICK_SECONDS = 1.0
_RECORDING_SECONDS = 2.0
_COMPARE_SECONDS = 15.0
_RETRY_SECONDS = 0.5


class LiveText(Protocol):
    """Who listens to the taps."""

    def open(self, call_id: uuid.UUID, party: str, tap_id: uuid.UUID, origin_at: datetime) -> str:
        """Expect a tap and return the `host:port` to send it to."""
        ...

    def hold(self, call_id: uuid.UUID, party: str, on: bool) -> None:
        """Stop listening to a party, or listen again."""
        ...

    def close(self, call_id: uuid.UUID) -> None:
        """The call is over."""
        ...


class SwitchLine(Protocol):
    """The connection to the exchange, as far as the bridge holds it."""

    @property
    def is_up(self) -> bool:
        """Whether the exchange answers now."""
        ...

    def subscribe(self, on_event: Callable[[AmiMessage], None], on_up: Callable[[], None], on_down: Callable[[], None]) -> None:
        """Say who hears events; before `start`."""
        ...

    def start(self) -> None:
        """Connect, and stay connected."""
        ...

    def close(self) -> None:
        """Disconnect for good."""
        ...


class Bridge:
    """One bridge of one node."""

    def __init__(
        self,
        service: TelephonyService,
        switch: Switch,
        line: SwitchLine,
        clock: Clock,
        recordings: Path,
        live_text: LiveText | None = None,
    ) -> None:
        self._service = service
        self._switch = switch
        self._line = line
        self._clock = clock
        self._recordings = recordings
        self._live_text = live_text
        self._watch = RecordingWatch(recordings)
        # One writer at a time: the comparison and the facts touch the same calls and agents.
        self._writing = threading.RLock()
        self._stopping = threading.Event()
        self._suspects: frozenset[str] = frozenset()
        self._contacts: dict[str, set[str]] = {}
        # The tap of each party's channel, and whose could not be started.
        self._taps: dict[str, uuid.UUID] = {}
        self._untapped: set[str] = set()
        self._calls: dict[str, uuid.UUID] = {}

    # --- the process

    def run(self, stopping: threading.Event) -> None:
        """Follow the exchange until told to stop."""
        self._line.subscribe(self.on_event, self.on_up, self.on_down)
        self._line.start()
        periodic: list[tuple[float, Callable[[], object]]] = [
            (_TICK_SECONDS, self._service.expire_wrapups),
            (_RECORDING_SECONDS, self._look_at_recordings),
            (_COMPARE_SECONDS, self._compare),
        ]
        due = [time.monotonic() + seconds for seconds, _ in periodic]
        while not stopping.wait(0.2):
            for number, (seconds, work) in enumerate(periodic):
                if time.monotonic() >= due[number]:
                    self._try(work)
                    due[number] = time.monotonic() + seconds
        self._stopping.set()
        self._line.close()

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except UnavailableError as error:
            log.info("bridge_waits", work=getattr(work, "__name__", "work"), error=str(error)[:200])
        except Exception:
            log.exception("bridge_work_failed", work=getattr(work, "__name__", "work"))

    def _look_at_recordings(self) -> None:
        lost = self._watch.look(self._service.running_recordings(), self._clock.now())
        for recording_id, reason in lost.items():
            self._service.lose_recording(recording_id, reason)
        self._service.finish_recordings(self._recordings)

    def _compare(self) -> None:
        if self._line.is_up:
            with self._writing:
                self._suspects = self._service.reconcile(self._suspects)
                self._service.reconcile_outbound()
                self._open_taps()

    # --- what the exchange tells, on one thread

    def on_up(self) -> None:
        """Ask for everything: what happened while we were away, nobody will tell us."""

        self._patiently(self._take_stock, give_up=lambda: not self._line.is_up)

    def _take_stock(self) -> None:
        with self._writing:
            self._service.reconcile()
            self._service.reconcile_outbound()
            self._suspects = frozenset()
        self._service.provision_agents()
        log.info("bridge_up", talks=self._open_taps())

    def on_down(self) -> None:
        """Note that the exchange is away; calls stay as they are until it tells what became of them."""
        log.warning("bridge_down")

    def on_event(self, message: AmiMessage) -> None:
        """Take an event: record its facts, then act on them."""
        if message.name == _BOOTED:
            # The port answers a little before the queues and telephones are there.
            self.on_up()
        for fact in f.facts(message, self._clock.now()):
            self.on_fact(fact)

    def on_fact(self, fact: f.Fact) -> None:
        """Record a fact, however long the database takes, then act on it."""

        def record() -> None:
            with self._writing:
                self._service.record([fact])

        self._patiently(record)
        react = self._reactions.get(type(fact))
        if react is not None:
            try:
                react(self, fact)
            except TingjianError as error:
                # What the switch does not do now, the next comparison asks for again.
                log.warning("reaction_failed", fact=type(fact).__name__, error=str(error)[:200])

    def _patiently(self, work: Callable[[], None], give_up: Callable[[], bool] = lambda: False) -> None:
        """Do the work; while the database is away wait, for events queue up behind and none may be lost."""
        while not self._stopping.is_set():
            try:
                return work()
            except UnavailableError as error:
                log.warning("bridge_waits", error=str(error)[:200])
                if give_up():
                    return None
                self._stopping.wait(_RETRY_SECONDS)
        return None

    # --- consequences

    def _after_connected(self, fact: f.AgentConnected) -> None:
        # From here on no call comes until the after-call work is done, even if we die meanwhile.
        self._open_taps()
        self._switch.pause(fact.agent, _ON_CALL)

    def _after_missed(self, fact: f.AgentMissed) -> None:
        # The queue has paused the agent by itself; a call that was passed on directly has not.
        self._switch.pause(fact.agent, MISSED)

    def _after_joined(self, fact: f.CallerJoined) -> None:
        self._hold(fact.unique_id, True)

    def _after_held(self, fact: f.Held) -> None:
        self._hold(fact.unique_id, True)

    def _after_unheld(self, fact: f.Unheld) -> None:
        self._hold(fact.unique_id, False)

    def _after_gone(self, fact: f.ChannelGone) -> None:
        with self._writing:
            # Where only the tap is gone and not the party, the next comparison opens another.
            for party in {fact.unique_id, *self._parties_of(fact.unique_id)}:
                self._taps.pop(party, None)
                self._untapped.discard(party)
            call_id = self._calls.pop(fact.unique_id, None)
            is_last = call_id not in self._calls.values()
        if call_id is not None and is_last and self._live_text is not None:
            self._live_text.close(call_id)
        if f.is_citizen_channel(fact.channel):
            self._switch.forget(fact.unique_id)
        attempt_id = attempt_of(fact.unique_id)
        if attempt_id is not None and fact.unique_id.startswith(AGENT_CHANNEL):
            self._service.release_agent(attempt_id)

    def _after_contact(self, fact: f.ContactChanged) -> None:
        contacts = self._contacts.setdefault(fact.agent, set())
        if fact.is_reachable:
            contacts.add(fact.address)
            return
        contacts.discard(fact.address)
        # A new browser may have taken the old one's place; without any the citizen need not wait for the ringing to end.
        if not contacts and self._service.release_ringing(fact.agent):
            log.warning("ringing_released", agent=fact.agent)

    def _after_not_reached(self, fact: f.AgentNotReached) -> None:
        self._service.release_agent(fact.attempt)

    def _after_over(self, fact: f.OutboundOver) -> None:
        self._switch.forget_outbound(fact.attempt)

    def _after_tap_failed(self, fact: f.TapFailed) -> None:
        log.warning("tap_failed", tap=fact.tap_channel)
        with self._writing:
            self._untapped |= self._parties_of(fact.tap_channel)

    _reactions: dict[type[f.Fact], Callable[["Bridge", f.Fact], None]] = {  # noqa: RUF012
        f.AgentConnected: _after_connected,  # type: ignore[dict-item]
        f.AgentMissed: _after_missed,  # type: ignore[dict-item]
        f.CallerJoined: _after_joined,  # type: ignore[dict-item]
        f.Held: _after_held,  # type: ignore[dict-item]
        f.Unheld: _after_unheld,  # type: ignore[dict-item]
        f.ChannelGone: _after_gone,  # type: ignore[dict-item]
        f.ContactChanged: _after_contact,  # type: ignore[dict-item]
        f.AgentNotReached: _after_not_reached,  # type: ignore[dict-item]
        f.OutboundOver: _after_over,  # type: ignore[dict-item]
        f.TapFailed: _after_tap_failed,  # type: ignore[dict-item]
    }

    def _open_taps(self) -> int:
        """Listen to every party of every conversation that is not listened to yet; return how many conversations there are."""
        with self._writing:
            talks = self._service.talks()
            if self._live_text is not None:
                for talk in talks:
                    self._listen(self._live_text, talk)
            return len(talks)

    def _listen(self, live_text: LiveText, talk: Talk) -> None:
        for party, unique_id in zip(PARTIES, (talk.citizen_unique_id, talk.agent_unique_id), strict=True):
            self._calls[unique_id] = talk.call_id
            if unique_id not in self._taps or unique_id in self._untapped:
                # Tried again under the same name, which takes the place of the one that nobody came for.
                tap_id = self._taps.setdefault(unique_id, uuid.uuid4())
                self._untapped.discard(unique_id)
                address = live_text.open(talk.call_id, party, tap_id, talk.started_at)
                try:
                    self._switch.start_tap(unique_id, str(tap_id), address)
                except TingjianError as error:
                    self._untapped.add(unique_id)
                    log.warning("tap_failed", call_id=str(talk.call_id), party=party, error=str(error)[:200])
            live_text.hold(talk.call_id, party, talk.is_held)

    def _parties_of(self, tap_channel: str) -> set[str]:
        """Return the channel that is listened to by a tap's, if it is one."""
        return {party for party, tap in self._taps.items() if tap_channel.endswith(str(tap))}

    def _hold(self, unique_id: str, on: bool) -> None:
        call_id = self._calls.get(unique_id)
        if call_id is not None and self._live_text is not None:
            for party in PARTIES:
                self._live_text.hold(call_id, party, on)
