"""What callback asks of questionnaires before anybody is rung: which version is asked now, and whether a way can ask it."""

import uuid

from callback.hindrance import Hindrance
from callback.rule import Way
from callback.views import CallbackView
from survey.context import context_of
from survey.prompting import PromptLibrary
from survey.service import SurveyService
from survey.views import NotLaunchedError, QuestionnaireNotFoundError, QuotaFullError

_WAYS = {Way.AGENT: "agent", Way.IVR: "ivr", Way.SMS: "web"}


class Catalogue:
    """Callback's Questionnaires."""

    def __init__(self, surveys: SurveyService, prompts: PromptLibrary) -> None:
        self._surveys = surveys
        self._prompts = prompts

    def launched_version(self, key: str) -> uuid.UUID | None:
        """Return the version of a questionnaire that is asked now; None when there is none."""
        return self._surveys.launched_version(key)

    def hindrance(self, version_id: uuid.UUID, way: Way, about: CallbackView) -> Hindrance | None:
        """Return why a version cannot be asked by a way; None when it can."""
        try:
            definition = self._surveys.check_offer(version_id, _WAYS[way], context_of(about))
        except QuotaFullError:
            return Hindrance.QUOTA_FULL
        except (NotLaunchedError, QuestionnaireNotFoundError):
            return Hindrance.NO_QUESTIONNAIRE
        return Hindrance.NO_PROMPTS if way is Way.IVR and self._prompts.missing(definition) else None
