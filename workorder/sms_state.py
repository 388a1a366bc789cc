"""The life of a text message, as a table, and what the receipts of its parts say together."""

from collections.abc import Iterable
from enum import StrEnum

from core.errors import ConflictError


class SmsState(StrEnum):
    """Where a message is. `unknown`: the gateway may or may not have taken it, and a person decides."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


class SmsInput(StrEnum):
    """What moves a message: `take` it to the gateway, which did `accept`, `refuse`, `postpone` or `lose` it; and so on."""

    TAKE = "take"
    EXPIRE = "expire"
    ACCEPT = "accept"
    REFUSE = "refuse"
    POSTPONE = "postpone"
    LOSE = "lose"
    RESEND = "resend"
    DELIVER = "deliver"
    FAIL = "fail"


class SmsMoveError(ConflictError):
    """The message is in a state that does not allow this."""

    def __init__(self, state: str, given: str) -> None:
        super().__init__(f"{state}: {given}")
        self.state = state


_S, _I = SmsState, SmsInput
MOVES: dict[SmsState, dict[SmsInput, SmsState]] = {
    _S.QUEUED: {_I.TAKE: _S.SUBMITTING, _I.EXPIRE: _S.FAILED},
    _S.SUBMITTING: {_I.ACCEPT: _S.SUBMITTED, _I.REFUSE: _S.FAILED, _I.POSTPONE: _S.QUEUED, _I.LOSE: _S.UNKNOWN},
    _S.SUBMITTED: {_I.DELIVER: _S.DELIVERED, _I.FAIL: _S.FAILED},
    # A slow answer, a person or a receipt that names the message still settles it; nothing else sends it again.
    _S.UNKNOWN: {
        _I.ACCEPT: _S.SUBMITTED,
        _I.REFUSE: _S.FAILED,
        _I.RESEND: _S.QUEUED,
        _I.DELIVER: _S.DELIVERED,
        _I.FAIL: _S.FAILED,
    },
    _S.DELIVERED: {},
    _S.FAILED: {},
}
FINISHED = frozenset({SmsState.DELIVERED, SmsState.FAILED, SmsState.UNKNOWN})
"""What the asker is told of by SmsFinished."""


def next_state(state: str, given: SmsInput) -> SmsState:
    """Return the state after an input.

    Raises:
        SmsMoveError: the table has no such move.
    """
    after = MOVES[SmsState(state)].get(given)
    if after is None:
        raise SmsMoveError(state, given)
    return after


class ReceiptStatus(StrEnum):
    """What a receipt says of one part. `on_the_way` decides nothing."""

    DELIVERED = "delivered"
    FAILED = "failed"
    ON_THE_WAY = "on_the_way"


WHOLE = 0
"""The part number of a gateway that takes a message whole and cuts it itself."""


def verdict(receipts: Iterable[tuple[int | None, str | None]], part_count: int) -> SmsInput | None:
    """Return what receipts (part number, status) say of the message: delivered with all parts, failed with any, or nothing yet."""
    known = dict(receipts)
    if ReceiptStatus.FAILED in known.values():
        return SmsInput.FAIL
    needed = [WHOLE] if WHOLE in known else list(range(1, part_count + 1))
    return SmsInput.DELIVER if all(known.get(part_no) == ReceiptStatus.DELIVERED for part_no in needed) else None
