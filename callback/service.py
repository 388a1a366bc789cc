"""The front door of callback: what is owed, the rules, the agents' list, the attempts, campaigns and opt-outs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from callback.agent_list import AgentList
from callback.attempts import Attempts
from callback.campaigns import Campaigns
from callback.disposition import Disposition
from callback.door import CallbackSettings, Door
from callback.opt_outs import OptOuts
from callback.owing import Owing
from callback.places import Places
from callback.planning import Planned, Planning
from callback.ports import OutboundLines, Questionnaires
from callback.previewing import Previewing
from callback.reads import CallbackReads
from callback.rule import Reason, RuleDefinition, Subject
from callback.rules import Rules
from callback.views import (
    AttemptView,
    Brief,
    CallbackView,
    CampaignReport,
    CampaignView,
    ListedCallback,
    OptOutView,
    Preview,
    RuleView,
)
from core.clock import Clock
from core.database import Database
from core.working_days import WorkingDays
from telephony.ports import LineUse, OutboundTrace
from telephony.service import TelephonyService
from workorder.service import WorkorderService


class CallbackService:
    """Everything others may ask of callback.

    Args:
        lines: what is dialled on.
        calls: telephony, for the calls behind callbacks.
        cases: workorder, for the approval cases behind callbacks.
        questionnaires: which version of a questionnaire is asked now.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        working_days: WorkingDays,
        lines: OutboundLines,
        calls: TelephonyService,
        cases: WorkorderService,
        questionnaires: Questionnaires,
        settings: CallbackSettings,
    ) -> None:
        door = Door(database, clock, working_days, lines, questionnaires, settings)
        self.settings = settings
        self._rules = Rules(door)
        self._reads = CallbackReads(door)
        self._owing = Owing(door, self._rules, calls, cases)
        self._attempts = Attempts(door)
        self._places = Places(door, self._owing, self._attempts, calls)
        self._planning = Planning(door, self._attempts)
        self._agent_list = AgentList(door, self._attempts)
        self._previewing = Previewing(door, self._rules, calls, cases)
        self._campaigns = Campaigns(door, self._rules, self._owing)
        self._opt_outs = OptOuts(door)

    # What is owed

    def owe(
        self,
        reason: Reason,
        natural_key: str,
        phone: str,
        subject: Subject | None = None,
        *,
        definition: RuleDefinition | None = None,
        asked_at: datetime | None = None,
    ) -> CallbackView:
        """Owe a call; the same natural key again changes nothing. Without a definition the reason's own defaults hold.

        Raises:
            InvalidInputError: the number is none.
        """
        return self._owing.owe(reason, natural_key, phone, subject or Subject(), definition=definition, asked_at=asked_at)

    def owe_for_call(self, call_id: uuid.UUID) -> list[CallbackView]:
        """Owe what an ended call calls for: a call back when it was missed, a survey by the rules when it was answered."""
        return self._owing.for_call(call_id)

    def awaits_note(self, call_id: uuid.UUID) -> bool:
        """Say whether an answered call's category and result, which rules go by, may still be written."""
        return self._owing.awaits_note(call_id)

    def owe_for_case(self, case_id: uuid.UUID) -> list[CallbackView]:
        """Owe what the rules say of a closed approval case."""
        return self._owing.for_case(case_id)

    def owe_bad_rating(
        self,
        survey_id: uuid.UUID,
        *,
        callback_id: uuid.UUID | None = None,
        call_id: uuid.UUID | None = None,
        case_id: uuid.UUID | None = None,
    ) -> CallbackView | None:
        """Owe a call that puts a bad rating right; the number comes from what the survey was about. None when it has none."""
        return self._owing.for_bad_rating(survey_id, callback_id, call_id, case_id)

    def owe_queue_callback(self, call_id: uuid.UUID, phone: str, queue_name: str, queued_at: datetime) -> CallbackView:
        """Owe a call to a citizen who keeps a place in the queue without waiting at the phone; of two the older place holds."""
        return self._places.owe(call_id, phone, queue_name, queued_at)

    def settle_place(self, call_id: uuid.UUID) -> None:
        """Settle a place in the queue by the call that we placed for it: an agent answered it, or it ended without one."""
        self._places.settle(call_id)

    def promise(
        self, phone: str, at: datetime, actor: str, *, person: str = "", call_id: uuid.UUID | None = None, matter: str = ""
    ) -> CallbackView:
        """Owe a call at the time that a citizen asked for.

        Raises:
            InvalidInputError: the number is none, or the time is past or outside the window for asked times.
        """
        return self._owing.promise(phone, at, actor, person=person, call_id=call_id, matter=matter)

    def close_missed_calls(self, call_id: uuid.UUID) -> int:
        """Close what we owed a number for missed calls and kept places: it rang again and was answered. Returns how many closed."""
        return self._owing.close_missed(call_id)

    def cancel(self, callback_id: uuid.UUID, actor: str, note: str) -> CallbackView:
        """Owe it no more; ConflictError while it is being dialled."""
        return self._owing.cancel(callback_id, actor, note)

    # Reading

    def get(self, callback_id: uuid.UUID) -> CallbackView:
        """Return one callback; NotFoundError when there is none."""
        return self._reads.get(callback_id)

    def attempts(self, callback_id: uuid.UUID) -> list[AttemptView]:
        """Return a callback's attempts, oldest first."""
        return self._reads.attempts(callback_id)

    def of_call(self, call_id: uuid.UUID) -> list[CallbackView]:
        """Return the callbacks that a call led to."""
        return self._reads.of_call(call_id)

    def of_case(self, case_id: uuid.UUID) -> list[CallbackView]:
        """Return the callbacks that an approval case led to."""
        return self._reads.of_case(case_id)

    # Rules

    def save_rule(self, key: str, definition: RuleDefinition, author: str, *, based_on: int | None = None) -> RuleView:
        """Make a rule, or a new version of it; callbacks owed before keep theirs. `based_on` is the version that the author saw.

        Raises:
            ConflictError: somebody saved another version meanwhile.
            InvalidInputError: a bad key.
        """
        return self._rules.save(key, definition, author, based_on)

    def set_rule_active(self, key: str, is_active: bool, actor: str) -> RuleView:
        """Switch a rule on or off."""
        return self._rules.set_active(key, is_active, actor)

    def list_rules(self) -> list[RuleView]:
        """Return every rule in its latest version, the active first."""
        return self._rules.list()

    def get_rule(self, key: str, version_no: int | None = None) -> RuleView:
        """Return a rule, in its latest version by default; NotFoundError when there is none."""
        return self._rules.get(key, version_no)

    def rule_versions(self, key: str) -> list[RuleView]:
        """Return every version of a rule, the latest first."""
        return self._rules.versions(key)

    def ensure_demonstration(self, author: str) -> int:
        """Make the demonstration's rules where they are missing; return how many were made."""
        return self._rules.ensure_demonstration(author)

    def preview(self, day: date, limit: int = 200) -> Preview:
        """Return whom the rules have rung on a day, and whom not, and why."""
        return self._previewing.day(day, limit)

    def try_rule(self, definition: RuleDefinition, day: date, limit: int = 200) -> Preview:
        """Return whom a rule that nobody saved yet would have rung on a day, and whom not, and why."""
        return self._previewing.try_rule(definition, day, limit)

    # The dialer

    def plan_due(self, use: LineUse, limit: int | None = None) -> list[Planned]:
        """Take what is due and may be rung now, as far as the lines allow; commit an attempt for each, to be dialled then."""
        return self._planning.plan_due(use, limit)

    def confirm_dialled(self, attempt_id: uuid.UUID) -> None:
        """Note that the exchange took an attempt."""
        self._attempts.confirm_dialled(attempt_id)

    def open_attempts(self) -> list[uuid.UUID]:
        """Return the attempts that hold a line, or may."""
        return self._attempts.open_on_lines()

    def reconcile(self, attempt_ids: Sequence[uuid.UUID], traces: Sequence[OutboundTrace]) -> None:
        """Bring open attempts in line with the exchange's notes, and end those whose fate nobody knows."""
        self._attempts.reconcile(attempt_ids, traces)

    def sweep(self) -> int:
        """Give up what expired and end what was awaited in vain; return how many callbacks changed."""
        return self._planning.sweep()

    # Attempts

    def brief(self, attempt_id: uuid.UUID) -> Brief:
        """Return what whoever speaks with the person must know; NotFoundError when there is no such attempt."""
        return self._attempts.brief(attempt_id)

    def attach_survey(self, attempt_id: uuid.UUID, survey_id: uuid.UUID) -> None:
        """Note which survey an attempt asks."""
        self._attempts.attach_survey(attempt_id, survey_id)

    def end_attempt(
        self, attempt_id: uuid.UUID, disposition: Disposition, *, cause: str = "", again_at: datetime | None = None
    ) -> CallbackView:
        """Settle an attempt by what the conversation gave; the first word counts, the same again changes nothing."""
        return self._attempts.end(attempt_id, disposition, cause=cause, again_at=again_at)

    def complete(self, callback_id: uuid.UUID, disposition: Disposition) -> CallbackView:
        """Take the outcome of a callback's survey, by whatever way it was answered."""
        return self._attempts.complete(callback_id, disposition)

    def record_answered(self, attempt_id: uuid.UUID) -> None:
        """Note that the citizen picked up."""
        self._attempts.record_answered(attempt_id)

    def record_ended(self, attempt_id: uuid.UUID, result: str, cause: str, call_id: uuid.UUID | None = None) -> None:
        """Note that an attempt's line is free again, what the line said (an OutboundResult), and the Call that it became."""
        self._attempts.record_ended(attempt_id, result, cause, call_id)

    def record_message(self, reference: str, state: str) -> None:
        """Note what became of a text message that was sent for an attempt; other references are nobody's."""
        self._attempts.record_message(reference, state)

    # The agents' list

    def agent_list(self, agent_id: uuid.UUID, limit: int = 100) -> list[ListedCallback]:
        """Return what agents may ring: this agent's own holds first, then by priority; what others hold is left out."""
        return self._agent_list.list(agent_id, limit)

    def hold(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> ListedCallback:
        """Keep a callback for an agent who looks at it; ConflictError when another has it or nothing is owed any more."""
        return self._agent_list.hold(callback_id, agent_id)

    def release(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> None:
        """Give a callback back to the others."""
        self._agent_list.release(callback_id, agent_id)

    def dial(self, callback_id: uuid.UUID, agent_id: uuid.UUID) -> AttemptView:
        """Ring the agent's telephone, then the citizen.

        Raises:
            ConflictError: another agent has it, the number is being rung, it may not be rung now, or no line is free
                (`NotNowError` names the Hindrance).
            UnavailableError: the exchange does not answer.
        """
        return self._agent_list.dial(callback_id, agent_id)

    def report(
        self, callback_id: uuid.UUID, agent_id: uuid.UUID, disposition: Disposition, again_at: datetime | None = None
    ) -> CallbackView:
        """Take an agent's word for how it went; `again_at` is the time that the citizen asked for.

        Raises:
            InvalidInputError: an asked time that is missing, past or outside its window.
            ConflictError: nothing was dialled, or another agent has it.
        """
        return self._agent_list.report(callback_id, agent_id, disposition, again_at)

    def attempt_of_agent(self, agent_id: uuid.UUID) -> Brief | None:
        """Return what an agent is ringing, or rang and has not reported on."""
        return self._agent_list.attempt_of(agent_id)

    # Campaigns

    def start_campaign(
        self, name: str, people: Sequence[Mapping[str, str]], definition: RuleDefinition, actor: str
    ) -> CampaignReport:
        """Owe a call to each of a list (`phone`, any of person, hall, unit, region, category, matter); again adds only new numbers.

        Raises:
            InvalidInputError: no name, nobody in the list, or a definition for another reason.
        """
        return self._campaigns.start(name, people, definition, actor)

    def list_campaigns(self) -> list[CampaignView]:
        """Return every campaign, the latest first."""
        return self._campaigns.list()

    def stop_campaign(self, name: str, actor: str) -> int:
        """Cancel what a campaign still owes; return how many."""
        return self._campaigns.stop(name, actor)

    # Opt-outs

    def opt_out(self, phone: str, source: str, note: str = "") -> OptOutView:
        """Ask a number nothing any more; what it asks of us is still answered. Twice is once."""
        return self._opt_outs.add(phone, source, note)

    def lift_opt_out(self, phone: str, actor: str) -> OptOutView:
        """Ask a number again, by its person's own word; NotFoundError when it had not opted out."""
        return self._opt_outs.lift(phone, actor)

    def list_opt_outs(self, phone: str = "", offset: int = 0, limit: int = 50) -> tuple[list[OptOutView], int]:
        """Return opt-outs, the latest first, and how many there are; those in force before those lifted."""
        return self._opt_outs.list(phone, offset, limit)

    def has_opted_out(self, phone: str) -> bool:
        """Say whether a number is asked nothing."""
        return self._opt_outs.has(phone)
