"""What recorders of facts share: finding calls and legs, moving states, and writing lines of a call's story once."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import local_date
from telephony import ami_facts as f
from telephony.agent_state import LineState
from telephony.call_numbers import next_number
from telephony.call_state import TRANSITIONS, CallInput, CallState
from telephony.models import Agent, Call, CallEvent, CallLeg, Recording
from telephony.seats import set_line

log = structlog.get_logger()
LEG_CANCELLED = "cancelled"


@dataclass(frozen=True)
class RecorderRules:
    """What the site decided."""

    node: str
    wrapup: timedelta
    keep_days: int


class CallStory:
    """Works within one session; knows how to write, not what a fact means."""

    def __init__(self, session: Session, rules: RecorderRules) -> None:
        self._session = session
        self._rules = rules

    def _new_call(self, unique_id: str, linked_id: str, channel: str, queue: str, at: datetime) -> Call:
        call = Call(
            number=next_number(self._session, at),
            node=self._rules.node,
            linkedid=linked_id or unique_id,
            unique_id=unique_id,
            channel=channel,
            caller_number="",
            queue_name=queue or None,
            state=CallState.QUEUED,
            started_at=at,
        )
        self._session.add(call)
        self._session.flush()
        return call

    def _expect_recordings(self, call: Call, path: str, at: datetime) -> None:
        delete_on = local_date(at) + timedelta(days=self._rules.keep_days)
        for party in ("citizen", "agent") if path else ():
            row = {"call_id": call.id, "party": party, "node": call.node, "path": f"{path}-{party}.wav"}
            values = insert(Recording).values(started_at=at, delete_on=delete_on, **row)
            self._session.execute(values.on_conflict_do_nothing())

    def _leg_for(self, call: Call, agent: Agent, unique_id: str, channel: str, at: datetime) -> CallLeg:
        leg = self._leg(unique_id)
        if leg is None:
            leg = CallLeg(call_id=call.id, agent_id=agent.id, unique_id=unique_id, channel=channel, rang_at=at)
            self._session.add(leg)
            self._session.flush()
        if call.ended_at is not None and leg.ended_at is None:
            leg.ended_at, leg.outcome = max(at, call.ended_at), leg.outcome or LEG_CANCELLED
        return leg

    def _call(self, unique_id: str) -> Call | None:
        query = select(Call).where(Call.node == self._rules.node, Call.unique_id == unique_id)
        return self._session.scalar(query.with_for_update())

    def _call_by_id(self, call_id: object) -> Call | None:
        return self._session.get(Call, call_id, with_for_update=True)

    def _leg(self, unique_id: str) -> CallLeg | None:
        if not unique_id:
            return None
        query = select(CallLeg).join(Call, Call.id == CallLeg.call_id)
        return self._session.scalar(query.where(Call.node == self._rules.node, CallLeg.unique_id == unique_id))

    def _call_of_channel(self, unique_id: str) -> Call | None:
        leg = self._leg(unique_id)
        return self._call_by_id(leg.call_id) if leg is not None else self._call(unique_id)

    def _agent_line(self, call: Call, line: LineState, at: datetime) -> None:
        agent = self._session.get(Agent, call.agent_id, with_for_update=True) if call.agent_id else None
        if agent is not None and agent.call_id == call.id:
            set_line(self._session, agent, line, call.id, at)

    @staticmethod
    def _end_hold(call: Call, at: datetime) -> None:
        if call.held_at is not None:
            call.hold_seconds += seconds_between(call.held_at, at)
            call.held_at = None

    def _move(self, call: Call, happened: CallInput) -> bool:
        following = TRANSITIONS[CallState(call.state)].get(happened)
        if following is None:
            # Asterisk's word about a call that moved on meanwhile: too late, and no reason to stop.
            log.info("late_fact", call_id=str(call.id), state=call.state, happened=happened)
            return False
        call.state = following
        return True

    def _tell(self, call: Call, fact: f.Fact, kind: str, **detail: Any) -> bool:
        """Write a line of the story; False when this very fact was recorded before."""
        key = ":".join(str(value) for value in (kind, *asdict(fact).values()))
        return self._story(call, key[:300], fact.at, kind, detail)

    def _story(self, call: Call, key: str, at: datetime, kind: str, detail: dict[str, Any]) -> bool:
        row = insert(CallEvent).values(call_id=call.id, natural_key=key, at=at, kind=kind, detail=detail)
        return self._session.execute(row.on_conflict_do_nothing().returning(CallEvent.id)).first() is not None


def seconds_between(start: datetime, end: datetime) -> float:
    """Return the seconds from one moment to another, none when they come in the wrong order."""
    return max(0.0, (end - start).total_seconds())
