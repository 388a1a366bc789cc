"""The words above a written questionnaire, with what the survey is about filled in. Pure."""

from survey.schema import QuestionnaireDefinition

_UNKNOWN = {
    "zh": {"matter": "有关事项", "unit": "承办单位", "hall": "政务服务大厅"},
    "en": {"matter": "your matter", "unit": "the unit in charge", "hall": "the service hall"},
}


def opening_words(definition: QuestionnaireDefinition, *, matter: str, unit: str, hall: str, language: str = "zh") -> str:
    """Return the opening; what is not known is named in general words."""
    words = definition.opening.in_language(language)
    known = {"matter": matter, "unit": unit, "hall": hall}
    for name, general in _UNKNOWN["en" if language == "en" else "zh"].items():
        words = words.replace("{" + name + "}", known[name] or general)
    return words
