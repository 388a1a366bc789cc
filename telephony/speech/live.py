"""Live transcription: taps → endpointing → decoder → normalised, masked text → sink, every hop stamped.

It knows calls by id and parties by name, and nothing of tables or events. The server's loop fills buffers, one thread listens
and runs the detectors, and as many threads decode as the decoder has workers.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from core.clock import Clock, SystemClock
from core.database import new_id
from core.errors import TingjianError, UnavailableError
from telephony.speech.ear import Ear, Noticed, SpeechDetector
from telephony.speech.endpointing import EndpointingRules, Samples, SpeechBegan, Utterance
from telephony.speech.live_queue import Decoded, LiveQueue, Stage, Waiting
from telephony.speech.live_writer import LiveSegment, LiveWriter, TranscriptSink
from telephony.speech.normalization import normalize
from telephony.speech.redaction import PartyRedactor
from telephony.speech.tap_buffer import TapBuffer
from telephony.speech.tap_server import TapServer

log = structlog.get_logger()
_TICK_SECONDS: Final = 0.02
_RETRY_SECONDS: Final = 0.5
_HOTWORDS_SECONDS: Final = 60.0


class LiveDecoder(Protocol):
    """Decodes one utterance at a time in each of its workers.

    `start` loads the weights, or raises UnavailableError with what is wrong with them. `decode` returns the text of up to 30 s
    at 16 kHz, "" when it was no speech, and raises UnavailableError while the decoder is away.
    """

    workers: int

    def start(self) -> None: ...

    def decode(self, pcm: Samples, hotwords: str = "") -> str: ...


@dataclass(frozen=True)
class LiveRules:
    """What live work may cost.

    Attributes:
        shed_seconds: an utterance that has waited longer is given up.
        lag_seconds: from here on the desk is told how far behind the text is.
        tell_seconds: how often it is told.
    """

    shed_seconds: float = 12.0
    lag_seconds: float = 3.0
    tell_seconds: float = 2.0
    endpointing: EndpointingRules = field(default_factory=EndpointingRules)


@dataclass(slots=True)
class _Tap:
    tap_id: uuid.UUID
    call_id: uuid.UUID
    party: str
    origin_at: datetime
    buffer: TapBuffer
    ear: Ear
    is_held: bool = False
    draft: Waiting | None = None


@dataclass(slots=True)
class _Told:
    at: float = float("-inf")
    seconds: float = 0.0
    shed: int = 0


class LiveTranscriber:
    """Turns taps into text. Every public method may be called from any thread and returns at once."""

    def __init__(
        self,
        server: TapServer,
        decoder: LiveDecoder,
        detector: Callable[[], SpeechDetector],
        sink: TranscriptSink,
        *,
        hotwords: Callable[[], str] = lambda: "",
        rules: LiveRules | None = None,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rules = rules or LiveRules()
        self._server, self._decoder, self._detector, self._sink = server, decoder, detector, sink
        self._hotwords = hotwords
        self._words = ""
        self._clock = clock or SystemClock()
        self._monotonic = monotonic
        self._taps: dict[uuid.UUID, _Tap] = {}
        self._redactors: dict[tuple[uuid.UUID, str], tuple[PartyRedactor[uuid.UUID], float]] = {}
        self._told: dict[uuid.UUID, _Told] = {}
        self._queue = LiveQueue(self.rules.shed_seconds, drafts_at_once=decoder.workers // 2)
        self._condition = threading.Condition()
        self._stopping = threading.Event()
        self._writer = LiveWriter(monotonic=monotonic)
        self._threads: list[threading.Thread] = []
        self.decoded = self.withdrawn = self.shed = 0

    def start(self) -> None:
        """Load the weights, listen for taps and begin to work.

        Raises:
            UnavailableError: the weights are missing or damaged, or the address for the taps cannot be had.
        """
        self._decoder.start()
        self._server.start()
        self._writer.start()
        targets = [self._listen_for_ever, self._refresh_for_ever, *[self._decode_for_ever] * self._decoder.workers]
        self._threads = [threading.Thread(target=target, name=target.__name__.strip("_"), daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all taps; text that is decoded already is still written."""
        self._stopping.set()
        with self._condition:
            self._condition.notify_all()
        self._server.stop()
        for thread in self._threads:
            thread.join(5)
        self._writer.stop()

    def open(self, call_id: uuid.UUID, party: str, tap_id: uuid.UUID, origin_at: datetime) -> str:
        """Expect a tap for a party and return the `host:port` to send it to; its seconds count from `origin_at`."""
        ear = Ear(self._detector(), self.rules.endpointing)
        tap = _Tap(tap_id, call_id, party, origin_at, self._server.expect(tap_id), ear)
        with self._condition:
            self._taps[tap_id] = tap
            self._condition.notify_all()
        return self._server.address

    def hold(self, call_id: uuid.UUID, party: str, on: bool) -> None:
        """Stop listening to a party, or listen again; time goes on meanwhile."""
        with self._condition:
            for tap in self._taps.values():
                if tap.call_id == call_id and tap.party == party:
                    tap.is_held = on

    def close(self, call_id: uuid.UUID) -> None:
        """The call is over: end its taps; what was said is still decoded."""
        with self._condition:
            tap_ids = [tap.tap_id for tap in self._taps.values() if tap.call_id == call_id]
        for tap_id in tap_ids:
            self._server.drop(tap_id)

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until everything heard so far is written; return whether that came about in time."""
        deadline = self._monotonic() + timeout_seconds
        while self._monotonic() < deadline:
            with self._condition:
                is_heard = all(not tap.buffer.is_ended for tap in self._taps.values())
                is_decoded = not len(self._queue) and not self._queue.is_busy
            if is_heard and is_decoded and self._writer.is_idle():
                return True
            time.sleep(_TICK_SECONDS)
        return False

    def totals(self) -> dict[str, float]:
        """Return figures for the metrics."""
        with self._condition:
            waiting = float(len(self._queue))
        mine = {"utterances_waiting": waiting, "utterances_decoded": float(self.decoded), "utterances_shed": float(self.shed)}
        mine["drafts_withdrawn"] = float(self.withdrawn)
        return self._server.totals() | mine | {"writes_lost": float(self._writer.lost)}

    # The listener's thread

    def _listen_for_ever(self) -> None:
        while not self._stopping.is_set():
            with self._condition:
                while not self._taps and not self._told and not self._stopping.is_set():
                    self._condition.wait()
                taps = list(self._taps.values())
            for tap in taps:
                try:
                    self._listen(tap)
                except Exception as error:  # the outermost loop of this thread: one bad stream must not deafen the others
                    log.exception("tap_listening_failed", call_id=str(tap.call_id), party=tap.party, error=repr(error)[:300])
                    self._forget(tap)
            self._shed_and_tell(self._monotonic())
            self._stopping.wait(_TICK_SECONDS)

    def _listen(self, tap: _Tap) -> None:
        is_ended = tap.buffer.is_ended  # read first: what came before the end is in the buffer by now
        chunks = tap.buffer.take(self._monotonic())
        noticed = tap.ear.flush() + tap.ear.pass_over(chunks) if tap.is_held else tap.ear.hear(chunks)
        if is_ended:
            noticed += tap.ear.flush()
        for each in noticed:
            self._notice(tap, each)
        self._draft(tap)
        if is_ended:
            self._forget(tap)

    def _notice(self, tap: _Tap, noticed: Noticed) -> None:
        if isinstance(noticed.what, SpeechBegan):
            started_at = self._moment(noticed.last_sample_at)
            self._writer.put("speech_started", lambda: self._sink.on_speech_started(tap.call_id, tap.party, started_at))
            return
        now = self._monotonic()
        with self._condition:
            draft, tap.draft = tap.draft, None
            if draft is not None and draft.utterance.end_seconds == noticed.what.end_seconds:
                draft.last_sample_at, draft.endpoint_at = noticed.last_sample_at, now
                self._queue.confirm(draft)
                if draft.decoded is not None:
                    self._write(draft, draft.decoded)
            else:
                self._withdraw(draft)
                self._queue.add(self._waiting(tap, noticed.what, noticed.last_sample_at, now))
            self._told.setdefault(tap.call_id, _Told())
            self._condition.notify_all()

    def _draft(self, tap: _Tap) -> None:
        """Put what a pause may have ended before the decoder, and take it away when the party speaks on."""
        with self._condition:
            if tap.draft is not None and not tap.ear.is_pausing:
                self._withdraw(tap.draft)
                tap.draft = None
            elif tap.draft is None and tap.ear.is_pausing:
                now = self._monotonic()
                tap.draft = self._waiting(tap, tap.ear.draft(), now, now)
                tap.draft.stage = Stage.DRAFT
                self._queue.add_draft(tap.draft)
                self._condition.notify_all()

    def _waiting(self, tap: _Tap, utterance: Utterance, last_sample_at: float, now: float) -> Waiting:
        began_at = self._moment(tap.buffer.began_at or now)
        offset = max(0.0, (began_at - tap.origin_at).total_seconds())
        return Waiting(tap.call_id, tap.party, utterance, last_sample_at, now, tap.origin_at, offset)

    def _withdraw(self, draft: Waiting | None) -> None:
        if draft is not None:
            self._queue.withdraw(draft)
            self.withdrawn += 1

    def _forget(self, tap: _Tap) -> None:
        with self._condition:
            self._taps.pop(tap.tap_id, None)
            self._withdraw(tap.draft)

    def _shed_and_tell(self, now: float) -> None:
        with self._condition:
            for waiting in self._queue.shed(now):
                self._give_up(waiting)
            for call_id, told in list(self._told.items()):
                self._tell(call_id, told, now)
            live = {tap.call_id for tap in self._taps.values()} | set(self._told)
            self._redactors = {lane: kept for lane, kept in self._redactors.items() if lane[0] in live}

    def _tell(self, call_id: uuid.UUID, told: _Told, now: float) -> None:
        lag = self._queue.lag(call_id, now)
        seconds = round(lag, 1) if lag >= self.rules.lag_seconds else 0.0
        news = told.shed or (seconds and now - told.at >= self.rules.tell_seconds) or (told.seconds and not seconds)
        if news and (now - told.at >= self.rules.tell_seconds or not seconds):
            shed, told.shed = told.shed, 0
            told.at, told.seconds = now, seconds
            self._writer.put("lag", lambda: self._sink.on_lag(call_id, seconds, shed))
        if not lag and not told.shed and not told.seconds and not any(tap.call_id == call_id for tap in self._taps.values()):
            del self._told[call_id]

    def _give_up(self, waiting: Waiting) -> None:
        self.shed += 1
        self._told.setdefault(waiting.call_id, _Told()).shed += 1
        log.warning("utterance_shed", call_id=str(waiting.call_id), party=waiting.party, seconds=waiting.seconds)

    # The hotwords' thread: asking for them may take a while, and no utterance should wait for it

    def _refresh_for_ever(self) -> None:
        while not self._stopping.is_set():
            try:
                self._words = self._hotwords()
            except TingjianError as error:  # the last ones will do
                log.warning("hotwords_unavailable", error=str(error)[:200])
            self._stopping.wait(_HOTWORDS_SECONDS)

    # The decoding threads

    def _decode_for_ever(self) -> None:
        while not self._stopping.is_set():
            with self._condition:
                waiting = self._queue.take()
                if waiting is None:
                    self._condition.wait(1.0)
                    continue
            try:
                self._decode(waiting)
            except Exception as error:  # the outermost loop of this thread: one bad utterance must not end the text of all calls
                log.exception("utterance_failed", call_id=str(waiting.call_id), error=repr(error)[:300])
            finally:
                with self._condition:
                    self._queue.finish(waiting)
                    self._condition.notify_all()

    def _decode(self, waiting: Waiting) -> None:
        while not self._stopping.is_set() and waiting.stage is not Stage.WITHDRAWN:
            started = self._monotonic()
            try:
                text = self._decoder.decode(waiting.utterance.pcm, self._words)
            except UnavailableError as error:
                if self._monotonic() - waiting.endpoint_at > self.rules.shed_seconds:
                    log.warning("decoder_unavailable", error=str(error))
                    with self._condition:
                        if waiting.stage is Stage.OVER:
                            self._give_up(waiting)
                    return
                self._stopping.wait(_RETRY_SECONDS)
                continue
            with self._condition:
                waiting.decoded = Decoded(normalize(text), started, self._monotonic())
                if waiting.stage is Stage.OVER:
                    self._write(waiting, waiting.decoded)
            return

    def _write(self, waiting: Waiting, decoded: Decoded) -> None:
        self.decoded += 1
        if not decoded.text:
            return
        start = waiting.offset_seconds + waiting.utterance.start_seconds
        end = waiting.offset_seconds + waiting.utterance.end_seconds
        segment_id = new_id()
        with self._condition:
            redactor, last_end = self._redactors.get(waiting.lane, (PartyRedactor[uuid.UUID](), start))
            redacted = redactor.redact(segment_id, decoded.text, pause_seconds=start - last_end)
            self._redactors[waiting.lane] = (redactor, end)
        moments = {
            "last_sample": waiting.last_sample_at,
            "endpoint": waiting.endpoint_at,
            # What was decoded before the end was certain, nobody waited for.
            "decode_start": max(decoded.started_at, waiting.endpoint_at),
            "decode_end": max(decoded.ended_at, waiting.endpoint_at),
        }

        def write() -> None:
            now = self._monotonic()
            hops = {name: self._moment(at).timestamp() for name, at in (moments | {"commit": now}).items()}
            started_at = waiting.origin_at + timedelta(seconds=start)
            lag = now - waiting.last_sample_at
            self._sink.on_segment(
                LiveSegment(segment_id, waiting.call_id, waiting.party, start, end, started_at, redacted.text, lag, hops)
            )

        # Amendments first: a number must not stand half open beside its masked end.
        for amendment in redacted.amendments:
            self._writer.put("amendment", self._amending(waiting.call_id, amendment.key, amendment.text))
        self._writer.put("segment", write)

    def _amending(self, call_id: uuid.UUID, segment_id: uuid.UUID, text: str) -> Callable[[], None]:
        return lambda: self._sink.on_amendment(call_id, segment_id, text)

    def _moment(self, monotonic: float) -> datetime:
        """Return the wall-clock time of a moment of the monotonic clock."""
        return self._clock.now() - timedelta(seconds=self._monotonic() - monotonic)
