"""What survey tells the later stages."""

import uuid

from core.outbox import Event


class SurveyAnswered(Event):
    """An answer was given or changed; sent for each, so that figures follow at once."""

    survey_id: uuid.UUID
    question_key: str


class SurveyFinished(Event):
    """A survey reached its end: completed, partial, refused, skipped, hung_up or expired."""

    survey_id: uuid.UUID
    state: str


class BadRatingGiven(Event):
    """Somebody was not satisfied: a callback is owed to put it right."""

    survey_id: uuid.UUID
    score: float


class QuestionnaireLaunched(Event):
    """A version is asked from now on: what the telephone says of it must be there as sound."""

    version_id: uuid.UUID
