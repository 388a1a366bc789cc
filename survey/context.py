"""What a callback's survey is about, copied from the callback."""

import uuid

from callback.views import CallbackView
from survey.views import SurveyContext

_COPIED = ("callback_id", "call_id", "case_id", "hall", "unit", "region", "category", "matter_code", "matter", "window", "weight")


def context_of(callback: CallbackView) -> SurveyContext:
    """Return the context of a survey that is asked for a callback. No agent's: whoever tries next goes on with it."""
    copied = {name: getattr(callback, name) for name in _COPIED}
    return SurveyContext(queue_name=callback.queue_name or None, **copied)


def survey_key(attempt_id: uuid.UUID) -> str:
    """Return the natural key of the survey of an attempt: one attempt asks once, by whatever way."""
    return f"attempt:{attempt_id}"
