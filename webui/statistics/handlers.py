"""Which event makes which past day's counts stale, and the work that the clock asks for."""

import uuid
from collections.abc import Callable
from datetime import date

from sqlalchemy import text

from callback.events import CallbackAttempted, CallbackCompleted
from core.clock import local_date
from core.database import Database
from core.jobs import ClaimedJob, Task
from survey.events import SurveyAnswered, SurveyFinished
from telephony.events import CallEnded
from webui.statistics.counting import AGENTS, CALLBACKS, CALLS, SURVEYS, Counting

STATISTICS_QUEUE = "statistics"
COUNT_DAYS, CLOSE_PERIODS = "count_days", "close_periods"


class StatisticsHandlers:
    """Marks days; the worker counts them again within a minute, or a page that needs them does at once."""

    def __init__(self, database: Database, counting: Counting, close: Callable[[], None]) -> None:
        self._database = database
        self._counting = counting
        self._close = close

    def on_survey_answered(self, event: SurveyAnswered) -> None:
        """A late answer, or one taken back, changes days gone by."""
        self._mark_survey(event.survey_id)

    def on_survey_finished(self, event: SurveyFinished) -> None:
        """How a survey ended counts on the day it was offered."""
        self._mark_survey(event.survey_id)

    def on_callback_attempted(self, event: CallbackAttempted) -> None:
        """Whether somebody was reached counts on the day the callback was owed."""
        self._mark_callback(event.callback_id)

    def on_callback_completed(self, event: CallbackCompleted) -> None:
        """How a callback ended counts on the day it was owed."""
        self._mark_callback(event.callback_id)

    def on_call_ended(self, event: CallEnded) -> None:
        """A call that passed midnight belongs to the day before."""
        days = self._days("SELECT started_at FROM call WHERE id = :id", event.call_id)
        self._counting.mark(days, CALLS)
        self._counting.mark(days, AGENTS)

    def tasks(self) -> dict[str, Task]:
        """Return the work of the worker's queue."""
        return {COUNT_DAYS: self._count_days, CLOSE_PERIODS: self._close_periods}

    def _count_days(self, job: ClaimedJob) -> None:
        self._counting.refresh()
        self._finish(job)

    def _close_periods(self, job: ClaimedJob) -> None:
        self._close()
        self._finish(job)

    def _finish(self, job: ClaimedJob) -> None:
        with self._database.transaction() as session:
            job.finish(session)

    def _mark_survey(self, survey_id: uuid.UUID) -> None:
        days = self._days(
            "SELECT offered_at FROM survey WHERE id = :id UNION SELECT answered_at FROM answer WHERE survey_id = :id", survey_id
        )
        self._counting.mark(days, SURVEYS)
        self._counting.mark(days, AGENTS)

    def _mark_callback(self, callback_id: uuid.UUID) -> None:
        days = self._days(
            "SELECT created_at FROM callback WHERE id = :id UNION SELECT promised_by FROM callback WHERE id = :id", callback_id
        )
        self._counting.mark(days, CALLBACKS)

    def _days(self, query: str, row_id: uuid.UUID | None) -> set[date]:
        with self._database.transaction() as session:
            return {local_date(at) for at in session.execute(text(query), {"id": row_id}).scalars() if at is not None}
