"""Decides which utterance is decoded next, which are too old to be, and how far behind a call's text is. Reads no clock.

Utterances of one party are taken one after another, so that its text keeps its order and a number read out in pieces can be
masked as one; different parties go side by side. In a pause that may be the end of an utterance, a draft of it is taken when
nothing else waits: mostly its text is ready when the end is certain.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from telephony.speech.endpointing import Utterance


class Stage(Enum):
    """How certain an utterance is: its speaker may go on, has ended, or went on (then its draft is nothing)."""

    DRAFT = "draft"
    OVER = "over"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the decoder made of it, and when (seconds of the caller's clock)."""

    text: str
    started_at: float
    ended_at: float


@dataclass(slots=True, eq=False)
class Waiting:
    """An utterance in line, with the moments it has passed (seconds of the caller's clock).

    Its own times count from the tap's first frame, which came `offset_seconds` after `origin_at`. A draft's `decoded` is kept
    until its end is certain.
    """

    call_id: uuid.UUID
    party: str
    utterance: Utterance
    last_sample_at: float
    endpoint_at: float
    origin_at: datetime
    offset_seconds: float = 0.0
    stage: Stage = Stage.OVER
    decoded: Decoded | None = None

    @property
    def seconds(self) -> float:
        """How long the utterance is."""
        return self.utterance.end_seconds - self.utterance.start_seconds

    @property
    def lane(self) -> tuple[uuid.UUID, str]:
        return self.call_id, self.party


@dataclass(slots=True)
class LiveQueue:
    """The line in front of the decoder.

    Attributes:
        shed_seconds: what has waited longer is given up; the recording still has it. Once that happens, whatever has waited
            half as long goes too: one cut and then fresh text is better than text that stays just short of the limit.
        longest: how many may wait at all.
        drafts_at_once: how many drafts may be in the decoder, so that what is certain finds a free worker.
    """

    shed_seconds: float = 12.0
    longest: int = 400
    drafts_at_once: int = 1
    _waiting: list[Waiting] = field(default_factory=list)
    _drafts: list[Waiting] = field(default_factory=list)
    _busy: dict[tuple[uuid.UUID, str], Waiting] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Tell whether anything is in the decoder."""
        return bool(self._busy)

    def add(self, waiting: Waiting) -> None:
        """Put an utterance at the end of the line."""
        self._waiting.append(waiting)

    def add_draft(self, draft: Waiting) -> None:
        """Let a draft wait until nothing else does."""
        self._drafts.append(draft)

    def confirm(self, draft: Waiting) -> None:
        """It was the end: a draft that nobody has taken waits like the others from now on."""
        draft.stage = Stage.OVER
        if draft in self._drafts:
            self._drafts.remove(draft)
            self._waiting.append(draft)

    def withdraw(self, draft: Waiting) -> None:
        """The speaker went on."""
        draft.stage = Stage.WITHDRAWN
        if draft in self._drafts:
            self._drafts.remove(draft)

    def shed(self, now: float) -> list[Waiting]:
        """Take out and return what is too old to be worth decoding."""
        overfull = len(self._waiting) > self.longest
        if not self._waiting or (not overfull and now - self._waiting[0].endpoint_at <= self.shed_seconds):
            return []
        limit = now - self.shed_seconds / 2
        given_up = [w for i, w in enumerate(self._waiting) if w.endpoint_at < limit or i < len(self._waiting) - self.longest]
        gone = {id(w) for w in given_up}
        self._waiting = [w for w in self._waiting if id(w) not in gone]
        return given_up

    def take(self) -> Waiting | None:
        """Return the oldest utterance whose party has none in the decoder, or else such a draft, and mark that party busy."""
        is_room_for_drafts = sum(each.stage is not Stage.OVER for each in self._busy.values()) < self.drafts_at_once
        for line in (self._waiting, self._drafts if is_room_for_drafts else []):
            for waiting in line:
                if waiting.lane not in self._busy:
                    line.remove(waiting)
                    self._busy[waiting.lane] = waiting
                    return waiting
        return None

    def finish(self, waiting: Waiting) -> None:
        """Let the party's next utterance go."""
        self._busy.pop(waiting.lane, None)

    def lag(self, call_id: uuid.UUID, now: float) -> float:
        """Return for how long the call's oldest undecoded utterance has been over, in seconds; 0 when there is none."""
        owed = [w for w in (*self._waiting, *self._busy.values()) if w.call_id == call_id and w.stage is Stage.OVER]
        ends = [w.last_sample_at for w in owed]
        return max(0.0, now - min(ends)) if ends else 0.0
