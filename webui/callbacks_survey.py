"""The questionnaire of a callback that an agent asks: offered when they dial, filled in while they talk, ended by their result."""

import uuid
from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup

from callback.disposition import Disposition
from callback.views import Brief
from core.errors import ConflictError, InvalidInputError, NotFoundError
from survey.context import context_of
from survey.schema import QuestionKind, choices
from survey.survey_state import SurveyState
from survey.views import NotLaunchedError, QuotaFullError, SurveyView
from webui.errors import message, says
from webui.house import current_house
from webui.languages import is_english
from webui.survey_form import render_agent_form

_ENDS = {
    Disposition.COMPLETED: SurveyState.COMPLETED,
    Disposition.PARTIAL: SurveyState.PARTIAL,
    Disposition.BROKEN_OFF: SurveyState.PARTIAL,
    Disposition.REFUSED: SurveyState.REFUSED,
    Disposition.OPTED_OUT: SurveyState.REFUSED,
}


class NothingAnsweredError(InvalidInputError):
    """The agent says that the questionnaire was answered, and not one answer was written down."""


says(NothingAnsweredError, lambda error: _("问卷还没有填写。请先填写答案；市民不愿回答请选“拒访”。"))


@dataclass(frozen=True)
class AskedQuestionnaire:
    """What is asked, to be read before dialling."""

    title: str
    version_no: int
    questions: list[str]


def questionnaire_of(version_id: uuid.UUID | None) -> AskedQuestionnaire | None:
    """Return the questionnaire that a callback asks; None when it asks nothing."""
    if version_id is None:
        return None
    try:
        version = current_house().survey.get_version(version_id)
    except NotFoundError:
        return None
    language = _language()
    questions = [question.title.in_language(language) for question in version.definition.questions]
    return AskedQuestionnaire(version.definition.title.in_language(language), version.version_no, questions)


def answers_of(survey_id: uuid.UUID | None) -> list[tuple[str, str]]:
    """Return what was answered, as (question, answer) in words; nothing for a survey that is gone or unanswered."""
    try:
        survey = current_house().survey.view(survey_id) if survey_id else None
    except NotFoundError:
        return []
    if survey is None or not survey.answers:
        return []
    definition, language = current_house().survey.definition(survey.version_id), _language()
    found = []
    for question in definition.questions:
        if question.key in survey.values:
            words = {value: text.in_language(language) for value, text in choices(question)}
            value = survey.values[question.key]
            parts = value if isinstance(value, list) else [value]
            scale = f" / {question.highest}" if question.kind is QuestionKind.SCALE else ""
            found.append(
                (question.title.in_language(language), "、".join(words.get(str(part), str(part)) for part in parts) + scale)
            )
    return found


def agent_form(brief: Brief) -> str:
    """Return the form to fill in while talking, or the reason why there is none; empty when nothing is asked."""
    try:
        survey = _survey(brief)
    except (NotLaunchedError, QuotaFullError) as error:
        return message(error)
    return Markup(render_agent_form(survey.survey_id)) if survey else ""  # noqa: S704 - a rendered template


def end_survey(brief: Brief, disposition: Disposition) -> Disposition:
    """End the survey behind an attempt by what the agent says; return what the answers really bear out.

    Raises:
        NothingAnsweredError: it is said to be answered and is not.
    """
    wanted = _ENDS.get(disposition)
    survey = _known_survey(brief)
    if survey is None or wanted is None:
        return disposition
    says_answered = disposition in (Disposition.COMPLETED, Disposition.PARTIAL)
    if says_answered and not survey.answers:
        raise NothingAnsweredError
    if wanted is SurveyState.PARTIAL and not survey.answers:
        # Broken off before the first answer: the next try asks it from the beginning.
        return disposition
    if not survey.is_open:
        return _disposition(survey) if says_answered else disposition
    try:
        ended = current_house().survey.finish(survey.survey_id, wanted)
    except ConflictError:
        # The citizen or another page ended it a moment ago: what stands, stands.
        ended = current_house().survey.view(survey.survey_id)
    return _disposition(ended) if says_answered else disposition


def _disposition(survey: SurveyView) -> Disposition:
    return Disposition.COMPLETED if survey.state == SurveyState.COMPLETED else Disposition.PARTIAL


def _survey(brief: Brief) -> SurveyView | None:
    if brief.questionnaire_version_id is None:
        return None
    house, callback = current_house(), brief.callback
    # One asking a callback and way: whoever tries next goes on where the first broke off.
    key = f"callback:{callback.callback_id}:agent"
    survey_id = house.survey.offer(key, brief.questionnaire_version_id, "callback", "agent", context_of(callback))
    if brief.attempt.survey_id != survey_id:
        house.callback.attach_survey(brief.attempt.attempt_id, survey_id)
    return house.survey.view(survey_id)


def _known_survey(brief: Brief) -> SurveyView | None:
    return current_house().survey.view(brief.attempt.survey_id) if brief.attempt.survey_id else None


def _language() -> str:
    return "en" if is_english() else "zh"
