"""The front door of survey: questionnaires in versions, surveys and their answers, and the links by which citizens answer."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from core.clock import Clock
from core.database import Database
from survey.asking import Asking, ran_out
from survey.links import Links
from survey.questionnaires import Questionnaires
from survey.schema import QuestionnaireDefinition
from survey.survey_reads import SurveyReads
from survey.survey_state import SurveyState
from survey.views import (
    LinkForgedError,
    LinkUsedError,
    QuestionnaireKeyTakenError,
    QuestionnaireView,
    SurveyContext,
    SurveyFilter,
    SurveyPage,
    SurveyView,
    VersionView,
)

AFTER_CALL = "after_call"
DEMO_DIR = Path(__file__).parent / "demo"
DEMONSTRATION = ("case_service", "call_service", AFTER_CALL)


class SurveyService:
    """What the other stages and the pages may ask of survey.

    Args:
        link_key: the site's secret; links in text messages are signed with it.
        public_url: how citizens reach the pages, with no slash at the end.
    """

    def __init__(self, database: Database, clock: Clock, link_key: str, public_url: str) -> None:
        self._questionnaires = Questionnaires(database, clock)
        self._asking = Asking(database, clock)
        self._reads = SurveyReads(database)
        self._links = Links(link_key)
        self._public_url = public_url.rstrip("/")
        self._frozen = lru_cache(maxsize=256)(self._questionnaires.get)

    # --- questionnaires

    def create_questionnaire(self, actor: str, key: str, definition: QuestionnaireDefinition) -> VersionView:
        """Make a questionnaire, its first version a draft.

        Raises:
            BadQuestionnaireKeyError: the key has other signs than a–z, 0–9 and _.
            QuestionnaireKeyTakenError: the key is in use.
        """
        return self._questionnaires.create(actor, key, definition)

    def save_draft(
        self, actor: str, version_id: uuid.UUID, definition: QuestionnaireDefinition, seen: datetime | None = None
    ) -> VersionView:
        """Replace a draft's words, sound or not; `seen` is the `updated_at` that the writer began from.

        Raises:
            VersionFrozenError: it was launched.
            VersionEditedMeanwhileError: somebody else saved it since `seen`.
        """
        return self._questionnaires.save_draft(actor, version_id, definition, seen)

    def new_version(self, actor: str, version_id: uuid.UUID) -> VersionView:
        """Open a draft that begins with the words of an older version.

        Raises:
            DraftExistsError: there is a draft already.
        """
        return self._questionnaires.new_version(actor, version_id)

    def discard_draft(self, actor: str, version_id: uuid.UUID) -> None:
        """Throw a draft away; VersionFrozenError when it was launched."""
        self._questionnaires.discard_draft(actor, version_id)

    def launch(self, actor: str, version_id: uuid.UUID) -> VersionView:
        """Freeze a draft and ask it from now on, in place of the version asked until now.

        Raises:
            NotLaunchableError: it makes no sense yet, such as logic that never ends.
            VersionFrozenError: it was launched before.
        """
        return self._questionnaires.launch(actor, version_id)

    def retire(self, actor: str, version_id: uuid.UUID) -> VersionView:
        """Ask a launched version no more; surveys that are out may still be answered."""
        return self._questionnaires.retire(actor, version_id)

    def get_version(self, version_id: uuid.UUID) -> VersionView:
        """Return a version; QuestionnaireNotFoundError when there is none."""
        return self._questionnaires.get(version_id)

    def list_questionnaires(self) -> tuple[QuestionnaireView, ...]:
        """Return every questionnaire with its versions, the newest version first."""
        return self._questionnaires.list()

    def launched_version(self, key: str) -> uuid.UUID | None:
        """Return the version of a questionnaire that is asked now; None when there is none."""
        return self._questionnaires.launched(key)

    def after_call_version(self) -> uuid.UUID | None:
        """Return the version asked at the end of an answered call (挂机评价)."""
        return self.launched_version(AFTER_CALL)

    def definition(self, version_id: uuid.UUID) -> QuestionnaireDefinition:
        """Return a version's words; those of frozen versions are kept in memory, for they never change."""
        version = self._frozen(version_id)
        if version.is_draft:
            self._frozen.cache_clear()
        return version.definition

    # --- surveys

    def offer(self, natural_key: str, version_id: uuid.UUID, kind: str, way: str, context: SurveyContext) -> uuid.UUID:
        """Make a survey for a reason; the same key again returns the same survey.

        Args:
            kind: callback or after_call.
            way: ivr, web or agent.

        Raises:
            NotLaunchedError: the version is a draft, or retired with none in its place.
            QuotaFullError: enough of these have answered.
        """
        # A version that was retired since is asked in the words of the one launched after it.
        return self._asking.offer(natural_key, version_id, kind, way, context)

    def check_offer(self, version_id: uuid.UUID, way: str, context: SurveyContext) -> QuestionnaireDefinition:
        """Return what an offer would ask now, and offer nothing; raises as `offer`, and QuestionnaireNotFoundError."""
        return self._asking.check(version_id, way, context)

    def start(self, survey_id: uuid.UUID, language: str | None = None, way: str | None = None) -> SurveyView:
        """Note that the person has begun, and in which language and way. Again is harmless.

        Raises:
            SurveyEndedError: it has ended.
            QuotaFullError: it was begun by a link when enough had answered.
        """
        return self._asking.start(survey_id, language, way)

    def answer(self, survey_id: uuid.UUID, question_key: str, value: object, heard: str = "") -> SurveyView:
        """Keep or change an answer, and what it counts as.

        Raises:
            BadAnswerError: the value is none of this question's, or there is no such question.
            SurveyEndedError: it has ended.
        """
        return self._asking.answer(survey_id, question_key, value, heard)

    def retract(self, survey_id: uuid.UUID, question_key: str) -> SurveyView:
        """Take an answer back; SurveyEndedError when the survey has ended."""
        return self._asking.retract(survey_id, question_key)

    def finish(self, survey_id: uuid.UUID, state: SurveyState | str) -> SurveyView:
        """End a survey: completed, partial, refused, skipped, hung_up or expired, as far as the answers bear it out.

        Complete without all required answers is partial; partial without any is skipped. The callback behind it is told.

        Raises:
            SurveyMoveError: it ended otherwise before.
        """
        return self._asking.finish(survey_id, SurveyState(state))

    def withdraw(self, survey_id: uuid.UUID, actor: str, reason: str = "") -> SurveyView:
        """Leave a survey out of every count, by the citizen's wish."""
        return self._asking.withdraw(survey_id, actor, reason)

    def close_of_callback(self, callback_id: uuid.UUID, *, with_links: bool) -> None:
        """End what an agent could still ask for a callback that is over; `with_links`: also what citizens could still open."""
        self._asking.close_of_callback(callback_id, with_links=with_links)

    def close_expired(self) -> int:
        """End surveys whose time is over; return how many."""
        return self._asking.close_expired()

    def view(self, survey_id: uuid.UUID) -> SurveyView:
        """Return a survey with its answers; SurveyNotFoundError when there is none."""
        return self._reads.view(survey_id)

    def list_surveys(self, wanted: SurveyFilter | None = None, offset: int = 0, limit: int = 50) -> SurveyPage:
        """Return surveys with their answers, the newest first."""
        return self._reads.list(wanted or SurveyFilter(), offset, limit)

    # --- links

    def link(self, survey_id: uuid.UUID) -> str:
        """Return the token by which a citizen opens a survey; the same each time."""
        return self._links.token(survey_id)

    def address(self, survey_id: uuid.UUID) -> str:
        """Return the whole address for a text message."""
        return f"{self._public_url}/s/{self.link(survey_id)}"

    def open_link(self, token: str, *, is_sent: bool = False) -> SurveyView:
        """Return the survey behind a link, which opens again and again until the survey is handed in.

        Args:
            is_sent: answers have come: a page that was open when the time ran out is taken for some hours more.

        Raises:
            LinkForgedError: we never made it.
            LinkUsedError: the survey was handed in, or ended otherwise, or its callback was answered by another way.
            QuotaFullError: enough have answered, and this person has not begun.
            LinkExpiredError: its time is over.
            LinkWithdrawnError: it was withdrawn.
        """
        survey = self.behind_link(token)
        ended = survey.state in (SurveyState.COMPLETED, SurveyState.PARTIAL, SurveyState.REFUSED, SurveyState.SKIPPED)
        if ended and not ran_out(survey):
            raise LinkUsedError(survey)
        self._asking.must_open(survey, is_sent)
        return survey

    def behind_link(self, token: str) -> SurveyView:
        """Return the survey that a link was made for, whatever became of it; LinkForgedError when we never made it."""
        survey_id = self._links.survey_id(token)
        if survey_id is None:
            raise LinkForgedError(token[:64])
        return self._reads.view(survey_id)

    # --- the demonstration

    def ensure_demonstration(self, actor: str) -> int:
        """Make and launch the demonstration's questionnaires where there are none of those keys; return how many were made."""
        made = 0
        for key in DEMONSTRATION:
            definition = demonstration(key)
            try:
                version = self.create_questionnaire(actor, key, definition)
            except QuestionnaireKeyTakenError:
                continue
            self.launch(actor, version.version_id)
            made += 1
        return made


def demonstration(key: str) -> QuestionnaireDefinition:
    """Return a questionnaire of the demonstration: case_service, call_service or after_call."""
    return QuestionnaireDefinition.model_validate_json((DEMO_DIR / f"{key}.json").read_text(encoding="utf-8"))
