"""How a survey may move, as a table; and what its end is called by what was really answered. Pure."""

from enum import StrEnum

from core.errors import ConflictError


class SurveyState(StrEnum):
    """Where a survey stands."""

    OFFERED = "offered"
    STARTED = "started"
    COMPLETED = "completed"
    PARTIAL = "partial"
    REFUSED = "refused"
    SKIPPED = "skipped"
    HUNG_UP = "hung_up"
    EXPIRED = "expired"


_S = SurveyState
ENDS = frozenset({_S.COMPLETED, _S.PARTIAL, _S.REFUSED, _S.SKIPPED, _S.HUNG_UP, _S.EXPIRED})
NEXT: dict[SurveyState, frozenset[SurveyState]] = {
    _S.OFFERED: ENDS | {_S.STARTED},
    _S.STARTED: ENDS,
    **{end: frozenset() for end in ENDS},
}


class SurveyMoveError(ConflictError):
    """A survey cannot go from one state to the other."""

    def __init__(self, state: SurveyState, wanted: SurveyState) -> None:
        super().__init__(f"{state} → {wanted}")
        self.state = state
        self.wanted = wanted


def next_state(state: SurveyState, wanted: SurveyState) -> SurveyState:
    """Return the state wanted, when it may follow.

    Raises:
        SurveyMoveError: it may not.
    """
    if wanted not in NEXT[state]:
        raise SurveyMoveError(state, wanted)
    return wanted


def honest_end(wanted: SurveyState, *, answers: int, required_left: int) -> SurveyState:
    """Return what an end really is: complete only with every required answer, and no part without one."""
    if answers == 0 and wanted in (_S.COMPLETED, _S.PARTIAL):
        return _S.COMPLETED if wanted is _S.COMPLETED and required_left == 0 else _S.SKIPPED
    if wanted is _S.COMPLETED and required_left:
        return _S.PARTIAL
    if answers and wanted in (_S.SKIPPED, _S.HUNG_UP, _S.EXPIRED):
        return _S.PARTIAL
    return wanted
