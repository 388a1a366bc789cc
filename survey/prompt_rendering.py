"""The job that renders what launched questionnaires have to say on the telephone, wherever the voice is installed."""

import structlog

from core.database import Database
from core.errors import UnavailableError
from core.jobs import ClaimedJob, Task
from survey.ports import PromptVoice
from survey.prompting import PromptLibrary
from survey.service import SurveyService

log = structlog.get_logger()
PROMPTS_QUEUE = "prompts"
RENDER_PROMPTS = "render_prompts"


class PromptRendering:
    """Looks at what is launched and renders what is missing; nothing to do is the rule."""

    def __init__(self, surveys: SurveyService, library: PromptLibrary, voice: PromptVoice, database: Database) -> None:
        self._surveys = surveys
        self._library = library
        self._voice = voice
        self._database = database

    def tasks(self) -> dict[str, Task]:
        """Return the job by name."""
        return {RENDER_PROMPTS: self._render}

    def render_missing(self) -> int:
        """Render what launched questionnaires lack and return how many texts that were.

        Raises:
            UnavailableError: the voice is not installed here, or failed; pages say which questionnaires cannot be asked.
        """
        launched = (questionnaire.launched for questionnaire in self._surveys.list_questionnaires())
        missing = self._library.missing_of(version.definition for version in launched if version is not None)
        self._voice.render(missing, self._library.folder)
        return len(missing)

    def _render(self, job: ClaimedJob) -> None:
        try:
            count = self.render_missing()
        except UnavailableError as error:
            log.warning("prompts_missing", error=str(error)[:300])
        else:
            if count:
                log.info("prompts_rendered", count=count)
        with self._database.transaction() as session:
            job.finish(session)
