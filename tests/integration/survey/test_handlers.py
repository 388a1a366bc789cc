"""Surveys between the stages: a callback that falls due by text message, its link, its answer, and the call behind it settled."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, text

from callback.dialer import Dialer
from callback.disposition import Disposition
from callback.door import CallbackSettings
from callback.events import CallbackCompleted, MessageDue
from callback.hindrance import Hindrance
from callback.models import Callback
from callback.rule import Reason, RuleDefinition, Subject, Way
from callback.service import CallbackService
from callback.views import CallbackView
from core.jobs import Job, Worker
from core.settings import Settings
from core.working_days import WorkingDays
from survey.catalogue import Catalogue
from survey.events import BadRatingGiven, QuestionnaireLaunched, SurveyFinished
from survey.handlers import CLOSE_EXPIRED, SurveyHandlers, message_body
from survey.prompt_rendering import RENDER_PROMPTS
from survey.prompting import COMMITTED, PromptLibrary
from survey.schema import Quota
from survey.service import demonstration
from telephony.door import TelephonyRules
from telephony.service import TelephonyService
from tests.fakes.outbound_lines import FakeOutboundLines
from tests.fakes.switch import FakeSwitch
from tests.integration.survey.conftest import Base
from workorder.service import WorkorderService
from workorder.sms_rules import SmsRules

PHONE = "13800138000"
WEEK = 7 * 24 * 3600


@dataclass
class Chain:
    """Callback, text messages and survey, joined as in the program."""

    base: Base
    callbacks: CallbackService
    messages: WorkorderService
    handlers: SurveyHandlers
    dialer: Dialer

    def owe(self, phone: str = PHONE, **more: object) -> CallbackView:
        """Owe a survey about a closed case, by text message."""
        known = {"title": "办件回访", "reason": Reason.CASE_CLOSED, "ways": ["sms"], "questionnaire": "case_service"}
        definition = RuleDefinition.model_validate(known | more)
        subject = Subject(case_id=uuid.uuid4(), matter="补办身份证", hall="市民中心", unit="市公安局", region="城东区")
        return self.callbacks.owe(Reason.CASE_CLOSED, uuid.uuid4().hex, phone, subject, definition=definition)

    def send(self) -> list[str]:
        """Let the dialer go round and its messages be handled, each twice; return the bodies."""
        self.dialer.run_once()
        for event in self.base.events(MessageDue):
            assert isinstance(event, MessageDue)
            self.handlers.on_message_due(event)
            self.handlers.on_message_due(event)
        return [message.body for message in self.messages.list_sms().messages]

    def finish(self) -> None:
        """Handle every end of a survey, each twice."""
        for event in self.base.events(SurveyFinished):
            assert isinstance(event, SurveyFinished)
            self.handlers.on_survey_finished(event)
            self.handlers.on_survey_finished(event)
        for bad in self.base.events(BadRatingGiven):
            assert isinstance(bad, BadRatingGiven)
            self.handlers.on_bad_rating_given(bad)
            self.handlers.on_bad_rating_given(bad)

    def bad_ratings(self) -> list[Callback]:
        """Return the calls that are owed to put a rating right."""
        with self.base.database.transaction() as session:
            return list(session.scalars(select(Callback).where(Callback.reason == Reason.BAD_RATING)))


@pytest.fixture
def chain(base: Base) -> Iterator[Chain]:
    database, clock, site = base.database, base.clock, Settings(_env_file=None)  # type: ignore[call-arg]
    calls = TelephonyService(database, clock, FakeSwitch(), TelephonyRules.of(site))
    lines = FakeOutboundLines(database.url, clock)
    messages = WorkorderService(database, clock, SmsRules.of(site))
    asked = Catalogue(base.service, PromptLibrary(COMMITTED))
    callbacks = CallbackService(database, clock, WorkingDays(database), lines, calls, messages, asked, CallbackSettings())
    base.launched(demonstration("case_service"), "case_service")
    handlers = SurveyHandlers(base.service, callbacks, messages, database)
    yield Chain(base, callbacks, messages, handlers, Dialer(callbacks, lines, monotonic=lambda: clock.now().timestamp()))
    with database.transaction() as session:
        session.execute(text("TRUNCATE callback, callback_attempt, sms_message, sms_part, job CASCADE"))


def survey_of(chain: Chain, body: str) -> uuid.UUID:
    """Return the survey that a message's link opens."""
    found = re.search(r"https://hall\.example/s/(\S+)", body)
    assert found is not None
    return chain.base.service.open_link(found[1]).survey_id


def test_from_the_message_to_the_settled_callback(chain: Chain) -> None:
    owed = chain.owe()
    (body,) = chain.send()
    assert "您办理的“补办身份证”已办结" in body
    assert body.endswith(" 3月25日前有效")
    survey_id = survey_of(chain, body)
    survey = chain.base.service.view(survey_id)
    assert (survey.way, survey.kind, survey.context.callback_id) == ("web", "callback", owed.callback_id)
    assert (survey.context.unit, survey.context.region, survey.context.weight) == ("市公安局", "城东区", 1.0)
    assert chain.callbacks.get(owed.callback_id).survey_id == survey_id
    chain.base.service.answer(survey_id, "satisfaction", 5)
    chain.base.service.answer(survey_id, "resolved", "yes")
    chain.base.service.finish(survey_id, "completed")
    chain.finish()
    settled = chain.callbacks.get(owed.callback_id)
    assert (settled.state, settled.disposition) == ("done", "completed")
    assert chain.bad_ratings() == []


@pytest.mark.parametrize(("outcome", "state"), [(Disposition.COMPLETED, "expired"), (Disposition.NO_ANSWER, "offered")])
def test_a_link_is_over_once_its_callback_is_answered_by_another_way(chain: Chain, outcome: Disposition, state: str) -> None:
    owed = chain.owe()
    survey_id = survey_of(chain, chain.send()[0])
    chain.callbacks.complete(owed.callback_id, outcome)
    (over,) = chain.base.events(CallbackCompleted)
    assert isinstance(over, CallbackCompleted)
    chain.handlers.on_callback_completed(over)
    chain.handlers.on_callback_completed(over)
    assert chain.base.service.view(survey_id).state == state, "who could not be reached may still answer"


def test_a_bad_rating_is_owed_one_call(chain: Chain) -> None:
    owed = chain.owe()
    survey_id = survey_of(chain, chain.send()[0])
    chain.base.service.answer(survey_id, "satisfaction", 1)
    chain.base.service.finish(survey_id, "completed")
    chain.finish()
    assert chain.callbacks.get(owed.callback_id).disposition == "partial"
    (right,) = chain.bad_ratings()
    assert (right.phone, right.matter, right.state) == (PHONE, "补办身份证", "owed")


def test_what_runs_out_leaves_the_callback_to_its_own_patience(chain: Chain) -> None:
    owed = chain.owe(expires_after_days=60, sms_wait_days=30)
    survey_id = survey_of(chain, chain.send()[0])
    chain.base.clock.advance(WEEK + 25 * 3600)
    with chain.base.database.transaction() as session:
        session.add(Job(queue="housekeeping", task=CLOSE_EXPIRED, args={}))
    assert Worker(chain.base.database, chain.handlers.tasks(), ["housekeeping"]).run_once()
    chain.finish()
    assert chain.base.service.view(survey_id).state == "expired"
    assert chain.callbacks.get(owed.callback_id).is_open


def test_nobody_is_asked_when_enough_have_answered(chain: Chain) -> None:
    version_id = chain.base.service.launched_version("case_service")
    assert version_id is not None
    draft = chain.base.service.new_version("fang", version_id)
    full = draft.definition.model_copy(update={"quotas": (Quota(most=1),)})
    chain.base.service.save_draft("fang", draft.version_id, full)
    chain.base.service.launch("fang", draft.version_id)
    chain.base.service.start(chain.base.offered(draft.version_id))
    owed = chain.owe()
    assert chain.send() == []
    found = chain.callbacks.get(owed.callback_id)
    assert (found.state, found.why, found.attempt_count) == ("cancelled", "quota_full", 0)


def test_what_fills_up_between_planning_and_the_message_is_not_sent(chain: Chain) -> None:
    version_id = chain.base.service.launched_version("case_service")
    assert version_id is not None
    owed = chain.owe()
    chain.dialer.run_once()
    chain.base.service.retire("fang", version_id)
    for event in chain.base.events(MessageDue):
        assert isinstance(event, MessageDue)
        chain.handlers.on_message_due(event)
    assert chain.messages.list_sms().messages == []
    assert chain.callbacks.get(owed.callback_id).disposition == "expired"


def test_callback_learns_before_it_rings_whether_a_way_can_ask(chain: Chain, tmp_path: Path) -> None:
    surveys, owed = chain.base.service, chain.owe()
    version_id = surveys.launched_version("case_service")
    assert version_id is not None
    catalogue, mute = Catalogue(surveys, PromptLibrary(COMMITTED)), Catalogue(surveys, PromptLibrary(tmp_path, ()))
    assert [catalogue.hindrance(version_id, way, owed) for way in Way] == [None, None, None]
    assert [mute.hindrance(version_id, way, owed) for way in Way] == [None, Hindrance.NO_PROMPTS, None]
    by_message = (Quota(field="way", value="web", most=1),)
    draft = surveys.new_version("fang", version_id)
    surveys.save_draft("fang", draft.version_id, draft.definition.model_copy(update={"quotas": by_message}))
    surveys.launch("fang", draft.version_id)
    surveys.start(chain.base.offered(draft.version_id))
    # Owed by the words of the version before it, asked in those of this one.
    assert [catalogue.hindrance(version_id, way, owed) for way in Way] == [None, None, Hindrance.QUOTA_FULL]
    surveys.retire("fang", draft.version_id)
    assert {catalogue.hindrance(version_id, way, owed) for way in Way} == {Hindrance.NO_QUESTIONNAIRE}
    assert surveys.list_surveys().total == 1, "nothing was offered"


def test_a_launch_has_its_prompts_rendered(chain: Chain) -> None:
    (event,) = chain.base.events(QuestionnaireLaunched)
    assert isinstance(event, QuestionnaireLaunched)
    chain.handlers.on_questionnaire_launched(event)
    chain.handlers.on_questionnaire_launched(event)
    with chain.base.database.transaction() as session:
        assert session.scalars(select(Job.task)).all() == [RENDER_PROMPTS]


def test_message_bodies_fit_two_parts(chain: Chain) -> None:
    chain.owe()
    body = chain.send()[0]
    survey = chain.base.service.view(survey_of(chain, body))
    longest = message_body(survey, "https://hotline.yunchuan.gov.example/s/" + "x" * 50)
    assert len(longest) <= 2 * 67 - len("【云川市12345】"), "UCS-2 in parts of 67"
