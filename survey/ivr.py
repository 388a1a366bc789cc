"""The process that speaks with citizens by itself: callbacks that were picked up, and the question at the end of a call.

Nothing is kept here that another process could not take up: which call it is the exchange knows, and answers are kept as they come.
"""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from callback.disposition import Disposition
from callback.service import CallbackService
from callback.views import Brief
from core.errors import ConflictError, NotFoundError, TingjianError, UnavailableError
from survey.context import context_of, survey_key
from survey.interview import Interview
from survey.ports import Line, LineGoneError, LineLostError, Lines
from survey.prompting import Phrase, PromptLibrary, PromptMissingError
from survey.service import SurveyService
from survey.survey_state import SurveyState
from survey.telephone import Ears, Ending, TelephoneInterview
from survey.views import NotLaunchedError, QuotaFullError, SurveyContext, SurveyView
from telephony.outbound import attempt_of
from telephony.service import TelephonyService

log = structlog.get_logger()
T = TypeVar("T")
CALLBACK, AFTER_CALL = "callback", "after_call"
_WAY = "ivr"
_BEAT_SECONDS = 5.0
_PAUSES = (0.2, 1.0, 2.0, 4.0, 8.0, 15.0)
"""How long to wait for a database that is away, try by try: a restart, or the change to its replica, takes no longer."""
_ENDS = {
    Ending.FINISHED: SurveyState.COMPLETED,
    Ending.SILENT: SurveyState.PARTIAL,
    Ending.REFUSED: SurveyState.REFUSED,
    Ending.OPTED_OUT: SurveyState.REFUSED,
}
_OUTCOMES = {
    SurveyState.COMPLETED: Disposition.COMPLETED,
    SurveyState.PARTIAL: Disposition.PARTIAL,
    SurveyState.REFUSED: Disposition.REFUSED,
}


@dataclass
class Totals:
    """What this process has done since it started."""

    calls: int = 0
    running: int = 0
    broken_off: int = 0
    failed: int = 0


class Ivr:
    """Speaks with as many citizens at once as ring."""

    def __init__(
        self,
        lines: Lines,
        telephony: TelephonyService,
        callbacks: CallbackService,
        surveys: SurveyService,
        prompts: PromptLibrary,
        *,
        ears: Ears | None = None,
        scratch: Path | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            lines: where waiting calls come from.
            telephony: knows the call behind a channel.
            callbacks: knows why an attempt was dialled, and is told how it went.
            surveys: keeps answers.
            prompts: finds what is said.
            ears: hears spoken answers; None asks for keys alone.
            scratch: a folder shared with the exchange, for what is recorded until it is heard.
            beat: tells the exchange, every few seconds, that somebody is here: without it nobody is passed on to us.
        """
        self._lines = lines
        self._telephony = telephony
        self._callbacks = callbacks
        self._surveys = surveys
        self._prompts = prompts
        self._ears = ears
        self._scratch = scratch
        self._beat = beat
        self._counting = threading.Lock()
        self.totals = Totals()

    def run(self, stopping: threading.Event) -> None:
        """Take calls until told to stop; those that go on are left to the next process."""
        self._lines.start(self.on_call)
        due = 0.0
        while not stopping.wait(0.2):
            if time.monotonic() >= due:
                due = time.monotonic() + _BEAT_SECONDS
                try:
                    self._beat()
                except TingjianError as error:
                    log.info("ivr_waits", error=str(error)[:200])
        self._lines.close()

    def on_call(self, line: Line) -> None:
        """Speak with one citizen, to the end or until they hang up."""
        self._count(calls=1, running=1)
        try:
            if line.variable("TJ_KIND") == AFTER_CALL:
                self._after_call(line)
            else:
                self._callback(line)
            line.hang_up()
        except LineGoneError:
            self._count(broken_off=1)
        except LineLostError as error:
            log.warning("ivr_line_lost", channel=line.unique_id, error=str(error)[:200])
        except Exception:
            self._count(failed=1)
            log.exception("ivr_call_failed", channel=line.unique_id)
            self._apologise(line)
        finally:
            self._count(running=-1)

    def _count(self, **more: int) -> None:
        with self._counting:
            for name, number in more.items():
                setattr(self.totals, name, getattr(self.totals, name) + number)

    def _apologise(self, line: Line) -> None:
        try:
            line.play(self._prompts.file(Phrase.FAULT), "")
            line.hang_up()
        except TingjianError as error:
            log.info("ivr_no_apology", channel=line.unique_id, error=str(error)[:200])

    # --- callbacks

    def _callback(self, line: Line) -> None:
        attempt_id = attempt_of(line.variable("TJ_ATTEMPT"))
        brief = self._brief(attempt_id)
        if attempt_id is None or brief is None:
            log.warning("ivr_unknown_attempt", channel=line.unique_id)
            return
        survey = self._offered(attempt_id, brief)
        if survey is None or not survey.is_open:
            self._callbacks.end_attempt(attempt_id, Disposition.FAILED, cause="nothing_to_ask")
            self._apologise(line)
            return
        if self._prompts.missing(self._surveys.definition(survey.version_id)):
            self._callbacks.end_attempt(attempt_id, Disposition.FAILED, cause="prompts_missing")
            self._surveys.finish(survey.survey_id, SurveyState.SKIPPED)
            self._apologise(line)
            return
        try:
            ending = self._interview(line, survey, may_opt_out=True)
        except LineGoneError:
            self._end_callback(attempt_id, survey.survey_id, None)
            raise
        self._end_callback(attempt_id, survey.survey_id, ending)

    def _brief(self, attempt_id: uuid.UUID | None) -> Brief | None:
        try:
            return self._callbacks.brief(attempt_id) if attempt_id is not None else None
        except NotFoundError:
            return None

    def _offered(self, attempt_id: uuid.UUID, brief: Brief) -> SurveyView | None:
        version_id = brief.questionnaire_version_id
        if version_id is None:
            return None
        try:
            survey_id = self._surveys.offer(survey_key(attempt_id), version_id, CALLBACK, _WAY, context_of(brief.callback))
        except (QuotaFullError, NotLaunchedError) as error:
            # It became full, or was retired, while the telephone rang: another try would find the same.
            log.info("ivr_nothing_to_ask", attempt_id=str(attempt_id), error=str(error)[:200])
            self._callbacks.end_attempt(attempt_id, Disposition.EXPIRED, cause="nothing_to_ask")
            return None
        except (NotFoundError, ConflictError) as error:
            log.warning("ivr_nothing_to_ask", attempt_id=str(attempt_id), error=str(error)[:200])
            return None
        self._callbacks.attach_survey(attempt_id, survey_id)
        return self._surveys.view(survey_id)

    def _end_callback(self, attempt_id: uuid.UUID, survey_id: uuid.UUID, ending: Ending | None) -> None:
        """Tell callback first: an opt-out is more than the refusal that the survey's end will tell of."""
        if ending is Ending.OPTED_OUT:
            _patiently(lambda: self._callbacks.end_attempt(attempt_id, Disposition.OPTED_OUT))
        survey = self._finish(survey_id, _ENDS[ending] if ending else SurveyState.PARTIAL)
        outcome = _OUTCOMES.get(SurveyState(survey.state), Disposition.BROKEN_OFF)
        cause = "silent" if ending is Ending.SILENT else ""
        _patiently(lambda: self._callbacks.end_attempt(attempt_id, outcome, cause=cause))

    # --- the question at the end of a call

    def _after_call(self, line: Line) -> None:
        version_id = self._surveys.after_call_version()
        call = self._telephony.call_of_channel(line.unique_id)
        if version_id is None or call is None:
            log.warning("ivr_no_after_call", channel=line.unique_id)
            return
        context = SurveyContext(call_id=call.call_id, agent_id=call.agent_id, queue_name=call.queue_name or None)
        try:
            survey_id = self._surveys.offer(f"after_call:{call.call_id}", version_id, AFTER_CALL, _WAY, context)
        except (QuotaFullError, ConflictError) as error:
            log.info("ivr_no_after_call", channel=line.unique_id, error=str(error)[:200])
            return
        survey = self._surveys.view(survey_id)
        try:
            ending = self._interview(line, survey, may_opt_out=False) if survey.is_open else Ending.FINISHED
        except LineGoneError:
            self._finish(survey_id, SurveyState.HUNG_UP)
            raise
        except PromptMissingError:
            self._finish(survey_id, SurveyState.SKIPPED)
            raise
        self._finish(survey_id, _ENDS[ending])

    # --- both

    def _interview(self, line: Line, survey: SurveyView, *, may_opt_out: bool) -> Ending:
        survey_id, is_new = survey.survey_id, survey.started_at is None
        self._surveys.start(survey_id, way=_WAY)
        return TelephoneInterview(
            line,
            Interview(self._surveys.definition(survey.version_id), survey.values, survey.language),
            self._prompts.file,
            lambda question, taken, heard: self._keep(survey_id, question.key, taken.value, heard),
            ears=self._ears,
            scratch=self._scratch,
            may_opt_out=may_opt_out,
        ).run(with_opening=is_new)

    def _keep(self, survey_id: uuid.UUID, key: str, value: object, heard: str) -> None:
        _patiently(lambda: self._surveys.answer(survey_id, key, value, heard=heard))

    def _finish(self, survey_id: uuid.UUID, state: SurveyState) -> SurveyView:
        """End a survey; one that has ended meanwhile (its time was over) stays as it is."""
        try:
            return _patiently(lambda: self._surveys.finish(survey_id, state))
        except ConflictError:
            return self._surveys.view(survey_id)


def _patiently(act: Callable[[], T]) -> T:
    """Do something on the database, again and again while it is away: what a citizen said is said once."""
    for pause in _PAUSES:
        try:
            return act()
        except UnavailableError as error:
            log.warning("ivr_database_away", error=str(error)[:200])
            time.sleep(pause)
    return act()
