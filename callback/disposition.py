"""Decides what an ended attempt means: thirteen words for how it went, in the manner of Surveda, and what each amounts to."""

from enum import StrEnum


class Disposition(StrEnum):
    """How an attempt ended (结果码)."""

    COMPLETED = "completed"
    PARTIAL = "partial"
    REFUSED = "refused"
    OPTED_OUT = "opted_out"
    CALLBACK_ASKED = "callback_asked"
    WRONG_NUMBER = "wrong_number"
    INVALID_NUMBER = "invalid_number"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNAVAILABLE = "unavailable"
    BROKEN_OFF = "broken_off"
    FAILED = "failed"
    EXPIRED = "expired"


_D = Disposition

CONTACTED = frozenset({_D.COMPLETED, _D.PARTIAL, _D.REFUSED, _D.OPTED_OUT, _D.CALLBACK_ASKED, _D.BROKEN_OFF})
"""The person themselves was spoken with (接触): what the contact rate counts."""
DONE = frozenset({_D.COMPLETED, _D.PARTIAL})
"""What was owed is done: a part of an answer is kept, and nobody is asked twice for the rest."""
GIVEN_UP = frozenset({_D.REFUSED, _D.OPTED_OUT, _D.WRONG_NUMBER, _D.INVALID_NUMBER, _D.EXPIRED})
"""No way leads further: not to this person, or not at this number."""
RETRIED = frozenset(_D) - DONE - GIVEN_UP
"""Worth another try; `retry` says when and how often."""
REPORTED = tuple(d for d in _D if d is not _D.EXPIRED)
"""What an agent may report; that it is too late only the clock knows."""

# What the line said, in the words of telephony's OutboundResult, for attempts in which nobody was spoken with.
BY_RESULT: dict[str, Disposition] = {
    "busy": _D.BUSY,
    "no_answer": _D.NO_ANSWER,
    "rejected": _D.NO_ANSWER,
    "invalid_number": _D.INVALID_NUMBER,
    "unavailable": _D.UNAVAILABLE,
    "failed": _D.FAILED,
}


def of_result(result: str) -> Disposition:
    """Return what an unanswered attempt's result on the line means.

    A call that was pressed away counts as not answered: that hand may have been in a meeting, and nothing was refused in words.
    """
    return BY_RESULT[result]
