"""Events of others and of our own → one call each; jobs of our own. Safe to run twice."""

from __future__ import annotations

from callback.disposition import Disposition
from callback.events import CallbackCompleted, MessageDue
from callback.service import CallbackService
from core.clock import local_time
from core.database import Database
from core.errors import InvalidInputError
from core.jobs import ClaimedJob, Task, enqueue
from survey.context import context_of, survey_key
from survey.events import BadRatingGiven, QuestionnaireLaunched, SurveyFinished
from survey.prompt_rendering import PROMPTS_QUEUE, RENDER_PROMPTS
from survey.service import SurveyService
from survey.views import NotLaunchedError, QuotaFullError, SurveyView
from workorder.service import WorkorderService

CLOSE_EXPIRED = "close_expired_surveys"
SMS_PURPOSE = "survey"
_LONGEST_MATTER = 24
# What runs out without an answer, or was never begun, stays with callback: it has its own patience and the next way.
_OUTCOMES = {
    "completed": Disposition.COMPLETED,
    "partial": Disposition.PARTIAL,
    "refused": Disposition.REFUSED,
}


class SurveyHandlers:
    """What survey does when something happens."""

    def __init__(self, service: SurveyService, callbacks: CallbackService, messages: WorkorderService, database: Database) -> None:
        self._service = service
        self._callbacks = callbacks
        self._messages = messages
        self._database = database

    def on_message_due(self, event: MessageDue) -> None:
        """Offer a web survey and have its link sent; nobody is asked when enough have answered."""
        brief = self._callbacks.brief(event.attempt_id)
        if not brief.callback.is_open:
            return
        if brief.questionnaire_version_id is None:
            self._callbacks.end_attempt(event.attempt_id, Disposition.FAILED, cause="no_questionnaire")
            return
        behind = brief.callback
        version_id, key = brief.questionnaire_version_id, survey_key(event.attempt_id)
        try:
            survey_id = self._service.offer(key, version_id, "callback", "web", context_of(behind))
        except (QuotaFullError, NotLaunchedError):
            self._callbacks.complete(event.callback_id, Disposition.EXPIRED)
            return
        survey = self._service.view(survey_id)
        self._callbacks.attach_survey(event.attempt_id, survey_id)
        try:
            self._messages.send_sms(
                reference=str(event.attempt_id),
                phone=behind.phone,
                body=message_body(survey, self._service.address(survey_id)),
                purpose=SMS_PURPOSE,
                expires_at=survey.expires_at,
            )
        except InvalidInputError:
            # A number that takes no messages: the next way, if there is one.
            self._callbacks.end_attempt(event.attempt_id, Disposition.FAILED, cause="no_text_messages")

    def on_survey_finished(self, event: SurveyFinished) -> None:
        """Tell callback how its survey ended."""
        survey = self._service.view(event.survey_id)
        outcome = _OUTCOMES.get(survey.state)
        if outcome is not None and survey.context.callback_id is not None:
            self._callbacks.complete(survey.context.callback_id, outcome)

    def on_callback_completed(self, event: CallbackCompleted) -> None:
        """Ask no more for a callback that is over. Who could not be reached may still open the link."""
        self._service.close_of_callback(event.callback_id, with_links=event.state == "done")

    def on_bad_rating_given(self, event: BadRatingGiven) -> None:
        """Owe a call that puts it right."""
        about = self._service.view(event.survey_id).context
        self._callbacks.owe_bad_rating(event.survey_id, callback_id=about.callback_id, call_id=about.call_id, case_id=about.case_id)

    def on_questionnaire_launched(self, _event: QuestionnaireLaunched) -> None:
        """Have what the telephone says of it rendered now, not at the next look round."""
        with self._database.transaction() as session:
            enqueue(session, PROMPTS_QUEUE, RENDER_PROMPTS, dedup=RENDER_PROMPTS)

    def tasks(self) -> dict[str, Task]:
        """Return the jobs by name."""
        return {CLOSE_EXPIRED: self._close_expired}

    def _close_expired(self, job: ClaimedJob) -> None:
        while self._service.close_expired():
            pass
        with self._database.transaction() as session:
            job.finish(session)


def message_body(survey: SurveyView, address: str) -> str:
    """Return the text message that carries a link. The blank after the address keeps phones from taking more into it."""
    about = survey.context
    matter = about.matter if len(about.matter) <= _LONGEST_MATTER else about.matter[: _LONGEST_MATTER - 1] + "…"
    if about.case_id is not None and matter:
        reason = f"您办理的“{matter}”已办结"
    elif about.call_id is not None:
        reason = "您最近拨打过热线"
    else:
        reason = "想听听您的意见"
    until = ""
    if survey.expires_at is not None:
        day = local_time(survey.expires_at)
        until = f" {day.month}月{day.day}日前有效"
    return f"{reason}，请花一分钟评价：{address}{until}"
